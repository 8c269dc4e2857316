"""The life of an order as the console tells it, fed with the services' events."""

import itertools
import random
from typing import Any

import pytest

from waybill_contracts.event import Event
from waybill_contracts.registry import EVENTS

AT = "2026-11-22T10:00:0{}Z"
ADDRESS = {"name": "Zoë", "country": "BE"}
ORDER = {
    "order_id": "0198c5a0-0000-7000-8000-000000000001",
    "store": "acme",
    "channel": "acme-shop",
    "channel_order_id": "gid://shopify/Order/1",
    "number": "#1001",
    "version": 1,
    "sequence": 1,
    "state": "imported",
    "placed_at": AT.format(0),
    "currency": "EUR",
    "payment": "paid",
    "addresses": [ADDRESS],
    "lines": [
        {
            "line_id": "1",
            "channel_sku": "S-1",
            "quantity": 3,
            "canceled": 1,
            "components": [{"sku": "A", "quantity": 1}],
        },
        {"line_id": "2", "channel_sku": "S-1", "quantity": 1, "components": [{"sku": "A", "quantity": 1}]},
        {"line_id": "3", "channel_sku": "WRAP", "quantity": 1, "service": True},
    ],
}
COST = {"currency": "EUR", "items": "6", "fee": "1.50", "shipping": "4.5"}
LINES = [{"line_id": "1", "sku": "A", "quantity": 2}, {"line_id": "2", "sku": "A", "quantity": 1}]
FR = {
    "fr_id": "fr-1",
    "order_id": ORDER["order_id"],
    "number": "E-1001",
    "source": "east",
    "channel": "acme-shop",
    "store": "acme",
    "order_number": "#1001",
    "order_version": 1,
    "lines": [{**line, "source_sku": "E-A"} for line in LINES],
    "ship_to": ADDRESS,
    "cost": COST,
    "decision_id": "d-1",
}
DECISION = {"decision_id": "d-1", "group": "default", "config_version": 1, "currency": "EUR"}
DECISION["chosen"] = {"cost": "12.0", "requests": [{"source": "east", "cost": COST, "lines": LINES}]}
PROGRESS = {"fr_id": "fr-1", "order_id": ORDER["order_id"], "source": "east", "number": "E-1001", "order_version": 1}
SHIPMENT = {
    "shipment_id": "s-1",
    "order_id": ORDER["order_id"],
    "fr_id": "fr-1",
    "source": "east",
    "source_shipment_id": "X",
    "lines": LINES,
    "carrier": "ups",
    "tracking_numbers": ["1Z1"],
    "shipped_at": AT.format(4),
}


def made(kind: str, sequence: int, second: int, **fields: Any) -> Event:
    return EVENTS[f"waybill.{kind}.v1"].model_validate({"sequence": sequence, "at": AT.format(second), **fields})


IMPORTED = ("order-ingest", made("order.imported", 1, 0, order=ORDER, via="pull"))
ROUTED = (
    "router",
    made("order.routed", 1, 1, order_id=ORDER["order_id"], order_version=1, order_sequence=1, decision=DECISION),
)
CREATED = (
    "router",
    made("fr.created", 1, 1, fr_id="fr-1", order_id=ORDER["order_id"], order_version=1, fr=FR, order=ORDER),
)
PROCESSING = ("fulfillment-push", made("fr.processing", 2, 2, **PROGRESS, state="PROCESSING", router_sequence=1))
SUBMITTED = (
    "fulfillment-push",
    made(
        "fr.submitted", 3, 3, **PROGRESS, state="ACKNOWLEDGED", router_sequence=1, platform_id="P", fr=FR, order=ORDER
    ),
)
RECORDED = (
    "shipment-poller",
    made("shipment.recorded", 1, 4, shipment=SHIPMENT, fulfillment="shipped", sync="pending"),
)
SYNCED = (
    "shipment-poller",
    made(
        "shipment.synced",
        2,
        5,
        shipment=SHIPMENT,
        fulfillment="shipped",
        sync="synced",
        fulfillment_ids=["gid://1"],
        attempts=1,
    ),
)
LIFE = (IMPORTED, ROUTED, CREATED, PROCESSING, SUBMITTED, RECORDED, SYNCED)


async def test_an_order_is_followed_from_stage_to_stage(console: Any) -> None:
    seen = []
    for step, stage in zip(LIFE, ("imported", None, "routed", None, "submitted", "shipped", "settled"), strict=True):
        await console.publish(step)
        if stage:
            found = await console.eventually(
                "/orders", lambda a, s=stage: bool(a["items"]) and a["items"][0]["stage"] == s
            )
            seen.append(found["items"][0]["stage"])

    order = await console.get(f"/orders/{ORDER['order_id']}")
    assert seen == ["imported", "routed", "submitted", "shipped", "settled"]
    assert (order["fulfillment"], order["sync"], order["waiting"]) == ("shipped", "synced", None)
    assert order["trace"] == "ab" * 16
    stats = await console.get("/stats")
    assert stats["orders"]["by_stage"] == {"settled": 1}
    assert stats["frs"] == {"ACKNOWLEDGED": 1}


