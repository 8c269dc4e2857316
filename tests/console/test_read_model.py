"""The life of an order as the console tells it, fed with the services' events."""

import itertools
import random
from typing import Any

import pytest
from console_samples import IMPORTED, LIFE, ORDER, SHIPMENT, made


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
