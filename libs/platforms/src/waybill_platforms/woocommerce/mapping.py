"""From WooCommerce's words to ours. Pure; the vocabularies are tables, and what is not in them is `unknown`.

"processing" does not mean paid (cash on delivery) and `completed` does not mean that we told it: money is judged by
`date_paid`, what has left by fulfillments, by our own record, or by the status, whichever the store has.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from waybill_contracts.values import Address, PaymentState
from waybill_platforms.model.orders import ChannelFulfillmentState, ChannelLine, ChannelOrder
from waybill_platforms.woocommerce import wire

REFERENCE = "_waybill_reference"
"""The order's meta key under which our own reference stands (IN-7)."""
FULFILLMENT_STATUS = "_fulfillment_status"

NO_ORDER_YET = frozenset({"checkout-draft", "auto-draft", "draft"})
"""A shopper opened the checkout, or a person the form: never imported."""
GONE = frozenset({"cancelled", "failed", "trash"})

UNPAID: dict[str, PaymentState] = {
    "pending": PaymentState.PENDING,
    "on-hold": PaymentState.PENDING,
    "processing": PaymentState.PENDING,  # cash on delivery, cheque
    "completed": PaymentState.PENDING,
    "failed": PaymentState.PENDING,
    "checkout-draft": PaymentState.PENDING,
    "cancelled": PaymentState.VOIDED,
    "trash": PaymentState.VOIDED,
}
"""By status, where there is no date of payment."""

FULFILLMENT: dict[str, ChannelFulfillmentState] = {
    "pending": "unfulfilled",
    "processing": "unfulfilled",
    "on-hold": "on_hold",
    "completed": "fulfilled",
    "refunded": "unfulfilled",
    "cancelled": "canceled",
    "failed": "canceled",
    "trash": "canceled",
    "partial-shipped": "partial",  # these two are the tracking plugin AST's
    "delivered": "fulfilled",
}
"""By status, where nothing else says what has left."""

BY_FULFILLMENT_META: dict[str, ChannelFulfillmentState] = {
    "unfulfilled": "unfulfilled",
    "partially_fulfilled": "partial",
    "fulfilled": "fulfilled",
}
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTRY = re.compile(r"^[A-Z]{2}$")


@dataclass(frozen=True, slots=True)
class Known:
    """What was read beside the order."""

    refunded: Mapping[int, int] = field(default_factory=dict)
    """Line id -> pieces refunded."""
    shipped: Mapping[int, int] | None = None
    """Line id -> pieces in fulfillments that stand, or in our own record; None: nothing says it."""
    virtual: Collection[str] = ()
    """SKUs of goods that are not shipped."""


def order(read: wire.Order, known: Known) -> ChannelOrder:
    problems: list[str] = []
    lines = tuple(_line(line, read, known) for line in read.line_items)
    updated = read.date_modified_gmt or read.date_created_gmt
    if updated is None:
        raise ValueError("date_modified_gmt: missing")
    return ChannelOrder(
        id=str(read.id),
        number=read.number or str(read.id),
        updated_at=updated,
        placed_at=read.date_created_gmt or updated,
        currency=read.currency,
        payment=payment(read, problems),
        fulfillment=fulfillment(read, known, problems),
        canceled=read.status in GONE,
        raw_status=raw_status(read),
        total=read.total,
        email=read.billing.email,
        note=read.customer_note,
        tags=(),
        addresses=_addresses(read, lines, problems),
        shipping_method="; ".join(li.method_title or li.method_id for li in read.shipping_lines),
        reference=wire_text(read.meta(REFERENCE)),
        lines=lines,
        problems=tuple(problems),
    )


def raw_status(read: wire.Order) -> str:
    """The status, how it is paid, and whether it is: `processing/cod/unpaid`."""
    return f"{read.status}/{read.payment_method or '-'}/{'paid' if read.date_paid_gmt else 'unpaid'}"


def payment(read: wire.Order, problems: list[str]) -> PaymentState:
    """By the date of payment; a status alone proves no money."""
    if read.status == "refunded":
        return PaymentState.REFUNDED
    if read.date_paid_gmt is not None:
        back = sum((abs(refund.total) for refund in read.refunds), Decimal(0))
        return PaymentState.PARTIALLY_REFUNDED if back else PaymentState.PAID
    found = UNPAID.get(read.status)
    if found is None:
        problems.append(f"status: {read.status!r} is a word that we do not know, and there is no date of payment")
    return found or PaymentState.UNKNOWN


def fulfillment(read: wire.Order, known: Known, problems: list[str]) -> ChannelFulfillmentState:
    by_status = FULFILLMENT.get(read.status)
    if by_status in {"canceled", "on_hold"}:
        return by_status
    if not _ships(read, known):
        return "not_required"
    if by_status == "fulfilled":
        return "fulfilled"  # however it came there: it must not be shipped again
    if known.shipped is not None:
        return by_pieces(read, known)
    told = BY_FULFILLMENT_META.get(str(read.meta(FULFILLMENT_STATUS)))
    if told in {"partial", "fulfilled"}:
        return told
    if by_status == "partial":
        problems.append("status: partial-shipped, and nothing says which pieces have left: look at the order there")
    if by_status is None:
        problems.append(f"status: {read.status!r} is a word that we do not know")
    return by_status or "unknown"


