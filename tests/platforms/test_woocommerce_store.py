"""Our connector against emulated stores of several versions, storages, time zones and plugins; each trap by its name.

Beside the conformance suite, which knows only what all platforms have in common.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web

from sandbox.app import build
from sandbox.woocommerce.model import Product
from sandbox.woocommerce.shop import Store
from sandbox.world import Wish, World
from waybill_common.retry import Family
from waybill_contracts.values import Address
from waybill_platforms.errors import NotFulfillable, PlatformError, SignatureRefused
from waybill_platforms.http import NoBudget
from waybill_platforms.model.fulfillments import FulfillmentDraft
from waybill_platforms.model.requests import OpenRequest, SourceRequest, SourceRequestLine
from waybill_platforms.ports import ChannelConnection, SourceConnection
from waybill_platforms.recording import recording
from waybill_platforms.woocommerce.client import open_store, open_supplier
from waybill_platforms.woocommerce.settings import WooSettings

EVER = datetime(2000, 1, 1, tzinfo=UTC)
WAYS = [
    pytest.param({}, "fulfillments", id="fulfillments"),
    pytest.param({"version": "10.5.0", "timezone": "Europe/Berlin"}, "fulfillments", id="fulfillments-10.5"),
    pytest.param({"version": "10.2.2", "timezone": "Pacific/Auckland"}, "fulfillments", id="fulfillments-10.2"),
    pytest.param({"fulfillments": False, "plugin": "ast"}, "tracking", id="plugin"),
    pytest.param({"version": "7.9.0", "plugin": "ast", "storage": "posts"}, "tracking", id="plugin-7.9-posts"),
    pytest.param({"fulfillments": False}, "note", id="note"),
    pytest.param({"version": "9.7.1"}, "note", id="note-9.7"),
]
"""A store's settings, and how it is told of shipments."""


@dataclass
class House:
    """A sandbox with one store as a channel (`willow`) and one as a source (`yonder`)."""

    world: World
    origin: str
    opened: list[Any]

    @property
    def shop(self) -> Store:
        return self._store("willow")

    @property
    def supplier(self) -> Store:
        return self._store("yonder")

    def _store(self, name: str) -> Store:
        store = self.world.shops[name]
        assert isinstance(store, Store)
        return store

    def _settings(self, name: str, **changes: Any) -> WooSettings:
        given = self._store(name).connection(self.origin)
        url = changes.pop("url", given["url"])
        return WooSettings.of(name, url, {**given["credentials"], **changes})

    def channel(self, **changes: Any) -> ChannelConnection:
        self.opened.append(open_store("willow", self._settings("willow", **changes), NoBudget()))
        return self.opened[-1]  # type: ignore[no-any-return]

    def source(self, **changes: Any) -> SourceConnection:
        self.opened.append(open_supplier("yonder", self._settings("yonder", **changes), NoBudget()))
        return self.opened[-1]  # type: ignore[no-any-return]

    def place(self, *lines: tuple[str, int], **given: Any) -> str:
        return self.shop.place({"lines": [{"sku": sku, "quantity": n} for sku, n in lines], **given})

    def entries(self, event: str) -> list[Any]:
        return [entry for entry in map(orjson.loads, self.world.journal.entries) if entry["event"] == event]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    world = World(tmp_path, Wish(orders=1, ship_after=3600.0, shops=("willow", "yonder")))
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = House(world, f"http://127.0.0.1:{runner.addresses[0][1]}", [])
    yield made
    for connection in made.opened:
        await connection.aclose()
    await runner.cleanup()


async def walk(channel: ChannelConnection, since: datetime, limit: int = 50, between: Any = None) -> list[Any]:
    found: list[Any] = []
    page = None
    while True:
        read = await channel.reader.list_changed(since, page, limit)
        assert read.problems == ()
        found += read.orders
        page = read.next
        if page is None:
            return found
        if between is not None:
            between()


def at_moments(house: House, *ages: int, numbers: int = 1) -> list[str]:
    """Orders last changed so many seconds ago, `numbers` at each moment."""
    names = []
    now = int(house.shop.now())
    for age in ages:
        for _ in range(numbers):
            name = house.place(("SKU-101", 1))
            order = house.shop.shown(name)
            order.modified_at = order.created_at = now - age
            house.shop.keep(order)
            names.append(name)
    return names


# -- reading orders


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "UTC", "Asia/Kolkata"])
@pytest.mark.parametrize("storage", ["hpos", "posts"])
async def test_a_window_skips_no_order_in_a_store_east_of_greenwich(house: House, zone: str, storage: str) -> None:
    """IN-2: nor does it read hours again west of it; times come back in UTC."""
    house.shop.configure({"timezone": zone, "storage": storage})
    old, new = at_moments(house, 3 * 3600, 60)
    order = house.shop.shown(new)
    since = datetime.fromtimestamp(order.modified_at, UTC)
    found = await walk(house.channel(), since)  # inclusive to the second
    assert [one.number for one in found if one.number in {old, new}] == [new]
    assert next(one for one in found if one.number == new).updated_at == since


