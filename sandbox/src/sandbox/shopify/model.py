"""What an emulated Shopify shop keeps: orders with lines, fulfillment orders and fulfillments.

Attribute names are the platform's field names in snake case, so that most fields need no resolver. Times are whole
seconds since the epoch, as the platform's own times are to the second. Ids are bare numbers, gids are made going out.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Line:
    id: int
    sku: str | None
    title: str
    quantity: int
    current_quantity: int
    """`quantity` less what was refunded or removed."""
    price: str
    requires_shipping: bool = True
    is_gift_card: bool = False
    custom_attributes: list[tuple[str, str]] = field(default_factory=list)
    variant_id: int | None = None
    """None: a custom line, which no stock stands behind."""


@dataclass(slots=True)
class Address:
    first_name: str
    last_name: str
    address1: str
    city: str
    country_code_v2: str
    zip: str = ""
    company: str | None = None
    address2: str | None = None
    province_code: str | None = None
    phone: str | None = None


@dataclass(slots=True)
class FulfillmentOrderLine:
    id: int
    line_id: int
    total_quantity: int
    remaining_quantity: int


@dataclass(slots=True)
class FulfillmentOrder:
    id: int
    location_id: int
    status: str
    created_at: int
    updated_at: int
    lines: list[FulfillmentOrderLine]
    holds: list[str] = field(default_factory=list)
    """Reasons of the holds on it; not empty means ON_HOLD."""

    @property
    def remaining(self) -> int:
        return sum(line.remaining_quantity for line in self.lines)

    @property
    def total(self) -> int:
        return sum(line.total_quantity for line in self.lines)


@dataclass(slots=True)
class FulfilledLine:
    id: int
    line_id: int
    quantity: int
    fulfillment_order_id: int
    fulfillment_order_line_id: int


@dataclass(slots=True)
class Fulfillment:
    id: int
    name: str
    status: str
    created_at: int
    updated_at: int
    location_id: int
    lines: list[FulfilledLine]
    company: str | None = None
    numbers: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    """As sent by the caller; what the shop shows can differ (unknown carriers)."""
    notify_customer: bool = False
    by_api: bool = True
    """False for those that stood there before the run (seeded)."""


@dataclass(slots=True)
class Order:
    id: int
    number: int
    name: str
    created_at: int
    updated_at: int
    display_financial_status: str
    currency_code: str
    lines: list[Line]
    shipping_address: Address | None
    shipping_title: str | None
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    source_identifier: str | None = None
    source_name: str = "web"
    po_number: str | None = None
    cancelled_at: int | None = None
    cancel_reason: str | None = None
    closed_at: int | None = None
    shipping_price: str = "0.00"
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    metafields: list[tuple[str, str, str]] = field(default_factory=list)
    """(namespace, key, value)"""
    by_program: bool = False
    """Made by `orderCreate`."""
    risk: str = "NONE"
    """What Shopify recommends: ACCEPT, INVESTIGATE, CANCEL, NONE."""
    receipt_sent: bool = False
    """The buyer was sent a mail about it."""
    expectation: str = "any"
    """What a right run makes of it: shipped, held:<reason>, excluded:<reason>, canceled, or any (not judged)."""

    def line(self, line_id: int) -> Line:
        return next(line for line in self.lines if line.id == line_id)

    def fulfilled(self, line_id: int) -> int:
        """Pieces of the line in fulfillments that stand (SUCCESS)."""
        return sum(
            part.quantity
            for made in self.fulfillments
            if made.status == "SUCCESS"
            for part in made.lines
            if part.line_id == line_id
        )
