"""From Shopify's words to ours, and back. Pure; the vocabularies are tables, and what is not in them is `unknown`."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from waybill_contracts.values import Address, PaymentState
from waybill_platforms.model.fulfillments import (
    ChannelFulfillments,
    FulfillmentRecord,
    FulfillmentRecordStatus,
    OpenPart,
)
from waybill_platforms.model.orders import ChannelFulfillmentState, ChannelLine, ChannelOrder
from waybill_platforms.shopify import wire

PAYMENT: dict[str | None, PaymentState] = {
    "PENDING": PaymentState.PENDING,
    "AUTHORIZED": PaymentState.AUTHORIZED,
    "PARTIALLY_PAID": PaymentState.PARTIALLY_PAID,
    "PAID": PaymentState.PAID,
    "PARTIALLY_REFUNDED": PaymentState.PARTIALLY_REFUNDED,
    "REFUNDED": PaymentState.REFUNDED,
    "VOIDED": PaymentState.VOIDED,
    "EXPIRED": PaymentState.VOIDED,  # an authorization that ran out: there is no money any more
    None: PaymentState.UNKNOWN,
}

FULFILLMENT: dict[str | None, ChannelFulfillmentState] = {
    "UNFULFILLED": "unfulfilled",
    "OPEN": "unfulfilled",
    "SCHEDULED": "unfulfilled",
    "REQUEST_DECLINED": "unfulfilled",
    "PENDING_FULFILLMENT": "unfulfilled",
    "RESTOCKED": "unfulfilled",
    "IN_PROGRESS": "unfulfilled",  # somebody works on it; nothing has left
    "PARTIALLY_FULFILLED": "partial",
    "FULFILLED": "fulfilled",
    "ON_HOLD": "on_hold",
    "FULFILLMENT_NOT_REQUIRED": "not_required",
}

RISK: dict[str | None, str] = {
    "ACCEPT": "",
    "NONE": "",
    None: "",
    "INVESTIGATE": "Shopify recommends to ask the buyer before it is shipped (INVESTIGATE)",
    "CANCEL": "Shopify recommends to cancel the order (CANCEL)",
}
"""`OrderRiskSummary.recommendation`, made of all assessments; one that is pending recommends nothing yet."""

RECORD_STATUS: dict[str, FulfillmentRecordStatus] = {
    "SUCCESS": "success",
    "CANCELLED": "canceled",
    "ERROR": "failed",
    "FAILURE": "failed",
}

OPEN_PARCELS = frozenset({"OPEN", "IN_PROGRESS"})
OWED_PARCELS = OPEN_PARCELS | {"ON_HOLD", "SCHEDULED"}
"""Not shippable now, but still owed; CLOSED, CANCELLED and INCOMPLETE are not."""

_COUNTRY = re.compile(r"^[A-Z]{2}$")


def order(read: wire.Order, owed: Mapping[str, int] | None = None) -> ChannelOrder:
    """`owed` (line id -> pieces) replaces what the lines say, where `open_is_ambiguous`."""
    problems: list[str] = []
    payment = PAYMENT.get(read.displayFinancialStatus)
    if payment is None:
        problems.append(f"displayFinancialStatus: {read.displayFinancialStatus!r} is a word that we do not know")
    return ChannelOrder(
        id=read.id,
        number=read.name,
        updated_at=read.updatedAt.astimezone(UTC),
        placed_at=read.processedAt.astimezone(UTC),
        currency=read.currencyCode,
        payment=payment or PaymentState.UNKNOWN,
        fulfillment=_fulfillment(read.cancelledAt, read.displayFulfillmentStatus, problems),
        canceled=read.cancelledAt is not None,
        raw_status=f"{read.displayFinancialStatus or '-'}/{read.displayFulfillmentStatus or '-'}",
        total=read.currentTotalPriceSet.shopMoney.amount,
        email=read.email or "",
        note=read.note or "",
        tags=read.tags,
        addresses=_addresses(read, problems),
        shipping_method=_shipping_method(read.shippingLine),
        reference=read.sourceIdentifier or None,
        lines=tuple(_line(line, owed) for line in read.lineItems.nodes),
        fraud_risk=_risk(read.risk, problems),
        problems=tuple(problems),
    )


def _risk(risk: wire.Risk | None, problems: list[str]) -> str:
    word = None if risk is None else risk.recommendation
    if word not in RISK:
        problems.append(f"risk.recommendation: {word!r} is a word that we do not know")
    return RISK.get(word, "")


def _fulfillment(canceled_at: datetime | None, status: str | None, problems: list[str]) -> ChannelFulfillmentState:
    if canceled_at is not None:
        return "canceled"
    known = FULFILLMENT.get(status)
    if known is None:
        problems.append(f"displayFulfillmentStatus: {status!r} is a word that we do not know")
    return known or "unknown"


def _line(line: wire.Line, owed: Mapping[str, int] | None) -> ChannelLine:
    open_now = min(line.unfulfilledQuantity, line.currentQuantity) if owed is None else owed.get(line.id, 0)
    return ChannelLine(
        line_id=line.id,
        sku=(line.sku or "").strip(),
        title=line.title,
        quantity=line.quantity,
        canceled=max(line.quantity - line.currentQuantity, 0),
        fulfillable=open_now,
        unit_price=line.originalUnitPriceSet.shopMoney.amount,
        requires_shipping=line.requiresShipping,
    )


def open_is_ambiguous(read: wire.Order) -> bool:
    """A part has left and a part was refunded: whether `unfulfilledQuantity` counts refunded pieces is not documented.

    Then the fulfillment orders have to be read, which say it exactly. Where nothing has left, or nothing was refunded,
    the lines say enough.
    """
    if read.displayFulfillmentStatus in {"UNFULFILLED", "FULFILLED", "FULFILLMENT_NOT_REQUIRED"}:
        return False
    return any(line.currentQuantity < line.quantity and line.unfulfilledQuantity > 0 for line in read.lineItems.nodes)


def _addresses(read: wire.Order, problems: list[str]) -> tuple[Address, ...]:
    found = read.shippingAddress
    if found is None:
        if any(line.requiresShipping for line in read.lineItems.nodes):
            problems.append("shippingAddress: missing (not given, or the app may not read protected customer data)")
        return ()
    country = (found.countryCodeV2 or "").upper()
    if not _COUNTRY.match(country):
        problems.append(f"shippingAddress.countryCodeV2: {found.countryCodeV2!r} is no country code")
        return ()
    return (
        Address(
            name=found.name or "",
            company=found.company or "",
            line1=found.address1 or "",
            line2=found.address2 or "",
            city=found.city or "",
            region=found.provinceCode or found.province or "",
            postal_code=found.zip or "",
            country=country,
            phone=found.phone or read.phone or "",
            email=read.email or "",
        ),
    )


def _shipping_method(line: wire.ShippingLine | None) -> str:
    return (line.title or line.code or "") if line is not None else ""


def record(read: wire.Record) -> FulfillmentRecord:
    """Pieces of one line are summed: it may stand in several fulfillment orders."""
    quantities: defaultdict[str, int] = defaultdict(int)
    for line in read.fulfillmentLineItems.nodes:
        quantities[line.lineItem.id] += line.quantity or 0
    tracking = read.trackingInfo
    return FulfillmentRecord(
        id=read.id,
        status=RECORD_STATUS.get(read.status, "unknown"),
        lines=tuple(quantities.items()),
        carrier=next((info.company for info in tracking if info.company), ""),
        tracking_numbers=tuple(info.number for info in tracking if info.number),
        tracking_urls=tuple(info.url for info in tracking if info.url),
        created_at=read.createdAt.astimezone(UTC),
        raw_status=read.status,
    )


def owed(parcels: Iterable[wire.Parcel]) -> dict[str, int]:
    """Pieces that still have to leave, by line."""
    pieces: defaultdict[str, int] = defaultdict(int)
    for parcel in parcels:
        if parcel.status in OWED_PARCELS:
            for line in parcel.lineItems.nodes:
                pieces[line.lineItem.id] += line.remainingQuantity
    return dict(pieces)


def fulfillments(
    head: wire.Shipping, parcels: Iterable[wire.Parcel], records: Iterable[wire.Record]
) -> ChannelFulfillments:
    """What is open now, where, and what has left."""
    parts: list[OpenPart] = []
    blocked: dict[str, str] = {}
    for parcel in parcels:
        reason = _closed_to_us(parcel)
        place = parcel.assignedLocation
        group = place.location.id if place.location is not None else place.name
        for line in parcel.lineItems.nodes:
            if not line.remainingQuantity:
                continue
            if reason is None:
                parts.append(OpenPart(group, parcel.id, line.id, line.lineItem.id, line.remainingQuantity))
            else:
                blocked[line.lineItem.id] = reason
    remaining: defaultdict[str, int] = defaultdict(int)
    for part in parts:
        remaining[part.line_id] += part.remaining
    return ChannelFulfillments(
        order_id=head.id,
        canceled=head.cancelledAt is not None,
        fulfillment=_fulfillment(head.cancelledAt, head.displayFulfillmentStatus, []),
        remaining=dict(remaining),
        fulfillments=tuple(record(one) for one in records),
        parts=tuple(parts),
        blocked=blocked,
    )


def _closed_to_us(parcel: wire.Parcel) -> str | None:
    """Why nothing can be fulfilled from it now; None when it can."""
    if parcel.status not in OPEN_PARCELS:
        return f"fulfillment order {parcel.status}"
    actions = {action.action for action in parcel.supportedActions}
    if actions and "CREATE_FULFILLMENT" not in actions:  # e.g. requested from another fulfillment service
        return f"fulfillment order {parcel.status}, but another service has it"
    return None


def search_time(since: datetime) -> str:
    """The query for orders changed at or after `since`, to the second (as Shopify keeps times), quoted as it must be.

    No status in it: an order that leaves such a filter (canceled, shipped elsewhere) would never be seen again.
    """
    return f"updated_at:>='{since.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}'"


def search_number(number: str) -> str:
    escaped = number.replace("\\", "\\\\").replace("'", "\\'")
    return f"name:'{escaped}'"


def same_number(found: str, asked: str) -> bool:
    """`#1001` and `1001` are the same to people."""
    return found == asked or found.lstrip("#") == asked.lstrip("#")
