"""Offsets are committed after the work they stand for, now and then: a few hundred commits a second would be the load.

What is committed late is given again to whoever starts next, and handled again without effect. The lag that operators
see is measured on the way.
"""

import time
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metrics
from waybill_common.progress import Partition

declare_events({"consumer.offsets_not_committed": "the group moved on; these records come again"})
_EVERY = 0.1


class Offsets:
    """The offsets of one replica that are done and not yet committed."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics
        self._done: dict[TopicPartition, int] = {}
        self._lag: dict[TopicPartition, int] = {}
        self._committed_at = 0.0

    def note_done(self, ends: Mapping[Partition, int]) -> None:
        """Everything before these offsets is in the database."""
        for (topic, number), end in ends.items():
            self._done[TopicPartition(topic, number)] = end

    def forget(self, partitions: set[Partition]) -> None:
        """These partitions are another one's now."""
        self._done = {tp: end for tp, end in self._done.items() if (tp.topic, tp.partition) not in partitions}

    async def commit_if_due(self, consumer: AIOKafkaConsumer) -> None:
        if time.monotonic() - self._committed_at >= _EVERY:
            await self.commit(consumer)

    async def commit(self, consumer: AIOKafkaConsumer) -> None:
        """Commits what is done; what the group refuses is tried again while the partition is ours."""
        if not self._done:
            return
        offsets, self._done = self._done, {}
        self._committed_at = time.monotonic()
        self._measure_lag(consumer, offsets)
        try:
            await consumer.commit(offsets)
        except Exception as error:  # the group moved on: these records come again, and handling them twice is harmless
            self._log.info("consumer.offsets_not_committed", error=repr(error))
            for tp in consumer.assignment() & offsets.keys():
                self._done.setdefault(tp, offsets[tp])

    def _measure_lag(self, consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        assigned = consumer.assignment()
        ends = {tp: consumer.highwater(tp) for tp in offsets.keys() & assigned}
        self._lag |= {tp: max(end - offsets[tp], 0) for tp, end in ends.items() if end is not None}
        for topic in {tp.topic for tp in offsets}:
            lag = sum(lag for tp, lag in self._lag.items() if tp.topic == topic and tp in assigned)
            self._metrics.set("waybill_consumer_lag_records", lag, topic=topic)