async def test_the_emulated_list_is_wrong_with_a_zone_and_the_flag_as_real_ones_are(house: House) -> None:
    """The trap is there to be fallen into: a bound with Z misses what a naive one finds."""
    house.shop.configure({"timezone": "Europe/Berlin", "tls": True})
    (name,) = at_moments(house, 60)
    bound = datetime.fromtimestamp(house.shop.shown(name).modified_at - 1, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    key = house.shop.settings.keys[0]
    async with httpx.AsyncClient(auth=(key.consumer_key, key.consumer_secret)) as http:
        for text, flag, seen in [(bound, "true", True), (bound + "Z", "false", True), (bound + "Z", "true", False)]:
            params = {"modified_after": text, "dates_are_gmt": flag}
            answer = await http.get(f"{house.origin}/woocommerce/willow/wp-json/wc/v3/orders", params=params)
            assert (int(name) in [one["id"] for one in answer.json()]) is seen, (text, flag)


@pytest.mark.parametrize("limit", [1, 3, 4, 100])
async def test_orders_that_share_a_second_are_read_once_each(house: House, limit: int) -> None:
    names = at_moments(house, 600, 500, 400, numbers=11)
    found = await walk(house.channel(), EVER, limit)
    assert sorted(one.number for one in found if one.number in names) == sorted(names)
    assert [one.updated_at for one in found] == sorted(one.updated_at for one in found)


async def test_an_order_that_is_changed_between_pages_makes_no_other_one_be_skipped(house: House) -> None:
    """IN-16: by page numbers the one that headed page 2 would slide onto page 1 unseen."""
    names = at_moments(house, *range(900, 880, -1))
    changed = iter(names)
    found = await walk(house.channel(), EVER, 5, between=lambda: house.shop.act(next(changed), "hold", {}))
    assert {one.number for one in found} >= set(names)


async def test_an_order_that_leaves_a_crowded_second_makes_no_other_one_be_skipped(house: House) -> None:
    names = at_moments(house, 900, numbers=14)
    leaving = iter(names)
    found = await walk(house.channel(), EVER, 3, between=lambda: house.shop.act(next(leaving), "hold", {}))
    assert {one.number for one in found} >= set(names)


async def test_drafts_are_left_out_and_trashed_orders_are_not(house: House) -> None:
    """`any` would hold every shopper who opened the checkout, and no trashed order."""
    draft, trashed = house.place(("SKU-101", 1)), house.place(("SKU-101", 1))
    house.shop.shown(draft).status = "checkout-draft"
    house.shop.act(trashed, "trash", {})
    channel = house.channel()
    found = {one.number: one for one in await walk(channel, EVER)}
    assert draft not in found
    assert found[trashed].canceled
    assert await channel.reader.get_order(draft) is None


async def test_a_status_of_a_plugin_is_read_and_one_that_is_gone_fails_once_at_most(house: House) -> None:
    """One wrong word in the list fails the whole request."""
    house.shop.configure({"statuses": ["packing"]})
    name = house.place(("SKU-101", 1))
    house.shop.shown(name).status = "packing"
    channel = house.channel()
    found = next(one for one in await walk(channel, EVER) if one.number == name)
    assert (found.fulfillment, found.payment.value) == ("unknown", "paid")
    house.shop.configure({"statuses": []})
    with pytest.raises(PlatformError) as raised:
        await walk(channel, EVER)
    assert raised.value.code == "rest_invalid_param"
    assert await walk(channel, EVER)


async def test_a_host_that_lets_no_options_through_is_read_by_the_core_statuses(house: House) -> None:
    house.shop.configure({"options": False})
    name = house.place(("SKU-101", 1))
    assert name in {one.number for one in await walk(house.channel(), EVER)}


@pytest.mark.parametrize("version", ["11.0.1", "8.9.3"])
async def test_the_refunds_of_a_page_are_read_in_one_call_where_the_version_can(house: House, version: str) -> None:
    """`/refunds` is there since 9.0; before, each refunded order costs a call."""
    house.shop.configure({"version": version, "fulfillments": False})
    names = [house.place(("SKU-101", 3), ("SKU-102", 1)) for _ in range(5)]
    for name in names:
        line = house.shop.shown(name).lines[0]
        house.shop.edit(name, {"lines": [{"id": line.id, "current_quantity": 1}]})
    channel = house.channel()
    with recording() as made:
        found = [one for one in await walk(channel, EVER) if one.number in names]
    assert [(li.quantity, li.canceled, li.fulfillable) for one in found for li in one.lines] == [
        (3, 2, 1), (1, 0, 1)] * 5  # fmt: skip
    assert sum("/refunds" in one.url for one in made) == (1 if version == "11.0.1" else 6)  # one try, then each


async def test_an_order_number_of_a_plugin_is_found_by_the_search(house: House) -> None:
    house.shop.configure({"numbers_differ": True})
    name = house.place(("SKU-101", 1))
    found = await house.channel().reader.find_by_number(name)
    assert found is not None
    assert (found.number, found.id) == (name, name.removeprefix("W-"))


async def test_what_is_virtual_at_the_store_is_not_shipped(house: House) -> None:
    lines = [{"sku": "SKU-101", "quantity": 1}, {"sku": "VOUCHER", "quantity": 1, "requires_shipping": False}]
    name = house.shop.place({"lines": lines})
    found = await house.channel().reader.find_by_number(name)
    assert found is not None
    assert [line.requires_shipping for line in found.lines] == [True, False]


async def test_more_skus_than_an_address_bears_are_asked_in_several(house: House) -> None:
    long = [f"Ü{'–' * 60}{n}" for n in range(30)]
    for sku in long:
        house.place((sku, 1))
    source = open_supplier("willow", house._settings("willow"), NoBudget())
    house.opened.append(source)
    assert source.stock is not None
    with recording() as made:
        page = await source.stock.levels([*long, "A,B"])
    assert sorted(level.sku for level in page.levels) == sorted(long)
    assert max(len(one.url) for one in made) < 8000


# -- telling shipments, in the three ways


def draft(order: Any, *quantities: int, carrier: str = "UPS", numbers: tuple[str, ...] = ("1Z1",)) -> FulfillmentDraft:
    lines = tuple((line.line_id, n) for line, n in zip(order.lines, quantities, strict=False) if n)
    return FulfillmentDraft(order.id, lines, carrier, numbers, "https://t.example/1Z1")


async def tell(channel: ChannelConnection, wanted: FulfillmentDraft) -> Any:
    state = await channel.writer.read(wanted.order_id)
    assert state is not None
    (call,) = channel.writer.calls_for(state, wanted)
    return await channel.writer.create(call)


@pytest.mark.parametrize(("settings", "way"), WAYS)
async def test_a_part_and_then_the_rest_is_told_in_each_way(house: House, settings: dict[str, Any], way: str) -> None:
    """The lines are read back in each; the last one completes the order; what cannot be told is said (SP-14)."""
    house.shop.configure(settings)
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 3), ("SKU-102", 1)))
    assert order is not None
    first = await tell(channel, draft(order, 2))
    assert (first.lines, first.tracking_numbers) == (((order.lines[0].line_id, 2),), ("1Z1",))
    state = await channel.writer.read(order.id)
    assert state is not None
    assert (state.fulfillment, [*state.remaining.values()], state.fulfillments) == ("partial", [1, 1], (first,))
    assert house.shop.shown(order.number).status == "processing"
    with pytest.raises(NotFulfillable):
        channel.writer.calls_for(state, draft(order, 2))
    await tell(channel, draft(order, 1, 1, numbers=("1Z2",)))
    after = await channel.writer.read(order.id)
    assert after is not None
    assert (after.fulfillment, after.remaining, len(after.fulfillments)) == ("fulfilled", {}, 2)
    assert house.shop.shown(order.number).status == "completed"
    said = " ".join(channel.notices())
    assert ("cannot be told" in said or "cannot tell" in said or "be told apart" in said) is (way != "fulfillments")


