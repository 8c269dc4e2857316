"""From Magento's words to ours. Pure; the vocabularies are tables, and what is not in them is `unknown`."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from waybill_contracts.values import Address, PaymentState
from waybill_platforms.magento import wire
from waybill_platforms.magento.rows import Separately, lines, pieces, unshipped
from waybill_platforms.model.fulfillments import ChannelFulfillments, FulfillmentRecord
from waybill_platforms.model.orders import ChannelFulfillmentState, ChannelLine, ChannelOrder

CANCELED = "canceled"
FULFILLMENT: dict[str, ChannelFulfillmentState | None] = {
    "new": None,
    "pending_payment": None,
    "processing": None,  # does not say that anything is paid: a shipment leads to it, too
    "payment_review": "on_hold",
    "holded": "on_hold",
    "complete": "fulfilled",
    "closed": None,
    CANCELED: "canceled",
}
"""State -> what it says of shipping; None: the quantities say it. (`status` is free text of the shop.)"""
CLOSED_TO_SHIPPING = frozenset({"payment_review", "holded", CANCELED, "closed"})
"""Magento refuses shipments of such an order."""

SUSPECTED_FRAUD = "fraud"
"""Magento's own status beside `payment_review` and `processing`, set where the gateway suspects fraud."""

TRACKING = "Tracking: "
"""Begins the comment that carries a tracking link: Magento's tracks have no place for one."""
_LINK = re.compile(r"https?://\S+")
_COUNTRY = re.compile(r"^[A-Z]{2}$")


def moment(text: str) -> datetime:
    """Magento's times (`wire.Time`) are UTC without a zone; some extensions write a zone all the same."""
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def order(read: wire.Order, separately: Separately) -> ChannelOrder:
    problems: list[str] = []
    shipped = [_line(row, problems) for row in lines(read.items, separately, problems)]
    if not read.order_currency_code:
        problems.append("order_currency_code: missing")
    state = _fulfillment(read, shipped, _pieces_shipped(read, separately))
    if state == "unknown":
        problems.append(f"state: {read.state!r} is a word that we do not know")
    return ChannelOrder(
        id=str(read.entity_id),
        number=read.increment_id,
        updated_at=moment(read.updated_at),
        placed_at=moment(read.created_at),
        currency=read.order_currency_code or "",
        payment=payment(read),
        fulfillment=state,
        canceled=read.state == CANCELED,
        raw_status=f"{read.state or '-'}/{read.status or '-'}",
        total=read.grand_total,
        email=read.customer_email or "",
        note=read.customer_note or "",
        tags=(),
        addresses=_addresses(read, problems, any(line.requires_shipping for line in shipped)),
        shipping_method=shipping_method(read),
        reference=(read.payment.po_number if read.payment else None) or read.ext_order_id or None,
        lines=tuple(shipped),
        problems=tuple(problems),
        fraud_risk="the payment gateway suspects fraud (status fraud)" if read.status == SUSPECTED_FRAUD else "",
    )


def payment(read: wire.Order) -> PaymentState:
    """By the amounts alone: no state and no status says what was paid."""
    paid, refunded, total = read.total_paid or Decimal(0), read.total_refunded or Decimal(0), read.grand_total
    due = total - paid if read.total_due is None else read.total_due
    authorized = (read.payment.amount_authorized if read.payment else None) or Decimal(0)
    if refunded > 0:
        return PaymentState.REFUNDED if refunded >= paid > 0 else PaymentState.PARTIALLY_REFUNDED
    if paid > 0:
        return PaymentState.PAID if due <= 0 or paid >= total else PaymentState.PARTIALLY_PAID
    if read.state == CANCELED:
        return PaymentState.VOIDED
    if total == 0 and read.payment is not None and read.payment.method == "free":
        return PaymentState.PAID  # nothing was owed, and Magento's method for that settled it
    return PaymentState.AUTHORIZED if authorized > 0 else PaymentState.PENDING


def _fulfillment(read: wire.Order, shown: Sequence[ChannelLine], shipped: int) -> ChannelFulfillmentState:
    if read.state not in FULFILLMENT:
        return "unknown"
    to_ship = [line for line in shown if line.requires_shipping]
    if read.state != CANCELED and (read.is_virtual or not to_ship):
        return "not_required"
    said = FULFILLMENT[read.state]
    if said is not None:
        return said
    if not any(line.fulfillable for line in to_ship):
        return "fulfilled" if shipped else "not_required"
    return "partial" if shipped else "unfulfilled"


