"""When a source is looked at next: one pure table (SP-1, SP-5).

While something is unshipped: every `poll_every`. For 30 days after the last shipment: a sweep every 30 minutes. Then
never, until something new is submitted. Where the platform cannot list by change, a turn asks for the unshipped FRs and
for at most 50 of the others: each every 30 minutes on its first day, and the less often the older it is (`SWEEPS`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

SWEEP_EVERY = timedelta(minutes=30)
SWEEP_FOR = timedelta(days=30)
SWEEP_AT_MOST = 50
SWEEPS = ((timedelta(days=1), SWEEP_EVERY), (timedelta(days=7), timedelta(hours=3)), (SWEEP_FOR, timedelta(hours=12)))
"""Up to this age, as often: what corrections need, and what a budget can bear."""
SEEN_WITHIN = timedelta(minutes=15)
SYNCED_WITHIN = timedelta(minutes=5)
CORRECTED_WITHIN = timedelta(hours=1)
HINT_WAIT = timedelta(seconds=5)
"""How long a webhook's hint waits for others: a hundred of them are one turn."""
OVERLAP = timedelta(minutes=5)
EARLY_KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched at one source: how many FRs are unshipped, and when the newest of the others was shipped."""

    unshipped: int
    last_shipped_at: datetime | None


def next_turn(watching: Watching, poll_every: timedelta, now: datetime) -> timedelta | None:
    """How long the source's next turn can wait; none: nothing is left to look for."""
    if watching.unshipped:
        return poll_every
    if watching.last_shipped_at is not None and now - watching.last_shipped_at < SWEEP_FOR:
        return max(poll_every, SWEEP_EVERY)
    return None


def since(cursor: datetime | None) -> datetime | None:
    """Where the next list begins: the newest change seen, minus an overlap for clocks and late indexes."""
    return None if cursor is None else cursor - OVERLAP


def moved(cursor: datetime | None, seen: list[datetime], now: datetime) -> datetime | None:
    """The cursor after a list that was read to its end; it never goes back, and never beyond the present."""
    known = [min(moment, now) for moment in seen] + ([cursor] if cursor else [])
    return max(known, default=None)


def late(read_at: datetime, poll_every: timedelta, now: datetime) -> bool:
    """Whether the deadline of seeing a shipment (15 minutes, or the source's own pace) was missed by a third."""
    return now - read_at > max(poll_every, SEEN_WITHIN) * 4 / 3


def late_sweep(read_at: datetime, poll_every: timedelta, now: datetime) -> bool:
    """Whether a correction may have missed its hour (or the source's own pace, by a third), with nothing unshipped."""
    return now - read_at > max(CORRECTED_WITHIN, poll_every * 4 / 3)


def calls_a_day(unshipped: int, poll_every: timedelta, *, lists_changes: bool, asked_at_once: int) -> float:
    """List calls that a source costs a day while so many FRs are unshipped there and nothing happens.

    `lists_changes`: one list serves all; else they are asked for by name, `asked_at_once` in a call.
    """
    if not unshipped:
        return 0.0
    calls = 1 if lists_changes else -(-unshipped // asked_at_once)
    return timedelta(days=1) / poll_every * calls
