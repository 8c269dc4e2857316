"""Forgets decisions that have served their time: dry runs over old windows and explanations end with them.

An order that still waits keeps its newest decision, however old: it says why it waits.
"""

from datetime import datetime, timedelta

from waybill_common.clock import Clock
from waybill_common.db import Pool, Queries

EVERY = timedelta(minutes=10)
PORTION = 10_000
"""So many at a time: the table is not held up."""


class Tidy:
    """A worker's turn; every replica may take it."""

    def __init__(self, pool: Pool, queries: Queries, clock: Clock, *, kept_days: float) -> None:
        self._pool = pool
        self._q = queries
        self._clock = clock
        self._kept_days = kept_days
        self._last: datetime | None = None

    async def turn(self) -> int:
        """How many decisions were forgotten; the next portion follows at once while there are whole ones."""
        now = self._clock.now()
        if self._last is not None and now - self._last < EVERY:
            return 0
        forgotten: int = await self._q.prune_decisions(self._pool, days=self._kept_days, most=PORTION)
        self._last = now if forgotten < PORTION else None
        return forgotten