@pytest.mark.parametrize(("settings", "way"), WAYS)
async def test_withdrawn_and_told_again_in_each_way(house: House, settings: dict[str, Any], way: str) -> None:
    """SP-5: and the order is open again."""
    house.shop.configure(settings)
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 2)))
    assert order is not None
    made = await tell(channel, draft(order, 2))
    for _ in range(2):  # asking again is no failure
        await channel.writer.cancel(made.id)
    state = await channel.writer.read(order.id)
    assert state is not None
    assert [*state.remaining.values()] == [2]
    assert all(record.status == "canceled" for record in state.fulfillments)
    assert house.shop.shown(order.number).status == "processing"
    again = await tell(channel, draft(order, 2))
    assert again.id != made.id
    after = await channel.writer.read(order.id)
    assert after is not None
    assert after.showing(again.lines, again.tracking_numbers) == (again,)


@pytest.mark.parametrize(("settings", "way"), WAYS)
async def test_withdrawing_what_is_gone_leaves_an_order_completed_that_was_shipped_anew(
    house: House, settings: dict[str, Any], way: str
) -> None:
    """SP-5: a second try of a withdrawal, late: the rest has been told meanwhile, and nothing is open."""
    house.shop.configure(settings)
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 2), ("SKU-102", 1)))
    assert order is not None
    await tell(channel, draft(order, 1, 1))
    wrong = await tell(channel, draft(order, 1, numbers=("1Z2",)))
    await channel.writer.cancel(wrong.id)
    assert house.shop.shown(order.number).status == "processing"
    await tell(channel, draft(order, 1, numbers=("1Z3",)))
    assert house.shop.shown(order.number).status == "completed"
    await channel.writer.cancel(wrong.id)
    assert house.shop.shown(order.number).status == "completed"


@pytest.mark.parametrize("version", ["11.0.1", "10.2.2"])
async def test_a_cd_with_files_is_shipped_though_the_store_fulfilled_it_at_payment(house: House, version: str) -> None:
    """SP-8: WooCommerce fulfills what has a file to download by itself, and does not ask whether it ships as well."""
    house.shop.configure({"version": version, "timezone": "America/St_Johns"})
    house.shop.product("CD").downloadable = True
    licence = house.shop.product("LICENCE", virtual=True)
    licence.downloadable = True
    channel = house.channel()
    for name in (house.place(("CD", 1)), house.place(("CD", 1), ("SKU-101", 2), ("LICENCE", 1))):
        order = await channel.reader.find_by_number(name)
        assert order is not None
        assert len(house.shop.shown(name).fulfillments) == 1
        assert order.fulfillment == "unfulfilled"
        ships = [line for line in order.lines if line.requires_shipping]
        assert [line.fulfillable for line in ships] == [line.quantity for line in ships]
        assert {one.fulfillment for one in await walk(channel, EVER) if one.number == name} == {"unfulfilled"}
        made = await tell(channel, draft(order, *(line.quantity for line in ships)))
        state = await channel.writer.read(order.id)
        assert state is not None
        assert (state.fulfillment, state.remaining) == ("fulfilled", {})
        assert made in state.fulfillments
        assert house.shop.shown(name).status == "completed"


