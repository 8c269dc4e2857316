"""The pytest plugin with real parts: `-p waybill_common.testing`.

`postgres` (session), `database_url` (a fresh database for each test), `kafka` (a fresh broker for each test),
`real_kafka` (session, Apache Kafka; for tests marked `connected`), `otlp_receiver`, `manual_clock`, `unused_port`;
and `DatabaseClock`, for tests that set what time it is for a database.
The servers end with the test process, however it ends.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from waybill_common.clock import ManualClock
from waybill_common.db import Pool, check_schema, set_codecs
from waybill_common.embedded.kafka import EmbeddedKafka
from waybill_common.embedded.otlp import OtlpReceiver
from waybill_common.embedded.postgres import EmbeddedPostgres
from waybill_common.embedded.processes import free_port


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of this test session, without the settings that make it durable."""
    with (
        tempfile.TemporaryDirectory(prefix="waybill-postgres-", ignore_cleanup_errors=True) as directory,
        EmbeddedPostgres(Path(directory), fast=True) as server,
    ):
        yield server


@pytest_asyncio.fixture
async def database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of an empty database that only this test uses."""
    async with new_database(postgres) as url:
        yield url


@asynccontextmanager
async def new_database(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL of an empty database, for fixtures of a wider scope; dropped afterwards, whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    await _administer(postgres, f"create database {name} template template0")
    try:
        yield postgres.database_url(name)
    finally:
        await _administer(postgres, f"drop database if exists {name} with (force)")


async def _administer(postgres: EmbeddedPostgres, statement: str) -> None:
    # A test may have stopped the server to see what happens then.
    postgres.start()
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def embedded_kafka() -> Iterator[EmbeddedKafka]:
    """The broker itself, for tests that create topics or play an outage."""
    with EmbeddedKafka() as broker:
        yield broker


@pytest.fixture
def kafka(embedded_kafka: EmbeddedKafka) -> str:
    """The bootstrap servers of a broker that only this test uses; topics come into being when first used."""
    return embedded_kafka.bootstrap


@pytest.fixture(scope="session")
def real_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap servers of an Apache Kafka that the whole session shares: use topics and groups of your own.

    The broker of `WAYBILL_KAFKA` when that is set. For tests marked `connected`.
    """
    from waybill_common.embedded.real_kafka import running_kafka

    with running_kafka(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """A collector on a loopback port; start services with its `environ`."""
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture
def manual_clock() -> ManualClock:
    """A clock that stands still at a moment of 2026 until the test advances it."""
    return ManualClock(datetime(2026, 6, 1, 12, 0, tzinfo=UTC))


@pytest.fixture
def unused_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    return free_port()


_CLOCK = """
create schema if not exists clock;
create table if not exists clock.moment (at timestamptz not null);
create or replace function clock.now() returns timestamptz language sql stable as 'select at from clock.moment';
create or replace function clock.clock_timestamp() returns timestamptz language sql stable
    as 'select at from clock.moment';
"""


class DatabaseClock:
    """What time it is for the sessions of its pool, set by a test: `now()` and `clock_timestamp()` answer that.

    Due times, leases and outages go by the database's clock alone (`waybill_common.clock` says why), so a test of waits
    moves that clock and runs the statements of production as they are. It stands still at the moment of its making
    until it is advanced. What it cannot move: column defaults, which are bound to the true clock, and what a process
    measures for itself (how long its lease lasts).
    """

    def __init__(self, pool: Pool, start: datetime) -> None:
        self.pool = pool
        self._now = start

    @classmethod
    @asynccontextmanager
    async def over(cls, url: str, schema: str, size: int = 6) -> AsyncIterator[DatabaseClock]:
        """With a pool of its own over the migrated `schema` of this database."""
        # pg_catalog is searched first unless it is named: named after `clock`, the functions of that schema come first.
        settings = {"search_path": f"{check_schema(schema)},clock,pg_catalog,public", "timezone": "UTC", "jit": "off"}
        async with asyncpg.create_pool(
            url, min_size=1, max_size=size, init=set_codecs, server_settings=settings
        ) as pool:
            await pool.execute(_CLOCK)
            clock = cls(pool, datetime.now(UTC))
            await clock.advance(0)
            yield clock

    def now(self) -> datetime:
        """The present moment of this database; it is a `Clock` too."""
        return self._now

    async def advance(self, seconds: float) -> None:
        """Time passes."""
        self._now += timedelta(seconds=seconds)
        async with self.pool.acquire() as conn, conn.transaction():
            await conn.execute("delete from clock.moment")
            await conn.execute("insert into clock.moment values ($1)", self._now)
