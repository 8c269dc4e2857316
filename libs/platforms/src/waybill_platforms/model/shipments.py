"""What a source says that it shipped."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ShipmentStatus = Literal["shipped", "canceled", "unknown"]


@dataclass(frozen=True, slots=True)
class SourceShipmentLine:
    line_ref: str | None
    """As submitted; None where the platform only names the SKU."""
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SourceShipment:
    """One parcel, or several under one number, as the source reports it."""

    id: str
    reference: str
    platform_id: str | None
    status: ShipmentStatus
    lines: tuple[SourceShipmentLine, ...]
    carrier: str
    tracking_numbers: tuple[str, ...]
    tracking_url: str | None
    shipped_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ShipmentPage:
    shipments: tuple[SourceShipment, ...]
    next: str | None
    problems: tuple[str, ...] = ()
    """Shipments that could not be read, each with its id and what is wrong; the others of the page are here."""
    whole: tuple[str, ...] = ()
    """References of which this page has every shipment that stands: one told of before and not here was withdrawn.
    For platforms that forget what is deleted; there a shipment's id begins with the request's: `platform_id/`."""
