"""A Shopify shop that ships for us: each trap of its API that would ship the wrong goods, or none, or twice."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from sandbox.supply import Parcel
from waybill_common.retry import Family
from waybill_contracts.values import Address
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.requests import OpenRequest, SourceRequest, SourceRequestLine
from waybill_platforms.ports import SourceConnection
from waybill_platforms.recording import recording
from waybill_platforms.shopify import client
from waybill_platforms.shopify.requesting import order_input, submitted
from waybill_platforms.shopify.settings import ShopifySettings
from waybill_platforms.shopify.source_wire import Request

SHIP_TO = Address(name="Zoë van der Müller", line1="5 High St", city="Köln", region="NRW", country="DE", email="z@x.de")
Ask = Callable[..., SourceRequest]


def settings_of(stage: Any, shop: str, **changes: Any) -> ShopifySettings:
    told = stage.world.shops[shop].connection(stage.origin)
    return ShopifySettings.of(shop, told["url"], told["credentials"]).model_copy(update=changes)


@pytest.fixture
async def depot(stage: Any, ledger: Any) -> AsyncIterator[SourceConnection]:
    connection = client.open_source("depot", settings_of(stage, "depot"), ledger)
    yield connection
    await connection.aclose()


@pytest.fixture
def shop(stage: Any) -> Any:
    return stage.world.shops["depot"]


@pytest.fixture
def ask(stage: Any) -> Ask:
    def build(number: int = 1, quantity: int = 2, sku: str = "SKU-101") -> SourceRequest:
        lines = (
            SourceRequestLine(f"gid://x/{number}a", sku, quantity),
            SourceRequestLine(f"gid://x/{number}b", sku, 1),
        )
        return SourceRequest(f"D-{number}", f"#{number}", lines, SHIP_TO, "Express", "USD")

    return build


def made(shop: Any) -> list[Any]:
    return [order for order in shop.orders.values() if order.by_program]


def available(shop: Any, sku: str) -> int:
    return int(shop.catalogue.of_sku(sku)[0].available)


# -- traps of orderCreate


async def test_a_line_that_names_only_a_sku_would_have_no_stock_behind_it(depot: Any, shop: Any, ask: Ask) -> None:
    """Shopify takes such a line as a custom one: each of ours names its variant."""
    await depot.sink.submit(ask())
    [order] = made(shop)
    assert [shop.catalogue.variants[line.variant_id].sku for line in order.lines] == ["SKU-101", "SKU-101"]


async def test_left_out_inventory_behaviour_would_leave_the_shelves_untouched(depot: Any, shop: Any, ask: Ask) -> None:
    before = available(shop, "SKU-101")
    await depot.sink.submit(ask(quantity=4))
    assert available(shop, "SKU-101") == before - 5


async def test_left_out_requires_shipping_would_ship_nothing(depot: Any, shop: Any, ask: Ask) -> None:
    await depot.sink.submit(ask(quantity=4))
    [order] = made(shop)
    assert all(line.requires_shipping for line in order.lines)
    assert sum(part.remaining for part in order.fulfillment_orders) == 5


async def test_the_channels_buyer_hears_nothing_from_the_source(depot: Any, shop: Any, ask: Ask) -> None:
    await depot.sink.submit(ask())
    [order] = made(shop)
    assert (order.email, order.receipt_sent) == (None, False)


async def test_stock_that_is_not_there_is_refused_and_nothing_is_made(depot: Any, shop: Any, ask: Ask) -> None:
    with pytest.raises(PlatformError) as raised:
        await depot.sink.submit(ask(quantity=100_000))
    assert (raised.value.family, raised.value.outcome, raised.value.code) == (Family.REFUSED, "none", "out_of_stock")
    assert made(shop) == []


async def test_more_lines_than_shopify_takes_are_refused_before_anything_is_sent(depot: Any, ask: Ask) -> None:
    lines = tuple(SourceRequestLine(str(n), "SKU-101", 1) for n in range(251))
    with pytest.raises(PlatformError) as raised:
        await depot.sink.submit(SourceRequest("D-1", "#1", lines, SHIP_TO, None, "USD"))
    assert (raised.value.code, raised.value.outcome) == ("too_many_lines", "none")


def test_a_region_that_is_no_code_is_told_in_words_and_the_name_in_two_parts() -> None:
    request = SourceRequest("D-1", "#1", (SourceRequestLine("a", "S", 1),),
                            SHIP_TO.model_copy(update={"region": "Nordrhein-Westfalen"}), None, "EUR")  # fmt: skip
    order: Any = order_input(request, {"S": "gid://shopify/ProductVariant/1"}, "EUR")
    assert "provinceCode" not in order["shippingAddress"]
    assert "Nordrhein-Westfalen" in order["note"]
    assert order["shippingAddress"]["firstName"] == "Zoë van der"
    assert order["shippingAddress"]["lastName"] == "Müller"
    assert "" not in order["shippingAddress"].values()


# -- traps of SKUs


async def test_an_unknown_sku_is_refused_and_no_empty_order_is_made(depot: Any, shop: Any, ask: Ask) -> None:
    with pytest.raises(PlatformError) as raised:
        await depot.sink.submit(ask(sku="NO-SUCH"))
    assert (raised.value.code, raised.value.outcome) == ("unknown_sku", "none")
    assert made(shop) == []


async def test_a_sku_that_two_variants_have_is_refused_not_guessed(depot: Any, shop: Any, ask: Ask) -> None:
    one, other = shop.catalogue.of_sku("SKU-101")[0], shop.catalogue.of_sku("SKU-102")[0]
    other.sku = one.sku
    with pytest.raises(PlatformError) as raised:
        await depot.sink.submit(ask())
    assert raised.value.code == "ambiguous_sku"
    assert made(shop) == []


async def test_a_variant_that_was_replaced_is_looked_up_again_after_a_refusal(depot: Any, shop: Any, ask: Ask) -> None:
    await depot.sink.submit(ask(1))
    variant = shop.catalogue.of_sku("SKU-101")[0]
    del shop.catalogue.variants[variant.id]
    variant.id = shop.new_id()
    shop.catalogue.variants[variant.id] = variant
    with pytest.raises(PlatformError):
        await depot.sink.submit(ask(2))
    assert (await depot.sink.submit(ask(2))).is_for(ask(2))


# -- traps of references


async def test_a_search_that_lags_hides_a_new_order_and_the_lag_is_declared(depot: Any, shop: Any, ask: Ask) -> None:
    shop.configure({"index_lag": 60.0})
    await depot.sink.submit(ask())
    assert await depot.sink.find("D-1") is None
    assert depot.features.find == "indexed"
    assert depot.features.index_lag.total_seconds() >= 30
    assert not depot.features.dedupes_by_reference


async def test_two_orders_under_one_reference_are_a_conflict_for_a_person(depot: Any, shop: Any, ask: Ask) -> None:
    """There is no idempotency key: the same call twice makes two orders."""
    first = await depot.sink.submit(ask())
    await depot.sink.submit(ask())
    with pytest.raises(PlatformError) as raised:
        await depot.sink.find("D-1")
    assert raised.value.code == "reference_conflict"
    shop.act(made(shop)[1].name, "cancel", {})
    found = await depot.sink.find("D-1")
    assert found is not None
    assert found.platform_id == first.platform_id


async def test_a_shop_that_is_also_a_channel_shows_our_reference_on_our_order(
    stage: Any, depot: Any, ledger: Any, ask: Ask
) -> None:
    """IN-7: an order that we made there is `excluded: ours`, which the channel's reader makes possible."""
    sent = await depot.sink.submit(ask())
    channel = client.open_channel("depot-shop", settings_of(stage, "depot"), ledger)
    order = await channel.reader.get_order(sent.platform_id)
    await channel.aclose()
    assert order is not None
    assert order.reference == "D-1"


