"""Orders as a channel shows them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from waybill_contracts.values import Address, PaymentState

ChannelFulfillmentState = Literal[
    "unfulfilled", "partial", "fulfilled", "canceled", "on_hold", "not_required", "unknown"
]


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One line of an order as the channel shows it. SKUs may repeat within an order, line ids do not."""

    line_id: str
    sku: str
    title: str
    quantity: int
    """Pieces ordered; what was canceled later is not subtracted."""
    canceled: int
    """Pieces refunded or removed since: ordered − current."""
    fulfillable: int | None
    """Pieces still open at the channel now (neither shipped nor canceled); None where the platform does not say."""
    unit_price: Decimal
    requires_shipping: bool
    address: int = 0
    """Which of the order's `addresses` it goes to."""


@dataclass(frozen=True, slots=True)
class ChannelOrder:
    """One order as the channel shows it now."""

    id: str
    number: str
    updated_at: datetime
    placed_at: datetime
    currency: str
    payment: PaymentState
    fulfillment: ChannelFulfillmentState
    canceled: bool
    raw_status: str
    """The platform's own words, `financial/fulfillment`, for people."""
    total: Decimal
    email: str
    note: str
    tags: tuple[str, ...]
    addresses: tuple[Address, ...]
    """May be empty: nothing to ship, no access to customers' data, or an address without a country (see `problems`)."""
    shipping_method: str
    reference: str | None
    """What a program wrote as its own reference when it made the order; ours if we did (IN-7)."""
    lines: tuple[ChannelLine, ...]
    problems: tuple[str, ...] = ()
    """`path: what is wrong`, one for each field that could not be read."""
    fraud_risk: str = ""
    """The platform's own words when it advises against shipping; empty when it does not (IN-10)."""


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of changed orders, ascending by `updated_at`."""

    orders: tuple[ChannelOrder, ...]
    next: str | None
    """Pass it back with the same `since`; None at the end. It does not outlive the walk: a cursor is a time."""
    problems: tuple[str, ...] = ()
    """Orders that could not be read, each with its number and what is wrong; the others of the page are here."""
