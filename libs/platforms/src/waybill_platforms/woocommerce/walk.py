"""How the list of changed orders is walked, so that none is skipped or repeated while orders move. Pure.

Pages by number skip: an order of page 1 that is changed meanwhile leaves it, and the one that headed page 2 slides onto
page 1 unseen. So each page begins anew at a moment, and the last second of a full page is left to the next one.

A second of which more orders than a page holds were changed (a bulk edit) cannot be walked by moments. It lies in the
past, so orders can only leave it: its pages are read by id from the last to the first, and what slides is read again,
never skipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands. `within`: the page of a crowded second that is next (0: how many there are is not known)."""

    since: datetime
    within: int | None = None

    @classmethod
    def read(cls, token: str | None, since: datetime) -> Self:
        if token is None:
            return cls(_second(since))
        moment, _, within = token.partition("|")
        return cls(datetime.fromisoformat(moment), int(within) if within else None)

    def token(self) -> str:
        return self.since.isoformat() + ("" if self.within is None else f"|{self.within}")


def keep(at: Place, seconds: Sequence[datetime], full: bool) -> tuple[int, Place | None]:
    """How many rows of an ordinary page are taken, and where it goes on. Raises ValueError when that led nowhere."""
    if not full or not seconds:
        return len(seconds), None
    first, last = seconds[0], seconds[-1]
    if first < at.since or last < first:
        raise ValueError(f"orders of {first} to {last} in answer to orders since {at.since}, ascending")
    if first == last:
        return 0, Place(last, 0)
    return sum(1 for moment in seconds if moment < last), Place(last)


def after_crowd(at: Place, page: int) -> Place:
    """The next page of a crowded second; behind its first one, the next second."""
    return Place(at.since, page - 1) if page > 1 else Place(at.since + SECOND)


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
