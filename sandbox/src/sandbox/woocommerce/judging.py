"""A store's order in the neutral words that the report judges by. Pure."""

from sandbox.shops import JudgedFulfillment, JudgedLine, JudgedOrder
from sandbox.woocommerce.model import Fulfillment, Line, Order

VIRTUAL = "_sandbox_virtual"
"""A line's meta: its product is not shipped."""


def judged(shop: str, number: str, order: Order) -> JudgedOrder:
    return JudgedOrder(
        shop=shop,
        name=number,
        id=str(order.id),
        kind=order.kind,
        expectation=order.expectation,
        lines=tuple(_line(order, line) for line in order.lines),
        fulfillments=tuple(_fulfillment(made) for made in order.fulfillments),
    )


def _line(order: Order, line: Line) -> JudgedLine:
    before = sum(
        made.pieces.get(line.id, 0)
        for made in order.fulfillments
        if made.standing and not (made.by_api or made.automatic)
    )
    ships = all(one["key"] != VIRTUAL for one in line.meta)
    owed = max(line.quantity - order.refunded(line.id), 0) if ships else 0
    return JudgedLine(str(line.id), line.sku or "", line.quantity, owed, before)


def _fulfillment(made: Fulfillment) -> JudgedFulfillment:
    numbers = str(made.value("_tracking_number") or "")
    url = made.value("_tracking_url")
    return JudgedFulfillment(
        id=str(made.id),
        lines={str(line): pieces for line, pieces in made.pieces.items()},
        carrier=str(made.value("_shipment_provider") or ""),
        numbers=tuple(number.strip() for number in numbers.split(",") if number.strip()),
        urls=(str(url),) if url else (),
        standing=made.standing,
        ours=made.by_api,
    )
