"""A store that ships for others: orders that programs made are requests, and its merchant ships them in the admin."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.supply import Arrival, Asked, Parcel, Sent
from sandbox.woocommerce import merchant
from sandbox.woocommerce.model import Fulfillment, Line, Order
from sandbox.woocommerce.telling import fulfillment_time
from sandbox.woocommerce.writing import tell_status

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Store

REFERENCE, ORDER_NUMBER, LINE_REF = "_waybill_reference", "_waybill_order", "_waybill_line"
"""Meta keys under which the tested program keeps its references: a supplier's people read them there, too."""
HOLDING = frozenset({"processing", "on-hold", "completed"})


def _made(store: "Store") -> Iterator[Order]:
    return (one for one in store.orders.values() if one.created_via != "checkout")


def _gone(order: Order) -> bool:
    return order.status in {"cancelled", "failed", "trash"}


def arrivals(store: "Store") -> Iterator[Arrival]:
    """Those that came or changed since the last call; lines by what the program calls them."""
    fresh, store.fresh = store.fresh, set()
    for order in (store.orders[number] for number in sorted(fresh)):
        if order.created_via != "checkout" and order.status == "processing" and order.value(REFERENCE):
            lines = tuple((_name(li), li.sku or "", left) for li in order.lines if (left := order.left(li.id)))
            yield Arrival(str(order.id), str(order.value(REFERENCE)), lines)


def _name(line: Line) -> str:
    return _ref(line.meta) or str(line.id)


def _by_id(order: Order, pieces: Mapping[str, int]) -> dict[int, int]:
    """Pieces by line id, none more than are left."""
    ids = {_name(line): line.id for line in order.lines}
    return {ids[name]: min(n, order.left(ids[name])) for name, n in pieces.items()}


def take_stock(store: "Store", order: Order) -> None:
    """An order that is paid for has its pieces taken; one that is cancelled or pending gives them back."""
    if order.status not in HOLDING | {"pending", "cancelled"}:
        return
    for line in order.lines:
        product = store.products.get(line.product_id)
        wanted = line.quantity if order.status in HOLDING else 0
        if product is not None and product.stock is not None and wanted != line.taken:
            product.stock -= wanted - line.taken
            line.taken = wanted
            store.add_product(product)


def ship(store: "Store", order: Order, pieces: Mapping[str, int], parcel: Parcel) -> str | None:
    sent = _by_id(order, pieces)
    if _gone(order) or not any(sent.values()):
        return None
    made = _fulfillment(store, {line: n for line, n in sent.items() if n}, parcel)
    order.fulfillments.append(made)
    if not any(order.left(line.id) for line in order.lines):
        order.status, order.completed_at = "completed", int(store.now())
    tell_status(order, store.new_id)
    store.note_fulfillment("shipped", order, made)
    return str(made.id)


def _fulfillment(store: "Store", pieces: Mapping[int, int], parcel: Parcel) -> Fulfillment:
    now = int(store.now())
    meta: dict[str, Any] = {"_items": [{"item_id": line, "qty": n} for line, n in pieces.items()]}
    meta |= _parcel(parcel) | {"_date_fulfilled": fulfillment_time(now, store.settings)}
    entries = [{"id": store.new_id(), "key": key, "value": value} for key, value in meta.items()]
    return Fulfillment(store.new_id(), "fulfilled", now, entries, by_api=False)


def _parcel(parcel: Parcel) -> dict[str, str]:
    return {"_tracking_number": ", ".join(parcel.numbers), "_shipment_provider": parcel.carrier,
            "_tracking_url": parcel.url}  # fmt: skip


def give_up(store: "Store", order: Order, pieces: Mapping[str, int]) -> None:
    """All of it: the order is cancelled; a part: it is refunded."""
    given = _by_id(order, pieces)
    if not order.fulfillments and all(given.get(line.id, 0) >= order.left(line.id) for line in order.lines):
        order.status = "cancelled"
    else:
        merchant.refund_pieces(store, order, {line: n for line, n in given.items() if n}, int(store.now()))
    store.touch(order, "request_canceled", lines=[[line, n] for line, n in given.items()])


def act(store: "Store", shipment_id: str, action: str, parcel: Parcel | None) -> None:
    every = ((order, made) for order in _made(store) for made in order.fulfillments)
    found = next((pair for pair in every if str(pair[1].id) == shipment_id), None)
    if found is None:
        raise KeyError(f"shipment {shipment_id}")
    order, made = found
    if action == "correct" and parcel is not None:
        changed = _parcel(parcel)
        made.meta = [{**one, "value": changed.get(one["key"], one["value"])} for one in made.meta]
        made.updated_at = int(store.now())
        store.note_fulfillment("shipment_corrected", order, made)
        return
    made.deleted_at = int(store.now())  # it is nowhere to be seen from now on
    order.status = "processing" if order.status == "completed" else order.status
    if action == "replace" and parcel is not None:
        order.fulfillments.append(_fulfillment(store, made.pieces, parcel))
        if not any(order.left(line.id) for line in order.lines):
            order.status = "completed"
    tell_status(order, store.new_id)
    store.note_fulfillment("shipment_canceled", order, made)


def asked(store: "Store") -> Iterator[Asked]:
    for order in _made(store):
        lines = tuple((li.sku or "", max(li.quantity - order.refunded(li.id), 0)) for li in order.lines)
        yield Asked(store.name, str(order.value(REFERENCE) or ""), str(order.value(ORDER_NUMBER) or ""), lines,
                    live=not _gone(order))  # fmt: skip


def sent(store: "Store") -> Iterator[Sent]:
    for order in _made(store):
        refs = {line.id: _ref(line.meta) for line in order.lines}
        for made in order.fulfillments:
            numbers = str(made.value("_tracking_number") or "")
            yield Sent(
                id=str(made.id),
                source=store.name,
                reference=str(order.value(REFERENCE) or ""),
                order_number=str(order.value(ORDER_NUMBER) or ""),
                standing=made.standing,
                lines=tuple((refs.get(li, ""), order.line(li).sku or "", n) for li, n in made.pieces.items()),
                carrier=str(made.value("_shipment_provider") or ""),
                numbers=tuple(number.strip() for number in numbers.split(",") if number.strip()),
                url=str(made.value("_tracking_url") or ""),
            )


def _ref(meta: list[dict[str, Any]]) -> str:
    return next((str(one["value"]) for one in meta if one["key"] == LINE_REF), "")
