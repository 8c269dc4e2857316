"""Shipments, and how far the channel knows of them."""

from collections.abc import Sequence

import orjson

from console.project.folding import columns, newest
from waybill_common.db import Connection, Queries
from waybill_contracts.envelope import Received
from waybill_contracts.shipment_synced import ShipmentFact

_NAMES = ("bodies", "sequences", "statuses", "reasons", "fulfillment_ids", "attempts", "notes", "times")


async def project_shipments(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    events = [item.event for item in batch if isinstance(item.event, ShipmentFact)]
    found = newest(events, key=lambda e: e.shipment.shipment_id, sequence=lambda e: e.sequence)
    if found:
        rows = [_row(event) for event in found]
        await q.upsert_shipments(conn, **dict(zip(_NAMES, columns(rows, len(_NAMES)), strict=True)))


def _row(event: ShipmentFact) -> tuple[object, ...]:
    reason = getattr(event, "reason", None)
    return (
        event.shipment.model_dump(mode="json"),
        event.sequence,
        event.TYPE.removeprefix("waybill.shipment.").rsplit(".v", 1)[0],
        reason.model_dump(mode="json") if reason else None,
        _json(getattr(event, "fulfillment_ids", ())),
        getattr(event, "attempts", 0),
        _json(getattr(event, "notes", ())),
        event.at,
    )


def _json(texts: Sequence[str]) -> str:
    """A list as text: asyncpg would take a list of lists for an array of two dimensions."""
    return orjson.dumps(texts).decode()
