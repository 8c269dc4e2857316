"""A request of ours as an order of a store, and back. Pure.

What was asked stands in the order's meta, so that it can be told from what people made of the order since; each line
bears our line_ref, by which shipments name it again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson

from waybill_contracts.values import Address
from waybill_platforms.model.requests import SourceRequest, Submitted
from waybill_platforms.woocommerce import mapping, records, wire
from waybill_platforms.woocommerce.products import NOT_ORDERED

REQUEST = "_waybill_request"
"""The order's meta: `{lines: [[line_ref, sku, quantity]], content: digest}`."""
LINE = "_waybill_line"
"""A line's meta: our line_ref."""
ORDER_NUMBER = "_waybill_order"
ACKNOWLEDGED = frozenset({"processing", "completed"})


class Unknown(ValueError):
    """The store does not sell one of the SKUs; the text names it, and why."""


def created_via(reference: str) -> str:
    """A word without blanks and commas, at which the filter would split it."""
    return f"waybill-{sha256(reference.encode()).hexdigest()[:24]}"


def company(reference: str) -> str:
    """The bill-to of such an order is the hub; its company is what the search finds in every version and storage."""
    return f"Waybill {reference}"


def order_body(request: SourceRequest, goods: Sequence[wire.Product]) -> dict[str, Any]:
    """The body of `POST /orders`: to be shipped (`processing`), not claimed to be paid, without a buyer's e-mail, to
    which the store would write. Raises Unknown."""
    product = {one.sku: one for one in _orderable(request, goods)}
    address = _address(request.ship_to)
    billing = {name: value for name, value in address.items() if name != "company"}
    return {
        "status": "processing",
        "currency": request.currency,
        "created_via": created_via(request.reference),
        "transaction_id": created_via(request.reference),
        "payment_method_title": "Waybill",
        "billing": {**billing, "company": company(request.reference)},
        "shipping": address,
        "line_items": [
            {
                **_product(product[line.sku]),
                "quantity": line.quantity,
                "meta_data": [{"key": LINE, "value": line.line_ref}],
            }
            for line in request.lines
        ],
        "shipping_lines": _shipping(request),
        "meta_data": [
            {"key": mapping.REFERENCE, "value": request.reference},
            {"key": ORDER_NUMBER, "value": request.order_number},
            {"key": REQUEST, "value": {"lines": _asked(request), "content": content(request)}},
        ],
    }


def content(request: SourceRequest) -> str:
    """A digest of all that the same reference must repeat."""
    told = [sorted(_asked(request)), request.ship_to.model_dump(mode="json"), request.shipping_method]
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def _asked(request: SourceRequest) -> list[list[Any]]:
    return [[line.line_ref, line.sku, line.quantity] for line in request.lines]


def _orderable(request: SourceRequest, goods: Sequence[wire.Product]) -> list[wire.Product]:
    found = []
    for sku in dict.fromkeys(line.sku for line in request.lines):
        same = [one for one in goods if one.sku == sku]
        usable = [one for one in same if one.type not in NOT_ORDERED and one.status != "trash"]
        if not same:
            raise Unknown(f"SKU {sku!r}: the store has no product with it")
        if not usable:
            raise Unknown(f"SKU {sku!r} is a {same[0].type} product; give a variation's SKU")
        if len(usable) > 1:
            raise Unknown(f"SKU {sku!r} is on {len(usable)} products there; each needs its own")
        found.append(usable[0])
    return found


def _product(one: wire.Product) -> dict[str, int]:
    """A variation is ordered under its parent."""
    return {"product_id": one.parent_id, "variation_id": one.id} if one.type == "variation" else {"product_id": one.id}


def _address(ship_to: Address) -> dict[str, str]:
    first, _, last = ship_to.name.rpartition(" ")
    return {
        "first_name": first,
        "last_name": last,
        "company": ship_to.company,
        "address_1": ship_to.line1,
        "address_2": ship_to.line2,
        "city": ship_to.city,
        "state": ship_to.region,
        "postcode": ship_to.postal_code,
        "country": ship_to.country,
        "phone": ship_to.phone,
    }


