"""What a shop offers, and the carriers that a channel accepts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One thing that can be ordered at a shop. SKUs may be empty or repeat there; both are worth a person's look."""

    id: str
    sku: str
    title: str


@dataclass(frozen=True, slots=True)
class ProductPage:
    products: tuple[Product, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier as a channel accepts it. `code` is what is sent."""

    code: str
    name: str
    links: bool = False
    """Whether the channel builds the tracking link of this one by itself (and so rewrites ours)."""
