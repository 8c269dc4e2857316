"""The platform library's words in ours, so that the rules import no platform."""

from shipment_poller.model import Said, SaidLine, SaidStatus
from waybill_platforms.model.shipments import SourceShipment


def said_by(shipment: SourceShipment) -> Said:
    """The platform library's words in ours."""
    return Said(
        id=shipment.id,
        reference=shipment.reference,
        platform_id=shipment.platform_id or "",
        status=SaidStatus(shipment.status),
        lines=tuple(SaidLine(line_ref=one.line_ref, sku=one.sku, quantity=one.quantity) for one in shipment.lines),
        carrier=shipment.carrier,
        tracking_numbers=shipment.tracking_numbers,
        tracking_url=shipment.tracking_url,
        shipped_at=shipment.shipped_at,
        updated_at=shipment.updated_at,
    )