def _shipping(request: SourceRequest) -> list[dict[str, str]]:
    if not request.shipping_method:
        return []
    return [{"method_id": "waybill", "method_title": request.shipping_method, "total": "0.00"}]


def differences(made: wire.Order, request: SourceRequest, goods: Sequence[wire.Product]) -> str:
    """What the store made of it other than was asked, in one sentence; empty when it is the same, line by line."""
    product = {one.sku: _product(one) for one in goods}
    asked = [(_ids(product[line.sku]), line.quantity) for line in request.lines]
    there = [((line.product_id, line.variation_id), line.quantity) for line in made.line_items]
    if sorted(asked) == sorted(there):
        return ""
    empty = [line for line in made.line_items if not line.product_id]
    if empty:
        return f"{len(empty)} of its lines are empty: a product was removed meanwhile"
    return f"its lines are {there}, asked were {asked}"


def _ids(product: Mapping[str, int]) -> tuple[int, int]:
    return product["product_id"], product.get("variation_id", 0)


def disowned(made: wire.Order) -> dict[str, Any]:
    """The body of the PUT that takes an order back that is not what was asked."""
    reference = f"not {made.meta(mapping.REFERENCE)}"
    return {"status": "cancelled", "meta_data": [{"key": mapping.REFERENCE, "value": reference}]}


def submitted(read: wire.Order, known: mapping.Known) -> Submitted:
    """The order as the outcome of the request that it was made of."""
    lines = asked(read)
    gone = read.status in mapping.GONE or read.status == "refunded"
    return Submitted(
        platform_id=str(read.id),
        reference=mapping.wire_text(read.meta(mapping.REFERENCE)) or "",
        acknowledged=read.status in ACKNOWLEDGED or mapping.FULFILLMENT.get(read.status) in {"fulfilled", "partial"},
        lines=lines,
        canceled=gone,
        canceled_lines=() if gone else _canceled(read, known, lines or ()),
    )


def asked(read: wire.Order) -> tuple[tuple[str, str, int], ...] | None:
    """(line_ref, sku, quantity) as it was asked; None where somebody removed the note of it."""
    told = read.meta(REQUEST)
    rows = told.get("lines") if isinstance(told, Mapping) else None
    rows = list(rows.values()) if isinstance(rows, Mapping) else rows
    try:
        return tuple((str(ref), str(sku), int(quantity)) for ref, sku, quantity in rows or ()) or None
    except (TypeError, ValueError):
        return None


def same(read: wire.Order, found: Submitted, request: SourceRequest) -> bool:
    """The order was made of this very request: lines, address and method."""
    told = read.meta(REQUEST)
    digest = told.get("content") if isinstance(told, Mapping) else None
    return found.is_for(request) and digest in (None, content(request))


def _canceled(
    read: wire.Order, known: mapping.Known, lines: Iterable[tuple[str, str, int]]
) -> tuple[tuple[str, int], ...]:
    """Pieces that were removed or refunded since. What is refunded after it left came back: it is none of these."""
    if mapping.FULFILLMENT.get(read.status) == "fulfilled":
        return ()
    left: defaultdict[str, int] = defaultdict(int)
    for line in read.line_items:
        shipped = (known.shipped or {}).get(line.id, 0)
        left[line_ref(line)] += max(line.quantity - known.refunded.get(line.id, 0), shipped)
    found = ((ref, quantity - left[ref]) for ref, _, quantity in lines)
    return tuple((ref, pieces) for ref, pieces in found if pieces > 0)


def line_ref(line: wire.Line) -> str:
    return next((str(one.value) for one in line.meta_data if one.key == LINE), "")


def tracked(read: wire.Order) -> bool:
    """The store's people have given the order a tracking number."""
    return any(item.tracking_number for item in records.tracking_items(read))
