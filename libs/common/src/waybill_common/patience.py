"""Patience with a batch in hand: a database outage is waited out, too many dead letters stand still until resumed.

Promises: meanwhile the partitions are paused and polled, so that the group knows that we live; work that is no longer
ours (a rebalance, a stop of the service) ends in `Abandoned`, with nothing of it committed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiokafka import AIOKafkaConsumer

from waybill_common.batches import TooManyDeadLetters
from waybill_common.db import transient
from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metrics
from waybill_common.workers import wait_any

declare_events(
    {
        "consumer.database_trouble": "a batch met a database outage; it is kept and tried again",
        "consumer.resumed": "the batch that waited for the database was handled",
        "consumer.stopped": "too many dead letters: consuming stands still until a person resumes it",
    }
)
OUTAGE_WAITS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between tries while the other side is away; the last one from then on."""


class Abandoned(Exception):
    """The batch in hand is no longer ours (a rebalance, a stop): nothing of it was committed."""


class InHand:
    """What one fetch brought, for as long as it is ours; `lost` is set by a rebalance."""

    def __init__(self, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        self._consumer = consumer
        self._stop = stop
        self.lost = asyncio.Event()

    async def paused(self, seconds: float, *events: asyncio.Event) -> None:
        """Waits with all partitions paused, polling so that the group knows that we live. Raises Abandoned."""
        self._consumer.pause(*self._consumer.assignment())
        try:
            await wait_any(seconds, self._stop, self.lost, *events)
            if not self.lost.is_set():
                await self._consumer.getmany(timeout_ms=0)  # paused: returns nothing, counts as a poll
            if self._stop.is_set() or self.lost.is_set():
                raise Abandoned
        finally:
            with suppress(Exception):  # after a rebalance they are not ours to resume
                self._consumer.resume(*self._consumer.assignment())


class Patience:
    """`do` ends when the work is done, or is not ours any more."""

    def __init__(self, on_stopped: Callable[[TooManyDeadLetters], Awaitable[None]], log: Log, metrics: Metrics) -> None:
        self._on_stopped = on_stopped
        self._log = log
        self._metrics = metrics
        self._resume = asyncio.Event()
        self.stopped: str | None = None
        self.waiting: str | None = None

    def resume(self) -> None:
        """A person has looked at the dead letters."""
        self._resume.set()

    async def do(self, hand: InHand, work: Callable[[], Awaitable[object]]) -> None:
        """Raises Abandoned, and whatever no waiting mends."""
        failures = 0
        while True:
            try:
                await work()
            except TooManyDeadLetters as error:
                await self._stand_still(hand, error)
            except Exception as error:
                if not transient(error):
                    raise
                failures += 1
                self._in_trouble(error, failures)
                await hand.paused(OUTAGE_WAITS[min(failures, len(OUTAGE_WAITS)) - 1])
            else:
                self._well(failures)
                return

    def _in_trouble(self, error: Exception, failures: int) -> None:
        self.waiting = repr(error)
        self._metrics.set("waybill_consumer_paused", 1)
        self._metrics.count("waybill_consume_retries_total", reason="database")
        self._log.warning("consumer.database_trouble", error=repr(error), failures=failures)

    def _well(self, failures: int) -> None:
        if failures:
            self._log.info("consumer.resumed", failures=failures)
            self._metrics.set("waybill_consumer_paused", 0)
        self.waiting = None

    async def _stand_still(self, hand: InHand, error: TooManyDeadLetters) -> None:
        self.stopped = str(error)
        self._resume.clear()
        self._log.error(
            "consumer.stopped", reason=str(error), remedy="look at the dead letters, then resume the consumer"
        )
        await self._on_stopped(error)
        try:
            while not self._resume.is_set():
                await hand.paused(1.0, self._resume)
        finally:
            self.stopped = None
