"""SP-6 as a person lives it: router, push, poller and console run; what no source can ship is shipped by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest_asyncio
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from console.app import build
from console.cli.program import app as command_line
from console.messages import Notices
from console.settings import ConsoleSettings
from fulfillment_push.app import definition as push
from fulfillment_push.settings import PushSettings
from router.app import definition as router
from router.settings import RouterSettings
from shipment_poller.app import DEFINITION
from waybill_common.service import Definition, running
from waybill_common.settings import ServiceSettings
from waybill_contracts.orders_imported import OrderImported
from waybill_contracts.values import Hold, HoldReason, OrderState

from .conftest import ADMIN, ConsoleUnderTest
from .test_shipments import SECRET, harness

COSTS = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "4.00"}]}
DOCUMENT = {
    "stores": [
        {"id": "acme", "channels": [{"id": "shop", "platform": "events", "couriers": {"map": {}, "unmapped": "pass"}}]}
    ],
    "sources": [
        {"id": "east", "platform": "http", "url": "http://127.0.0.1:9", "costs": COSTS},
        {"id": "desk", "platform": "manual", "costs": COSTS, "stock": {"from": "untracked"}},
    ],
    "routing": {"groups": [{"id": "default", "sources": ["east"]}]},
}


@pytest_asyncio.fixture
async def hub(database_url: str, kafka: str) -> AsyncIterator[ConsoleUnderTest]:
    """Four services in one process, each with its own schema, over one broker."""
    common: dict[str, Any] = {"database_url": database_url, "kafka": kafka, "secret_key": SecretStr(SECRET)}
    async with AsyncExitStack() as stack:

        async def start(definition: Any, settings: Any) -> Any:
            return await stack.enter_async_context(running(definition, settings))

        urls = {
            "router_url": (await start(router(), RouterSettings(**common, http_port=0))).port,
            "fulfillment_push_url": (await start(push(), PushSettings(**common, http_port=0))).port,
            "shipment_poller_url": (await start(DEFINITION, ServiceSettings(**common, http_port=0))).port,
        }
        addresses = {name: f"http://127.0.0.1:{port}" for name, port in urls.items()}
        settings = ConsoleSettings(**common, console_port=0, admin_key=SecretStr(ADMIN), **addresses)
        run = await start(Definition("console", "console", "console", build, 0, Notices()), settings)
        under_test = ConsoleUnderTest(run, kafka)
        stack.push_async_callback(under_test.http.aclose)
        assert (await under_test.put_config(DOCUMENT)).status_code == 200
        yield under_test


async def _placed(hub: ConsoleUnderTest, order: Any) -> None:
    await hub.publish(("order-ingest", OrderImported(at=harness.AT, sequence=1, order=order, via="pull")))
    await hub.eventually(f"/orders/{order.order_id}", lambda answer: answer["order_id"] == order.order_id, seconds=40)


async def _enter(hub: ConsoleUnderTest, key: str | None, **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    given = {"courier": "bike", "tracking_numbers": ["B-1"], "reason": "ridden over", **body}
    return await hub.http.post("/api/v1/shipments", json=given, headers=headers, timeout=60)


async def _waybill(hub: ConsoleUnderTest, *words: str) -> Result:
    env = {"WAYBILL_URL": str(hub.http.base_url), "WAYBILL_API_KEY": ADMIN, "COLUMNS": "200", "TERM": "dumb"}
    return await asyncio.to_thread(CliRunner().invoke, command_line, list(words), env=env)


async def test_sp_6_an_order_that_no_source_can_ship_goes_by_hand_under_a_manual_fr(
    hub: ConsoleUnderTest,
) -> None:
    order = harness.order_of("o1", [harness.line_of("l1", 2), harness.line_of("l2", 1)])
    await _placed(hub, order)
    first = await _enter(hub, "key-1", order_id="o1", lines=[{"line_id": "l1", "quantity": 1}])
    assert first.status_code == 201, first.text
    shipment = first.json()
    assert (shipment["source"], shipment["carrier"], shipment["state"]) == ("desk", "bike", "recorded")
    again = await _enter(hub, "key-1", order_id="o1", lines=[{"line_id": "l1", "quantity": 1}])
    assert again.json()["shipment_id"] == shipment["shipment_id"]

    [fr] = (await hub.eventually("/frs", lambda a: [f["state"] for f in a["items"]] == ["PROCESSED"], seconds=30))[
        "items"
    ]
    assert (fr["source"], fr["fr_id"]) == ("desk", shipment["fr_id"])
    await hub.eventually("/orders/o1", lambda a: a["fulfillment"] == "partial", seconds=30)

    rest = await _waybill(
        hub, "shipments", "record", "o1", "--courier", "bike", "--tracking", "B-2", "--reason", "the rest", "--json"
    )
    assert rest.exit_code == 0, rest.output
    assert json.loads(rest.stdout)["fr_id"] != shipment["fr_id"]
    await hub.eventually("/orders/o1", lambda a: a["fulfillment"] == "shipped", seconds=30)
    timeline = await hub.get("/orders/o1/timeline")
    titles = [one["title"] for one in timeline["activities"]]
    assert any("entered (ridden over): 1 × SKU-1 (bike B-1)" in title for title in titles), titles


async def test_sp_6_what_cannot_be_says_why_and_makes_nothing(hub: ConsoleUnderTest) -> None:
    hold = Hold(reason=HoldReason.FRAUD_RISK, fix="ask the buyer")
    await _placed(hub, harness.order_of("o2", state=OrderState.HELD, holds=(hold,)))
    held = await _enter(hub, "key-2", order_id="o2")
    assert (held.status_code, held.json()["code"]) == (409, "order_held")
    assert "fraud_risk: ask the buyer" in held.json()["detail"]
    without = await _enter(hub, None, order_id="o2")
    assert (without.status_code, without.json()["detail"][:15]) == (422, "Idempotency-Key")
    await _placed(hub, harness.order_of("o3", sequence=1))
    unknown = await _enter(hub, "key-3", order_id="o3", source="nowhere")
    assert unknown.status_code == 409
    assert (unknown.json()["detail"], unknown.json()["remedy"]) == ("'nowhere' is no source", "use one of desk, east")
    nobody = await _enter(hub, "key-4", order_id="nobody")
    assert (nobody.status_code, nobody.json()["title"]) == (404, "No such order")
    assert (await hub.get("/frs"))["items"] == []
