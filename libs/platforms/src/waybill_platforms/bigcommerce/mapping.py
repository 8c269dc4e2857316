"""From BigCommerce's words to ours. Pure; the vocabularies are tables, and what is not in them is `unknown`.

Statuses go by their ids, because a store may rename them. Whether something has left is decided by quantities: the
status "Shipped" stays when a shipment is deleted, and "Partially Refunded" hides whether anything was shipped.
"""

import re
from collections.abc import Iterable

from waybill_contracts.values import Address, PaymentState
from waybill_platforms.bigcommerce import carriers, comments, wire
from waybill_platforms.bigcommerce.whole import Whole
from waybill_platforms.model.fulfillments import ChannelFulfillments, FulfillmentRecord, OpenPart
from waybill_platforms.model.orders import ChannelFulfillmentState, ChannelLine, ChannelOrder

INCOMPLETE, PENDING, SHIPPED, PARTIALLY_SHIPPED, REFUNDED, CANCELED, DECLINED = range(7)
AWAITING_PAYMENT, AWAITING_PICKUP, AWAITING_SHIPMENT, COMPLETED, AWAITING_FULFILLMENT = range(7, 12)
MANUAL_VERIFICATION, DISPUTED, PARTIALLY_REFUNDED = range(12, 15)
NAMES = (
    "Incomplete", "Pending", "Shipped", "Partially Shipped", "Refunded", "Cancelled", "Declined", "Awaiting Payment",
    "Awaiting Pickup", "Awaiting Shipment", "Completed", "Awaiting Fulfillment", "Manual Verification Required",
    "Disputed", "Partially Refunded",
)  # fmt: skip

PAYMENT: dict[str, PaymentState] = {
    "captured": PaymentState.PAID,
    "paid": PaymentState.PAID,
    "authorized": PaymentState.AUTHORIZED,
    "capture pending": PaymentState.AUTHORIZED,
    "partially refunded": PaymentState.PARTIALLY_REFUNDED,
    "refunded": PaymentState.REFUNDED,
    "void": PaymentState.VOIDED,
    "void pending": PaymentState.VOIDED,
    "declined": PaymentState.VOIDED,
    "pending": PaymentState.PENDING,
    "held for review": PaymentState.PENDING,
}
HELD_FOR_REVIEW = "held for review"
"""The payment gateway's own fraud check wants somebody to look."""
PAYMENT_BY_STATUS: dict[int, PaymentState] = {
    INCOMPLETE: PaymentState.PENDING,
    PENDING: PaymentState.PENDING,
    AWAITING_PAYMENT: PaymentState.PENDING,
    SHIPPED: PaymentState.PAID,
    PARTIALLY_SHIPPED: PaymentState.PAID,
    AWAITING_PICKUP: PaymentState.PAID,
    AWAITING_SHIPMENT: PaymentState.PAID,
    COMPLETED: PaymentState.PAID,
    AWAITING_FULFILLMENT: PaymentState.PAID,
    REFUNDED: PaymentState.REFUNDED,
    PARTIALLY_REFUNDED: PaymentState.PARTIALLY_REFUNDED,
    CANCELED: PaymentState.VOIDED,
    DECLINED: PaymentState.VOIDED,
}
"""For offline methods (bank transfer, cash on delivery, orders made by hand), whose `payment_status` is empty."""

ENDED = frozenset({CANCELED, DECLINED})
ON_HOLD = frozenset({MANUAL_VERIFICATION, DISPUTED})
_COUNTRY = re.compile(r"^[A-Z]{2}$")


def ships(line: wire.Line) -> bool:
    """Neither downloaded, nor e-mailed, nor picked up by the buyer."""
    return line.type == "physical" and not line.order_pickup_method_id


def fulfillable(line: wire.Line) -> int:
    """Refunded and shipped pieces may be the same ones, which BigCommerce does not tell: rather fewer than too many."""
    return max(line.quantity - line.quantity_shipped - line.quantity_refunded, 0) if ships(line) else 0


def canceled(whole: Whole) -> bool:
    """Canceled, declined, or archived while something was open (a done order that is archived was only tidied away)."""
    head = whole.head
    return head.status_id in ENDED or (head.is_deleted and any(fulfillable(line) for line in whole.lines))


def order(whole: Whole) -> ChannelOrder:
    """Raises nothing: what cannot be read stands in `problems`."""
    head, problems = whole.head, list[str]()
    payment = _payment(head, problems)
    return ChannelOrder(
        id=str(head.id),
        number=str(head.id),
        updated_at=head.date_modified,
        placed_at=head.date_created,
        currency=head.default_currency_code or head.currency_code,
        payment=payment,
        fulfillment=fulfillment(whole, problems),
        canceled=canceled(whole),
        raw_status=f"{_named(head)}/{head.payment_status or '-'}",
        total=head.total_inc_tax,
        email=head.billing_address.email,
        note=head.customer_message,
        tags=(),
        addresses=_addresses(whole, problems),
        shipping_method=_shipping_method(whole, problems),
        reference=head.external_order_id or None,
        lines=tuple(_line(line, whole) for line in whole.lines),
        problems=tuple(problems),
        fraud_risk=_risk(head),
    )


def _risk(head: wire.Order) -> str:
    held = head.payment_status.strip().lower() == HELD_FOR_REVIEW
    return "the payment gateway holds the payment for review (held for review)" if held else ""


