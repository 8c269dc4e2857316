"""A store's orders in the neutral words that the report judges by; as they were sent, not as they are shown. Pure."""

from collections import Counter

from sandbox.bigcommerce.model import CANCELLED, Line, Order, Shipment
from sandbox.shops import JudgedFulfillment, JudgedLine, JudgedOrder
from sandbox.supply import Asked, Sent


def judged(store: str, order: Order) -> JudgedOrder:
    before = Counter[int]()
    for made in order.standing:
        if not made.ours:
            before.update(dict(made.items))
    return JudgedOrder(
        shop=store,
        name=str(order.id),
        id=str(order.id),
        kind=order.kind,
        expectation=order.expectation,
        lines=tuple(_line(line, before[line.id]) for line in order.lines),
        fulfillments=tuple(_fulfillment(made) for made in order.shipments),
    )


def _line(line: Line, before: int) -> JudgedLine:
    owed = line.quantity - line.quantity_refunded if line.ships else 0
    return JudgedLine(str(line.id), line.sku, line.quantity, owed, before)


def _fulfillment(made: Shipment) -> JudgedFulfillment:
    return JudgedFulfillment(
        id=str(made.id),
        lines={str(line_id): pieces for line_id, pieces in made.items},
        carrier=carrier(made),
        numbers=(made.tracking_number,) if made.tracking_number else (),
        urls=(made.tracking_link,) if made.tracking_link else (),
        standing=not made.deleted,
        ours=made.ours,
    )


def carrier(made: Shipment) -> str:
    return made.shipping_provider or made.tracking_carrier or made.shipping_method


def asked(store: str, order: Order) -> Asked:
    """The order of a program, as a request. Which order of which channel it is for, only the reference tells."""
    lines = tuple((line.sku, line.quantity - line.quantity_refunded) for line in order.lines)
    return Asked(store, order.external_order_id, "", lines, live=order.status_id != CANCELLED)


def sent(store: str, order: Order, made: Shipment) -> Sent:
    skus = {line.id: line.sku for line in order.lines}
    return Sent(
        id=str(made.id),
        source=store,
        reference=order.external_order_id,
        order_number="",
        standing=not made.deleted,
        lines=tuple(("", skus[line_id], pieces) for line_id, pieces in made.items),
        carrier=carrier(made),
        numbers=(made.tracking_number,),
        url=made.tracking_link,
    )
