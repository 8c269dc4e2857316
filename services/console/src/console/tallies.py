"""Adds the changes of the kept counts up (migration 0060), so that reading them stays a matter of some rows."""

from waybill_common.db import Pool, Queries


class Tallies:
    """A worker's turn. Counts are right without it, too: they are what was folded and what was not yet."""

    def __init__(self, pool: Pool, q: Queries) -> None:
        self._pool, self._q = pool, q

    async def turn(self) -> int:
        await self._q.fold_tallies(self._pool)
        await self._q.forget_empty_tallies(self._pool)
        return 0  # what comes meanwhile waits for the next turn: one fold for many changes
