"""Shipments through the console, with a real shipment-poller behind it (SP-1, SP-7, SP-12, SP-13)."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from console.app import build
from console.cli.program import app as command_line
from console.messages import Notices
from console.settings import ConsoleSettings
from shipment_poller.app import DEFINITION
from waybill_common.service import Definition, running
from waybill_common.settings import ServiceSettings

from .conftest import ADMIN, ConsoleUnderTest

SECRET = "a secret of the tests"
HOOK = "the supplier's hook secret"


def _poller_harness() -> ModuleType:
    path = Path(__file__).parents[1] / "shipment_poller" / "poller_harness.py"
    spec = importlib.util.spec_from_file_location("poller_harness", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("poller_harness", importlib.util.module_from_spec(spec))
    if not hasattr(module, "Stage"):
        spec.loader.exec_module(module)
    return module


harness = _poller_harness()


@pytest_asyncio.fixture
async def hub(database_url: str, kafka: str) -> AsyncIterator[ConsoleUnderTest]:
    """Console and shipment-poller, configured: a channel where nobody answers, and a supplier that posts."""
    common: dict[str, Any] = {"database_url": database_url, "kafka": kafka, "secret_key": SecretStr(SECRET)}
    async with running(DEFINITION, ServiceSettings(**common, http_port=0)) as poller:
        url = f"http://127.0.0.1:{poller.port}"
        settings = ConsoleSettings(
            **common,
            console_port=0,
            admin_key=SecretStr(ADMIN),
            shipment_poller_url=url,
            order_ingest_url="http://127.0.0.1:9",
        )
        async with running(Definition("console", "console", "console", build, 0, Notices()), settings) as run:
            under_test = ConsoleUnderTest(run, kafka)
            await _configure(under_test)
            yield under_test
            await under_test.http.aclose()


async def _configure(hub: ConsoleUnderTest) -> None:
    channel = {
        "id": "shop", "platform": "shopify", "url": "http://127.0.0.1:9", "couriers": {"map": {}, "unmapped": "hold"},
        "credentials": {"access_token": "shpat_of_the_tests"},
    }  # fmt: skip
    source = {
        "id": "east", "platform": "http", "url": "http://127.0.0.1:9", "credentials": {"hook_secret": HOOK},
        "costs": {"currency": "USD", "shipping": [{"zone": ["*"], "base": "4.00"}]},
    }  # fmt: skip
    document = {
        "stores": [{"id": "acme", "channels": [channel]}],
        "sources": [source],
        "routing": {"groups": [{"id": "default", "sources": ["east"]}]},
    }
    answer = await hub.put_config(document)
    assert answer.status_code == 200, answer.text
    orders = [harness.order_of(f"o{number}") for number in range(2)]
    for order in orders:
        await hub.publish(("fulfillment-push", harness.submitted(order)))
    for _ in range(200):
        if (await _post(hub, "east", _shipments("o0", "o1"))).json().get("kept_for_later") == 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the poller was not configured in time")


def _shipments(*orders: str) -> bytes:
    return json.dumps(
        {
            "shipments": [
                {
                    "id": f"s-{name}", "reference": f"E-{name}", "status": "shipped", "carrier": "DHL",
                    "lines": [{"line_ref": "l1", "sku": "E", "quantity": 2}], "tracking_numbers": [f"N-{name}"],
                    "shipped_at": "2026-11-22T09:00:00Z", "updated_at": "2026-11-22T09:00:00Z",
                }
                for name in orders
            ]
        }
    ).encode()  # fmt: skip


async def _post(hub: ConsoleUnderTest, connection: str, body: bytes, token: str = HOOK) -> httpx.Response:
    async with httpx.AsyncClient(base_url=str(hub.http.base_url), timeout=30) as stranger:
        return await stranger.post(f"/hooks/{connection}", content=body, headers={"Authorization": f"Bearer {token}"})


async def _waybill(hub: ConsoleUnderTest, *words: str) -> Result:
    env = {"WAYBILL_URL": str(hub.http.base_url), "WAYBILL_API_KEY": ADMIN, "COLUMNS": "200", "TERM": "dumb"}
    return await asyncio.to_thread(CliRunner().invoke, command_line, list(words), env=env)


async def test_sp_1_what_is_posted_to_a_hook_reaches_its_owner_byte_for_byte_or_says_why_not(
    hub: ConsoleUnderTest,
) -> None:
    again = await _post(hub, "east", _shipments("o0"))
    assert (again.status_code, again.json()["news"]) == (200, 0)
    assert (await _post(hub, "east", _shipments("o0"), "guessed")).status_code == 401
    assert (await _post(hub, "east", b"{}")).status_code == 400
    unknown = await _post(hub, "nobody", b"{}")
    assert (unknown.status_code, unknown.json()["title"]) == (404, "No such connection")
    assert (await _post(hub, "east", b" " * (2 * 1024 * 1024 + 1))).status_code == 413
    assert (await _post(hub, "shop", b"{}")).status_code == 503  # order-ingest does not run here


async def test_sp_7_sp_12_sp_13_pending_ones_are_listed_mended_and_pushed_again(hub: ConsoleUnderTest) -> None:
    pending = await hub.eventually(
        "/shipments", lambda a: [s["status"] for s in a["items"]] == ["sync_failed"] * 2, view="pending"
    )
    assert {s["reason"]["code"] for s in pending["items"]} == {"COURIER_NOT_MAPPED"}
    assert (await hub.get("/shipments", view="prepared"))["items"] == []
    couriers = await hub.get("/channels/shop/mappings/couriers")
    assert couriers["waiting"] == [{"carrier": "DHL", "shipments": 2, "orders": 2}]
    draft = {"map": {"DHL": "DHL Express"}}
    preview = await hub.http.post("/api/v1/channels/shop/mappings/couriers:preview", json=draft)
    assert preview.json() == {"channel": "shop", "releases": 2, "couriers": ["DHL"], "still_waiting": {}}

    listed = await _waybill(hub, "shipments", "list", "--view", "pending")
    assert "channel shop has no name for our courier 'DHL'" in listed.output
    tried = await _waybill(hub, "shipments", "resync", "--channel", "shop", "--json")
    found = json.loads(tried.stdout)
    assert (found["failed"], found["done"]) == (2, True)
    assert found["failures"][0]["code"] == "COURIER_NOT_MAPPED"
    said = await _waybill(hub, "shipments", "resync", "--cause", "COURIER_NOT_MAPPED")
    assert said.exit_code == 1
    assert "0 synced, 2 failed, 0 canceled of 2" in said.output
    one = pending["items"][0]["shipment_id"]
    story = json.loads((await _waybill(hub, "shipments", "show", one)).output)
    assert story["said"]["carrier"] == "DHL"
    assert [line["sync"] for line in story["history"]].count("failed") >= 2


@pytest.mark.parametrize("path", ["/shipments/nothing", "/shipments:resync/nothing"])
async def test_what_is_not_there_is_404_with_a_sentence(hub: ConsoleUnderTest, path: str) -> None:
    answer = await hub.http.get(f"/api/v1{path}")
    assert answer.status_code == 404
    assert "nothing" in answer.json()["detail"]


async def test_sp_12_a_resync_is_canceled_by_its_id(hub: ConsoleUnderTest) -> None:
    begun = (await hub.http.post("/api/v1/shipments:resync", json={"channel": "other"})).json()
    assert begun["shipments"] == 0
    canceled = await _waybill(hub, "shipments", "resync", "--cancel", begun["resync_id"])
    assert "0 synced, 0 failed, 0 canceled of 0" in canceled.output
    twice = await _waybill(hub, "shipments", "resync", "--cancel", begun["resync_id"])
    assert twice.exit_code == 1
    assert "canceled before" in twice.output
