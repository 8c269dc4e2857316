"""OP-5: failures grouped by cause, with the one action that mends it."""

from typing import Any

from console_samples import DECISION, LIFE, ORDER, PROGRESS, SHIPMENT, made

from console.cli.failures import command

HOLD = {"reason": "unmapped_sku", "field": "lines[0].sku", "value": "NEW", "fix": "Map NEW to one of our SKUs."}


def held(number: int, value: str) -> tuple[str, Any]:
    order = {**ORDER, "order_id": f"held-{number}", "channel_order_id": f"c-{number}", "number": f"#9{number}"}
    order |= {"state": "held", "holds": [{**HOLD, "value": value, "fix": f"Map {value}."}]}
    return "order-ingest", made("order.imported", 1, number, order=order, via="pull")


async def test_orders_held_for_one_value_are_one_cause_with_one_fix(console: Any) -> None:
    await console.publish(held(1, "NEW"), held(2, "NEW"), held(3, "OTHER"))
    await console.eventually("/stats", lambda a: a["orders"]["total"] == 3)

    first, second = (await console.get("/failures"))["items"]

    assert (first["kind"], first["code"], first["channel"], first["value"]) == (
        "held", "unmapped_sku", "acme-shop", "NEW",
    )  # fmt: skip
    assert (first["orders"], first["action"]) == (2, "Map NEW.")
    assert [example["number"] for example in first["examples"]] == ["#91", "#92"]
    assert (second["value"], second["orders"]) == ("OTHER", 1)


async def test_failed_requests_and_shipments_name_place_reason_and_call(console: Any) -> None:
    reason = {"code": "refused", "message": "SKU E-A is discontinued", "action": "Void it."}
    failed = made("fr.failed", 3, 3, **PROGRESS, state="FAILED", router_sequence=1, reason=reason)
    unmapped = {"code": "COURIER_NOT_MAPPED", "message": "ups is not mapped", "action": "Map it at the channel."}
    not_synced = made(
        "shipment.sync_failed", 2, 5, shipment=SHIPMENT, fulfillment="shipped", sync="failed", reason=unmapped,
        attempts=0,
    )  # fmt: skip
    await console.publish(*LIFE[:3], ("fulfillment-push", failed), ("shipment-poller", not_synced))

    answer = await console.eventually("/failures", lambda a: len(a["items"]) == 2)

    by_kind = {item["kind"]: item for item in answer["items"]}
    assert by_kind["fr_failed"]["source"] == "east"
    assert by_kind["fr_failed"]["action"] == "Void it."
    assert by_kind["shipment_sync_failed"]["channel"] == "acme-shop"
    assert by_kind["shipment_sync_failed"]["value"] == "ups"
    assert by_kind["shipment_sync_failed"]["call"]["body"] == {"shipment_ids": ["s-1"]}


def unroutable(
    number: int, *lacks: dict[str, Any], kind: str = "order.unroutable", **more: Any
) -> list[tuple[str, Any]]:
    """An order that was imported, and what the router says about it."""
    order = {**ORDER, "order_id": f"order-{number}", "channel_order_id": f"c-{number}", "number": f"#7{number}"}
    decision = {**DECISION, "chosen": None, "unfulfilled": [{"line_id": "1", "quantity": 1, **lack} for lack in lacks]}
    told = {"order_id": order["order_id"], "order_version": 1, "order_sequence": 1, "decision": decision, **more}
    if kind == "order.unroutable":
        told |= {"reason": lacks[0]["reason"], "detail": lacks[0]["detail"]}
    imported = made("order.imported", 1, number, order=order, via="pull")
    return [("order-ingest", imported), ("router", made(kind, 1, number, **told))]


NO_COST = {
    "reason": "missing_cost", "sku": "A", "source": "east", "detail": "east: no unit cost of A",
    "fix": "send it as unit_cost with a count",
}  # fmt: skip
NO_WEIGHT = NO_COST | {"reason": "missing_weight", "fix": "send it as weight_g with a count"}
NO_STOCK = {"reason": "no_stock", "sku": "B", "detail": "B: 1 wanted, free: none", "fix": "get B in"}
TWO_CURRENCIES = {"reason": "mixed_currencies", "sku": "B", "detail": "EUR, USD", "fix": "keep one currency in a group"}


async def test_op5_each_roadblock_of_unrouted_orders_has_its_own_advice(console: Any) -> None:
    """A price that is not known is not told to be mended by adding stock."""
    told = [
        *unroutable(1, NO_COST), *unroutable(2, NO_COST, NO_STOCK), *unroutable(3, NO_WEIGHT),
        *unroutable(4, TWO_CURRENCIES),
    ]  # fmt: skip
    await console.publish(*told)
    answer = await console.eventually("/failures", lambda a: sum(item["orders"] for item in a["items"]) == 5)

    assert {(i["code"], i.get("source"), i["value"]): (i["orders"], i["action"]) for i in answer["items"]} == {
        ("missing_cost", "east", "A"): (2, "Send it as unit_cost with a count."),
        ("missing_weight", "east", "A"): (1, "Send it as weight_g with a count."),
        ("no_stock", None, "B"): (1, "Get B in."),
        ("mixed_currencies", None, "B"): (1, "Keep one currency in a group."),
    }
    assert [command(item) for item in answer["items"] if item["code"] != "mixed_currencies"] == [
        f"waybill sources stock {item.get('source', 'SOURCE')} --file counts.csv"
        for item in answer["items"] if item["code"] != "mixed_currencies"
    ]  # fmt: skip
    order = await console.get("/orders/order-1")
    assert (order["waiting"]["reason"], order["waiting"]["by_whom"]) == ("missing_cost", "person")
    assert order["waiting"]["next"] == "east: no unit cost of A. What to do: send it as unit_cost with a count."


async def test_op5_the_part_of_a_routed_order_that_waits_is_named_too(console: Any) -> None:
    """With `partial` the order is routed, and the rest of it waits for goods: not without a word."""
    await console.publish(*unroutable(5, NO_STOCK, kind="order.routed"))
    answer = await console.eventually("/failures", lambda a: a["items"])
    assert [(item["kind"], item["code"], item["orders"]) for item in answer["items"]] == [("unroutable", "no_stock", 1)]
    order = await console.get("/orders/order-5")
    assert order["waiting"]["next"] == "B: 1 wanted, free: none. What to do: get B in."


async def test_what_is_mended_is_gone(console: Any) -> None:
    await console.publish(*LIFE)
    await console.eventually("/stats", lambda a: a["orders"]["by_stage"] == {"settled": 1})

    assert (await console.get("/failures"))["items"] == []
