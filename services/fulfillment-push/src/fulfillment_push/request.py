"""What a source is asked, in its own names, and what its answer means for our lines. Pure.

Lines are told apart by `line_ref`, never by SKU (FP-6): an order may repeat a SKU, and a kit asks one line in several.
"""

from collections.abc import Iterable
from typing import Any

from waybill_contracts.values import FulfillmentRequest, RequestLine
from waybill_platforms.model.requests import SourceRequest, SourceRequestLine, Submitted


def line_refs(lines: Iterable[RequestLine]) -> list[tuple[str, RequestLine]]:
    """The channel's line id, with #2, #3 behind it where one line is asked in several parts."""
    seen: dict[str, int] = {}
    named = []
    for line in lines:
        count = seen[line.line_id] = seen.get(line.line_id, 0) + 1
        named.append((line.line_id if count == 1 else f"{line.line_id}#{count}", line))
    return named


def source_request(fr: FulfillmentRequest) -> SourceRequest:
    """The same FR gives the same request on every try: the reference is its number, the content its body's."""
    return SourceRequest(
        reference=fr.number,
        order_number=fr.order_number,
        lines=tuple(
            SourceRequestLine(line_ref=ref, sku=line.source_sku or line.sku, quantity=line.quantity, title=line.title)
            for ref, line in line_refs(fr.lines)
        ),
        ship_to=fr.ship_to,
        shipping_method=fr.source_shipping_method or fr.shipping_method,
        currency=fr.cost.currency,
    )


def canceled_lines(fr: FulfillmentRequest, submitted: Submitted) -> list[dict[str, Any]]:
    """What the source will not ship, in our line ids and SKUs; never more than was asked."""
    named = dict(line_refs(fr.lines))
    return [
        {"line_id": named[ref].line_id, "sku": named[ref].sku, "quantity": min(quantity, named[ref].quantity)}
        for ref, quantity in submitted.canceled_lines
        if ref in named and quantity > 0
    ]


def takes_nothing(fr: FulfillmentRequest, submitted: Submitted) -> bool:
    """The source canceled all of it."""
    if submitted.canceled:
        return True
    left = {ref: line.quantity for ref, line in line_refs(fr.lines)}
    for ref, quantity in submitted.canceled_lines:
        left[ref] = left.get(ref, 0) - quantity
    return bool(submitted.canceled_lines) and all(quantity <= 0 for quantity in left.values())
