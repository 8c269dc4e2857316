"""The read model is a function of the facts: built anew, in another order, it gives the same answers, byte for byte."""

import random
from typing import Any

from console_samples import AT, DECISION, FR, IMPORTED, LIFE, ORDER, PROGRESS, SHIPMENT, made

HOLD = {"reason": "awaiting_payment", "field": "payment", "value": "pending", "fix": "Wait."}
REASON = {"code": "refused", "message": "no", "action": "Look."}


def _numbered(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    order = {**ORDER, "order_id": f"id-{number}", "channel_order_id": f"c-{number}", "number": f"#2{number}"}
    return order, {"order_id": order["order_id"], "fr_id": f"fr-{number}", "number": f"E-2{number}"}


def eventful(number: int) -> list[tuple[str, Any]]:
    """An order that was held, released, routed, refused once, sent, shipped, not shown at first, and changed."""
    order, named = _numbered(number)
    held = {**order, "state": "held", "holds": [HOLD]}
    told = {**order, "sequence": 2}
    changed = {**order, "sequence": 3, "version": 2, "note": "ring twice"}
    fr = {**FR, **named}
    progress = {**PROGRESS, **named}
    shipment = {**SHIPMENT, "shipment_id": f"s-{number}", "order_id": order["order_id"], "fr_id": named["fr_id"]}
    decision = {"order_id": order["order_id"], "order_version": 1, "decision": DECISION}
    ship = {"shipment": shipment, "fulfillment": "shipped"}
    return [
        ("order-ingest", made("order.imported", 1, 0, order=held, via="pull")),
        ("order-ingest", made("order.released", 2, 1, order=told, removed=[HOLD])),
        ("router", made("order.unroutable", 1, 1, **decision, order_sequence=2, reason="no_stock")),
        ("router", made("order.routed", 2, 2, **decision, order_sequence=2)),
        ("router", made("fr.created", 1, 2, fr_id=fr["fr_id"], order_id=order["order_id"], order_version=1, fr=fr,
                        order=told)),
        ("fulfillment-push", made("fr.failed", 2, 3, **progress, state="FAILED", router_sequence=1, reason=REASON)),
        ("fulfillment-push", made("fr.submitted", 3, 4, **progress, state="PROCESSED", router_sequence=1,
                                  platform_id="P", fr=fr, order=told)),
        ("shipment-poller", made("shipment.recorded", 1, 5, **ship, sync="pending")),
        ("shipment-poller", made("shipment.sync_failed", 2, 6, **ship, sync="failed", reason=REASON, attempts=4)),
        ("shipment-poller", made("shipment.synced", 3, 7, **ship, sync="synced", fulfillment_ids=["g"], attempts=5)),
        ("order-ingest", made("order.changed", 3, 8, order=changed, changed=["note"])),
    ]  # fmt: skip


async def answers(console: Any) -> dict[str, bytes]:
    """Every answer about every order, as bytes."""
    listed = (await console.get("/orders", limit=100))["items"]
    paths = [f"/orders/{order['order_id']}{tail}" for order in listed for tail in ("", "/timeline")]
    paths += ["/orders?limit=100", "/frs", "/shipments", "/failures", "/records"]
    found = {path: await console.http.get(f"/api/v1{path}") for path in sorted(paths)}
    return {
        path: answer.content.partition(b'"as_of"')[0] for path, answer in found.items() if answer.status_code == 200
    }


async def test_facts_in_another_order_and_in_other_batches_give_the_same_bytes(console: Any) -> None:
    facts = [fact for number in range(10, 18) for fact in eventful(number)] + list(LIFE)
    whole = 8 * 11 + len(LIFE)
    for fact in facts:  # one by one: a batch each, or nearly
        await console.publish(fact)
    await _told(console, whole)
    before = await answers(console)

    for seed in range(3):
        await console.forget()
        shuffled = list(facts)
        random.Random(seed).shuffle(shuffled)
        await console.publish(*shuffled)
        await _told(console, whole)

        assert _differences(before, await answers(console)) == {}


async def test_times_of_an_order_are_those_of_its_facts(console: Any) -> None:
    await console.publish(*reversed(eventful(1)))
    await _told(console, 11)

    order = await console.get("/orders/id-1")

    assert (order["stage"], order["stage_since"]) == ("settled", AT.format(7))
    assert order["updated_at"] == AT.format(8)


async def test_a_receipt_that_is_given_again_does_not_move_in_the_time_line(console: Any) -> None:
    """The same event id with a later time: what was told first stays, whichever comes first."""
    named = {"fr_id": "fr-1", "order_id": ORDER["order_id"], "push_sequence": 3}
    first, again = (("shipment-poller", made("fr.watched", 3, second, **named)) for second in (4, 9))

    for order_of_arrival in ((first, again), (again, first)):
        await console.forget()
        await console.publish(IMPORTED, *order_of_arrival, *LIFE[1:])
        await _told(console, len(LIFE) + 1)
        told = (await console.get(f"/orders/{ORDER['order_id']}/timeline"))["activities"]
        assert [a["at"] for a in told if a["activity"] == "fr_watched"] == [AT.format(4)]


async def test_a_rebuild_forgets_nothing_while_a_service_is_silent(console: Any) -> None:
    await console.publish(*LIFE)
    await _told(console, len(LIFE))

    answer = await console.http.post("/api/v1/console/rebuild")

    assert answer.status_code == 503
    assert "order-ingest does not answer" in answer.json()["detail"]
    assert (await console.get("/stats"))["orders"]["total"] == 1


def _differences(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, tuple[bytes | None, bytes | None]]:
    paths = before.keys() | after.keys()
    return {path: (before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)}


async def _told(console: Any, activities: int) -> None:
    await console.eventually("/console/rebuild", lambda a: a["activities"] == activities, seconds=60.0)