def _named(head: wire.Order) -> str:
    return NAMES[head.status_id] if 0 <= head.status_id < len(NAMES) else head.status or str(head.status_id)


def _payment(head: wire.Order, problems: list[str]) -> PaymentState:
    word = head.payment_status.strip().lower()
    found = PAYMENT.get(word) if word else PAYMENT_BY_STATUS.get(head.status_id)
    if word and found is None:
        problems.append(f"payment_status: {head.payment_status!r} is a word that we do not know")
    if found is PaymentState.PAID and head.status_id in (REFUNDED, PARTIALLY_REFUNDED):
        # the merchant set the status by hand, having paid back outside of BigCommerce
        return PAYMENT_BY_STATUS[head.status_id]
    return found or PaymentState.UNKNOWN


def fulfillment(whole: Whole, problems: list[str]) -> ChannelFulfillmentState:
    status = whole.head.status_id
    if canceled(whole):
        return "canceled"
    if not 0 <= status < len(NAMES):
        problems.append(f"status_id: {status} ({whole.head.status!r}) is a status that we do not know")
        return "unknown"
    if status == INCOMPLETE:
        return "unknown"  # no order yet, and no filter takes what is unknown
    if status in ON_HOLD:
        return "on_hold"
    lines = [line for line in whole.lines if ships(line)]
    if whole.lines and not lines:
        return "not_required"
    open_now, left = sum(map(fulfillable, lines)), sum(line.quantity_shipped for line in lines)
    if left:
        return "partial" if open_now else "fulfilled"
    return "fulfilled" if status == COMPLETED else "unfulfilled"


def _line(line: wire.Line, whole: Whole) -> ChannelLine:
    places = [place.id for place in whole.places]
    return ChannelLine(
        line_id=str(line.id),
        sku=line.sku.strip(),
        title=line.name,
        quantity=line.quantity,
        canceled=min(line.quantity_refunded, line.quantity),
        fulfillable=fulfillable(line),
        unit_price=line.price_inc_tax,
        requires_shipping=ships(line),
        address=places.index(line.order_address_id) if line.order_address_id in places else 0,
    )


def _addresses(whole: Whole, problems: list[str]) -> tuple[Address, ...]:
    if not whole.places and any(map(ships, whole.lines)):
        problems.append("shipping_addresses: there is none, but something has to be shipped")
    found: list[Address] = []
    for place in whole.places:
        country = place.country_iso2.strip().upper()
        if not _COUNTRY.match(country):
            problems.append(f"shipping_addresses: country_iso2 {place.country_iso2!r} is no country code")
            return ()  # lines name addresses by position, so none may be left out
        found.append(_address(place, country, whole.head))
    return tuple(found)


def _address(place: wire.Place, country: str, head: wire.Order) -> Address:
    return Address(
        name=f"{place.first_name} {place.last_name}".strip(),
        company=place.company,
        line1=place.street_1,
        line2=place.street_2,
        city=place.city,
        region=place.state,
        postal_code=place.zip,
        country=country,
        phone=place.phone or head.billing_address.phone,
        email=place.email or head.billing_address.email,
    )


def _shipping_method(whole: Whole, problems: list[str]) -> str:
    methods = list(dict.fromkeys(place.shipping_method for place in whole.places if place.shipping_method))
    if len(methods) > 1:
        problems.append(f"shipping_method: {len(methods)} different ones for its addresses: {', '.join(methods)}")
    return methods[0] if methods else ""


# -- fulfillments


def record(read: wire.Shipment) -> FulfillmentRecord:
    """Its id names the order as well, without which BigCommerce does not find a shipment."""
    pieces: dict[str, int] = {}
    for item in read.items:
        pieces[str(item.order_product_id)] = pieces.get(str(item.order_product_id), 0) + item.quantity
    link = read.tracking_link or read.generated_tracking_link
    first = (read.tracking_number,) if read.tracking_number else ()
    return FulfillmentRecord(
        id=f"{read.order_id}/{read.id}",
        status="success",
        lines=tuple(pieces.items()),
        carrier=carriers.name_of(read),
        tracking_numbers=first + comments.further_numbers(read.comments),
        tracking_urls=(link,) if link else (),
        created_at=read.date_created,
        raw_status="shipped",
        service=carriers.service_of(read),
    )


def fulfillments(whole: Whole, records: Iterable[wire.Shipment]) -> ChannelFulfillments:
    """What is open now, at which address, and what has left."""
    blocked: dict[str, str] = {}
    parts: list[OpenPart] = []
    held = whole.head.status_id in ON_HOLD or whole.head.status_id == INCOMPLETE
    for line in whole.lines:
        line_id, left = str(line.id), fulfillable(line)
        if line.order_pickup_method_id:
            blocked[line_id] = "picked up by the buyer"
        elif left and held:
            blocked[line_id] = f"status {_named(whole.head)}"
        elif left:
            parts.append(OpenPart(str(line.order_address_id), str(line.order_address_id), line_id, line_id, left))
    return ChannelFulfillments(
        order_id=str(whole.head.id),
        canceled=canceled(whole),
        fulfillment=fulfillment(whole, []),
        remaining={part.line_id: part.remaining for part in parts},
        fulfillments=tuple(record(one) for one in records),
        parts=tuple(parts),
        blocked=blocked,
    )
