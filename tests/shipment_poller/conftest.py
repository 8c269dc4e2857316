"""Fixtures of the stage: a migrated database, a shop, a source, both scripted."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from waybill_common.db import Pool, open_pool
from waybill_common.embedded.postgres import EmbeddedPostgres
from waybill_common.migrations import migrate
from waybill_common.testing import DatabaseClock

_NAME = "poller_harness"
if _NAME not in sys.modules:
    _spec = importlib.util.spec_from_file_location(_NAME, Path(__file__).with_name(f"{_NAME}.py"))
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[_NAME] = _module
    _spec.loader.exec_module(_module)


@pytest_asyncio.fixture(scope="session")
async def poller_pool(postgres: EmbeddedPostgres) -> AsyncIterator[Pool]:
    """One migrated database for all tests of the stage; each begins with empty tables."""
    admin = await asyncpg.connect(postgres.url)
    await admin.execute("create database poller_stage template template0")
    await admin.close()
    url = postgres.database_url("poller_stage")
    await migrate(url, "shipment_poller", ["shipment_poller"])
    pool = await open_pool(url, "shipment_poller", size=6, name="test")
    yield pool
    await pool.close()


@pytest_asyncio.fixture
async def stage(poller_pool: Pool) -> Any:
    """The stage with channel `shop` and source `east` configured."""
    await _emptied(poller_pool)
    return await _configured(sys.modules[_NAME].Stage.over(poller_pool))


@pytest_asyncio.fixture
async def timed_stage(postgres: EmbeddedPostgres, poller_pool: Pool) -> AsyncIterator[Any]:
    """The same, on a database whose clock the test sets: `stage.clock.advance(seconds)`. Waits have no jitter."""
    await _emptied(poller_pool)
    async with DatabaseClock.over(postgres.database_url("poller_stage"), "shipment_poller") as clock:
        made = sys.modules[_NAME].Stage.over(clock.pool, clock)
        made.chance = 0.0
        yield await _configured(made)


async def _emptied(poller_pool: Pool) -> None:
    tables = await poller_pool.fetch(
        "select tablename from pg_tables where schemaname = 'shipment_poller' and tablename <> 'applied_migrations'"
    )
    await poller_pool.execute(f"truncate {', '.join(row['tablename'] for row in tables)} restart identity cascade")


async def _configured(made: Any) -> Any:
    harness = sys.modules[_NAME]
    await made.take(harness.channel_of(), harness.source_of())
    await made.told()
    return made


@pytest.fixture
def harness() -> Any:
    return sys.modules[_NAME]
