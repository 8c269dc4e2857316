"""Our request as an order of a store, and what the store has of it as our request again. Pure.

`external_order_id` carries our reference. A store keeps nothing else of ours with an order's lines, so what was asked
for, with our line references, stands in the staff notes, below a sentence for the people there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from waybill_contracts.values import Address
from waybill_platforms.bigcommerce import mapping, wire
from waybill_platforms.bigcommerce.whole import Whole
from waybill_platforms.model.requests import SourceRequest, Submitted

SOURCE = "ERP (Waybill)"
"""`external_source`: kind of system and its vendor, as BigCommerce recommends."""
_NOTE = re.compile(r"^waybill: (\[.*\])$", re.MULTILINE)
ACKNOWLEDGED = frozenset(
    {
        mapping.AWAITING_FULFILLMENT,
        mapping.AWAITING_SHIPMENT,
        mapping.AWAITING_PICKUP,
        mapping.SHIPPED,
        mapping.PARTIALLY_SHIPPED,
        mapping.COMPLETED,
        mapping.PARTIALLY_REFUNDED,
    }
)
"""The store has it among the orders that it ships; not so while somebody there has put it on hold."""
_NO_ZIP = "00000"


@dataclass(frozen=True, slots=True)
class Asked:
    line_ref: str
    sku: str
    quantity: int


def order_body(request: SourceRequest, variants: Mapping[str, wire.Variant]) -> dict[str, object]:
    """The body of `POST /orders`; the same request always gives the same one. `variants` has each SKU of it."""
    address = _address(request.ship_to)
    method = {"shipping_method": request.shipping_method} if request.shipping_method else {}
    # billing addresses must have a ZIP of two characters at least, which not every country has
    billing = {**address, "zip": address["zip"] if len(address["zip"]) > 1 else _NO_ZIP}
    return {
        "status_id": mapping.AWAITING_FULFILLMENT,
        "customer_id": 0,
        "external_order_id": request.reference,
        "external_source": SOURCE,
        "billing_address": billing,
        "shipping_addresses": [{**address, **method}],
        "products": [
            {
                "product_id": variants[line.sku].product_id,
                "variant_id": variants[line.sku].id,
                "quantity": line.quantity,
            }
            for line in request.lines
        ],
        "staff_notes": note(request),
    }


def _address(address: Address) -> dict[str, str]:
    first, _, last = address.name.strip().partition(" ")
    fields = {
        "first_name": first,
        "last_name": last,
        "company": address.company,
        "street_1": address.line1,
        "street_2": address.line2,
        "city": address.city,
        "state": address.region,
        "zip": address.postal_code,
        "country_iso2": address.country,
        "phone": address.phone,
        "email": address.email,
    }
    return {name: value for name, value in fields.items() if value} | {"zip": address.postal_code}


def note(request: SourceRequest) -> str:
    lines = orjson.dumps([[line.line_ref, line.sku, line.quantity] for line in request.lines]).decode()
    return (
        f"Ships order {request.order_number} as {request.reference}. Waybill reads the next line: please keep it.\n"
        f"waybill: {lines}"
    )


def asked(staff_notes: str) -> tuple[Asked, ...] | None:
    """What the note says; None when somebody removed or broke it."""
    found = _NOTE.search(staff_notes)
    try:
        return (
            tuple(Asked(str(ref), str(sku), int(n)) for ref, sku, n in orjson.loads(found.group(1))) if found else None
        )
    except (orjson.JSONDecodeError, TypeError, ValueError):
        return None


def refs(wanted: Sequence[Asked], lines: Sequence[wire.Line]) -> dict[int, Asked]:
    """Line of the order -> what it was made for: each asked line takes the first free one of its SKU, an equal quantity
    first. Lines are in the order in which they were made, so repeated SKUs keep theirs."""
    free = list(lines)
    pairs: dict[int, Asked] = {}
    left = list(wanted)
    for same_quantity in (True, False):
        for one in list(left):
            found = next((li for li in free if _fits(one, li, same_quantity)), None)
            if found is not None:
                pairs[found.id] = one
                free.remove(found)
                left.remove(one)
    return pairs


def _fits(one: Asked, line: wire.Line, same_quantity: bool) -> bool:
    return line.sku.strip().casefold() == one.sku.casefold() and (not same_quantity or line.quantity == one.quantity)


def submitted(whole: Whole) -> Submitted:
    """Pieces that are refunded, or that somebody took out of the order there, will not be shipped."""
    head = whole.head
    wanted = asked(head.staff_notes)
    gone = mapping.canceled(whole)
    if wanted is None:
        return Submitted(
            platform_id=str(head.id),
            reference=head.external_order_id,
            acknowledged=head.status_id in ACKNOWLEDGED,
            lines=tuple(("", line.sku, line.quantity) for line in whole.lines),
            canceled=gone,
        )
    left = {one.line_ref: 0 for one in wanted}
    by_id = {line.id: line for line in whole.lines}
    for line_id, one in refs(wanted, whole.lines).items():
        left[one.line_ref] += max(by_id[line_id].quantity - by_id[line_id].quantity_refunded, 0)
    less = [(one.line_ref, one.quantity - min(left[one.line_ref], one.quantity)) for one in wanted]
    return Submitted(
        platform_id=str(head.id),
        reference=head.external_order_id,
        acknowledged=head.status_id in ACKNOWLEDGED,
        lines=tuple((one.line_ref, one.sku, one.quantity) for one in wanted),
        canceled=gone,
        canceled_lines=tuple((line_ref, pieces) for line_ref, pieces in less if pieces),
    )
