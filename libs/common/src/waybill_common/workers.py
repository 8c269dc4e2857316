"""Workers: loops that do what is due, rest when nothing is, and are woken instead of polling fast.

Promises: a turn that did something is followed by the next at once; a turn that did nothing is followed by a wait that
doubles up to `idle_max` and ends early on `wake()`; a turn that raises is logged and tried again with growing waits, so
one worker's trouble never ends the process. On stop a turn is finished, not cut.
It cannot wake another replica's workers: those find the row within their `idle_max`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metrics

declare_events(
    {
        "worker.failed": "a worker's turn raised; it is tried again after a wait",
        "worker.recovered": "a worker's turn succeeded after failures",
    }
)
_IDLE_MIN = 0.05
_FAILURE_MIN = 0.25
_FAILURE_MAX = 30.0


@dataclass(eq=False)
class Worker:
    """`turn()` returns how much it did; `idle_max` is the longest rest in seconds."""

    name: str
    turn: Callable[[], Awaitable[int]]
    idle_max: float = 1.0
    failures: int = 0  # in a row; 0 = healthy
    _wake: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def wake(self) -> None:
        """There may be work: ends the present rest, or makes the turn after the present one come at once."""
        self._wake.set()

    async def run(self, stop: asyncio.Event, log: Log, metrics: Metrics) -> None:
        """Turns until `stop` is set; the turn in hand is finished."""
        rest = _IDLE_MIN
        while not stop.is_set():
            self._wake.clear()
            done = await self._try_turn(log, metrics)
            if done:
                rest = _IDLE_MIN
                await asyncio.sleep(0)  # others of the same loop get their turn too
                continue
            if self.failures:
                await wait_any(min(_FAILURE_MIN * 2 ** (self.failures - 1), _FAILURE_MAX), stop)
                continue
            woken = await wait_any(rest, stop, self._wake)
            rest = _IDLE_MIN if woken else min(rest * 2, self.idle_max)

    async def _try_turn(self, log: Log, metrics: Metrics) -> int:
        began = time.monotonic()
        try:
            done = await self.turn()
        except Exception as error:
            # Whatever it was (an outage, a bug), the rows are still due and the next turn finds them.
            self.failures += 1
            metrics.count("waybill_worker_turns_total", worker=self.name, outcome="failed")
            log.warning("worker.failed", worker=self.name, failures=self.failures, error=repr(error), exc_info=True)
            return 0
        if self.failures:
            log.info("worker.recovered", worker=self.name, failures=self.failures)
        self.failures = 0
        metrics.count("waybill_worker_turns_total", worker=self.name, outcome="done" if done else "idle")
        if done:
            metrics.count("waybill_worker_done_total", done, worker=self.name)
            metrics.observe("waybill_worker_turn_seconds", time.monotonic() - began, worker=self.name)
        return done


async def wait_any(seconds: float, *events: asyncio.Event) -> bool:
    """Waits until one of the events is set (True) or the time is over (False)."""
    if any(event.is_set() for event in events):
        return True
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for wait in waits:
            wait.cancel()
