"""FP-8: reading never changes state. Every GET of every service, over FRs in each state; no row about them changes."""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from fulfillment_push.lifecycle import MOVES
from waybill_common.service import Definition, running
from waybill_common.settings import ServiceSettings
from waybill_contracts.config_changed import RoutingConfigured, SourceConfigured
from waybill_contracts.configuration import Routing, Source
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event
from waybill_contracts.fulfillment_submitted import FrState
from waybill_contracts.inventory_updated import StockCounted
from waybill_contracts.orders_imported import OrderImported
from waybill_contracts.values import Order

from .test_configuration_in_any_order import settings_of

OWNERS = {
    "order-ingest": ("order_ingest", ServiceSettings),
    "router": ("router", None),
    "fulfillment-push": ("fulfillment_push", None),
    "shipment-poller": ("shipment_poller", ServiceSettings),
}
ADMIN = "wb_test_admin_key_of_the_tests"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ABOUT_FRS = {
    "fulfillment_push": ("frs", "fr_history", "orders"),
    "router": ("frs", "allocations", "orders", "stock", "decisions"),
    "shipment_poller": ("watches", "shipments"),
    "order_ingest": ("orders",),
    "console": ("frs", "orders", "decisions", "shipments", "activities", "commands"),
}


def order(at: int) -> Order:
    line = {"line_id": "L1", "channel_sku": "MUG", "quantity": 2, "components": [{"sku": "MUG", "quantity": 1}]}
    body = {
        "order_id": f"0198c5a0-0000-7000-8000-{at:012}", "store": "acme", "channel": "acme-shop",
        "channel_order_id": str(at), "number": str(at), "version": 1, "sequence": 1, "state": "imported",
        "placed_at": NOW, "currency": "USD", "payment": "paid", "addresses": [{"country": "US"}], "lines": [line],
    }  # fmt: skip
    return Order.model_validate(body)


def story() -> list[tuple[str, Event]]:
    """A source without a connection, so that nothing moves by itself, and an order for each state of an FR."""
    costs = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "5.00"}]}
    leeds = Source.model_validate({"id": "leeds", "platform": "manual", "costs": costs})
    routing = Routing.model_validate({"groups": [{"id": "main", "sources": ["leeds"]}]})
    count = StockCounted(at=NOW, source="leeds", sku="MUG", on_hand=99, counted_at=NOW, unit_cost=Decimal(3))
    return [
        ("console", SourceConfigured(at=NOW, source=leeds)),
        ("console", RoutingConfigured(at=NOW, routing=routing)),
        ("shipment-poller", count),
        *[("order-ingest", OrderImported(at=NOW, order=order(at), via="pull")) for at in range(1, len(FrState) + 1)],
    ]


@pytest_asyncio.fixture
async def house(database_url: str, kafka: str) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """All five services on one database; a client for each."""
    common = {"database_url": database_url, "kafka": kafka, "secret_key": SecretStr("a secret of the tests")}
    clients: dict[str, httpx.AsyncClient] = {}
    async with AsyncExitStack() as stack:
        urls = {}
        for name, (package, given) in OWNERS.items():
            settings = settings_of(package, given)(**common, http_port=0)
            build = importlib.import_module(f"{package}.app").build
            run = await stack.enter_async_context(running(Definition(name, package, package, build, 0), settings))
            urls[f"{package}_url"] = f"http://127.0.0.1:{run.port}"
            clients[name] = _client(run.port, settings.service_token)
        settings = settings_of("console", None)(**common, console_port=0, admin_key=SecretStr(ADMIN), **urls)
        build = importlib.import_module("console.app").build
        run = await stack.enter_async_context(running(Definition("console", "console", "console", build, 0), settings))
        clients["console"] = _client(run.port, ADMIN)
        yield clients
        for client in clients.values():
            await client.aclose()


def _client(port: int, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )


