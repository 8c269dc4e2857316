"""Rows to Kafka in few requests: one batch per partition, many in flight, headers of their own for each message.

Promises: rows of one partition are sent in the order given; each call says exactly which rows were acknowledged. The
producer is idempotent and waits for all in-sync replicas. Keys go to partitions as Kafka's own clients send them
(murmur2), so that other people's tools find them where they look.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from struct import unpack_from

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedForMessageFormatError,
)

_M, _MASK = 0x5BD1E995, 0xFFFFFFFF
_BATCH_BYTES = 256 * 1024
_TOPIC_TIMEOUT = 0.3  # a topic that is not there must not keep the others waiting
_ROW_REFUSED = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnsupportedForMessageFormatError,
)
_INVALID_RECORD, _INVALID_TIMESTAMP = 87, 32


@dataclass(slots=True)  # not frozen: thousands are made a second
class Row:
    """One message to send, with its place in the outbox."""

    position: int
    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes | None
    size: int  # bytes of its parts, at least what it takes on the wire


class SendFailed(Exception):
    """These rows, of one topic, were not acknowledged, because of `cause`."""

    def __init__(self, rows: Sequence[Row], cause: Exception) -> None:
        super().__init__(f"{len(rows)} rows of {rows[0].topic} were not acknowledged: {cause!r}")
        self.rows = rows
        self.cause = cause

    @property
    def row_refused(self) -> bool:
        """The broker will never take (at least) one of these rows."""
        errno = getattr(self.cause, "errno", None)
        return isinstance(self.cause, _ROW_REFUSED) or errno in (_INVALID_RECORD, _INVALID_TIMESTAMP)

    @property
    def topic_refused(self) -> bool:
        """The whole topic is closed to us for now (missing rights): an administrator's matter, not the rows'."""
        return isinstance(self.cause, TopicAuthorizationFailedError)


Result = tuple[list[int], SendFailed | None]


class Sender:
    """An idempotent producer that can be thrown away without sending what it still holds."""

    def __init__(self, bootstrap: str, instance: str, max_bytes: int) -> None:
        self._bootstrap = bootstrap
        self._instance = instance
        self._max_bytes = max_bytes
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._instance,
            enable_idempotence=True,
            acks="all",
            max_batch_size=_BATCH_BYTES,
            max_request_size=max(self._max_bytes, 1_048_576),
            linger_ms=0,
        )
        self._producer = producer
        try:
            await producer.start()
        except BaseException:
            await self.abandon()
            raise

    async def stop(self) -> None:
        """Sends what is held, then closes."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def abandon(self) -> None:
        """Closes without sending what is still held: somebody else may be sending it by now."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        producer._closed = True  # keeps its destructor from complaining; there is no public way to drop what it holds
        with suppress(Exception):
            await asyncio.wait_for(producer._sender.close(), 2.0)
        with suppress(Exception):
            await asyncio.wait_for(producer.client.close(), 2.0)

    async def restart(self) -> None:
        await self.abandon()
        await self.start()

    async def send(self, rows: Sequence[Row]) -> list[Result]:
        """Sends all rows; for each partition (or topic that is not there) what was acknowledged and what failed."""
        by_topic: dict[str, list[Row]] = {}
        for row in rows:
            by_topic.setdefault(row.topic, []).append(row)
        found = await asyncio.gather(*(self._partitions(topic, of_topic) for topic, of_topic in by_topic.items()))
        results: list[Result] = []
        sends = []
        for (topic, of_topic), partitions in zip(by_topic.items(), found, strict=True):
            if isinstance(partitions, SendFailed):
                results.append(([], partitions))
                continue
            grouped: dict[int, list[Row]] = {}
            for row in of_topic:
                grouped.setdefault(partitions[(murmur2(row.key) & 0x7FFFFFFF) % len(partitions)], []).append(row)
            sends += [self._send_partition(topic, number, group) for number, group in grouped.items()]
        results += await asyncio.gather(*sends)
        return results

    async def send_alone(self, row: Row) -> None:
        """Sends one row in a request of its own; raises KafkaError."""
        (_, failure), *_ = await self.send([row])
        if failure is not None:
            raise failure.cause

    async def _partitions(self, topic: str, rows: Sequence[Row]) -> list[int] | SendFailed:
        assert self._producer is not None
        try:
            found = await asyncio.wait_for(self._producer.partitions_for(topic), _TOPIC_TIMEOUT)
        except TimeoutError:
            return SendFailed(rows, UnknownTopicOrPartitionError(f"{topic} is not there after {_TOPIC_TIMEOUT:g} s"))
        except KafkaError as error:
            return SendFailed(rows, error)
        return sorted(found)

    async def _send_partition(self, topic: str, partition: int, rows: Sequence[Row]) -> Result:
        sent: list[int] = []
        failure: SendFailed | None = None
        flights: list[tuple[list[Row], asyncio.Future[object]]] = []
        try:
            for chunk in self._chunks(rows):
                flights.append((chunk, await self._fly(topic, partition, chunk)))
        except KafkaError as error:
            failure = SendFailed(chunk, error)
        for chunk, flight in flights:
            try:
                await flight
            except KafkaError as error:
                failure = failure or SendFailed(chunk, error)
            else:
                sent += [row.position for row in chunk]
        return sent, failure

    def _chunks(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Runs of rows that fit one batch; a big row is a run of its own."""
        chunks: list[list[Row]] = []
        room = 0
        for row in rows:
            if row.size > room or row.size > self._max_bytes:
                chunks.append([])
                room = _BATCH_BYTES - 1024
            chunks[-1].append(row)
            room = 0 if row.size > self._max_bytes else room - row.size  # what will be refused stands alone
        return chunks

    async def _fly(self, topic: str, partition: int, rows: Sequence[Row]) -> "asyncio.Future[object]":
        assert self._producer is not None
        if len(rows) == 1 and rows[0].size > self._max_bytes:
            raise MessageSizeTooLargeError(f"{rows[0].size} bytes, the limit is {self._max_bytes}")
        batch = self._producer.create_batch()
        stamp = int(time.time() * 1000)
        for row in rows:
            added = batch.append(key=row.key, value=row.value, timestamp=stamp, headers=row.headers)
            if added is None:
                raise MessageSizeTooLargeError(f"{row.size} bytes do not fit a batch")
        flight: asyncio.Future[object] = await self._producer.send_batch(batch, topic, partition=partition)
        return flight


def murmur2(key: bytes) -> int:
    """Kafka's hash of a key (pure): the same as aiokafka's, taken four bytes at a time and so four times as fast."""
    length = len(key)
    whole = length // 4
    hashed = 0x9747B28C ^ length
    for part in unpack_from(f"<{whole}I", key):
        part = part * _M & _MASK
        part = (part ^ (part >> 24)) * _M & _MASK
        hashed = (hashed * _M & _MASK) ^ part
    rest = key[whole * 4 :]
    if rest:
        hashed = (hashed ^ int.from_bytes(rest, "little")) * _M & _MASK
    hashed = (hashed ^ (hashed >> 13)) * _M & _MASK
    return hashed ^ (hashed >> 15)
