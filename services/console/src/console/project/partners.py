"""Shipments that were taken back or corrected: what partners are told of by webhook (SP-5)."""

from collections.abc import Sequence

from waybill_common.db import Connection, Queries
from waybill_contracts.envelope import Received
from waybill_contracts.shipment_synced import ShipmentFact, ShipmentRecorded, ShipmentWithdrawn


async def project_partner_news(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    """Each once, however often its fact comes."""
    news = [(item.id, item.event, kind) for item in batch if (kind := _kind(item.event)) is not None]
    facts = [(event_id, event, kind) for event_id, event, kind in news if isinstance(event, ShipmentFact)]
    if facts:
        await q.add_partner_news(
            conn,
            event_ids=[event_id for event_id, _, _ in facts],
            order_ids=[event.shipment.order_id for _, event, _ in facts],
            events=[kind for _, _, kind in facts],
            bodies=[event.model_dump(mode="json", exclude={"shipment": {"by_hand"}}) for _, event, _ in facts],
            times=[event.at for _, event, _ in facts],
        )


def _kind(event: object) -> str | None:
    if isinstance(event, ShipmentWithdrawn):
        return "shipment.withdrawn"
    return "shipment.corrected" if isinstance(event, ShipmentRecorded) and event.corrected else None
