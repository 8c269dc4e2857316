"""Courier names: looked at when the FR is made, before sending, and when the channel refuses one (SP-7)."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from poller_harness import AT, Stage, channel_of, fr_of, order_of, source_of, submitted

from shipment_poller import couriers
from shipment_poller.courier_routes import courier_routes
from waybill_common.http import answer_refusals
from waybill_contracts.configuration import Channel, NameMapping
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.fulfillment_submitted import Reason
from waybill_contracts.shipment_synced import ShipmentSynced, ShipmentSyncFailed
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
    answer_refusals(app)
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
    def channel(names: dict[str, str]) -> Channel:
        return channel_of(couriers=NameMapping(map=names)).channel

    assert couriers.mended(["a"], None if before is None else channel(before), channel(now)) == mended


@pytest.mark.parametrize(
    ("ours", "named"),
    [
        ("ups", ("UPS", "")),
        ("ups/ground", ("UPS", "UPS® Ground")),
        ("UPS/Ground", ("UPS", "UPS® Ground")),
        ("ups/express", ("UPS", "Express")),
        ("ups/freight", ("UPS Freight", "")),
        ("ups/unheard", "COURIER_SERVICE_NOT_MAPPED"),
        ("gls/ground", "COURIER_NOT_MAPPED"),
        ("gls", "COURIER_NOT_MAPPED"),
    ],
)
def test_sp_7_a_service_goes_with_its_courier_by_a_map_of_its_own(ours: str, named: Any) -> None:
    channel = channel_of(
        platform="bigcommerce",
        couriers={"map": {"ups": "UPS", "ups/freight": "UPS Freight"}, "unmapped": "hold"},
        courier_services={"map": {"ups/ground": "UPS® Ground", "express": "Express"}, "unmapped": "hold"},
    ).channel
    found = couriers.at_channel(channel, ours)
    assert (found.code if isinstance(found, Reason) else (found.carrier, found.service)) == named


def test_sp_7_a_service_that_has_no_map_is_passed_on_and_a_slash_of_a_sources_name_is_none() -> None:
    channel = channel_of(couriers={"map": {"ups": "UPS"}, "unmapped": "pass"}).channel
    assert couriers.at_channel(channel, "ups/ground") == couriers.Named("UPS", "ground")
    assert couriers.at_channel(channel, "DHL/Deutsche Post") == couriers.Named("DHL/Deutsche Post")


def test_sp_7_a_map_of_services_where_the_channel_has_no_place_for_them_is_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match="shopify has no place for a courier's service: map the whole name"):
        channel_of(courier_services={"map": {"ups/ground": "Ground"}})


def _services(sequence: int, names: dict[str, str]) -> Any:
    """A channel that tells services, with the courier mapped already."""
    services = {"map": names, "unmapped": "hold"}
    return channel_of(sequence, platform="bigcommerce", couriers={"map": {"ups": "UPS"}}, courier_services=services)


async def test_sp_7_a_service_without_a_name_waits_and_saving_its_map_sends_exactly_what_waited(stage: Stage) -> None:
    stage.shop.features = replace(stage.shop.features, tells_service=True)
    await stage.take(
        _services(2, {}),
        source_of(2, couriers={"map": {"UPS Ground": "ups/ground", "UPS": "ups"}, "unmapped": "hold"}),
    )
    order = order_of()
    await stage.take(
        FrCreated(at=AT, sequence=1, fr_id="f-o1", order_id="o1", order_version=1, fr=fr_of(order), order=order)
    )
    assert list(await stage.alerts()) == ["courier_not_mapped/shop/ups/ground"]
    await _ship(stage, 2, "UPS Ground")
    await _ship(stage, 1, "UPS")
    failed = [one for one in await stage.told() if isinstance(one, ShipmentSyncFailed)]
    assert [one.reason.code for one in failed] == ["COURIER_SERVICE_NOT_MAPPED"] * 2
    assert "/channels/shop/mappings/courier-services" in (failed[0].reason.action or "")
    assert stage.shop.calls["create"] == 1

    class Catalogue:
        async def shipping_methods(self) -> tuple[str, ...]:
            return ("UPS® Ground", "UPS® Express")

    connection = SimpleNamespace(catalogue=Catalogue(), features=stage.shop.features)
    async with _http(stage, SimpleNamespace(channel=lambda *_: connection)) as http:
        found = (await http.get("/channels/shop/courier-services")).json()
        draft = {"map": {"ups/ground": "UPS® Ground"}, "unmapped": "hold"}
        answer = (await http.post("/channels/shop/courier-services/preview", json=draft)).json()
    assert found["waiting"] == [{"carrier": "ups/ground", "shipments": 2, "orders": 2}]
    assert [one["name"] for one in found["accepted"]] == ["UPS® Ground", "UPS® Express"]
    assert answer["releases"] == 2
    await stage.take(_services(3, draft["map"]))
    await stage.settle()
    assert await stage.column("select distinct sync from orders where sync <> 'not_needed'") == ["synced"]
    assert await stage.alerts() == {}
    made = [record for records in stage.shop.made.values() for record in records]
    assert sorted((one.carrier, one.service) for one in made) == [("UPS", "")] + [("UPS", "UPS® Ground")] * 2
    assert all(one.notes == () for one in await stage.told() if isinstance(one, ShipmentSynced))


async def test_sp_10_a_service_that_the_channel_shows_otherwise_is_said(stage: Stage) -> None:
    stage.shop.features = replace(stage.shop.features, tells_service=True)
    stage.shop.rewrites = lambda record: replace(record, service="Standard")
    await stage.take(_services(2, {"ups/ground": "UPS® Ground"}), source_of(2, couriers={"map": {"A": "ups/ground"}}))
    await _ship(stage, 1, "A")
    synced = (await stage.told())[-1]
    assert isinstance(synced, ShipmentSynced)
    assert synced.notes == ("courier service: sent 'UPS® Ground', the channel shows 'Standard'",)
