"""Fixtures of the stage: a migrated database, a shop, a source, both scripted."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from waybill_common.db import open_pool
from waybill_common.migrations import migrate

_NAME = "poller_harness"
if _NAME not in sys.modules:
    _spec = importlib.util.spec_from_file_location(_NAME, Path(__file__).with_name(f"{_NAME}.py"))
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[_NAME] = _module
    _spec.loader.exec_module(_module)


@pytest_asyncio.fixture
async def stage(database_url: str) -> AsyncIterator[Any]:
    """The stage with channel `shop` and source `east` configured."""
    harness = sys.modules[_NAME]
    await migrate(database_url, "shipment_poller", ["shipment_poller"])
    pool = await open_pool(database_url, "shipment_poller", size=6, name="test")
    try:
        made = harness.Stage.over(pool)
        await made.take(harness.channel_of(), harness.source_of())
        await made.told()
        yield made
    finally:
        await pool.close()


@pytest.fixture
def harness() -> Any:
    return sys.modules[_NAME]
