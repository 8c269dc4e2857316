"""What the kernel's own tests share: a migrated schema, settings for a test's own parts, a running service."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import pytest_asyncio

from waybill_common import outbox
from waybill_common.consuming import Record, Subscription, Unreadable
from waybill_common.db import Connection, Pool, open_pool, transaction
from waybill_common.logs import Log, make_log
from waybill_common.metrics import Metrics
from waybill_common.migrations import migrate
from waybill_common.service import Definition, Parts, Running, Runtime, running
from waybill_common.settings import ServiceSettings

SCHEMA = "kernel_test"


@pytest.fixture
def log() -> Log:
    return make_log("test", "WARNING")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on a schema that holds the kernel's tables and one of a service: `seen`."""
    await migrate(database_url, SCHEMA, [])
    pool = await open_pool(database_url, SCHEMA, size=6, name="test")
    await pool.execute("create table seen (id text primary key, at bigint generated always as identity)")
    yield pool
    pool.terminate()


@pytest.fixture
def settings(database_url: str, kafka: str) -> ServiceSettings:
    return ServiceSettings(
        database_url=database_url,
        kafka=kafka,
        secret_key="a key for tests",
        http_port=0,
        start_timeout=20,
        session_timeout_ms=6000,
        log_level="WARNING",
    )


class Reader:
    """A service that writes what it reads into `seen`, and can be told what to choke on."""

    def __init__(self, *topics: str, group: str = "reader", upstream: frozenset[str] = frozenset()) -> None:
        self.batches: list[list[str]] = []
        self.poison: dict[str, Callable[[], Exception]] = {}
        self.subscription = Subscription(group, topics, self.decode, self.handle, upstream)

    def decode(self, record: Record) -> str | None:
        if record.value is None:
            return None
        text = record.value.decode("utf-8", "replace")
        if text.startswith("unreadable"):
            raise Unreadable("value: it says so itself; send an event")
        return text

    async def handle(self, conn: Connection, events: Sequence[str]) -> None:
        await conn.executemany("insert into seen (id) values ($1) on conflict do nothing", [(e,) for e in events])
        for event in events:
            if event in self.poison:
                raise self.poison[event]()
        self.batches.append(list(events))


@pytest.fixture
def reader() -> Reader:
    return Reader("things")


@pytest.fixture
def make_reader() -> type[Reader]:
    return Reader


Start = Callable[..., AbstractAsyncContextManager[Running[ServiceSettings]]]


@pytest.fixture
def start(settings: ServiceSettings, log: Log) -> Start:
    """`async with start(reader) as run`: the reader as a running service with the table it needs."""

    def start_(
        reader: Reader | None = None, *, given: ServiceSettings | None = None, **more: Any
    ) -> AbstractAsyncContextManager[Running[ServiceSettings]]:
        async def build(runtime: Runtime[ServiceSettings]) -> Parts:
            await runtime.pool.execute(
                "create table if not exists seen (id text primary key, at bigint generated always as identity)"
            )
            return Parts(subscription=reader.subscription if reader else None, **more)

        return running(Definition("reader", SCHEMA, "waybill_common", build, 18999), given or settings, log=log)

    return start_


@pytest.fixture
def send() -> Callable[..., Awaitable[None]]:
    """`await send(pool, "things", "a", "b")`: appends events to the outbox, one transaction, the value being the id."""

    async def send_(pool: Pool, topic: str, *values: str, key: str | None = None) -> None:
        async with transaction(pool) as conn:
            await outbox.append(conn, [outbox.Message(v, topic, key or v, {"ce_id": v}, v.encode()) for v in values])

    return send_


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """`await until(lambda: condition)`: waits for a condition (also an async one), or fails after some seconds."""

    async def until_(condition: Callable[[], Any], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return
            assert time.monotonic() < deadline, "it did not come to be"
            await asyncio.sleep(0.02)

    return until_