async def test_a_variation_is_called_by_its_product_s_name_too(house: House) -> None:
    """Under its product it is "L" at 11.0 and nothing at 7.9; as an order's line it is "Hat - L"."""
    hat = Product(house.shop.new_id(), "HAT", "Hat", "9.00", kind="variable")
    large = Product(house.shop.new_id(), "HAT-L", "Hat - L", "9.00", kind="variation", parent_id=hat.id)
    house.shop.add_product(hat)
    house.shop.add_product(large)
    for version, name in (("11.0.1", "Hat - L"), ("8.3.0", "Hat - L"), ("7.9.0", "Hat")):
        house.shop.configure({"version": version})
        page = await house.channel().catalogue.products()  # type: ignore[union-attr]
        assert [(one.sku, one.title) for one in page.products if one.sku.startswith("HAT")] == [("HAT-L", name)]


async def test_a_plugin_whose_list_of_carriers_is_empty_is_not_asked_again_for_each_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AST fetches its carriers from its maker's server; a store that could not has none."""
    monkeypatch.setattr("sandbox.woocommerce.tracking.PROVIDERS", {})
    house.shop.configure({"fulfillments": False, "plugin": "ast"})
    channel = house.channel()
    with recording() as made:
        for _ in range(2):
            order = await channel.reader.find_by_number(house.place(("SKU-101", 1)))
            assert order is not None
            await tell(channel, draft(order, 1))
    assert sum(one.url.partition("?")[0].endswith("/providers") for one in made) == 1


async def test_a_carrier_that_the_plugin_does_not_know_keeps_its_name_in_the_same_field(house: House) -> None:
    """AST 3.7.9 writes it where a known one's slug stands; `custom_tracking_provider` stays empty."""
    house.shop.configure({"fulfillments": False, "plugin": "ast"})
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 1)))
    assert order is not None
    made = await tell(channel, draft(order, 1, carrier="Northern Vans"))
    (row,) = house.shop.shown(order.number).value("_wc_shipment_tracking_items")
    assert (row["tracking_provider"], row["custom_tracking_provider"]) == ("Northern Vans", "")
    assert (made.carrier, made.tracking_urls) == ("Northern Vans", ("https://t.example/1Z1",))


@pytest.mark.parametrize(("settings", "way"), WAYS)
async def test_details_are_corrected_in_place_in_each_way(house: House, settings: dict[str, Any], way: str) -> None:
    house.shop.configure(settings)
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 2)))
    assert order is not None
    made = await tell(channel, draft(order, 1))
    corrected = await channel.writer.update_tracking(
        made.id, carrier="FedEx", tracking_numbers=("77", "78"), tracking_url="https://t.example/77"
    )
    assert (corrected.id, corrected.lines, corrected.carrier) == (made.id, made.lines, "FedEx")
    assert corrected.tracking_numbers == ("77", "78")
    state = await channel.writer.read(order.id)
    assert state is not None
    assert state.fulfillments == (corrected,)
    if way == "tracking":
        items = house.shop.shown(order.number).value("_wc_shipment_tracking_items")
        assert [item["tracking_number"] for item in items] == ["77", "78"]


@pytest.mark.parametrize(("keeps", "shown"), [(True, "2026-11-20"), (False, datetime.now(UTC).date().isoformat())])
async def test_the_day_of_shipping_is_told_to_the_plugin_and_shown_as_the_plugin_keeps_it(
    house: House, keeps: bool, shown: str
) -> None:
    """As installed the plugin throws it away for today's; a correction tells it again."""
    house.shop.configure({"fulfillments": False, "plugin": "ast", "keeps_ship_date": keeps})
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 2)))
    assert order is not None
    state = await channel.writer.read(order.id)
    assert state is not None
    assert state.takes_ship_date
    wanted = replace(draft(order, 2), shipped_at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    made = await channel.writer.create(channel.writer.calls_for(state, wanted)[0])
    corrected = await channel.writer.update_tracking(
        made.id, carrier="FedEx", tracking_numbers=("77",), tracking_url="https://t.example/77"
    )
    for record in (made, corrected):
        assert record.shipped_at is not None
        assert record.shipped_at.date().isoformat() == shown


@pytest.mark.parametrize("settings", [{}, {"fulfillments": False}], ids=["fulfillments", "note"])
async def test_a_store_without_the_plugin_takes_no_day_of_shipping(house: House, settings: dict[str, Any]) -> None:
    house.shop.configure(settings)
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 1)))
    assert order is not None
    state = await channel.writer.read(order.id)
    assert state is not None
    assert not state.takes_ship_date


@pytest.mark.parametrize("operation", ["tracking_create", "order_update"])
@pytest.mark.parametrize("kind", ["lost", "reset", "503"])
async def test_tracking_is_not_stored_twice_when_an_answer_is_lost(house: House, operation: str, kind: str) -> None:
    """SP-11: the same number twice is two rows there; a second try looks first."""
    house.shop.configure({"fulfillments": False, "plugin": "ast"})
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 2)))
    assert order is not None
    house.world.faults.script([{"kind": kind, "match": operation, "count": 1}])
    with pytest.raises(PlatformError):
        await tell(channel, draft(order, 2, numbers=("1Z1", "1Z2")))
    state = await channel.writer.read(order.id)
    assert state is not None
    if not state.fulfillments:
        await tell(channel, draft(order, 2, numbers=("1Z1", "1Z2")))
    items = house.shop.shown(order.number).value("_wc_shipment_tracking_items")
    assert [item["tracking_number"] for item in items] == ["1Z1", "1Z2"]
    assert house.shop.shown(order.number).status == "completed"


