"""How fresh an answer from the read model is: its `as_of`.

Everything that the services had told Kafka by then is in the answer. It stands still while consuming does (a backlog, a
database that is away, a consumer that was stopped), and is never the moment of asking. With several replicas it is the
stalest one's; a replica knows its own at once, and the others' to some seconds. None: nothing has been read yet.
"""

import time
from datetime import datetime
from typing import Any

from waybill_common.db import Pool, Queries
from waybill_common.freshness import Freshness

_EVERY = 5.0
"""Seconds between the words of a replica to the others, and between looks at theirs."""


class Fresh:
    """What one replica knows of all."""

    def __init__(self, pool: Pool, q: Queries, own: Freshness, instance: str) -> None:
        self._pool, self._q, self._own, self._instance = pool, q, own, instance
        self._looked_at = self._told_at = -_EVERY
        self._others: Any = None

    async def as_of(self) -> datetime | None:
        if time.monotonic() - self._looked_at >= _EVERY:
            self._others = await self._q.others_read_until(self._pool, instance=self._instance)
            self._looked_at = time.monotonic()
        known = [at for at in (self._own.until(), self._others["now"]) if at is not None]
        return min(known) if known else self._others["last"]

    async def stamp(self) -> dict[str, datetime | None]:
        """What a list says of itself. Asked before the rows are read: what comes in between makes it no staler."""
        return {"as_of": await self.as_of()}

    async def turn(self) -> int:
        """A worker's turn: tells the other replicas."""
        until = self._own.until()
        if until is not None and time.monotonic() - self._told_at >= _EVERY:
            await self._q.note_read_until(self._pool, instance=self._instance, read_until=until)
            self._told_at = time.monotonic()
        return 0

    async def leave(self) -> None:
        """At the end: nobody waits for this replica any more."""
        await self._q.forget_reader(self._pool, instance=self._instance)
