"""The loops of a running service, and their orderly end: work first, then what it left in the outbox."""

import asyncio
import time
from typing import Any

from waybill_common.erasing import Eraser
from waybill_common.housekeeping import Housekeeping
from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metrics
from waybill_common.parts import Running
from waybill_common.settings import ServiceSettings

declare_events(
    {
        "service.cut": "something did not finish in time and was cancelled; its rows are due again",
        "service.part_died": "a part of the kernel ended that never should; the process ends too",
    }
)
_RELAY_SHARE = 2.0  # seconds of the drain kept for the relay


class Tasks:
    """The loops of a running service, and their orderly end."""

    def __init__(self, run: Running[Any], settings: ServiceSettings, log: Log, metrics: Metrics) -> None:
        self._run = run
        self._settings = settings
        self._log = log
        self._metrics = metrics
        self._stop_work = asyncio.Event()
        self._stop_relay = asyncio.Event()
        self._work: list[asyncio.Task[None]] = []
        self._relay: asyncio.Task[None] | None = None

    def start(self) -> None:
        runtime, consumer = self._run.runtime, self._run.consumer
        relay_seconds = min(_RELAY_SHARE, self._settings.drain_timeout / 2)
        self._relay = self._task("relay", self._run.relay.run(self._stop_relay, drain_seconds=relay_seconds))
        eraser = Eraser(runtime.pool, self._run.parts.redact)
        housekeeping = Housekeeping(runtime.pool, self._settings, runtime.log, runtime.metrics, eraser)
        housekeeping.on_new_broker = consumer.restart if consumer is not None else None
        for worker in (housekeeping.worker(), *self._run.parts.workers):
            self._work.append(self._task(worker.name, worker.run(self._stop_work, self._log, self._metrics)))
        if consumer is not None:
            self._work.append(self._task("consumer", consumer.run(self._stop_work)))

    def _task(self, name: str, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None or self._run.died.done():
            return
        self._log.error("service.part_died", part=task.get_name(), error=repr(error), exc_info=error)
        self._run.died.set_result(task.get_name())

    async def drain(self) -> None:
        """Work first, then what its parts finish, then what both left in the outbox."""
        total = self._settings.drain_timeout
        deadline = time.monotonic() + total - min(_RELAY_SHARE, total / 2)
        self._stop_work.set()
        for worker in self._run.parts.workers:
            worker.wake()
        await self._finish(self._work, deadline - time.monotonic())
        last = [asyncio.create_task(finisher(), name="finisher") for finisher in self._run.parts.finishers]
        await self._finish(last, max(deadline - time.monotonic(), 0.5))
        self._stop_relay.set()
        self._run.relay.wake()
        await self._finish([] if self._relay is None else [self._relay], min(_RELAY_SHARE, total / 2) + 1.0)

    async def _finish(self, tasks: list[asyncio.Task[None]], seconds: float) -> None:
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            self._log.warning("service.cut", part=task.get_name())
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1.0)