async def test_a_note_is_not_written_twice_when_an_answer_is_lost(house: House) -> None:
    house.shop.configure({"fulfillments": False})
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 2)))
    assert order is not None
    for operation in ("note_create", "order_update"):
        house.world.faults.script([{"kind": "cut", "match": operation, "count": 1}])
    for _ in range(2):
        with pytest.raises(PlatformError):
            await tell(channel, draft(order, 2))
        state = await channel.writer.read(order.id)
        assert state is not None
        if state.fulfillments:
            break
    assert [note.note.partition(":")[0] for note in house.shop.shown(order.number).notes] == [
        "Shipped by UPS, tracking 1Z1 (https"]  # fmt: skip


async def test_the_store_takes_99_of_3_so_a_stale_plan_is_checked_against_a_fresh_read(house: House) -> None:
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 3)))
    assert order is not None
    state = await channel.writer.read(order.id)
    assert state is not None
    (call,) = channel.writer.calls_for(state, draft(order, 3))
    house.shop.edit(order.number, {"lines": [{"id": int(order.lines[0].line_id), "current_quantity": 1}]})
    with pytest.raises(PlatformError) as raised:
        await channel.writer.create(call)
    assert (raised.value.family, raised.value.outcome, raised.value.code) == (
        Family.REFUSED, "none", "not_fulfillable")  # fmt: skip
    assert house.entries("fulfillment_created") == []


async def test_buyers_are_told_only_when_asked(house: House) -> None:
    """SP-16"""
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 2)))
    assert order is not None
    with recording() as made:
        await tell(channel, draft(order, 1))
    assert [one.url.rpartition("notify_customer=")[2][:5] for one in made if one.method == "POST"] == ["false"]


async def test_a_status_that_cannot_be_set_makes_no_second_shipment_and_is_said(house: House) -> None:
    channel = house.channel()
    order = await channel.reader.find_by_number(house.place(("SKU-101", 2)))
    assert order is not None
    house.world.faults.script([{"kind": "internal", "match": "order_update", "count": 1}])
    await tell(channel, draft(order, 2))
    assert f"order {order.number} is shipped whole, but could not be set completed" in channel.notices()[0]
    assert len(house.entries("fulfillment_created")) == 1


async def test_a_store_may_keep_the_status_to_itself(house: House) -> None:
    channel = house.channel(complete_orders="no")
    order = await channel.reader.find_by_number(house.place(("SKU-101", 2)))
    assert order is not None
    await tell(channel, draft(order, 2))
    assert house.shop.shown(order.number).status == "processing"


async def test_a_feature_that_is_switched_on_later_is_used_and_what_was_told_before_still_counts(house: House) -> None:
    house.shop.configure({"fulfillments": False})
    order = await house.channel().reader.find_by_number(house.place(("SKU-101", 3)))
    assert order is not None
    await tell(house.channel(), draft(order, 1))
    house.shop.configure({"fulfillments": True})
    channel = house.channel()
    await tell(channel, draft(order, 1, numbers=("1Z2",)))
    state = await channel.writer.read(order.id)
    assert state is not None
    assert ([*state.remaining.values()], len(state.fulfillments)) == ([1], 2)


async def test_the_carriers_are_the_features_the_plugins_or_any(house: House) -> None:
    """SP-7"""
    house.place(("SKU-101", 1))
    assert {"ups", "dhl"} <= {one.code for one in await house.channel().carriers.carriers()}  # type: ignore[union-attr]
    house.shop.configure({"fulfillments": False, "plugin": "ast"})
    plugin = await house.channel().carriers.carriers()  # type: ignore[union-attr]
    assert {(one.code, one.links) for one in plugin} == {("DHL", True), ("UPS", True), ("FedEx", True)}
    house.shop.configure({"plugin": ""})
    assert await house.channel().carriers.carriers() == ()  # type: ignore[union-attr]


# -- authentication


async def test_plain_http_takes_oauth_alone_and_each_call_signs_anew(house: House) -> None:
    assert await house.channel(auth="oauth1").reader.list_changed(EVER)
    with pytest.raises(PlatformError) as raised:
        await house.channel(auth="basic").reader.get_order("30001")
    assert (raised.value.family, raised.value.code) == (Family.UNAUTHORIZED, "woocommerce_rest_cannot_view")
    for cause in ("key is unknown", "dropped the Authorization header", "did not see TLS"):
        assert cause in raised.value.message


async def test_a_host_that_drops_the_header_takes_the_key_in_the_query_and_no_record_shows_it(house: House) -> None:
    house.shop.configure({"tls": True, "drops_authorization": True})
    with pytest.raises(PlatformError):
        await house.channel(auth="basic").reader.get_order("30001")
    with recording() as made:
        assert await house.channel(auth="query").reader.get_order("30001")
    told = made[0].event("test").model_dump_json()
    assert "consumer_secret=[redacted]" in told
    assert "cs_demo_willow" not in told


