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
    limit: float = 32.0
    under_way: int = 0
    rests_until: float = 0.0


class Pace:
    """One object a process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lanes: dict[str, _Lane] = {}

    def full(self) -> list[str]:
        """Channels that take no further order now; a claim is worth its while from a quarter of the limit on."""
        now = time.monotonic()
        return [
            name
            for name, lane in self._lanes.items()
            if lane.rests_until > now or (lane.under_way and self._room(lane) < lane.limit / 4)
        ]

    def share(self) -> int:
        """How many orders of one channel a claim may take: what the narrowest lane with room has."""
        rooms = [room for lane in self._lanes.values() if (room := self._room(lane)) >= LEAST]
        return min(rooms, default=int(_Lane().limit))

    def _room(self, lane: _Lane) -> int:
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
