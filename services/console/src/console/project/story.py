"""Activities, transaction records, alerts, connection states and configuration receipts."""

from collections.abc import Sequence

from console.activity import Activity, activity_of
from console.project.folding import columns
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.alerts_raised import AlertCleared, AlertRaised, ConfigApplied, ConnectionStateChanged
from waybill_contracts.envelope import Received
from waybill_contracts.exchanges_recorded import ExchangeRecorded
from waybill_contracts.personal import without_person

_ACTIVITY = (
    "event_ids",
    "order_ids",
    "times",
    "services",
    "activities",
    "titles",
    "details",
    "fr_ids",
    "shipment_ids",
    "causes",
)


async def project_activities(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    """One for each event id. A receipt that is given again has its old id and a new time: the first word stays."""
    first: dict[str, tuple[Received, Activity]] = {}
    for item in batch:
        what = activity_of(item.event)
        if what is not None and (item.id not in first or item.event.at < first[item.id][0].event.at):
            first[item.id] = item, what
    rows = [
        (item.id, what.order_id, item.event.at, item.source.removeprefix("waybill/"), *what[1:], item.event.caused_by)
        for item, what in (first[event_id] for event_id in sorted(first))
    ]
    if rows:
        await q.insert_activities(conn, **dict(zip(_ACTIVITY, columns(rows, len(_ACTIVITY)), strict=True)))


async def project_records(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    """One for each exchange; of an exchange about somebody who was erased, only that it was."""
    events = [item.event for item in batch if isinstance(item.event, ExchangeRecorded)]
    if events:
        about = list({order_id for event in events for order_id in event.order_ids})
        erased = {row["key"] for row in await rows(q.erased_of(conn, order_ids=about))} if about else set()
        bodies = [event.model_dump(mode="json") for event in events]
        plain = [without_person(body) if erased & set(body["order_ids"]) else body for body in bodies]
        await q.insert_records(conn, bodies=plain, times=[event.at for event in events])


async def project_alerts(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    """Alerts and connection states are rare: one statement each, in order."""
    for item in batch:
        event = item.event
        if isinstance(event, AlertRaised):
            await q.raise_alert(
                conn, alert=event.alert, title=event.title, detail=event.detail, action=event.action, at=event.at
            )
        elif isinstance(event, AlertCleared):
            await q.clear_alert(conn, alert=event.alert, at=event.at)
        elif isinstance(event, ConnectionStateChanged):
            await q.upsert_connection(
                conn,
                connection=event.connection,
                service=event.service,
                state=event.state.value,
                detail=event.detail,
                at=event.at,
            )


async def project_config_receipts(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    events = [item.event for item in batch if isinstance(item.event, ConfigApplied)]
    if events:
        await q.upsert_config_receipts(
            conn,
            services=[event.service for event in events],
            entities=[event.entity for event in events],
            versions=[event.version for event in events],
            times=[event.at for event in events],
        )
