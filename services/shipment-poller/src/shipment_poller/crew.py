"""Claimed rows worked on beside each other, so that a slow one holds nobody up.

Promises: at most `limit` at once; a turn claims what fits and does not wait for what runs; on stop what runs is
finished within the service's drain. One that raises is logged; its row comes again when its lease ends.
"""

import asyncio
from collections.abc import Awaitable, Callable

from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metrics
from waybill_common.workers import Worker

declare_events({"crew.failed": "work on a claimed row raised; the row comes again when its lease ends"})


class Crew:
    """`claim(n)` claims up to n rows and returns one coroutine function for each."""

    def __init__(
        self, claim: Callable[[int], Awaitable[list[Callable[[], Awaitable[None]]]]], limit: int, log: Log
    ) -> None:
        self._claim = claim
        self._limit = limit
        self._log = log
        self._running: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        return len(self._running)

    async def turn(self) -> int:
        """Claims when at least a quarter is free; returns how many were begun or, while full, that there is work."""
        while self._limit - len(self._running) < max(self._limit // 4, 1):
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        begun = await self._claim(self._limit - len(self._running))
        for work in begun:
            task = asyncio.create_task(self._guarded(work))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(begun)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            self._log.warning("crew.failed", error=repr(error), exc_info=True)

    async def drain(self) -> None:
        """Waits for what runs."""
        if self._running:
            await asyncio.wait(set(self._running))

    async def cut(self) -> None:
        """Ends what still runs: its rows come again, its open intents are read back."""
        for task in set(self._running):
            task.cancel()
        await self.drain()


class CrewWorker(Worker):
    """A worker whose end waits for its crew."""

    def __init__(self, name: str, crew: Crew, idle_max: float) -> None:
        super().__init__(name, crew.turn, idle_max)
        self._crew = crew

    async def run(self, stop: asyncio.Event, log: Log, metrics: Metrics) -> None:
        await super().run(stop, log, metrics)
        await self._crew.drain()
