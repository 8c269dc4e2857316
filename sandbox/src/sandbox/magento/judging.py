"""An order in the neutral words that the report judges by. Pure."""

from collections import Counter

from sandbox.magento.model import Order, Row, Shipment, is_dummy, shipping_rows
from sandbox.shops import JudgedFulfillment, JudgedLine, JudgedOrder

LINK = "Tracking: "
"""How the product marks a comment with a link; whatever else a comment says is no tracking URL."""


def judged(shop: str, order: Order, separately: frozenset[int]) -> JudgedOrder:
    before = Counter[int]()
    for made in order.shipments:
        if not made.ours:
            before.update(dict(made.items))
    return JudgedOrder(
        shop=shop,
        name=order.increment_id,
        id=str(order.entity_id),
        kind=order.kind,
        expectation=order.expectation,
        lines=tuple(_line(row, before[row.item_id]) for row in shipping_rows(order, separately)),
        fulfillments=tuple(_fulfillment(order, one, separately) for one in order.shipments),
    )


def _line(row: Row, before: int) -> JudgedLine:
    gone = max(row.qty_refunded, 0) + row.qty_canceled
    owed = 0 if row.is_virtual else max(row.qty_ordered - gone, 0)
    return JudgedLine(str(row.item_id), row.sku, row.qty_ordered, owed, before)


def _fulfillment(order: Order, made: Shipment, separately: frozenset[int]) -> JudgedFulfillment:
    """The dummy parent of a bundle that Magento adds by itself is left out; one that was *sent* by id stands here."""
    pieces: Counter[str] = Counter()
    for item_id, quantity in made.items:
        if not is_dummy(order, order.row(item_id), separately):
            pieces[str(item_id)] += quantity
    links = [one.comment.removeprefix(LINK) for one in made.comments if one.comment.startswith(LINK)]
    return JudgedFulfillment(
        id=str(made.entity_id),
        lines=pieces,
        carrier=made.tracks[0].title if made.tracks else "",
        numbers=tuple(track.track_number for track in made.tracks),
        urls=tuple(links[-1:]),
        standing=True,
        ours=made.ours,
    )
