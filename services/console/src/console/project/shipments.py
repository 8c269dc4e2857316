"""Shipments, and how far the channel knows of them."""

from collections.abc import Sequence

import orjson

from console.project.folding import columns, newest
from waybill_common.db import Connection, Queries
from waybill_contracts.envelope import Received
from waybill_contracts.shipment_synced import ShipmentConflicted, ShipmentFact, ShipmentRecorded
from waybill_contracts.values import SyncStatus

_NAMES = ("bodies", "sequences", "statuses", "reasons", "fulfillment_ids", "attempts", "notes", "times", "recorded")


async def project_shipments(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    events = [item.event for item in batch if isinstance(item.event, ShipmentFact)]
    found = newest(events, key=lambda e: e.shipment.shipment_id, sequence=lambda e: e.sequence)
    if found:
        rows = [_row(event, [e for e in events if e.aggregate == event.aggregate]) for event in found]
        await q.upsert_shipments(conn, **dict(zip(_NAMES, columns(rows, len(_NAMES)), strict=True)))


def _row(event: ShipmentFact, told: Sequence[ShipmentFact]) -> tuple[object, ...]:
    """The newest fact, and what only the others of the batch say: when it was first told, where it stands."""
    reason = getattr(event, "reason", None)
    with_ids = [e for e in told if getattr(e, "fulfillment_ids", ())]
    standing = max(with_ids, key=lambda e: e.sequence, default=event)
    return (
        event.shipment.model_dump(mode="json"),
        event.sequence,
        _status(event),
        reason.model_dump(mode="json") if reason else None,
        _json(getattr(standing, "fulfillment_ids", ())),
        max(getattr(e, "attempts", 0) for e in told),
        _json(getattr(event, "notes", ())),
        event.at,
        min(e.at for e in told),
    )


def _status(event: ShipmentFact) -> str:
    """`not_needed`: recorded, and nothing of it is to be told to the channel, which has no platform, or shows all.
    `set_aside`: it was in conflict, and a person decided that it does not count.

    The order's axis is the worst of its shipments, so a shipment that still had to be told would make it `pending`.
    """
    if isinstance(event, ShipmentRecorded) and event.sync in (SyncStatus.NOT_NEEDED, SyncStatus.SYNCED):
        return "not_needed"
    if isinstance(event, ShipmentConflicted) and event.decided is not None:
        return "set_aside"
    return event.TYPE.removeprefix("waybill.shipment.").rsplit(".v", 1)[0]


def _json(texts: Sequence[str]) -> str:
    """A list as text: asyncpg would take a list of lists for an array of two dimensions."""
    return orjson.dumps(texts).decode()