async def test_a_store_reached_by_another_address_than_its_own_refuses_every_signature(house: House) -> None:
    house.shop.configure({"home": "http://shop.example"})
    with pytest.raises(PlatformError, match="over which it signs") as raised:
        await house.channel(auth="oauth1").reader.get_order("30001")
    assert raised.value.family is Family.UNAUTHORIZED


def test_plain_http_is_refused_for_public_hosts_and_taken_for_private_ones() -> None:
    keys = {"consumer_key": "ck_1", "consumer_secret": "cs_1"}
    with pytest.raises(ValueError, match="plain http"):
        WooSettings.of("acme", "http://shop.example.com", keys)
    for url, auth in [
        ("https://shop.example.com", ("basic",)),
        ("http://127.0.0.1:8080", ("basic", "oauth1")),
        ("http://localhost", ("basic", "oauth1")),
        ("http://10.1.2.3", ("oauth1",)),
        ("http://woocommerce", ("oauth1",)),
        ("http://shop.local", ("oauth1",)),
    ]:
        assert WooSettings.of("acme", url, keys).auth == auth
    with pytest.raises(ValueError, match="must end before /wp-json"):
        WooSettings.of("acme", "https://shop.example.com/wp-json/wc/v3", keys)
    with pytest.raises(ValueError, match="consumer_secret is missing"):
        WooSettings.of("acme", "https://shop.example.com", {"consumer_key": "ck_1"})
    assert "cs_1" not in repr(WooSettings.of("acme", "https://shop.example.com", keys))


# -- probing


async def probed(house: House, **changes: Any) -> Any:
    prober = house.channel(**changes).prober
    assert prober is not None
    return await prober.probe()


async def test_a_sound_store_is_said_to_be_one(house: House) -> None:
    house.shop.configure({"timezone": "Europe/Berlin"})
    house.place(("SKU-101", 1))
    probe = await probed(house)
    assert (probe.version, probe.timezone, probe.currency, probe.usable) == ("11.0.1", "Europe/Berlin", "USD", True)
    assert [finding.code for finding in probe.findings] == ["storage"]


@pytest.mark.parametrize(
    ("settings", "code", "usable"),
    [
        ({"fulfillments": False}, "no_shipment_tracking", True),
        ({"fulfillments": False, "plugin": "ast"}, "tracking_by_plugin", True),
        ({"permalinks": "plain"}, "plain_permalinks", False),
        ({"storage": "posts"}, "posts_storage", True),
        ({"version": "7.8.0"}, "old_version", True),
    ],
)
async def test_what_a_store_lacks_is_said_in_a_sentence(
    house: House, settings: dict[str, Any], code: str, usable: bool
) -> None:
    """SP-14"""
    house.shop.configure(settings)
    probe = await probed(house)
    assert (code in [finding.code for finding in probe.findings], probe.usable) == (True, usable)


@pytest.mark.parametrize("settings", [{}, {"fulfillments": False, "plugin": "ast"}, {"fulfillments": False}])
async def test_a_store_without_an_order_yet_can_be_looked_at(house: House, settings: dict[str, Any]) -> None:
    house.shop.configure(settings)
    house.shop.orders.clear()
    assert (await probed(house)).usable
    assert await house.channel().carriers.carriers() == ()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ({"permissions": "read"}, "read_only_key"),
        ({"permissions": "write"}, "write_only_key"),
        ({"consumer_key": "ck_deleted"}, "bad_key"),
        ({"consumer_secret": "cs_other"}, "bad_secret"),
        ({"may_manage": False}, "no_rights"),
    ],
)
async def test_401_is_three_different_things_and_403_a_fourth(house: House, key: dict[str, Any], code: str) -> None:
    """Reading alone cannot tell a read-only key; what is asked to know it changes nothing."""
    house.shop.configure({"tls": True})
    channel = house.channel()  # with the key as it was
    house.shop.configure({"keys": [{"consumer_key": "ck_demo_willow", "consumer_secret": "cs_demo_willow", **key}]})
    entries = len(house.world.journal.entries)
    assert channel.prober is not None
    probe = await channel.prober.probe()
    assert [finding.code for finding in probe.findings] == [code]
    assert len(house.world.journal.entries) == entries


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [
        ({"consumer_key": "ck_deleted"}, "bad_key", "was it deleted"),
        ({"consumer_secret": "cs_other"}, "bad_secret", "the consumer secret is wrong"),
    ],
)
async def test_by_oauth_an_unknown_key_has_a_word_of_its_own(
    house: House, key: dict[str, str], code: str, said: str
) -> None:
    """ "Consumer key is invalid." at 7.9 to 11.0, where Basic has only cannot_view."""
    (found,) = (await probed(house, auth="oauth1", **key)).findings
    assert (found.code, said in found.message) == (code, True)


async def test_a_store_of_11_1_with_plain_permalinks_is_reached_by_rest_route(house: House) -> None:
    house.shop.configure({"permalinks": "plain", "version": "11.1.0"})
    url = house.shop.connection(house.origin)["url"] + "/?rest_route="
    name = house.place(("SKU-101", 1))
    channel = house.channel(url=url)
    assert name in {one.number for one in await walk(channel, EVER)}


# -- webhooks


Received = list[tuple[dict[str, str], bytes]]
Listen = Callable[..., Awaitable[tuple[str, Received]]]


@pytest.fixture
async def listen(serve: Any) -> Listen:
    async def start(status: int = 200) -> tuple[str, Received]:
        received: Received = []

        async def take(request: web.Request) -> web.Response:
            received.append((dict(request.headers), await request.read()))
            return web.Response(status=status)

        return await serve(take) + "/hook", received

    return start