# -- taking back


async def test_a_cancellation_that_is_a_job_under_way_is_pending(depot: Any, shop: Any, ask: Ask) -> None:
    sent = await depot.sink.submit(ask())
    shop.configure({"cancels_later": True})
    assert (await depot.sink.cancel(sent.platform_id, "D-1")).result == "pending"
    shop.configure({"cancels_later": False})
    assert (await depot.sink.cancel(sent.platform_id, "D-1")).result == "accepted"


async def test_what_is_canceled_goes_back_to_the_shelves(depot: Any, shop: Any, ask: Ask) -> None:
    before = available(shop, "SKU-101")
    sent = await depot.sink.submit(ask())
    await depot.sink.cancel(sent.platform_id, "D-1")
    assert available(shop, "SKU-101") == before


async def test_somebody_elses_order_is_never_canceled(depot: Any, shop: Any, ask: Ask) -> None:
    sent = await depot.sink.submit(ask(1))
    with pytest.raises(PlatformError) as raised:
        await depot.sink.cancel(sent.platform_id, "D-2")
    assert raised.value.code == "reference_conflict"
    assert made(shop)[0].cancelled_at is None


# -- reading shipments


async def test_200_requests_of_which_nothing_shipped_cost_one_call(depot: Any, ask: Ask) -> None:
    sent = await depot.sink.submit(ask())
    others = [OpenRequest(f"X-{n}", f"gid://shopify/Order/{n}") for n in range(199)]
    with recording() as exchanges:
        page = await depot.shipments.list_shipments(None, [OpenRequest("D-1", sent.platform_id), *others])
    assert (page.shipments, page.next) == ((), None)
    assert len(exchanges) == 1


