"""A source sends off what is due, and what was sent wrongly once more."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.sources import shipping
from sandbox.sources.model import Part, Request, Shipment, ShipmentLine

if TYPE_CHECKING:
    from sandbox.sources.source import Source


def send(source: "Source", request: Request, part: Part) -> Shipment | None:
    if source.rolls(request.reference, "cancel", source.settings.cancel_rate):
        source.withdraw(request, part.pieces)
        return None
    shipment_id = f"shp_{request.id[4:]}_{len(source.made_for(request)) + 1}"
    now = source.now()
    numbers, url = shipping.tracking(source.name, shipment_id, part.boxes)
    lines = [ShipmentLine(request.lines[n].line_ref, request.lines[n].sku, q) for n, q in part.pieces]
    shipment = Shipment(
        id=shipment_id,
        source=source.name,
        request_id=request.id,
        reference=request.reference,
        order_number=request.order_number,
        status="shipped",
        lines=lines,
        carrier=shipping.carrier(source.name, shipment_id),
        tracking_numbers=numbers,
        tracking_url=url,
        shipped_at=now,
        updated_at=now,
    )
    source.known(shipment)
    if not request.parts:
        request.state = "shipped"
    request.updated_at = now
    source.keep(request)
    source.change(shipment, "shipped")
    return shipment


def send_again(source: "Source", canceled: Shipment, carrier: str) -> Shipment:
    """The same pieces under a new id, number and carrier (SP-5: cancels one and makes a new one)."""
    request, now = source.requests[canceled.request_id], source.now()
    shipment_id = f"shp_{request.id[4:]}_{len(source.made_for(request)) + 1}"
    numbers, url = shipping.tracking(source.name, shipment_id, len(canceled.tracking_numbers))
    fresh = replace(canceled, id=shipment_id, shipped_at=now, updated_at=now, status="shipped")
    fresh.tracking_numbers, fresh.tracking_url, fresh.carrier = numbers, url, carrier
    source.known(fresh)
    source.change(fresh, "shipped")
    return fresh
