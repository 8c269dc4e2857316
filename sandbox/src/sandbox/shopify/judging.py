"""A shop's order in the neutral words that the report judges by. Pure."""

from collections import Counter

from sandbox.shopify.model import Fulfillment, Line, Order
from sandbox.shops import JudgedFulfillment, JudgedLine, JudgedOrder


def judged(shop: str, order: Order) -> JudgedOrder:
    before = Counter[int]()
    for made in order.fulfillments:
        if not made.by_api and made.status == "SUCCESS":
            before.update({part.line_id: part.quantity for part in made.lines})
    return JudgedOrder(
        shop=shop,
        name=order.name,
        id=str(order.id),
        kind=order.tags[1] if order.tags[:1] == ["sandbox"] else "",
        expectation=order.expectation,
        lines=tuple(_line(line, before[line.id]) for line in order.lines),
        fulfillments=tuple(map(_fulfillment, order.fulfillments)),
    )


def _line(line: Line, before: int) -> JudgedLine:
    owed = line.current_quantity if line.requires_shipping else 0
    return JudgedLine(str(line.id), line.sku or "", line.quantity, owed, before)


def _fulfillment(made: Fulfillment) -> JudgedFulfillment:
    pieces: Counter[str] = Counter()
    for part in made.lines:
        pieces[str(part.line_id)] += part.quantity
    return JudgedFulfillment(
        id=str(made.id),
        lines=pieces,
        carrier=made.company or "",
        numbers=tuple(made.numbers),
        urls=tuple(made.urls),
        standing=made.status == "SUCCESS",
        ours=made.by_api,
    )
