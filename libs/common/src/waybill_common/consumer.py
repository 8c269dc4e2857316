"""The Kafka side of consuming: one group member over all topics of a service, batches, offsets after the commit.

Promises: membership lives through a database outage (partitions are paused, polling goes on, the batch in hand is tried
again); on a rebalance or a stop the transaction in hand ends first and its offsets are committed; anything that Kafka
throws ends in a fresh consumer. How often offsets are committed, and what that means: `offsets.py`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from waybill_common import progress
from waybill_common.batches import Batches, TooManyDeadLetters
from waybill_common.brokers import fetch_wait_ms
from waybill_common.consuming import Record, Subscription
from waybill_common.db import Pool, transaction
from waybill_common.freshness import Freshness, Standing, moment
from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metrics
from waybill_common.offsets import Offsets
from waybill_common.patience import OUTAGE_WAITS, Abandoned, InHand, Patience
from waybill_common.progress import Mark, Partition
from waybill_common.records import in_order, record_of
from waybill_common.settings import ServiceSettings
from waybill_common.workers import wait_any

E = TypeVar("E")

declare_events(
    {
        "consumer.failed": "Kafka threw; a fresh consumer follows",
        "consumer.assigned": "partitions were assigned to this replica",
        "consumer.rest_not_stored": "the next owner goes record by record for a while",
    }
)
_POLL_MS = 250
_NOTE_EVERY = 0.25
_HANDOVER_LIMIT = 20.0


class Consumer(Generic[E]):
    """Consumes one subscription until told to stop."""

    def __init__(
        self,
        settings: ServiceSettings,
        pool: Pool,
        subscription: Subscription[E],
        batches: Batches[E],
        *,
        instance: str,
        on_stopped: Callable[[TooManyDeadLetters], Awaitable[None]],
        log: Log,
        metrics: Metrics,
        freshness: Freshness | None = None,
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._bootstrap = settings.kafka
        self._pool = pool
        self._subscription = subscription
        self._batches = batches
        self._batch_size = settings.batch_size
        self._session_timeout_ms = settings.session_timeout_ms
        self._instance = instance
        self._patience = Patience(on_stopped, log, metrics)
        self._busy = asyncio.Lock()
        self._in_hand: InHand | None = None
        self._marks: dict[Partition, Mark] = {}
        self._offsets = Offsets(log, metrics)
        self._freshness = freshness or Freshness()
        self._noted_at = 0.0
        self._stop = asyncio.Event()
        self._afresh = False
        self.joined = False

    @property
    def stopped(self) -> str | None:
        """Why consuming stands still until a person resumes it."""
        return self._patience.stopped

    @property
    def waiting(self) -> str | None:
        """The database trouble that is being waited out."""
        return self._patience.waiting

    async def run(self, stop: asyncio.Event) -> None:
        """Consumes until `stop`; every failure of Kafka is logged and followed by a fresh consumer."""
        self._stop = stop
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                await self._consume()
            except Exception as error:
                failures = 0 if time.monotonic() - began > 60 else failures + 1
                self._log.warning("consumer.failed", error=repr(error), failures=failures, exc_info=True)
                await wait_any(OUTAGE_WAITS[min(failures, len(OUTAGE_WAITS) - 1)], stop)

    def resume(self) -> None:
        """A person has looked at the dead letters: consuming goes on."""
        self._patience.resume()

    def restart(self) -> None:
        """The broker is another one: start again from its committed offsets, not from those in memory."""
        self._afresh = True

    async def _consume(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._subscription.group,
            client_id=self._instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=self._session_timeout_ms // 4,
            rebalance_timeout_ms=max(30_000, self._session_timeout_ms),
            max_poll_interval_ms=300_000,
            metadata_max_age_ms=60_000,
            consumer_timeout_ms=1000,
            fetch_max_wait_ms=await fetch_wait_ms(self._bootstrap),
        )
        watch: asyncio.Task[None] | None = None
        try:
            await consumer.start()
            # Subscribing after the start: a topic that does not exist yet must not keep us from the others.
            consumer.subscribe(topics=sorted(self._subscription.topics), listener=_Listener(self, consumer))
            watch = asyncio.create_task(self._watch_topics(consumer))
            self._afresh = False
            while not self._stop.is_set() and not self._afresh:
                await self._turn(consumer)
        finally:
            if watch is not None:
                watch.cancel()
            await self._leave(consumer)

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=self._batch_size)
        if not fetched:
            self._note_freshness(consumer)
            await self._offsets.commit(consumer)
            return
        async with self._busy:
            # Records in hand are never dropped here: the position is already behind them. Should a rebalance have come
            # between, another replica handles them too, which is harmless.
            self._in_hand = InHand(consumer, self._stop)
            began = time.monotonic()
            try:
                await self._process(self._in_hand, fetched)
            except Abandoned:
                return
            self._metrics.observe("waybill_consume_seconds", time.monotonic() - began)
            for tp, raws in fetched.items():
                self._freshness.handled((tp.topic, tp.partition), moment(raws[-1].timestamp))
            self._note_freshness(consumer)
            await self._offsets.commit_if_due(consumer)

    def _note_freshness(self, consumer: AIOKafkaConsumer) -> None:
        """Now and then, while nothing is in hand: how far our partitions have been read."""
        if time.monotonic() - self._noted_at < _NOTE_EVERY:
            return
        self._noted_at = time.monotonic()
        assigned = consumer._subscription.subscription.assignment  # aiokafka's own answer would wait for a position
        if assigned is not None:
            self._freshness.note(
                Standing(
                    (tp.topic, tp.partition),
                    state.position if state.has_valid_position else None,
                    state.highwater,
                    None if state.timestamp is None else moment(state.timestamp),
                )
                for tp in assigned.tps
                if (state := assigned.state_value(tp)) is not None
            )

    async def _process(self, hand: InHand, fetched: Mapping[TopicPartition, Sequence[Any]]) -> None:
        taken = {(tp.topic, tp.partition): [record_of(raw) for raw in raws] for tp, raws in fetched.items()}
        await self._patience.do(hand, lambda: self._begin(taken))
        calm: list[list[Record]] = []
        careful: list[tuple[Mark, Record]] = []
        for partition, records in taken.items():
            mark = self._marks[partition]
            split = len(records)
            if mark.careful:
                split = next((i for i, record in enumerate(records) if record.offset >= mark.suspect), split)
            calm.append(records[:split])
            careful += [(mark, record) for record in records[split:]]
        await self._calmly(hand, in_order(calm))
        for mark, record in careful:
            await self._carefully(hand, mark, record)

    async def _begin(self, taken: Mapping[Partition, list[Record]]) -> None:
        """First batch of a partition since it became ours: learn what happened to its records before, store the try."""
        new = [partition for partition in taken if partition not in self._marks]
        if not new:
            return
        async with transaction(self._pool) as conn:
            stored = await progress.load(conn, new)
            marks = {p: progress.mark_of(taken[p][0].offset, stored.get(p), self._batch_size) for p in new}
            await progress.store(conn, {p: (taken[p][0].offset, 1) for p in new if not marks[p].attempts})
        self._marks.update(marks)

    async def _calmly(self, hand: InHand, records: list[Record]) -> None:
        if not records:
            return
        ends = {(record.topic, record.partition): record.offset + 1 for record in records}
        # Up to a suspect offset these were handled before: what is stored about the suspect stays.
        begun = {
            p: (end, 1) for p, end in ends.items() if not (self._marks[p].attempts and end <= self._marks[p].suspect)
        }
        await self._patience.do(hand, lambda: self._batches.run(records, begun))
        self._offsets.note_done(ends)

    async def _carefully(self, hand: InHand, mark: Mark, record: Record) -> None:
        """One record of a range in which a process died: its attempt is on disk before the try."""
        partition = (record.topic, record.partition)
        first, mark.entered = not mark.entered, True
        mark.careful = max(mark.careful - 1, 0)
        carried = min(mark.attempts + 1, progress.LIMIT - 1)  # its neighbours were in the range that died as well
        begun = {partition: (record.offset + 1, carried if mark.careful else 1)}
        if first and mark.attempts >= progress.LIMIT:
            reason = f"the process died {mark.attempts} times while it handled this record"
            await self._patience.do(hand, lambda: self._batches.bury(record, reason, begun))
        else:
            if first:
                this_try = {partition: (record.offset, mark.attempts + 1)}
                await self._patience.do(hand, lambda: self._store(this_try))
            await self._patience.do(hand, lambda: self._batches.run([record], begun))
        self._offsets.note_done({partition: record.offset + 1})

    async def _store(self, begun: Mapping[Partition, tuple[int, int]]) -> None:
        async with transaction(self._pool) as conn:
            await progress.store(conn, begun)

    async def hand_over(self, consumer: AIOKafkaConsumer, partitions: set[TopicPartition]) -> None:
        """A rebalance takes partitions away: end the transaction in hand, commit offsets, say that nothing is tried."""
        self.joined = False
        if self._in_hand is not None:
            self._in_hand.lost.set()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._busy.acquire(), _HANDOVER_LIMIT)
            self._busy.release()
        await self._offsets.commit(consumer)
        await self._rest({(tp.topic, tp.partition) for tp in partitions})

    def note_assigned(self, assigned: set[TopicPartition]) -> None:
        """The group has given us these partitions (perhaps none: there may be more replicas than partitions)."""
        self.joined = True
        self._log.info("consumer.assigned", partitions=len(assigned), topics=len({tp.topic for tp in assigned}))

    async def _rest(self, partitions: set[Partition]) -> None:
        known = [partition for partition in partitions if partition in self._marks]
        self._marks = {p: mark for p, mark in self._marks.items() if p not in partitions}
        self._offsets.forget(partitions)
        if not known:
            return
        try:
            async with transaction(self._pool) as conn:
                await progress.rest(conn, known)
        except Exception as error:  # at worst the next owner goes carefully for a while
            self._log.info("consumer.rest_not_stored", error=repr(error))

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        await self._offsets.commit(consumer)
        await self._rest(set(self._marks))
        self.joined = False
        with suppress(Exception):
            await asyncio.wait_for(consumer.stop(), 5.0)

    async def _watch_topics(self, consumer: AIOKafkaConsumer) -> None:
        """Looks often for topics that do not exist yet; the ordinary refresh is a minute apart."""
        wait = 0.2
        while True:
            missing = [t for t in self._subscription.topics if not consumer.partitions_for_topic(t)]
            if not missing:
                return
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)
            with suppress(Exception):
                await consumer._client.force_metadata_update()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka's callbacks, passed on."""

    def __init__(self, owner: Consumer[Any], consumer: AIOKafkaConsumer) -> None:
        self._owner = owner
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._owner.hand_over(self._consumer, revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._owner.note_assigned(assigned)