async def publish(kafka: str, told: list[tuple[str, Event]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for source, event in told:
            message = encode(event, source=source)
            headers = [(name, value.encode()) for name, value in message.headers.items()]
            await producer.send_and_wait(message.topic, message.value, message.key.encode(), headers=headers)
    finally:
        await producer.stop()


async def frs_in_each_state(conn: Any) -> list[str]:
    """Waits until push and console know an FR of each order, then leaves one in each state, due never."""
    both = "select count(*) from fulfillment_push.frs join console.frs using (fr_id) where waiting is not null"
    deadline = time.monotonic() + 120
    while await conn.fetchval(both) < len(FrState):
        assert time.monotonic() < deadline, "the orders never became FRs"
    frs = [row["fr_id"] for row in await conn.fetch("select fr_id from fulfillment_push.frs order by fr_id")]
    for fr_id, state in zip(frs, FrState, strict=True):
        for schema, rest in (("fulfillment_push", ", due_at = null"), ("console", "")):
            await conn.execute(f"update {schema}.frs set state = $2{rest} where fr_id = $1", fr_id, state.value)
    return frs


async def rows_about_frs(conn: Any) -> dict[str, list[str]]:
    return {
        f"{schema}.{table}": [row[0] for row in await conn.fetch(f"select x::text from {schema}.{table} x order by 1")]
        for schema, tables in ABOUT_FRS.items()
        for table in tables
    }


async def at_rest(conn: Any) -> dict[str, list[str]]:
    """The rows, once nobody works on them any more."""
    deadline = time.monotonic() + 120
    seen = await rows_about_frs(conn)
    quiet = 0
    while quiet < 5:
        assert time.monotonic() < deadline, "never at rest"
        await conn.execute("select pg_sleep(0.5)")
        now = await rows_about_frs(conn)
        quiet, seen = (quiet + 1 if now == seen else 0), now
    return seen


def walked(document: dict[str, Any], frs: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Each GET of an OpenAPI document with what it asks for; once for each FR where it is about one."""
    known = {
        "order_id": order(1).order_id, "channel": "acme-shop", "channel_id": "acme-shop", "source": "leeds",
        "source_id": "leeds", "number": "1", "version": "1", "kind": "source", "name": "leeds", "q": "1",
    }  # fmt: skip
    calls = []
    for path, verbs in document["paths"].items():
        if "get" not in verbs:
            continue
        asked = [p["name"] for p in verbs["get"].get("parameters", []) if p["in"] == "query" and p.get("required")]
        query = {name: known.get(name, "1") for name in asked}
        for fr_id in frs if "{fr_id}" in path else [""]:
            given = {**known, "fr_id": fr_id}
            calls.append((re.sub(r"{(\w+)}", lambda m, given=given: given.get(m[1], "1"), path), query))
    return calls


@pytest.mark.timeout(1200)
async def test_fp8_no_get_of_any_service_changes_a_row_about_an_fr(
    house: dict[str, httpx.AsyncClient], database_url: str, kafka: str
) -> None:
    assert set(MOVES) == set(FrState)
    await publish(kafka, story())
    conn = await asyncpg.connect(database_url)
    frs = await frs_in_each_state(conn)
    before = await at_rest(conn)
    answers: dict[str, int] = {}
    for name, client in house.items():
        place = "/api/openapi.json" if name == "console" else "/internal/openapi.json"
        document = (await client.get(place)).json()
        for path, query in walked(document, frs):
            answer = await client.get(f"/api{path}" if name == "console" else path, params=query)
            answers[f"{name} {path}"] = answer.status_code
    after = await at_rest(conn)
    await conn.close()

    assert {table: rows for table, rows in after.items() if rows != before[table]} == {}
    assert {row for row in before["fulfillment_push.frs"] if row}, "there were FRs to change"
    told = {code: [call for call, got in answers.items() if got == code] for code in set(answers.values())}
    assert not told.get(500), told[500]
    about_frs = {call for call in answers if re.search(r"/frs|/waiting|/orders/0198c5a0-0000-7000-8000", call)}
    read = {call for call in about_frs if answers[call] == 200}
    refused = {call: answers[call] for call in about_frs - read}
    assert len(read) >= 2 * len(FrState) + 5, refused
