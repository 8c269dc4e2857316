"""An order that we placed, told in the lines of its request. Pure.

A cart keeps no `line_ref`: pieces of one SKU are one row there. They are dealt out to the request's lines in order.
"""

from collections import Counter

from waybill_platforms.magento.rows import lines
from waybill_platforms.magento.wire import Order
from waybill_platforms.model.requests import SourceRequest, Submitted

WAITS = frozenset({"pending_payment", "payment_review", "holded", "canceled"})
"""The store has the order, and does not work on it."""


def submitted(order: Order, request: SourceRequest) -> Submitted:
    """The reference is the purchase order's number, where it has one; the cart was ours in any case."""
    told = order.payment.po_number if order.payment else None
    ordered: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for row in lines(order.items, {}, []):
        ordered[(row.sku or "").lower()] += int(row.qty_ordered)
        gone[(row.sku or "").lower()] += int((row.qty_canceled or 0) + (row.qty_refunded or 0))
    return Submitted(
        platform_id=str(order.entity_id),
        reference=told or request.reference,
        acknowledged=order.state not in WAITS,
        lines=_asked(request) if ordered == _pieces(request) else tuple(("", sku, n) for sku, n in ordered.items()),
        canceled=order.state == "canceled",
        canceled_lines=_dealt(gone, request),
    )


def _asked(request: SourceRequest) -> tuple[tuple[str, str, int], ...]:
    return tuple((line.line_ref, line.sku, line.quantity) for line in request.lines)


def _pieces(request: SourceRequest) -> Counter[str]:
    total: Counter[str] = Counter()
    for line in request.lines:
        total[line.sku.lower()] += line.quantity
    return total


def _dealt(gone: Counter[str], request: SourceRequest) -> tuple[tuple[str, int], ...]:
    """(line_ref, pieces) that the store will not ship: the last lines of a SKU lose theirs first."""
    left, dealt = Counter(gone), []
    for line in reversed(request.lines):
        taken = min(left[line.sku.lower()], line.quantity)
        if taken > 0:
            left[line.sku.lower()] -= taken
            dealt.append((line.line_ref, taken))
    return tuple(reversed(dealt))