async def test_a_shipment_of_many_lines_and_many_shipments_are_read_whole(
    stage: Any, depot: Any, shop: Any, ask: Ask
) -> None:
    lines = tuple(SourceRequestLine(f"l/{n}", "SKU-101", 1) for n in range(25))
    sent = await depot.sink.submit(SourceRequest("D-1", "#1", lines, SHIP_TO, None, "USD"))
    order = made(shop)[0]
    for line in order.lines[:7]:
        shop.ship(str(order.id), {str(line.id): 1}, parcel(line.id))
    shop.ship(str(order.id), {str(line.id): 1 for line in order.lines[7:]}, parcel(0))
    page = await depot.shipments.list_shipments(None, [OpenRequest("D-1", sent.platform_id)])
    assert len(page.shipments) == 8
    assert sorted(line.line_ref for one in page.shipments for line in one.lines) == sorted(li.line_ref for li in lines)


def parcel(number: int) -> Parcel:
    return Parcel("UPS", (f"1Z{number}",), "https://t.example/1")


def test_an_app_without_a_token_needs_id_and_secret_for_one() -> None:
    with pytest.raises(ValueError, match="access_token"):
        ShopifySettings.of("depot", "https://depot.example", {"client_id": "x"})
    settings = ShopifySettings.of("depot", "https://depot.example", {"client_id": "x", "client_secret": "y"})
    assert settings.renews
    assert settings.access_token == SecretStr("")


# -- whatever is asked for, what was made is read back as it


_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
_LINES = st.lists(st.tuples(_TEXT, st.integers(1, 999)), min_size=1, max_size=6)


@given(lines=_LINES, reference=_TEXT, region=st.text(max_size=8), name=st.text(max_size=20))
def test_any_request_read_back_is_for_itself_and_for_no_other(
    lines: list[tuple[str, int]], reference: str, region: str, name: str
) -> None:
    """SKUs may repeat, names and regions may be anything: an order made of a request is adopted as its outcome."""
    asked = tuple(SourceRequestLine(f"l/{n}", sku.strip() or "S", count) for n, (sku, count) in enumerate(lines))
    where = Address(name=name, region=region, country="US")
    request = SourceRequest(reference, "#1", asked, where, None, "USD")
    order: Any = order_input(request, {line.sku: f"gid://shopify/ProductVariant/{line.sku}" for line in asked}, "USD")
    made = {
        "id": "gid://shopify/Order/1",
        "name": "#1",
        "sourceIdentifier": order["sourceIdentifier"],
        "lineItems": {
            "pageInfo": {},
            "nodes": [
                {
                    "id": f"gid://shopify/LineItem/{n}",
                    "sku": line["variantId"].removeprefix("gid://shopify/ProductVariant/"),
                    "quantity": line["quantity"],
                    "currentQuantity": line["quantity"],
                    "customAttributes": [{"key": one["name"], "value": one["value"]} for one in line["properties"]],
                }
                for n, line in enumerate(order["lineItems"])
            ],
        },
    }
    found = submitted(Request.model_validate(made))
    assert found.is_for(request)
    more = (*asked[:-1], replace(asked[-1], quantity=asked[-1].quantity + 1))
    assert not found.is_for(replace(request, lines=more))
    assert "" not in order["shippingAddress"].values()
