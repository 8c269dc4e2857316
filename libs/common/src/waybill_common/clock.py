"""The time of day as an argument, so that rules about time can be tested without waiting.

Due times and leases use the database's clock instead: two machines never agree, one database always does.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Anything that can say what time it is."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when a test moves it."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)
        if self._now.tzinfo is None:
            raise ValueError(f"start={start!r} has no time zone: pass an aware datetime, e.g. with tzinfo=UTC")

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Moves the clock; negative seconds step it back, as real clocks do now and then."""
        self._now += timedelta(seconds=seconds)
