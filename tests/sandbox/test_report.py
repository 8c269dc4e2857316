"""The report is right about a right run, and goes red at every planted mistake."""

from typing import Any

import pytest

CANCEL = "mutation($id: ID!) { fulfillmentCancel(id: $id) { fulfillment { id status } userErrors { message } } }"
UPDATE = """mutation($id: ID!, $t: FulfillmentTrackingInput!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $t) { userErrors { message } } }"""


def kinds(report: Any) -> set[str]:
    return {problem["kind"] for problem in report["problems"]}


def first_made(hub: Any) -> tuple[Any, Any]:
    """An order that was shipped in this run, and its first fulfillment."""
    for order in hub.box.world.shop.orders.values():
        for made in order.fulfillments:
            if made.by_api and order.expectation == "shipped":
                return order, made
    raise AssertionError("nothing was fulfilled")


async def test_a_right_run_is_found_right(hub: Any) -> None:
    report = await hub.run()
    assert report["problems"] == []
    assert report["ok"]
    assert report["sound"]
    assert report["settled"]
    assert report["duplicates"] == {"shop": 0, "source": 0}
    assert report["fulfillments"] >= report["shipments"] > report["orders"]["by_expectation"]["shipped"]["orders"]


async def test_before_anything_happened_every_shippable_order_is_open_and_nothing_is_wrong(box: Any) -> None:
    report = await box.report()
    assert not report["ok"]
    assert not report["settled"]
    assert report["sound"]
    assert kinds(report) == {"line_short"}
    expected = report["orders"]["by_expectation"]
    assert expected["shipped"]["as_expected"] == 0
    assert all(row["as_expected"] == row["orders"] for name, row in expected.items() if name != "shipped")


async def test_a_missing_fulfillment_is_named_with_its_order(hub: Any) -> None:
    await hub.run()
    order, made = first_made(hub)
    await hub.box.graphql(CANCEL, id=f"gid://shopify/Fulfillment/{made.id}")
    report = await hub.box.report()
    assert not report["ok"]
    assert {(problem["order"], problem["kind"]) for problem in report["problems"]} >= {
        (order.name, "line_short"),
        (order.name, "shipment_missing"),
    }


async def test_a_shipment_pushed_twice_is_a_duplicate_at_the_shop(hub: Any) -> None:
    """Two pieces in two shipments: the first pushed twice leaves no room for the second."""
    await hub.request_all()
    await hub.box.control("POST", "/sources/west/ship")
    source = next(one for one in hub.config["sources"] if one["id"] == "west")
    _, told = await hub.box.source("GET", "/shipments?limit=500", name="west")
    halved = next(shipment for shipment in told["shipments"] if half_of(hub, shipment))
    await hub.fulfill(source, halved)
    await hub.fulfill(source, halved)
    report = await hub.box.report()
    assert not report["sound"]
    assert "fulfilled_twice" in kinds(report)
    assert report["duplicates"]["shop"] > 0


def half_of(hub: Any, shipment: Any) -> bool:
    """The same shipment fits a second time: another one of the same size is to come."""
    order = hub.orders["#" + shipment["reference"].rpartition("-")[2]]
    open_now = {line["id"]: line["unfulfilledQuantity"] for line in order["lineItems"]["nodes"]}
    return all(2 * line["quantity"] <= open_now[line["line_ref"]] for line in shipment["lines"])


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"company": "Snail Mail"}, "wrong_carrier"),
        ({"urls": ["https://elsewhere.example/x"]}, "wrong_tracking_url"),
        ({"numbers": ["NOT-THE-NUMBER"]}, "fulfillment_of_nothing"),
    ],
)
async def test_wrong_tracking_at_the_shop_is_found(hub: Any, changed: Any, kind: str) -> None:
    await hub.run()
    _, made = first_made(hub)
    tracking = {"company": made.company, "numbers": made.numbers, "urls": made.urls, **changed}
    await hub.box.graphql(UPDATE, id=f"gid://shopify/Fulfillment/{made.id}", t=tracking)
    report = await hub.box.report()
    assert kind in kinds(report)
    assert not report["sound"]


async def test_an_order_asked_for_under_two_references_is_a_duplicate_at_the_source(hub: Any, submission: Any) -> None:
    await hub.run()
    order, _ = first_made(hub)
    west = hub.box.world.sources["west"]
    request = next(one for one in west.requests.values() if one.order_number == order.name)
    again = submission(order.name, request.lines[0].sku, request.lines[0].quantity)
    status, _ = await hub.box.source("POST", "/requests", again, "west")
    assert status == 201
    report = await hub.box.report()
    assert "requested_twice" in kinds(report)
    assert report["duplicates"]["source"] > 0
    assert not report["sound"]


@pytest.mark.parametrize("expectation", ["held:unmapped_sku", "held:awaiting_payment", "excluded:canceled"])
async def test_asking_a_source_for_what_is_held_or_excluded_is_wrong(
    hub: Any, submission: Any, expectation: str
) -> None:
    number = (await hub.box.named(expectation))[0]
    await hub.box.source("POST", "/requests", submission(f"#{number}"))
    report = await hub.box.report()
    assert ("requested", f"#{number}") in {(p["kind"], p["order"]) for p in report["problems"]}
    assert not report["sound"]


async def test_a_source_asked_for_an_order_of_no_shop_is_told(box: Any, submission: Any) -> None:
    await box.source("POST", "/requests", submission("#77777"))
    assert "unknown_order" in kinds(await box.report())


async def test_a_source_that_ships_more_than_it_ever_had_was_oversold(box: Any, submission: Any) -> None:
    level = next(one for one in box.world.levels if one.source == "east")
    good = next(one for one in box.world.goods if one.sku == level.sku)
    await box.source("POST", "/requests", submission("#1001", good.source_sku("east"), level.on_hand + 1))
    await box.control("POST", "/sources/east/ship")
    assert "oversold" in kinds(await box.report())


async def test_the_same_reference_with_other_content_is_refused_and_told(box: Any, submission: Any) -> None:
    await box.source("POST", "/requests", submission(reference="T-same", quantity=1))
    status, problem = await box.source("POST", "/requests", submission(reference="T-same", quantity=2))
    assert (status, problem["code"]) == (409, "reference_conflict")
    assert "reference_conflict" in kinds(await box.report())


async def test_an_order_at_two_locations_is_open_not_wrong_while_only_one_of_them_was_told(hub: Any) -> None:
    await hub.request_all()
    await hub.box.control("POST", "/sources/west/ship")
    number = next(name for name, order in hub.orders.items() if locations(hub, name) > 1)
    order = hub.box.world.shop.order_named(number)
    kept = order.fulfillment_orders.pop()
    _, told = await hub.box.source("GET", "/shipments?limit=500", name="west")
    both = next(s for s in told["shipments"] if s["reference"].endswith(number[1:]) and reaches(s, kept))
    await hub.fulfill(next(one for one in hub.config["sources"] if one["id"] == "west"), both)
    report = await hub.box.report()
    assert (number, "shipment_part_missing") in {(p["order"], p["kind"]) for p in report["problems"]}
    assert report["sound"]


def locations(hub: Any, name: str) -> int:
    return len(hub.box.world.shop.order_named(name).fulfillment_orders)


def reaches(shipment: Any, part: Any) -> bool:
    """Some of the shipment's lines stand in this fulfillment order, and some do not."""
    here = {str(line.line_id) for line in part.lines}
    there = {line["line_ref"].rpartition("/")[2] for line in shipment["lines"]}
    return bool(here & there) and bool(there - here)