async def arrived(received: Received, count: int) -> None:
    for _ in range(1000):
        if len(received) >= count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{len(received)} of {count} deliveries came")


async def test_webhooks_are_registered_pinged_signed_and_read(house: House, listen: Listen) -> None:
    """IN-3"""
    address, received = await listen()
    house.shop.configure({"delivery_delay": 0.05})
    hooks = house.channel().webhooks
    assert hooks is not None
    assert (await hooks.register(address)).topics == ("order.created", "order.updated", "order.deleted")
    await arrived(received, 3)
    assert {hooks.read(headers, body).kind for headers, body in received} == {"ping"}
    received.clear()
    name = house.place(("SKU-101", 1))
    await arrived(received, 2)
    read = [hooks.read(headers, body) for headers, body in received]
    assert {(one.topic, one.kind, one.order_id) for one in read} == {
        ("order.created", "order", name), ("order.updated", "order", name)}  # fmt: skip
    headers, body = received[0]
    with pytest.raises(SignatureRefused):
        hooks.read(headers, body + b" ")
    with pytest.raises(SignatureRefused):
        house.channel(webhook_secret="another one").webhooks.read(headers, body)  # type: ignore[union-attr]
    with pytest.raises(SignatureRefused, match="missing"):
        hooks.read({"X-WC-Webhook-Topic": "order.updated", "Content-Type": "application/json"}, body)


async def test_registering_again_makes_no_second_webhook_and_mends_what_is_off(house: House, listen: Listen) -> None:
    """Seven failures switch one off, and nothing is ever sent again: so it is looked at again and again."""
    address, _ = await listen(status=500)
    house.shop.configure({"delivery_delay": 0.0})
    hooks = house.channel().webhooks
    assert hooks is not None
    await hooks.register(address)
    name = house.place(("SKU-101", 1))
    async with asyncio.timeout(20):
        while all(hook.status == "active" for hook in house.shop.hooks.values()):
            house.shop.act(name, "hold", {})
            await asyncio.sleep(0.05)
    await hooks.register(address)
    assert [hook.status for hook in house.shop.hooks.values()] == ["active"] * 3
    other = house.channel(webhook_secret="a new secret of ours").webhooks
    assert other is not None
    await other.register(address)
    assert {hook.secret for hook in house.shop.hooks.values()} == {"a new secret of ours"}
    assert len(house.shop.hooks) == 3


async def test_an_address_that_wordpress_never_delivers_to_is_said(house: House) -> None:
    channel = house.channel()
    assert channel.webhooks is not None
    registered = await channel.webhooks.register("http://127.0.0.1:8444/hooks/willow")
    assert "ports 80, 443 and 8080" in registered.warning
    registered = await channel.webhooks.register("http://10.0.0.7/hooks/willow")
    assert "private addresses" in registered.warning
    registered = await channel.webhooks.register("http://127.0.0.1:8080/hooks/willow")
    assert registered.warning == ""  # the store's own host, which WordPress exempts


# -- as a source


def request(house: House, quantity: int = 2, sku: str = "", reference: str = "Y-1001") -> SourceRequest:
    most = max((one for one in house.world.levels if one.source == "yonder"), key=lambda one: one.on_hand)
    theirs = sku or next(good for good in house.world.goods if good.sku == most.sku).source_sku("yonder")
    address = Address(name="Zoë Müller", line1="5 High Street", city="Springfield", region="IL", country="US")
    return SourceRequest(reference, "#1001", (SourceRequestLine("7", theirs, quantity),), address, "Ground", "USD")


@pytest.mark.parametrize("version", ["11.0.1", "9.7.1", "7.9.0"])
@pytest.mark.parametrize("storage", ["hpos", "posts"])
async def test_a_request_is_found_in_every_version_and_storage(house: House, version: str, storage: str) -> None:
    """Older ones have neither the filter `created_via` nor take the value."""
    house.supplier.configure({"version": version, "storage": storage})
    source = house.source()
    assert await source.sink.find("Y-1001") is None
    made = await source.sink.submit(request(house))
    await source.sink.submit(request(house, reference="Y-100"))
    await source.sink.submit(request(house, reference="Y-10011"))
    assert await source.sink.find("Y-1001") == made
    assert made.is_for(request(house))


async def test_an_unknown_sku_is_an_empty_line_there_so_it_is_looked_up_and_not_sent(house: House) -> None:
    with pytest.raises(PlatformError) as raised:
        await house.source().sink.submit(request(house, sku="NOPE"))
    assert (raised.value.outcome, raised.value.code) == ("none", "unknown_sku")
    assert house.supplier.count() == (0, 0)


async def test_a_product_that_goes_between_look_up_and_order_is_taken_back(house: House) -> None:
    source, asked = house.source(), request(house)
    add, gone = house.supplier.add, house.supplier.product(asked.lines[0].sku)

    def add_without(order: Any) -> Any:
        order.lines[0].product_id, order.lines[0].sku = 0, None
        return add(order)

    house.supplier.add = add_without  # type: ignore[method-assign]
    with pytest.raises(PlatformError) as raised:
        await source.sink.submit(asked)
    assert (raised.value.family, raised.value.outcome, raised.value.code) == (Family.REFUSED, "none", "unknown_sku")
    assert [one.status for one in house.supplier.orders.values()] == ["cancelled"]
    house.supplier.add = add  # type: ignore[method-assign]
    assert (await source.sink.submit(asked)).is_for(asked)  # the reference is free again
    assert gone.sku == asked.lines[0].sku


