"""What an emulated WooCommerce store keeps. Times are whole seconds since the epoch; amounts are cents or texts."""

from dataclasses import dataclass, field
from typing import Any

Meta = dict[str, Any]


@dataclass(slots=True)
class Line:
    id: int
    name: str
    product_id: int
    """0: the product does not exist; the line is there all the same, empty."""
    quantity: int
    sku: str | None
    price: str
    variation_id: int = 0
    meta: list[Meta] = field(default_factory=list)
    taken: int = 0
    """Pieces that are gone from the product's stock for it (the platform's `_reduced_stock`)."""


@dataclass(slots=True)
class Refund:
    id: int
    at: int
    amount: str
    lines: list[tuple[int, int]] = field(default_factory=list)
    """(line id, pieces)."""


@dataclass(slots=True)
class Fulfillment:
    id: int
    status: str
    """fulfilled or unfulfilled; another word was stored as the latter."""
    updated_at: int
    meta: list[Meta]
    deleted_at: int | None = None
    by_api: bool = True
    automatic: bool = False
    """The store made it by itself, of goods with a file to download; nothing need have left."""

    def value(self, key: str) -> Any:
        return next((one["value"] for one in self.meta if one["key"] == key), None)

    @property
    def standing(self) -> bool:
        return self.status == "fulfilled" and self.deleted_at is None

    @property
    def pieces(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for item in self.value("_items") or ():
            found[item["item_id"]] = found.get(item["item_id"], 0) + item["qty"]
        return found


@dataclass(slots=True)
class Note:
    id: int
    at: int
    note: str
    customer_note: bool = False


@dataclass(slots=True)
class Order:
    id: int
    status: str
    currency: str
    created_at: int
    modified_at: int
    lines: list[Line]
    billing: dict[str, str]
    shipping: dict[str, str]
    paid_at: int | None = None
    completed_at: int | None = None
    payment_method: str = "stripe"
    transaction_id: str = ""
    created_via: str = "checkout"
    customer_note: str = ""
    shipping_lines: list[dict[str, str]] = field(default_factory=list)
    meta: list[Meta] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    kind: str = ""
    expectation: str = "any"

    def value(self, key: str) -> Any:
        return next((one["value"] for one in self.meta if one["key"] == key), None)

    def line(self, line_id: int) -> Line:
        return next(line for line in self.lines if line.id == line_id)

    def refunded(self, line_id: int) -> int:
        return sum(pieces for refund in self.refunds for one, pieces in refund.lines if one == line_id)

    def fulfilled(self, line_id: int) -> int:
        return sum(made.pieces.get(line_id, 0) for made in self.fulfillments if made.standing)

    def left(self, line_id: int) -> int:
        return max(self.line(line_id).quantity - self.refunded(line_id) - self.fulfilled(line_id), 0)


@dataclass(slots=True)
class Product:
    id: int
    sku: str
    name: str
    price: str
    virtual: bool = False
    downloadable: bool = False
    stock: int | None = None
    """None: not counted."""
    kind: str = "simple"
    parent_id: int = 0


@dataclass(slots=True)
class Hook:
    id: int
    name: str
    topic: str
    delivery_url: str
    secret: str
    status: str = "active"
    failures: int = 0
