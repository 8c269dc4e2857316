"""When a source is looked at next: one pure table (SP-1, SP-5).

While something is unshipped: every `poll_every`. For 30 days after the last shipment: a sweep every 30 minutes, at most
50 FRs a turn where the platform cannot list by change. Then never, until something new is submitted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

SWEEP_EVERY = timedelta(minutes=30)
SWEEP_FOR = timedelta(days=30)
SWEEP_AT_MOST = 50
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
