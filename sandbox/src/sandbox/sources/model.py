"""What an emulated source keeps: requests under their references, and shipments. Times are seconds since the epoch."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class RequestLine:
    line_ref: str
    sku: str
    quantity: int
    canceled: int = 0


@dataclass(slots=True)
class Part:
    """One shipment to come: when, and which pieces (index of the line, quantity)."""

    due: float
    pieces: list[tuple[int, int]]
    boxes: int = 1
    """Tracking numbers that it gets."""


@dataclass(slots=True)
class Request:
    id: str
    source: str
    reference: str
    order_number: str
    currency: str
    ship_to: dict[str, Any]
    shipping_method: str | None
    lines: list[RequestLine]
    state: str
    """received, acknowledged, shipped, canceled"""
    created_at: float
    updated_at: float
    parts: list[Part] = field(default_factory=list)
    posts: int = 1
    """How often it was submitted with the same content."""

    def content(self) -> tuple[Any, ...]:
        """What a second post must repeat exactly."""
        lines = sorted((line.line_ref, line.sku, line.quantity) for line in self.lines)
        return lines, sorted(self.ship_to.items()), self.shipping_method


@dataclass(slots=True)
class ShipmentLine:
    line_ref: str
    sku: str
    quantity: int


@dataclass(slots=True)
class Shipment:
    id: str
    source: str
    request_id: str
    reference: str
    order_number: str
    status: str
    """shipped or canceled"""
    lines: list[ShipmentLine]
    carrier: str
    tracking_numbers: list[str]
    tracking_url: str | None
    shipped_at: float
    updated_at: float