def by_pieces(read: wire.Order, known: Known) -> ChannelFulfillmentState:
    """By what was ordered, refunded and shipped."""
    shipped = known.shipped or {}
    lines = [line for line in read.line_items if line.sku not in known.virtual]
    if not any(shipped.get(line.id, 0) for line in lines):
        return "unfulfilled"
    return "partial" if any(still_open(line, known) for line in lines) else "fulfilled"


def still_open(line: wire.Line, known: Known) -> int:
    """Pieces that are neither refunded nor shipped. Both may be said of one piece (it came back): never below 0."""
    shipped = (known.shipped or {}).get(line.id, 0)
    return max(line.quantity - known.refunded.get(line.id, 0) - shipped, 0)


def _ships(read: wire.Order, known: Known) -> bool:
    """`needs_processing` is false where everything is virtual and downloadable."""
    return read.needs_processing and any(line.sku not in known.virtual for line in read.line_items)


def _line(line: wire.Line, read: wire.Order, known: Known) -> ChannelLine:
    ships = read.needs_processing and (not line.sku or line.sku not in known.virtual)
    refunded = min(max(known.refunded.get(line.id, 0), 0), line.quantity)
    return ChannelLine(
        line_id=str(line.id),
        sku=line.sku.strip(),
        title=line.name,
        quantity=line.quantity,
        canceled=refunded,
        fulfillable=_fulfillable(line, read, known),
        unit_price=line.price,
        requires_shipping=ships,
    )


def _fulfillable(line: wire.Line, read: wire.Order, known: Known) -> int | None:
    if FULFILLMENT.get(read.status) in {"fulfilled", "canceled"}:
        return 0
    if known.shipped is None and FULFILLMENT.get(read.status) == "partial":
        return None
    return still_open(line, known)


def _addresses(read: wire.Order, lines: Sequence[ChannelLine], problems: list[str]) -> tuple[Address, ...]:
    """The ship-to; some stores leave it empty where it equals the bill-to."""
    found, name = read.shipping, "shipping"
    if not (found.country or found.address_1 or found.city):
        found, name = read.billing, "billing"
    if not (found.country or found.address_1 or found.city):
        if any(line.requires_shipping for line in lines):
            problems.append("shipping: the order has neither a ship-to nor a bill-to address")
        return ()
    country = found.country.upper()
    if not _COUNTRY.match(country):
        problems.append(f"{name}.country: {found.country!r} is no country code")
        return ()
    return (
        Address(
            name=f"{found.first_name} {found.last_name}".strip(),
            company=found.company,
            line1=found.address_1,
            line2=found.address_2,
            city=found.city,
            region=found.state,
            postal_code=found.postcode,
            country=country,
            phone=found.phone or read.billing.phone,
            email=read.billing.email,
        ),
    )


def refunded(read: wire.Order, refunds: Iterable[wire.Refund]) -> dict[int, int]:
    """Line id -> pieces refunded. A refund of an amount alone takes no pieces.

    A refund's line names the order's line in its meta; where a plugin took that away, the only line of its product.
    Raises ValueError when it could be one of several: a guess would ship, or not ship, the wrong line.
    """
    pieces: defaultdict[int, int] = defaultdict(int)
    for line in (line for refund in refunds for line in refund.line_items):
        if line.quantity:
            pieces[_refunded_line(read, line)] += abs(line.quantity)
    return dict(pieces)


def _refunded_line(read: wire.Order, line: wire.RefundLine) -> int:
    named = next((str(one.value) for one in line.meta_data if one.key == "_refunded_item_id"), "")
    if named.isdigit():
        return int(named)
    product = (line.product_id, line.variation_id)
    same = [one.id for one in read.line_items if (one.product_id, one.variation_id) == product]
    if len(same) != 1:
        raise ValueError(f"refunds: line {line.id} ({line.name!r}) does not say which of {len(same)} lines it refunds")
    return same[0]


def clock_offset(read: wire.Order) -> timedelta:
    """How far the store's clock is ahead of UTC, from the pair of times that every order has."""
    if read.date_modified is None or read.date_modified_gmt is None:
        return timedelta(0)
    return read.date_modified - read.date_modified_gmt


def naive_gmt(moment: datetime) -> str:
    """`2026-11-22T07:37:40`, for use with `dates_are_gmt=true` and nothing else.

    With an offset or a Z the same flag moves the bound by the store's offset: east of Greenwich orders are missed.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def just_before(moment: datetime) -> str:
    """The bound that includes `moment`: `modified_after` is exclusive, and times are to the second."""
    return naive_gmt(moment.astimezone(UTC).replace(microsecond=0) - timedelta(seconds=1))


def utc(text: str) -> datetime:
    """A `*_gmt` time, which has no zone of its own."""
    read = datetime.fromisoformat(text)
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def wire_text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None


def same_number(found: str, asked: str) -> bool:
    """`#1001` and `1001` are the same to people."""
    return found.strip().lstrip("#") == asked.strip().lstrip("#")
