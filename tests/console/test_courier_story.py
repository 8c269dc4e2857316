"""The story of a courier that nobody mapped, from the parcel to the buyer's shop, on real parts (SP-7, IN-11, OP-5).

Console and shipment-poller run; the shop and the supplier are the sandbox's, in a process of their own.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest_asyncio
import yaml
from pydantic import SecretStr

from console.app import build
from console.messages import Notices
from console.settings import ConsoleSettings
from shipment_poller.app import DEFINITION
from waybill_common.embedded.processes import free_port
from waybill_common.service import Definition, running
from waybill_common.settings import ServiceSettings
from waybill_contracts.configuration import Configuration

from .conftest import ADMIN, ConsoleUnderTest
from .test_shipments import SECRET, harness

assert harness


def _service_tests() -> ModuleType:
    """The poller's own tests of its service, for how they ask a sandbox's source for everything."""
    path = Path(__file__).parents[1] / "shipment_poller" / "test_service.py"
    spec = importlib.util.spec_from_file_location("poller_service_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


stages = _service_tests()
ORDERS = 14


@pytest_asyncio.fixture
async def hub(database_url: str, kafka: str, tmp_path: Path) -> AsyncIterator[tuple[ConsoleUnderTest, Any]]:
    """The two services, and a shop of 14 plain orders."""
    port = free_port()
    args = ("sandbox", "--port", str(port), "--data", str(tmp_path), "--orders", "0", "--ship-after", "1")
    common: dict[str, Any] = {"database_url": database_url, "kafka": kafka, "secret_key": SecretStr(SECRET)}
    async with stages.process(*args), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:

        async def up() -> bool:
            try:
                return bool((await http.get("/_sandbox/health")).is_success)
            except httpx.TransportError:
                return False

        await stages.until(up)
        plain = {"count": ORDERS, "varied": False}
        (await http.post("/_sandbox/shops/acme/orders", json=plain)).raise_for_status()
        async with running(DEFINITION, ServiceSettings(**common, http_port=0)) as poller:
            url = f"http://127.0.0.1:{poller.port}"
            settings = ConsoleSettings(**common, console_port=0, admin_key=SecretStr(ADMIN), shipment_poller_url=url)
            async with running(Definition("console", "console", "console", build, 0, Notices()), settings) as run:
                under_test = ConsoleUnderTest(run, kafka)
                yield under_test, http
                await under_test.http.aclose()


async def test_sp_7_a_courier_without_a_name_stops_14_orders_and_saving_the_map_sends_all_14(
    hub: tuple[ConsoleUnderTest, Any],
) -> None:
    console, http = hub
    document = yaml.safe_load((await http.get("/_sandbox/config.yaml")).text)
    [channel] = document["stores"][0]["channels"]
    names = channel["couriers"]["map"]
    channel["couriers"]["map"] = {}  # nobody has said how the shop calls our couriers
    assert (await console.put_config(document)).status_code == 200

    # every order is with the supplier, who ships it
    sandbox = stages.Sandbox(http, Configuration.model_validate(document))
    [_, _, *submitted] = await stages.submit_all(sandbox)
    assert len(submitted) == ORDERS
    for event in submitted:
        await console.publish(("fulfillment-push", event))

    # the parcels come in; preflight stops each with the link, and the shop is never asked to take one
    parcels = await _all_shipped(http)
    stopped = await console.eventually(
        "/shipments", lambda a: _states(a) == ["sync_failed"] * parcels, seconds=90, view="pending", limit=100
    )
    assert len({shipment["order_id"] for shipment in stopped["items"]}) == ORDERS
    reasons = [shipment["reason"] for shipment in stopped["items"]]
    assert {reason["code"] for reason in reasons} == {"COURIER_NOT_MAPPED"}
    assert all("/channels/acme-shop/mappings/couriers" in reason["action"] for reason in reasons)
    assert (await http.get("/_sandbox/counts")).json()["shops"]["acme"]["fulfillments"] == 0

    # the page behind the link: what waits for a name comes first; a draft says what it releases
    page = await console.get("/channels/acme-shop/mappings/couriers")
    assert sum(one["shipments"] for one in page["waiting"]) == parcels
    draft = {"map": names, "unmapped": "hold"}
    preview = await console.http.post("/api/v1/channels/acme-shop/mappings/couriers:preview", json=draft)
    assert (preview.json()["releases"], preview.json()["still_waiting"]) == (ORDERS, {})

    # the mapping is saved: all 14 sync, and the shop shows each exactly once
    channel["couriers"]["map"] = names
    assert (await console.put_config(document)).status_code == 200
    await console.eventually(
        "/shipments", lambda a: _states(a) == ["synced"] * parcels, seconds=90, view="prepared", limit=100
    )
    assert (await console.get("/shipments", view="pending"))["items"] == []
    report = (await http.get("/_sandbox/report")).json()
    assert report["fulfillments"] == parcels
    assert [one for one in report["problems"] if one["kind"] != "oversold"] == []


async def _all_shipped(http: httpx.AsyncClient) -> int:
    """How many parcels left, once the supplier has shipped all that it was asked for."""

    async def still() -> int:
        before = (await http.get("/_sandbox/counts")).json()["sources"]["west"]["shipments"]
        await asyncio.sleep(3)
        after = (await http.get("/_sandbox/counts")).json()["sources"]["west"]["shipments"]
        return int(after) if after >= ORDERS and before == after else 0

    return int(await stages.until(still, 60))


def _states(answer: dict[str, Any]) -> list[str]:
    return [shipment["status"] for shipment in answer["items"]]
