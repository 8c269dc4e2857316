"""Whether and when a failed call is tried again: a pure rule (SP-8, SP-9, FP-5).

A failure's family says what may help: time (`LATER`), nothing (`REFUSED`, `UNREADABLE`), or a person with new
credentials (`UNAUTHORIZED`). The answer is a due time for the row; nobody sleeps on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """What kind of failure it was."""

    LATER = "later"
    """Connection, rate limit, server error, timeout before the request left: may pass by itself."""
    REFUSED = "refused"
    """The other side understood and said no: the same request gets the same answer."""
    UNAUTHORIZED = "unauthorized"
    """The credentials are wrong or expired: every request of the connection gets this answer."""
    UNREADABLE = "unreadable"
    """An answer that does not fit the platform's contract: a person has to look."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """SP-8 by default: 3 tries after the first, waiting number of the try × 1.5 s.

    Seconds. `jitter` is the share of a wait that chance adds (it never shortens one); `longest` bounds what a
    `Retry-After` can ask for.
    """

    retries: int = 3
    step: float = 1.5
    jitter: float = 0.2
    longest: float = 86_400.0


SP_8 = Schedule()


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after this many seconds."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It failed for good; the reason is one of `refused`, `unreadable`, `retries_exhausted`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """The connection waits for new credentials; no attempt is used."""


Decision = Again | GiveUp | Pause


def decide(
    schedule: Schedule, family: Family, attempt: int, retry_after: float | None = None, random: float = 0.5
) -> Decision:
    """What follows the failure of try number `attempt` (1 = the first).

    `retry_after` is what the other side asked for, in seconds; `random` is a number from 0 to 1.
    """
    if family is Family.UNAUTHORIZED:
        return Pause()
    if family is not Family.LATER:
        return GiveUp(family.value)
    if attempt > schedule.retries:
        return GiveUp("retries_exhausted")
    wait = max(attempt, 1) * schedule.step
    asked = max(wait, retry_after or 0.0)
    return Again(min(asked + wait * schedule.jitter * random, schedule.longest))
