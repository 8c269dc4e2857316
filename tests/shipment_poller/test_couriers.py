"""Courier names: looked at when the FR is made, before sending, and when the channel refuses one (SP-7)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from poller_harness import AT, Stage, channel_of, fr_of, order_of, source_of, submitted

from shipment_poller import couriers
from shipment_poller.courier_routes import courier_routes
from waybill_contracts.configuration import NameMapping
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.shipment_synced import ShipmentSyncFailed
from waybill_platforms.model.catalogue import Carrier


async def _ship(stage: Stage, count: int, carrier: str) -> None:
    for number in range(count):
        order = order_of(f"{carrier}-{number}")
        stage.shop.wanted[order.channel_order_id] = {"l1": 2}
        await stage.take(submitted(order))
        stage.supplier.ship(f"{carrier}-{number}", f"E-{order.order_id}", {"l1": 2}, [f"N{number}"], carrier=carrier)
    await stage.look()
    await stage.settle()


def _http(stage: Stage, channels: Any) -> httpx.AsyncClient:
    app, router = FastAPI(), APIRouter()
    courier_routes(router, stage.pool, stage.tools, channels)
    app.include_router(router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://poller")


async def test_sp_7_a_courier_without_a_name_is_said_when_the_fr_is_made(stage: Stage) -> None:
    await stage.take(source_of(2, couriers={"map": {"UPS Ground": "ups", "Snail": "snail"}, "unmapped": "hold"}))
    order = order_of()
    await stage.take(
        FrCreated(at=AT, sequence=1, fr_id="f-o1", order_id="o1", order_version=1, fr=fr_of(order), order=order)
    )
    [(key, title)] = (await stage.alerts()).items()
    assert key == "courier_not_mapped/shop/snail"
    assert title.startswith("COURIER_NOT_MAPPED: channel shop has no name for our courier 'snail'")
    detail = (await stage.column("select detail from open_alerts"))[0]
    assert "/channels/shop/mappings/couriers" in detail
    await stage.take(channel_of(2, couriers={"map": {"ups": "UPS", "snail": "Snail Mail"}, "unmapped": "hold"}))
    assert await stage.alerts() == {}


async def test_sp_7_a_name_that_the_channel_refuses_is_told_and_another_one_sends_it(stage: Stage) -> None:
    stage.shop.accepts = {"UPS®"}
    await _ship(stage, 2, "UPS Ground")
    failures = [one for one in await stage.told() if isinstance(one, ShipmentSyncFailed)]
    assert [one.reason.code for one in failures] == ["COURIER_REFUSED"] * 2
    assert "refused the courier name 'UPS'" in failures[0].reason.message
    assert "/channels/shop/mappings/couriers" in (failures[0].reason.action or "")
    calls = stage.shop.calls["create"]
    await stage.take(channel_of(2, poll_every="5m"))  # another setting releases nothing
    await stage.settle()
    assert stage.shop.calls["create"] == calls
    await stage.take(channel_of(3, couriers={"map": {"ups": "UPS®"}, "unmapped": "hold"}))
    await stage.settle()
    assert await stage.column("select distinct sync from orders") == ["synced"]


async def test_sp_7_saving_a_map_says_how_many_orders_it_releases_and_releases_exactly_those(stage: Stage) -> None:
    await stage.take(source_of(2, couriers={"map": {}, "unmapped": "pass"}))
    await _ship(stage, 3, "DHL")
    await _ship(stage, 2, "Snail")
    await stage.told()
    async with _http(stage, SimpleNamespace(channel=lambda *_: None)) as http:
        draft = {"map": {"ups": "UPS", "DHL": "DHL Express"}, "unmapped": "hold"}
        answer = (await http.post("/channels/shop/couriers/preview", json=draft)).json()
        assert answer == {"channel": "shop", "releases": 3, "couriers": ["DHL"], "still_waiting": {"Snail": 2}}
        assert (await http.post("/channels/nowhere/couriers/preview", json=draft)).status_code == 404
    await stage.take(channel_of(2, couriers=draft))
    await stage.settle()
    told = await stage.names()
    assert told == ["ShipmentSynced"] * 3  # nobody else was tried again
    assert await stage.column("select distinct reason ->> 'code' from syncs where state = 'failed'") == [
        "COURIER_NOT_MAPPED"
    ]


async def test_sp_7_the_names_that_the_platform_accepts_are_offered_beside_what_waits(stage: Stage) -> None:
    await stage.take(source_of(2, couriers={"map": {"GLS": "gls"}, "unmapped": "pass"}))
    await _ship(stage, 1, "DHL")

    class Carriers:
        async def carriers(self) -> tuple[Carrier, ...]:
            return (Carrier("dhl", "DHL Express", links=True),)

    connection = SimpleNamespace(carriers=Carriers())
    async with _http(stage, SimpleNamespace(channel=lambda *_: connection)) as http:
        found = (await http.get("/channels/shop/couriers")).json()
    assert found["waiting"] == [{"carrier": "DHL", "shipments": 1, "orders": 1}]
    assert found["may_come"] == ["gls"]
    assert found["accepted"] == [{"code": "dhl", "name": "DHL Express", "links": True}]


@pytest.mark.parametrize(
    ("before", "now", "mended"),
    [
        (None, {"a": "A"}, ["a"]),
        ({}, {"a": "A"}, ["a"]),
        ({"a": "A"}, {"a": "A"}, []),
        ({"a": "A"}, {"a": "B"}, ["a"]),
        ({"a": "A"}, {}, []),
    ],
)
def test_sp_7_only_another_name_is_worth_another_try(
    before: dict[str, str] | None, now: dict[str, str], mended: list[str]
) -> None:
    old = None if before is None else NameMapping(map=before)
    assert couriers.mended(["a"], old, NameMapping(map=now)) == mended
