"""Reads orders whole: V2's order names neither lines nor addresses, unless its consignments are asked for.

Promises: an order with its consignments costs no call of its own; one whose store does not include them, or cut them,
is completed by its own lists, read to their ends.
"""

from typing import TypeVar

from waybill_platforms.bigcommerce import wire
from waybill_platforms.bigcommerce.rest import MOST, Rest, entries, read_as
from waybill_platforms.bigcommerce.whole import Whole, by_id, cut, included

WITH_LINES = {"include": "consignments,consignments.line_items", "consignment_structure": "object"}
_Form = TypeVar("_Form", wire.Line, wire.Place, wire.Shipment)


async def whole_order(rest: Rest, order_id: str, log_type: str) -> Whole | None:
    """The order now; None when the store does not have it."""
    if not order_id.isdigit():
        return None
    answer = await rest.get_or_none(f"/v2/orders/{order_id}", log_type, WITH_LINES)
    if answer is None or not answer.content.strip():
        return None
    return await completed(rest, read_as(answer, wire.Order, answer.json()), log_type)


async def completed(rest: Rest, head: wire.Order, log_type: str) -> Whole:
    """The order with what its consignments say, or with its own lists where they do not say everything."""
    found = included(head)
    if found is not None and not cut(head, found.lines):
        return found
    products = await _all(rest, f"/v2/orders/{head.id}/products", log_type, wire.Line)
    places = found.places if found is not None and found.places else None
    if places is None:
        places = tuple(await _all(rest, f"/v2/orders/{head.id}/shipping_addresses", log_type, wire.Place))
    return Whole(head, places, by_id(products))


async def shipments(rest: Rest, order_id: str, log_type: str) -> list[wire.Shipment]:
    """All shipments of an order."""
    return await _all(rest, f"/v2/orders/{order_id}/shipments", log_type, wire.Shipment)


async def _all(rest: Rest, path: str, log_type: str, form: type[_Form]) -> list[_Form]:
    found: list[_Form] = []
    page = 1
    while True:
        answer = await rest.get(path, log_type, {"page": page, "limit": MOST})
        read = [read_as(answer, form, entry) for entry in entries(answer)]
        known = {one.id for one in found}
        fresh = [one for one in read if one.id not in known]
        found += fresh
        if len(read) < MOST or not fresh:
            return found
        page += 1
