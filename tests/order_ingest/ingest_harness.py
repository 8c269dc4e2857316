"""order-ingest as a whole service for the tests: real database, Kafka-protocol broker, its consumer and workers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from order_ingest.app import build
from order_ingest.connection_state import Notices
from waybill_common.db import Pool
from waybill_common.service import Definition, Running, running
from waybill_common.settings import ServiceSettings
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.envelope import Encoded, decode, encode
from waybill_contracts.event import Event


@dataclass
class Live:
    """A running order-ingest, its broker and its database."""

    run: Running[ServiceSettings]
    producer: AIOKafkaProducer
    bootstrap: str

    @property
    def pool(self) -> Pool:
        return self.run.runtime.pool

    async def send(self, *messages: Encoded) -> None:
        for message in messages:
            headers = [(name, text.encode()) for name, text in message.headers.items()]
            await self.producer.send_and_wait(message.topic, message.value, key=message.key.encode(), headers=headers)

    async def publish(self, *events: Event, source: str = "console", traceparent: str | None = None) -> None:
        await self.send(*(encode(event, source=source, traceparent=traceparent) for event in events))

    async def until(self, what: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (answer := await what()):
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.05)
        return answer

    async def until_value(self, query: str, wanted: Any) -> None:
        async def reached() -> bool:
            return bool(await self.pool.fetchval(query) == wanted)

        await self.until(reached)

    async def on_topic(self, topic: str, count: int) -> list[Event]:
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await consumer.start()
        found: list[Event] = []
        try:
            async with asyncio.timeout(20):
                while len(found) < count:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        for r in records:
                            one = decode(r.topic, r.key, {k: v.decode() for k, v in r.headers}, r.value)
                            found += [one.event] if one is not None else []
        finally:
            await consumer.stop()
        return found


@asynccontextmanager
async def ingest(database_url: str, kafka: str, shelf: Any, hooks: Any = None) -> AsyncIterator[Live]:
    settings = ServiceSettings(database_url=database_url, kafka=kafka, secret_key="a-secret", http_port=0)  # type: ignore[arg-type]

    async def open_reader(_: ChannelConfigured) -> Any:
        return shelf

    async def open_hooks(_: ChannelConfigured) -> Any:
        return hooks

    async def parts(runtime: Any) -> Any:
        return await build(runtime, open_reader, open_hooks)

    definition = Definition("order-ingest", "order_ingest", "order_ingest", parts, 0, Notices())
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    async with running(definition, settings) as run:
        await producer.start()
        try:
            yield Live(run, producer, kafka)
        finally:
            await producer.stop()
