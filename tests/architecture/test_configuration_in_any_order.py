"""Configuration reaches each service in any order and more than once; the newest version counts, removal or not.

One behaviour for all services that apply it: the batches go through the very `handle` that Kafka's records go through.
"""

from __future__ import annotations

import importlib
import itertools
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from waybill_common.service import Definition, running
from waybill_common.settings import ServiceSettings
from waybill_contracts.config_changed import SourceConfigured, removal
from waybill_contracts.configuration import Source
from waybill_contracts.envelope import Received, encode

SERVICES = {
    "order-ingest": ("order_ingest", ServiceSettings),
    "router": ("router", None),
    "fulfillment-push": ("fulfillment_push", None),
    "shipment-poller": ("shipment_poller", ServiceSettings),
}
AT = datetime(2026, 11, 22, tzinfo=UTC)
COSTS = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "1"}]}
SOURCE = Source.model_validate({"id": "east", "platform": "http", "url": "http://127.0.0.1:9", "costs": COSTS})


def configured(version: int) -> Received:
    event = SourceConfigured(source=SOURCE, sequence=version, at=AT)
    return Received(event, encode(event, source="console").id, "waybill/console", None)


def removed(version: int) -> Received:
    identity = f"console:source/east:{version}"
    return Received(removal("source/east", version, AT), identity, "waybill/console", None)


HISTORIES = {
    "removed at the end": ([configured(1), configured(3), removed(4)], False),
    "added again": ([configured(1), removed(4), configured(5)], True),
    "only ever removed": ([removed(2)], False),
}


def settings_of(package: str, given: Any) -> Any:
    if given is not None:
        return given
    module = importlib.import_module(f"{package}.settings")
    return next(
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, ServiceSettings) and found is not ServiceSettings
    )


@pytest.mark.parametrize("service", SERVICES)
async def test_the_newest_version_counts_whatever_the_order(service: str, database_url: str, kafka: str) -> None:
    package, given = SERVICES[service]
    settings = settings_of(package, given)(database_url=database_url, kafka=kafka, secret_key=SecretStr("tests"))
    build = importlib.import_module(f"{package}.app").build
    async with running(Definition(service, package, package, build, 0), settings) as run:
        handle = run.parts.subscription.handle
        for (history, present), seed in itertools.product(HISTORIES.values(), range(6)):
            rng = random.Random(seed)
            told = rng.sample(history * 2, len(history) * 2)
            cut = rng.randrange(len(told) + 1)
            async with run.runtime.pool.acquire() as conn:
                transaction = conn.transaction()
                await transaction.start()
                for batch in (told[:cut], told[cut:]):
                    if batch:
                        await handle(conn, batch)
                row = await conn.fetchrow("select * from config_entities where entity = 'source/east'")
                here = row is not None and row["body"] is not None
                await transaction.rollback()
            assert here is present, f"{[(r.event.TYPE, r.event.sequence) for r in told]}, cut at {cut}"
