"""What makes a shipment, as Magento's validators and its factory decide it. Changes the order, or refuses.

The dangerous parts are kept: no items means everything; a dummy row takes any quantity; unknown keys are ignored.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.magento.errors import invalid_shipment
from sandbox.magento.model import CLOSED_TO_SHIPPING, Comment, Order, Row, Shipment, Track, is_dummy

Ids = Callable[[], int]


def ship(order: Order, given: Mapping[str, Any], separately: frozenset[int], new_id: Ids, now: int) -> Shipment:
    """`given` is the body of `POST /order/{id}/ship`."""
    items = [(int(one["order_item_id"]), int(float(one["qty"]))) for one in given.get("items") or []]
    if not items:
        items = [(row.item_id, row.to_ship) for row in order.rows if _real(order, row, separately) and row.to_ship]
    tracks = given.get("tracks") or []
    problems = _order_problems(order, separately) or _problems(order, items, separately)
    problems += ["Please enter a tracking number." for track in tracks if not track.get("track_number")]
    if problems:
        raise invalid_shipment(problems)
    shipment = Shipment(
        entity_id=new_id(),
        increment_id=f"{new_id() % 1_000_000_000:09d}",
        created_at=now,
        updated_at=now,
        items=[*items, *_dummies(order, items, separately)],
        tracks=[Track(new_id(), t["track_number"], t["title"], t["carrier_code"], now) for t in tracks],
        source_code=_source_code(given),
        notified=int(bool(given.get("notify"))),
    )
    if comment := given.get("comment"):
        shipment.comments.append(Comment(new_id(), comment["comment"], now, int(comment["is_visible_on_front"])))
    for item_id, quantity in items:
        order.row(item_id).qty_shipped += quantity
    order.shipments.append(shipment)
    order.updated_at = now
    settle(order, separately)
    return shipment


def _source_code(given: Mapping[str, Any]) -> str:
    extension = (given.get("arguments") or {}).get("extension_attributes") or {}
    return str(extension.get("source_code") or "default")


def _real(order: Order, row: Row, separately: frozenset[int]) -> bool:
    return not row.is_virtual and not is_dummy(order, row, separately)


def _order_problems(order: Order, separately: frozenset[int]) -> list[str]:
    if order.state in CLOSED_TO_SHIPPING or order.is_virtual:
        return [f"A shipment cannot be created when an order has a status of {order.state}"]
    if not any(row.to_ship for row in order.rows if _real(order, row, separately)):
        return ["The order does not allow a shipment to be created."]
    return []


def _problems(order: Order, items: list[tuple[int, int]], separately: frozenset[int]) -> list[str]:
    rows = {row.item_id: row for row in order.rows}
    problems, total = [], 0
    for item_id, quantity in items:
        row = rows.get(item_id)
        if row is None:
            problems.append(f'We can not found item "{item_id}" in order.')
            continue
        total += quantity
        if not is_dummy(order, row, separately) and (row.is_virtual or not 0 <= quantity <= row.to_ship):
            problems.append(f'We found an invalid quantity to ship for item "{row.sku}".')
    if not total:
        problems.append("You can't create a shipment without products.")
    return problems


def _dummies(order: Order, items: list[tuple[int, int]], separately: frozenset[int]) -> list[tuple[int, int]]:
    """The parent of a bundle that goes in parts stands in each shipment of them, with one piece."""
    rows = [order.row(item_id) for item_id, _ in items]
    parents = {row.parent for row in rows if row.parent is not None}
    return [(parent, 1) for parent in sorted(parents) if is_dummy(order, order.row(parent), separately)]


def settle(order: Order, separately: frozenset[int]) -> None:
    """Where the order stands after a shipment or a payment: complete is shipped *and* paid."""
    if order.state in {"canceled", "closed", "holded", "payment_review"}:
        return
    if order.state in {"new", "pending_payment"} and (order.shipments or order.total_paid):
        order.state, order.status = "processing", "processing"
    open_rows = [row for row in order.rows if _real(order, row, separately) and row.to_ship]
    if order.state == "processing" and not open_rows and float(order.total_paid or 0) >= float(order.grand_total):
        order.state, order.status = "complete", "complete"