def _pieces_shipped(read: wire.Order, separately: Separately) -> int:
    return sum(int(row.qty_shipped or 0) for row in lines(read.items, separately, []))


def _line(row: wire.Row, problems: list[str]) -> ChannelLine:
    ordered = pieces(row.qty_ordered, f"items.{row.item_id}.qty_ordered", problems)
    gone = (row.qty_canceled or Decimal(0)) + (row.qty_refunded or Decimal(0))
    needs_shipping = not row.is_virtual
    return ChannelLine(
        line_id=str(row.item_id),
        sku=(row.sku or "").strip(),
        title=row.name or "",
        quantity=ordered,
        canceled=min(int(gone), ordered),
        fulfillable=unshipped(row) if needs_shipping else 0,
        unit_price=row.price or Decimal(0),
        requires_shipping=needs_shipping,
    )


def _shipping(read: wire.Shipped) -> wire.Shipping | None:
    found = (read.extension_attributes.shipping_assignments if read.extension_attributes else None) or ()
    return found[0].shipping if found else None


def shipping_method(read: wire.Shipped) -> str:
    """`carrier_method`, as Magento names it in the order; it does not change with the shop's language."""
    shipping = _shipping(read)
    return (shipping.method if shipping else None) or read.shipping_description or ""


def _addresses(read: wire.Order, problems: list[str], ships: bool) -> tuple[Address, ...]:
    shipping = _shipping(read)
    found = shipping.address if shipping else None
    if found is None:
        if ships:
            problems.append("shipping_assignments: the order has no shipping address")
        return ()
    country = (found.country_id or "").upper()
    if not _COUNTRY.match(country):
        problems.append(f"shipping.address.country_id: {found.country_id!r} is no country code")
        return ()
    street = [part for part in found.street or () if part]
    return (
        Address(
            name=" ".join(part for part in (found.firstname, found.middlename, found.lastname) if part),
            company=found.company or "",
            line1=street[0] if street else "",
            line2=", ".join(street[1:]),
            city=found.city or "",
            region=found.region_code or found.region or "",
            postal_code=found.postcode or "",
            country=country,
            phone=found.telephone or "",
            email=found.email or read.customer_email or "",
        ),
    )


def fulfillments(read: wire.Order, separately: Separately, shipments: Iterable[wire.Shipment]) -> ChannelFulfillments:
    """What is open now, and what has left."""
    shown = order(read, separately)
    locked = {str(row.item_id) for row in read.items if row.locked_do_ship}
    remaining, blocked = {}, {}
    for line in shown.lines:
        if not line.fulfillable:
            continue
        if read.state in CLOSED_TO_SHIPPING or read.state not in FULFILLMENT:
            blocked[line.line_id] = f"order {read.state}"
        elif line.line_id in locked:
            blocked[line.line_id] = "locked_do_ship"
        else:
            remaining[line.line_id] = line.fulfillable
    ids = {line.line_id for line in shown.lines}
    return ChannelFulfillments(
        order_id=shown.id,
        canceled=shown.canceled,
        fulfillment=shown.fulfillment,
        remaining=remaining,
        fulfillments=tuple(record(one, ids) for one in shipments),
        blocked=blocked,
    )


def record(read: wire.Shipment, line_ids: set[str]) -> FulfillmentRecord:
    """A shipment. Rows that are no lines (the dummy parent of a bundle) are left out. It can never be canceled."""
    quantities: defaultdict[str, int] = defaultdict(int)
    for row in read.items:
        if str(row.order_item_id) in line_ids and row.qty > 0:
            quantities[str(row.order_item_id)] += int(row.qty)
    return FulfillmentRecord(
        id=str(read.entity_id),
        status="success",
        lines=tuple(quantities.items()),
        carrier=carrier(read),
        tracking_numbers=numbers(read),
        tracking_urls=links(read),
        created_at=moment(read.created_at),
        raw_status="shipped",
    )


def carrier(read: wire.Shipment) -> str:
    """What people read: the first track's title, else its code."""
    return next((text for track in read.tracks or () if (text := track.title or track.carrier_code)), "")


def numbers(read: wire.Shipment) -> tuple[str, ...]:
    return tuple(dict.fromkeys(track.track_number for track in read.tracks or () if track.track_number))


def links(read: wire.Shipment) -> tuple[str, ...]:
    """The link of the newest comment that has one (a corrected link is a new comment)."""
    told = [one for one in read.comments or () if (one.comment or "").startswith(TRACKING)]
    newest = max(told, key=lambda one: one.entity_id or 0, default=None)
    found = _LINK.search(newest.comment or "") if newest else None
    return (found[0],) if found else ()