@pytest.mark.parametrize("seed", range(6))
async def test_events_in_any_order_and_twice_give_the_same_answers(console: Any, seed: int) -> None:
    """Topics are read side by side: across topics nothing is in order, and everything may come twice."""
    shuffled = list(itertools.chain(LIFE, LIFE))
    random.Random(seed).shuffle(shuffled)

    await console.publish(*shuffled)

    await console.eventually("/stats", lambda a: a["orders"]["by_stage"] == {"settled": 1})
    timeline = await console.eventually(
        f"/orders/{ORDER['order_id']}/timeline", lambda a: len(a["activities"]) == len(LIFE)
    )
    assert timeline["activities"][0]["activity"] == "order_imported"
    assert all(activity["title"] for activity in timeline["activities"])


async def test_a_held_order_says_why_and_what_to_do(console: Any) -> None:
    hold = {"reason": "unmapped_sku", "field": "lines[0].sku", "value": "NEW", "fix": "Map NEW to one of our SKUs."}
    held = {**ORDER, "state": "held", "holds": [hold]}

    await console.publish(("order-ingest", made("order.imported", 1, 0, order=held, via="pull")))

    stats = await console.eventually("/stats", lambda a: a["orders"]["total"] == 1)
    order = await console.get(f"/orders/{ORDER['order_id']}")
    assert stats["orders"]["held"] == {"unmapped_sku": 1}
    assert (await console.get("/orders", hold="unmapped_sku"))["items"][0]["number"] == "#1001"
    assert (await console.get("/orders", hold="invalid"))["items"] == []
    assert order["waiting"]["reason"] == "unmapped_sku"
    assert order["waiting"]["next"] == "Map NEW to one of our SKUs."
    assert order["waiting"]["by_whom"] == "person"


async def test_an_excluded_order_is_counted_until_it_is_imported(console: Any) -> None:
    gone = made(
        "order.excluded",
        1,
        0,
        store="acme",
        channel="acme-shop",
        channel_order_id=ORDER["channel_order_id"],
        number="#1001",
        reason="payment_pending",
    )
    await console.publish(("order-ingest", gone))
    await console.eventually("/stats", lambda a: a["orders"]["excluded"] == {"payment_pending": 1})

    await console.publish(IMPORTED)

    stats = await console.eventually("/stats", lambda a: a["orders"]["total"] == 1)
    assert stats["orders"]["excluded"] == {}


async def test_a_failed_sync_shows_in_both_axes_with_its_next_step(console: Any) -> None:
    reason = {"code": "COURIER_NOT_MAPPED", "message": "ups is not mapped", "action": "Map it at the channel."}
    failed = made(
        "shipment.sync_failed",
        2,
        5,
        shipment=SHIPMENT,
        fulfillment="shipped",
        sync="failed",
        reason=reason,
        attempts=0,
    )

    await console.publish(*LIFE[:6], ("shipment-poller", failed))

    order = (await console.eventually("/orders", lambda a: bool(a["items"]) and a["items"][0]["sync"] == "failed"))[
        "items"
    ][0]
    shown = await console.get(f"/orders/{ORDER['order_id']}")
    assert (order["stage"], order["fulfillment"]) == ("shipped", "shipped")
    assert shown["waiting"]["reason"] == "COURIER_NOT_MAPPED"
    assert shown["waiting"]["next"] == "Map it at the channel."


async def test_an_order_whose_channel_has_nothing_to_be_told_is_settled_when_it_is_shipped(console: Any) -> None:
    """A channel of platform `events`: upstream reads `shipment.synced`, there is no shop to write to."""
    told = made("shipment.recorded", 2, 5, shipment=SHIPMENT, fulfillment="shipped", sync="not_needed")

    await console.publish(*LIFE[:6], ("shipment-poller", told))

    found = await console.eventually("/orders", lambda a: bool(a["items"]) and a["items"][0]["stage"] == "settled")
    shown = await console.get(f"/orders/{ORDER['order_id']}")
    assert (found["items"][0]["fulfillment"], found["items"][0]["sync"]) == ("shipped", "not_needed")
    assert (shown["waiting"], shown["shipments"][0]["status"]) == (None, "not_needed")


async def test_lists_are_paged_without_gap_or_repeat(console: Any) -> None:
    orders = [{**ORDER, "order_id": f"id-{n:03}", "channel_order_id": str(n), "number": f"#{n}"} for n in range(25)]
    await console.publish(
        *(("order-ingest", made("order.imported", 1, 0, order=order, via="pull")) for order in orders)
    )
    await console.eventually("/stats", lambda a: a["orders"]["total"] == 25)

    seen, cursor = [], None
    while True:
        answer = await console.get("/orders", limit=7, **({"cursor": cursor} if cursor else {}))
        seen += [order["order_id"] for order in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break

    assert len(seen) == 25
    assert len(set(seen)) == 25
