"""What an emulated BigCommerce store keeps: orders with lines, addresses and shipments, products, hooks.

Attribute names are the platform's field names. Times are whole seconds since the epoch, as the platform's are.
"""

from dataclasses import dataclass, field

STATUSES = (
    "Incomplete", "Pending", "Shipped", "Partially Shipped", "Refunded", "Cancelled", "Declined", "Awaiting Payment",
    "Awaiting Pickup", "Awaiting Shipment", "Completed", "Awaiting Fulfillment", "Manual Verification Required",
    "Disputed", "Partially Refunded",
)  # fmt: skip
INCOMPLETE, PENDING, SHIPPED, PARTIALLY_SHIPPED, REFUNDED, CANCELLED = range(6)
AWAITING_PAYMENT, AWAITING_FULFILLMENT, VERIFICATION, PARTIALLY_REFUNDED = 7, 11, 12, 14


@dataclass(slots=True)
class Line:
    """`id` is the order_product_id."""

    id: int
    order_address_id: int
    sku: str
    name: str
    quantity: int
    price: str
    type: str = "physical"
    quantity_refunded: int = 0
    product_id: int = 0
    variant_id: int = 0

    @property
    def ships(self) -> bool:
        return self.type == "physical"


@dataclass(slots=True)
class Address:
    id: int
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    street_1: str = ""
    street_2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country_iso2: str = ""
    phone: str = ""
    email: str = ""
    shipping_method: str = ""


@dataclass(slots=True)
class Shipment:
    id: int
    order_address_id: int
    date_created: int
    items: list[tuple[int, int]]
    """(order_product_id, quantity)"""
    tracking_number: str = ""
    tracking_link: str = ""
    tracking_carrier: str = ""
    shipping_provider: str = ""
    shipping_method: str = ""
    comments: str = ""
    deleted: bool = False
    """The store forgets a deleted shipment; the sandbox remembers it for the report."""
    ours: bool = True
    """Made through the API; False for those that were seeded or made by the merchant."""


@dataclass(slots=True)
class Order:
    """`id` is the order's number as well."""

    id: int
    date_created: int
    date_modified: int
    status_id: int
    payment_status: str
    lines: list[Line]
    addresses: list[Address]
    email: str = ""
    currency_code: str = "USD"
    shipping_cost: str = "0.00"
    customer_message: str = ""
    staff_notes: str = ""
    external_order_id: str = ""
    external_source: str | None = None
    payment_method: str = "Credit Card"
    order_source: str = "www"
    status_before_hold: int = AWAITING_FULFILLMENT
    shipments: list[Shipment] = field(default_factory=list)
    kind: str = ""
    expectation: str = "any"
    """What a right run makes of it: shipped, held:<reason>, excluded:<reason>, canceled, or any (not judged)."""

    def line(self, line_id: int) -> Line:
        return next(line for line in self.lines if line.id == line_id)

    @property
    def standing(self) -> list[Shipment]:
        return [made for made in self.shipments if not made.deleted]

    def shipped(self, line_id: int) -> int:
        """Pieces of the line in shipments that stand."""
        return sum(pieces for made in self.standing for one, pieces in made.items if one == line_id)

    def open(self, line: Line) -> int:
        return max(line.quantity - line.quantity_refunded - self.shipped(line.id), 0) if line.ships else 0


@dataclass(slots=True)
class Product:
    """With one variant, as a product without options has."""

    id: int
    variant_id: int
    sku: str
    name: str
    price: str
    on_hand: int


@dataclass(slots=True)
class Hook:
    id: int
    scope: str
    destination: str
    is_active: bool
    headers: dict[str, str]
    created_at: int
    updated_at: int
    removed: bool = False
    """Kept for a restart, which would else find it in what was written before."""
