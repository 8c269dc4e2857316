"""OP-5: failures grouped by cause, with the one action that mends it."""

from typing import Any

from console_samples import LIFE, ORDER, PROGRESS, SHIPMENT, made

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


async def test_what_is_mended_is_gone(console: Any) -> None:
    await console.publish(*LIFE)
    await console.eventually("/stats", lambda a: a["orders"]["by_stage"] == {"settled": 1})

    assert (await console.get("/failures"))["items"] == []
