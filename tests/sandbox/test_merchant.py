"""What people do at the shop and the sources: what it changes, and what a right run is then expected to make of it."""

from typing import Any

import pytest

from sandbox.shopify.fulfilling import display_status

STATES = "query($id: ID!) { order(id: $id) { cancelledAt displayFinancialStatus displayFulfillmentStatus updatedAt } }"


async def act(box: Any, number: str, action: str, **given: object) -> Any:
    return await box.control("POST", f"/shops/acme/orders/{number}/{action}", given)


async def told(box: Any, number: str) -> Any:
    order = box.world.shop.order_named(number)
    return (await box.graphql(STATES, id=f"gid://shopify/Order/{order.id}"))["data"]["order"]


async def test_an_unpaid_order_goes_on_when_it_is_paid(box: Any, hub: Any) -> None:
    number = (await box.named("held:awaiting_payment"))[0]
    assert (await hub.run())["ok"]
    await act(box, number, "pay")
    assert (await told(box, number))["displayFinancialStatus"] == "PAID"
    report = await box.report()
    assert [problem["order"] for problem in report["problems"] if problem["kind"] == "line_short"]
    assert (await hub.run())["ok"]


async def test_a_hold_stops_fulfillments_until_it_is_released(box: Any, hub: Any) -> None:
    number = (await box.named("held:on_hold_at_channel"))[0]
    assert (await told(box, number))["displayFulfillmentStatus"] == "ON_HOLD"
    order = box.world.shop.order_named(number)
    answer = await box.graphql(
        "mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { userErrors { message } } }",
        f={"lineItemsByFulfillmentOrder": [
            {"fulfillmentOrderId": f"gid://shopify/FulfillmentOrder/{order.fulfillment_orders[0].id}"}
        ]},
    )  # fmt: skip
    assert "on_hold" in answer["data"]["fulfillmentCreate"]["userErrors"][0]["message"]
    assert (await hub.run())["ok"]
    await act(box, number, "release")
    assert (await told(box, number))["displayFulfillmentStatus"] == "UNFULFILLED"
    assert (await hub.run())["ok"]


async def test_a_canceled_order_has_nothing_left_to_fulfill_and_what_shipped_may_stand(box: Any, hub: Any) -> None:
    assert (await hub.run())["ok"]
    number = (await box.named("shipped"))[0]
    await act(box, number, "cancel")
    assert (await told(box, number))["cancelledAt"]
    assert (await box.order(number))["expectation"] == "canceled"
    assert (await box.report())["ok"]


async def test_an_order_canceled_before_anything_shipped_is_not_owed(box: Any, hub: Any) -> None:
    number = (await box.named("shipped"))[0]
    await act(box, number, "cancel")
    order = box.world.shop.order_named(number)
    assert {part.status for part in order.fulfillment_orders} == {"CANCELLED"}
    report = await hub.run()
    assert report["ok"], report["problems"]


async def test_fewer_pieces_are_owed_after_an_edit_and_more_are_too(box: Any, hub: Any) -> None:
    fewer, more = (await box.named("shipped"))[:2]
    for number, quantity in ((fewer, 0), (more, 7)):
        line = (await box.order(number))["lines"][0]
        changed = {"lines": [{"id": line["id"], "current_quantity": quantity}]}
        await box.control("PATCH", f"/shops/acme/orders/{number}", changed)
        order = box.world.shop.order_named(number)
        items = [item for part in order.fulfillment_orders for item in part.lines]
        assert sum(item.remaining_quantity for item in items if item.line_id == line["id"]) == quantity
    report = await hub.run()
    assert report["ok"], report["problems"]


async def test_what_was_fulfilled_cannot_be_edited_away(box: Any, hub: Any) -> None:
    await hub.run()
    number = (await box.named("shipped"))[0]
    line = (await box.order(number))["lines"][0]
    path = f"{box.url}/_sandbox/shops/acme/orders/{number}"
    async with box.http.patch(path, json={"lines": [{"id": line["id"], "current_quantity": 0}]}) as answer:
        assert answer.status == 400
        assert "have been fulfilled already" in (await answer.json())["error"]


async def test_an_address_and_a_shipping_method_are_changed_and_the_order_shows_up_again(box: Any) -> None:
    number = (await box.named("shipped"))[0]
    before = await told(box, number)
    change = {"address": {"city": "Łódź"}, "shipping_method": "Standard"}
    after = await box.control("PATCH", f"/shops/acme/orders/{number}", change)
    assert after["shipping_address"]["city"] == "Łódź"
    assert (await told(box, number))["updatedAt"] >= before["updatedAt"]


async def test_a_withdrawn_shipment_must_leave_the_shop_and_its_replacement_must_appear(box: Any, hub: Any) -> None:
    """SP-5, as the report sees it: until the hub corrects the shop, both are open; nothing counts as a duplicate."""
    await hub.run()
    shipment = next(iter(box.world.sources["west"].shipments.values()))
    await box.control("POST", f"/sources/west/shipments/{shipment.id}/replace")
    report = await box.report()
    kinds = {problem["kind"] for problem in report["problems"]}
    assert {"shipment_missing", "withdrawn_shipment_stands"} <= kinds
    assert not report["ok"]
    assert report["duplicates"] == {"shop": 0, "source": 0}
    order = box.world.shop.order_named(shipment.order_number)
    made = next(m for m in order.fulfillments if m.by_api and m.numbers == shipment.tracking_numbers)
    cancel = "mutation($id: ID!) { fulfillmentCancel(id: $id) { userErrors { message } } }"
    await box.graphql(cancel, id=f"gid://shopify/Fulfillment/{made.id}")
    report = await hub.run()
    assert report["ok"], report["problems"]
    assert display_status(order) == "FULFILLED"


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/shops/acme/orders/999999", None, 404),
        ("GET", "/shops/nobody/orders", None, 404),
        ("POST", "/shops/acme/orders/1001/explode", {}, 400),
        ("PATCH", "/shops/acme/orders/1001", {"total": 3}, 400),
        ("PATCH", "/shops/acme", {"colour": "red"}, 400),
        ("PATCH", "/sources/east", {"colour": "red"}, 400),
        ("PATCH", "/sources/nobody", {}, 404),
        ("POST", "/sources/east/requests/req_0/cancel", {}, 404),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_sentence(
    box: Any, method: str, path: str, content: object, status: int
) -> None:
    async with box.http.request(method, f"{box.url}/_sandbox{path}", json=content) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]
