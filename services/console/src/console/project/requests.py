"""FRs, as the router made them and as push moves them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from console.project.folding import columns, newest
from waybill_common.db import Connection, Queries
from waybill_contracts.envelope import Received
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.fulfillment_submitted import FrProgress, FrSubmitted

_PROGRESS = (
    "fr_ids",
    "order_ids",
    "sources",
    "numbers",
    "states",
    "outcomes",
    "recalls",
    "attempts",
    "reasons",
    "platform_ids",
    "submitted",
    "sequences",
    "times",
    "shippings",
)


async def project_requests(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    created = [item.event for item in batch if isinstance(item.event, FrCreated | FrSubmitted)]
    bodies = newest(created, key=lambda e: e.fr_id, sequence=_router_sequence)
    if bodies:
        await q.upsert_created_frs(
            conn,
            bodies=[event.fr.model_dump(mode="json") for event in bodies],
            sequences=[_router_sequence(event) for event in bodies],
            times=[min(e.at for e in created if e.fr_id == event.fr_id) for event in bodies],
        )
    progress = [item.event for item in batch if isinstance(item.event, FrProgress)]
    submitted: dict[str, datetime] = {}
    known_as: dict[str, str] = {}
    for event in sorted(progress, key=lambda e: e.sequence):
        known_as[event.fr_id] = getattr(event, "platform_id", "") or known_as.get(event.fr_id, "")
        if isinstance(event, FrSubmitted):
            submitted[event.fr_id] = min(event.at, submitted.get(event.fr_id, event.at))
    found = newest(progress, key=lambda e: e.fr_id, sequence=lambda e: e.sequence)
    if found:
        rows = [_progress_row(event, submitted, known_as) for event in found]
        await q.upsert_fr_progress(conn, **dict(zip(_PROGRESS, columns(rows, len(_PROGRESS)), strict=True)))


def _router_sequence(event: FrCreated | FrSubmitted) -> int:
    return event.sequence if isinstance(event, FrCreated) else event.router_sequence


def _progress_row(
    event: FrProgress, submitted: Mapping[str, object], known_as: Mapping[str, str]
) -> tuple[object, ...]:
    return (
        event.fr_id,
        event.order_id,
        event.source,
        event.number,
        event.state.value,
        event.outcome.value,
        event.recall.value,
        event.attempt,
        event.reason.model_dump(mode="json") if event.reason else None,
        known_as[event.fr_id] or None,
        submitted.get(event.fr_id),
        event.sequence,
        event.at,
        event.shipping.value,
    )
