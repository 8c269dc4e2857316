"""How many orders a channel is pushed at once: as many as its rate budget lets through without waiting.

Halved when the budget says "later" (and the channel rests for as long as it said), grown by one with each order that
went through. In memory, for each process: the budget itself is shared through the database.
"""

import time
from dataclasses import dataclass

LEAST = 2
MOST = 64


@dataclass(slots=True)
class _Lane:
    limit: float = 16.0
    under_way: int = 0
    rests_until: float = 0.0


class Pace:
    """One object a process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lanes: dict[str, _Lane] = {}

    def full(self) -> list[str]:
        """Channels that take no further order now."""
        now = time.monotonic()
        return [
            name
            for name, lane in self._lanes.items()
            if lane.rests_until > now or lane.under_way >= min(int(lane.limit), self._most)
        ]

    def room(self, channel: str) -> int:
        """How many more it takes."""
        lane = self._lanes.get(channel) or _Lane()
        return max(min(int(lane.limit), self._most) - lane.under_way, 0)

    def begun(self, channel: str) -> None:
        """One more is under way."""
        self._lanes.setdefault(channel, _Lane()).under_way += 1

    def ended(self, channel: str, waits: float = 0.0) -> None:
        """One is over; `waits`: seconds after which the budget asked to come again."""
        lane = self._lanes.setdefault(channel, _Lane())
        lane.under_way -= 1
        if waits > 0:
            lane.limit = max(lane.limit / 2, LEAST)
            lane.rests_until = time.monotonic() + waits
        else:
            lane.limit = min(lane.limit + 1, self._most)
