"""Leased rows worked on side by side: a long one holds up none that is due, and keeps its lease while it runs."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from waybill_common.db import Pool
from waybill_common.leases import Lease, LeasedTable, extend

_LOOK_UP = 0.5  # seconds after which what runs is left alone and other rows are looked for
_LAST = 3.0  # seconds that what runs gets at the end


class SideBySide:
    """What runs of one table. A lease that was lost meanwhile is the work's own to notice, by its token."""

    def __init__(self, pool: Pool, table: LeasedTable, hold: timedelta) -> None:
        self._pool, self._table, self._hold = pool, table, hold
        self._running: dict[asyncio.Task[None], Lease] = {}
        self._extended_at = 0.0

    def __len__(self) -> int:
        return len(self._running)

    def start(self, lease: Lease, work: Coroutine[Any, Any, None]) -> None:
        """Begins work on a row that was claimed."""
        self._running[asyncio.create_task(work, name=f"{self._table.table} {lease.id}")] = lease

    async def look(self) -> int:
        """Waits a moment for what runs; returns how many ended, or raises what nobody expected of one."""
        if not self._running:
            return 0
        ended, _ = await asyncio.wait(self._running, timeout=_LOOK_UP, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            del self._running[task]
        await self._extend()
        for task in ended:
            task.result()  # the worker's to log
        return len(ended)

    async def close(self) -> None:
        """Ends what runs: soon by itself, else cut off."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_LAST)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_LAST)

    async def _extend(self) -> None:
        if self._running and time.monotonic() - self._extended_at > self._hold.total_seconds() / 4:
            async with self._pool.acquire() as conn:
                await extend(conn, self._table, list(self._running.values()), self._hold)
            self._extended_at = time.monotonic()
