"""What an emulated Magento keeps. Times are whole seconds since the epoch, amounts texts with two decimals."""

from collections.abc import Iterator
from dataclasses import dataclass, field

BUNDLE, CONFIGURABLE, SIMPLE, VIRTUAL = "bundle", "configurable", "simple", "virtual"
CLOSED_TO_SHIPPING = frozenset({"payment_review", "holded", "canceled", "closed"})


@dataclass(slots=True)
class Row:
    """One row of an order. A parent's quantities are in its own pieces, a child's in all pieces of it."""

    item_id: int
    sku: str
    name: str
    product_type: str
    product_id: int
    qty_ordered: int
    price: str
    parent: int | None = None
    is_virtual: bool = False
    qty_shipped: int = 0
    qty_refunded: int = 0
    qty_canceled: int = 0
    qty_invoiced: int = 0

    @property
    def to_ship(self) -> int:
        """Newer versions count a refunded piece that had shipped once only."""
        return max(self.qty_ordered - max(self.qty_shipped, self.qty_refunded) - self.qty_canceled, 0)


@dataclass(slots=True)
class Track:
    entity_id: int
    track_number: str
    title: str
    carrier_code: str
    created_at: int


@dataclass(slots=True)
class Comment:
    entity_id: int
    comment: str
    created_at: int
    visible: int = 0


@dataclass(slots=True)
class Shipment:
    entity_id: int
    increment_id: str
    created_at: int
    updated_at: int
    items: list[tuple[int, int]]
    """(row, pieces), dummy rows included."""
    tracks: list[Track] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    source_code: str = "default"
    notified: int = 0
    ours: bool = False
    """Made through the API in this run."""


@dataclass(slots=True)
class Address:
    firstname: str
    lastname: str
    street: list[str]
    city: str
    country_id: str
    postcode: str = ""
    company: str | None = None
    region: str | None = None
    region_code: str | None = None
    region_id: int | None = None
    telephone: str | None = None
    email: str | None = None


@dataclass(slots=True)
class Order:
    entity_id: int
    increment_id: str
    created_at: int
    updated_at: int
    currency: str
    rows: list[Row]
    grand_total: str
    state: str = "new"
    status: str = "pending"
    total_paid: str | None = None
    total_refunded: str | None = None
    amount_authorized: str | None = None
    address: Address | None = None
    email: str = ""
    note: str | None = None
    shipping_method: str = ""
    shipping_description: str = ""
    payment_method: str = "checkmo"
    po_number: str | None = None
    quote_id: int | None = None
    hold_before: str | None = None
    shipments: list[Shipment] = field(default_factory=list)
    kind: str = ""
    expectation: str = "any"
    by_program: bool = False
    """Placed through a cart by a program: a request to ship, where the shop plays a source."""

    def row(self, item_id: int) -> Row:
        found = next((row for row in self.rows if row.item_id == item_id), None)
        if found is None:
            raise KeyError(f"row {item_id} of order {self.increment_id}")
        return found

    def children(self, row: Row) -> list[Row]:
        return [one for one in self.rows if one.parent == row.item_id]

    @property
    def is_virtual(self) -> bool:
        return all(row.is_virtual for row in self.rows)


@dataclass(slots=True)
class Product:
    id: int
    sku: str
    name: str
    type_id: str = SIMPLE
    price: str = "10.00"
    shipment_type: str | None = None
    """Of a bundle: "0" together, "1" separately."""
    on_hand: dict[str, int] = field(default_factory=dict)
    """By inventory source."""


@dataclass(slots=True)
class Cart:
    id: int
    masked_id: str
    items: dict[str, int] = field(default_factory=dict)
    """SKU -> pieces: a second item of the same product becomes one with the first."""
    address: Address | None = None
    method: str = ""
    description: str = ""
    is_active: bool = True


def shipped_separately(product: Product | None) -> bool:
    return product is not None and product.shipment_type == "1"


def shipping_rows(order: Order, separately: frozenset[int]) -> Iterator[Row]:
    """The rows that are really shipped; `separately` are the products of bundles shipped in parts."""
    return (row for row in order.rows if not is_dummy(order, row, separately))


def is_dummy(order: Order, row: Row, separately: frozenset[int]) -> bool:
    """As `Order\\Item::isDummy(true)` decides it."""
    if order.children(row):
        return row.product_id in separately
    if row.parent is not None:
        return order.row(row.parent).product_id not in separately
    return False
