"""IN-11 by one call: a name is given, exactly the orders that waited for it go on; OP-1: filters kept under a name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from typer.testing import CliRunner, Result

from console.app import build as build_console
from console.cli.program import app as command_line
from console.messages import Notices
from console.settings import ConsoleSettings
from order_ingest.app import build as build_ingest
from order_ingest.connection_state import Notices as IngestNotices
from waybill_common.service import Definition, running
from waybill_common.settings import ServiceSettings

from .conftest import ADMIN, ConsoleUnderTest
from .test_fr_commands import SECRET

COSTS = {"currency": "USD", "shipping": [{"zone": ["*"], "base": "4.00"}]}
DOCUMENT = {
    "stores": [{"id": "acme", "channels": [{"id": "phone", "platform": "events", "skus": {"map": {"OLD": "SKU-0"}}}]}],
    "sources": [{"id": "desk", "platform": "manual", "costs": COSTS, "stock": {"from": "untracked"}}],
    "routing": {"groups": [{"id": "default", "sources": ["desk"]}]},
}
SKUS = "/api/v1/channels/phone/mappings/skus"


@pytest_asyncio.fixture
async def hub(database_url: str, kafka: str) -> AsyncIterator[ConsoleUnderTest]:
    """Console and order-ingest, a channel, and three held orders: two wait for SHOP-1, one for SHOP-2."""
    common: dict[str, Any] = {"database_url": database_url, "kafka": kafka, "secret_key": SECRET}
    ingest = Definition("order-ingest", "order_ingest", "order_ingest", build_ingest, 0, IngestNotices())
    async with running(ingest, ServiceSettings(**common, http_port=0)) as owner:
        url = f"http://127.0.0.1:{owner.port}"
        settings = ConsoleSettings(**common, console_port=0, admin_key=ADMIN, order_ingest_url=url)
        async with running(Definition("console", "console", "console", build_console, 0, Notices()), settings) as run:
            hub = ConsoleUnderTest(run, kafka)
            applied = await hub.put_config(DOCUMENT)
            assert applied.status_code == 200, applied.text
            await _configured(hub)
            for number, sku in (("P-1", "SHOP-1"), ("P-2", "SHOP-2"), ("P-3", "SHOP-1")):
                await _placed(hub, number, sku)
            await hub.eventually("/orders", lambda answer: len(answer["items"]) == 3, stage="held")
            yield hub
            await hub.http.aclose()


async def _configured(hub: ConsoleUnderTest) -> None:
    asked = "select count(*) from order_ingest.channels where channel_id = 'phone'"
    for _ in range(600):
        if await hub.run.runtime.pool.fetchval(asked):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("order-ingest has not heard of the channel")


async def _placed(hub: ConsoleUnderTest, number: str, sku: str) -> None:
    order = {"channel": "phone", "number": number, "ship_to": {"country": "US"}, "lines": [{"sku": sku, "quantity": 1}]}
    answer = await hub.http.post("/api/v1/orders", json=order, params={"wait": "60s"}, timeout=90)
    assert answer.status_code == 201, answer.text
    command = answer.json()["command"]
    assert (command["action"], command["in_read_model"]) == ("order.place", True)


async def waybill(hub: ConsoleUnderTest, *words: str) -> Result:
    env = {"WAYBILL_URL": str(hub.http.base_url), "WAYBILL_API_KEY": ADMIN, "COLUMNS": "200", "TERM": "dumb"}
    return await asyncio.to_thread(CliRunner().invoke, command_line, list(words), env=env)


async def test_in_11_a_mapping_releases_exactly_the_orders_it_promised_and_is_audited(hub: ConsoleUnderTest) -> None:
    before = await hub.get("/channels/phone/mappings/skus")
    assert [(w["name"], w["orders"]) for w in before["waiting"]] == [("SHOP-1", 2), ("SHOP-2", 1)]
    wanted = {"map": {"OLD": "SKU-0", "SHOP-1": "SKU-1"}, "unmapped": "hold"}
    asked = (await hub.http.put(SKUS, json=wanted, params={"dry_run": True})).json()
    assert (asked["releases"]["releases"], asked["releases"]["still_waiting"]) == (2, 1)
    assert (await hub.get("/channels/phone/mappings/skus"))["map"] == {"OLD": "SKU-0"}

    saved = (await hub.http.put(SKUS, json=wanted)).json()

    token = saved["releases"]["token"]
    outcome = await hub.eventually(f"/releases/{token}", lambda now: now["saved"] and not now["waiting"], seconds=120)
    assert (outcome["promised"], outcome["gone_on"], outcome["no_longer"]) == (2, 2, [])
    left = await hub.eventually("/orders", lambda answer: len(answer["items"]) == 1, stage="held")
    assert left["items"][0]["number"] == "P-2"
    version = (await hub.get("/config/versions", limit=1))["items"][0]
    change = version["changes"][0]
    assert (version["version"], version["actor"], change["entity"]) == (
        saved["version"], "WAYBILL_ADMIN_KEY", "channel/phone",
    )  # fmt: skip
    assert (change["before"]["skus"], change["after"]["skus"]) == ({"map": {"OLD": "SKU-0"}}, wanted)
    again = (await hub.http.put(SKUS, json=wanted)).json()
    assert (again["changes"], again["version"]) == ([], saved["version"])


async def test_a_wrong_mapping_is_refused_with_its_path_and_saves_nothing(hub: ConsoleUnderTest) -> None:
    wrong = await hub.http.put(
        "/api/v1/channels/phone/mappings/shipping-methods", json={"map": {"Standard": 3}, "unmapped": "hold"}
    )
    assert wrong.status_code == 422, wrong.text
    assert "shipping_methods.map.Standard" in wrong.json()["detail"]
    unknown = await hub.http.put("/api/v1/channels/nobody/mappings/skus", json={"map": {}})
    assert (unknown.status_code, unknown.json()["title"]) == (404, "No such channel")
    assert len((await hub.get("/config/versions"))["items"]) == 1


async def test_the_command_line_gives_a_name_and_keeps_a_view(hub: ConsoleUnderTest) -> None:
    mend = await waybill(hub, "channels", "mappings", "phone", "skus", "--set", "SHOP-2=SKU-2*6+SKU-3*1", "--yes")
    assert (mend.exit_code, "phone: releases 1 orders" in mend.output) == (0, True), mend.output
    assert "of 1 go on" in mend.output
    shown = json.loads((await waybill(hub, "channels", "mappings", "phone", "skus", "--json")).stdout)
    kit = [{"sku": "SKU-2", "quantity": 6}, {"sku": "SKU-3", "quantity": 1}]
    assert shown["map"] == {"OLD": "SKU-0", "SHOP-2": kit}

    saved = await waybill(hub, "views", "save", "stuck", "--stage", "held", "--channel", "phone")
    assert saved.exit_code == 0, saved.output
    await hub.eventually("/orders", lambda answer: len(answer["items"]) == 2, view="stuck")
    listed = json.loads((await waybill(hub, "orders", "list", "--view", "stuck", "--json")).stdout)
    assert {order["number"] for order in listed} == {"P-1", "P-3"}


async def test_views_are_of_one_person_or_shared_by_operators(empty_console: Any) -> None:
    """OP-1: what is given beside a view goes before it; a viewer keeps views of their own."""
    http = empty_console.http
    made = await http.post("/api/v1/keys", json={"name": "someone", "role": "viewer"})
    viewer = {"Authorization": f"Bearer {made.json()['key']}"}
    put = await http.put("/api/v1/views/held", json={"stage": "held"}, params={"shared": True})
    assert put.status_code == 200, put.text
    assert (await http.get("/api/v1/orders?view=held", headers=viewer)).status_code == 200
    refused = await http.put("/api/v1/views/x", json={"stage": "held"}, params={"shared": True}, headers=viewer)
    assert refused.status_code == 403
    assert (await http.put("/api/v1/views/held", json={"sync": "failed"}, headers=viewer)).status_code == 200
    mine = (await http.get("/api/v1/views", headers=viewer)).json()["items"]
    assert [(v["name"], v["narrow"], v["shared"]) for v in mine] == [
        ("held", {"sync": "failed"}, False),
        ("held", {"stage": "held"}, True),
    ]
    assert [v["narrow"] for v in (await http.get("/api/v1/views")).json()["items"]] == [{"stage": "held"}]
    for body in ({}, {"colour": "red"}):
        assert (await http.put("/api/v1/views/held", json=body)).status_code == 422
    assert (await http.get("/api/v1/orders?view=nobody")).status_code == 404
    assert (await http.delete("/api/v1/views/held", headers=viewer)).status_code == 200
    assert (await http.delete("/api/v1/views/held", params={"shared": True}, headers=viewer)).status_code == 403
    assert (await http.delete("/api/v1/views/held", params={"shared": True})).status_code == 200