async def test_what_we_placed_is_recognised_when_the_same_store_is_a_channel(house: House) -> None:
    """IN-7: neither the order nor a fulfillment of ours comes back."""
    made = await house.source().sink.submit(request(house))
    channel = open_store("yonder", house._settings("yonder"), NoBudget())
    house.opened.append(channel)
    order = await channel.reader.get_order(made.platform_id)
    assert order is not None
    assert order.reference == "Y-1001"
    await tell(channel, draft(order, 1))
    open_requests = [OpenRequest("Y-1001", made.platform_id)]
    assert (await house.source().shipments.list_shipments(None, open_requests)).shipments == ()


@pytest.mark.parametrize("settings", [{"fulfillments": False, "plugin": "ast"}, {"fulfillments": False}])
async def test_a_store_without_fulfillments_ships_by_completing_the_order(
    house: House, settings: dict[str, Any]
) -> None:
    """Which pieces left is not said before; then it is all of them. Moved back, they are withdrawn."""
    house.supplier.configure(settings)
    source = house.source()
    made = await source.sink.submit(request(house))
    open_requests = [OpenRequest("Y-1001", made.platform_id)]
    order = house.supplier.shown(made.platform_id)
    if settings.get("plugin"):
        order.meta.append({"id": 1, "key": "_wc_shipment_tracking_items", "value": [
            {"tracking_id": "t1", "tracking_number": "1Z1", "tracking_provider": "ups"}]})  # fmt: skip
    assert (await source.shipments.list_shipments(None, open_requests)).shipments == ()
    order.status, order.completed_at = "completed", int(house.supplier.now())
    (shipment,) = (await source.shipments.list_shipments(None, open_requests)).shipments
    assert [(line.line_ref, line.quantity) for line in shipment.lines] == [("7", 2)]
    assert shipment.tracking_numbers == (("1Z1",) if settings.get("plugin") else ())
    # the meta names the carrier alone; its link is the plugin's list's
    assert shipment.tracking_url == ("https://ups.example/track/1Z1" if settings.get("plugin") else None)
    order.status = "processing"
    (again,) = (await source.shipments.list_shipments(None, open_requests)).shipments
    assert (again.id, again.status) == (shipment.id, "canceled")


async def test_a_shipment_that_was_replaced_is_missed_among_the_whole(house: House) -> None:
    """SP-5: a deleted fulfillment is nowhere to be seen, so the page says whose shipments it has whole."""
    source = house.source()
    made = await source.sink.submit(request(house, 1))
    warehouse = house.world.sources["yonder"]
    (old,) = warehouse.ship_now(None)
    open_requests = [OpenRequest("Y-1001", made.platform_id)]
    warehouse.act_on_shipment(old, "replace", {})
    page = await source.shipments.list_shipments(None, open_requests)
    assert page.whole == ("Y-1001",)
    assert [shipment.id.endswith(f"/{old}") for shipment in page.shipments] == [False]


async def test_stock_is_read_by_sku_in_one_call_and_whole_by_pages(house: House) -> None:
    source = house.source()
    assert source.stock is not None
    wanted = {good.source_sku("yonder"): 0 for good in house.world.goods[:5]}
    with recording() as made:
        page = await source.stock.levels([*wanted, "NOPE"])
    assert len(made) == 1
    assert {level.sku for level in page.levels} == set(wanted)
    assert page.problems == ("SKU 'NOPE': the store has no product with it",)
    whole = await source.stock.levels([])
    assert {level.sku: level.on_hand for level in whole.levels} == {
        product.sku: product.stock for product in house.supplier.products.values()}  # fmt: skip


async def test_a_catalogue_lists_products_and_the_zones_methods(house: House) -> None:
    """IN-9"""
    house.place(("SKU-101", 1))
    catalogue = house.channel().catalogue
    assert catalogue is not None
    assert "SKU-101" in {one.sku for one in (await catalogue.products()).products}
    methods = await catalogue.shipping_methods()
    assert "Standard" in methods
    assert len(set(methods)) == len(methods)


# -- calls per order


async def test_calls_per_order_are_as_the_readme_says(house: House) -> None:
    names = [house.place(("SKU-101", 2)) for _ in range(40)]
    channel = house.channel()
    await channel.reader.list_changed(EVER)  # statuses and goods are asked once
    with recording() as listing:
        await channel.reader.list_changed(EVER, None, 100)
    order = await channel.reader.find_by_number(names[0])
    assert order is not None
    with recording() as reading:
        state = await channel.writer.read(order.id)
    assert state is not None
    (call,) = channel.writer.calls_for(state, draft(order, 2))
    with recording() as creating:
        await channel.writer.create(call)
    assert (len(listing), len(reading), len(creating)) == (1, 2, 4)
    source = house.source()
    await source.sink.find("nothing")
    with recording() as submitting:
        made = [await source.sink.submit(request(house, 1, reference=f"Y-{n}")) for n in range(3)]
    with recording() as polling:
        await source.shipments.list_shipments(None, [OpenRequest(one.reference, one.platform_id) for one in made])
    assert (len(submitting) / 3, len(polling)) == (3.0, 1)
