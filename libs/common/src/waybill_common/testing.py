"""The pytest plugin with real parts: `-p waybill_common.testing`.

`postgres` (session), `database_url` (a fresh database for each test), `kafka` (a fresh broker for each test),
`real_kafka` (session, Apache Kafka; for tests marked `connected`), `otlp_receiver`, `manual_clock`, `unused_port`.
The servers end with the test process, however it ends.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from waybill_common.clock import ManualClock
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
