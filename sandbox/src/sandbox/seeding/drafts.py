"""An order as the seeding imagines it, in no platform's words; each emulated shop makes its own of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Buyer:
    """Name and address; `region` is a state's code where the country has such."""

    first_name: str
    last_name: str
    line1: str
    city: str
    country: str
    postal: str = ""
    company: str | None = None
    line2: str | None = None
    region: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class DraftLine:
    sku: str
    """As the shop calls it."""
    title: str
    quantity: int
    """Pieces ordered at first."""
    current: int
    """Of which are left after refunds."""
    price: str
    ships: bool = True
    gift_card: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    position: int
    """From 0; the shop's number is its first one and this."""
    kind: str
    at: int
    """When it was placed, seconds since the epoch."""
    lines: tuple[DraftLine, ...]
    buyer: Buyer
    shipping_method: str
    shipping_price: str
    currency: str
    payment: str
    """paid, pending, authorized or refunded."""
    email: str
    note: str | None
    expectation: str
