"""Facts about orders and FRs become our own copies of them, and what follows from that is reviewed at once.

Promises: batch-wise, a handful of statements; only newer facts change anything, whatever order they come in; each
`fr.submitted` is answered with `fr.watched`, duplicates too, so that a lost answer heals.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shipment_poller import completeness, facts, judgement
from shipment_poller.record_shipments import apply_early
from shipment_poller.review_orders import Columns, Tools, review_orders
from waybill_common import outbox
from waybill_common.db import Connection, rows
from waybill_contracts import tracing
from waybill_contracts.configuration import Platform
from waybill_contracts.envelope import Received
from waybill_contracts.fr_created import FrCreated, FrVoidRequested, ShippedAfterAll
from waybill_contracts.fulfillment_submitted import FrAcknowledged, FrProgress, FrState, FrSubmitted, Outcome, Recall
from waybill_contracts.orders_imported import OrderFact
from waybill_contracts.values import FulfillmentRequest, FulfillmentStatus, Order

_FIRST_LOOK = timedelta(minutes=15)


@dataclass(slots=True)
class _Fr:
    """The newest of one FR in a batch, and its content from whichever fact brought it."""

    order_id: str
    source: str
    number: str
    platform_id: str = ""
    state: FrState = FrState.UNPROCESSED
    outcome: Outcome = Outcome.NONE
    recall: Recall = Recall.NONE
    sequence: int = 0
    fr: FulfillmentRequest | None = None


@dataclass(slots=True)
class _Batch:
    orders: dict[str, tuple[Order, str | None]] = field(default_factory=dict)
    frs: dict[str, _Fr] = field(default_factory=dict)
    asked: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    """FRs whose `fr.submitted` waits for our answer: which one (its sequence), and the trace."""
    stopped: dict[str, str] = field(default_factory=dict)
    """FRs that the router asked back -> the FR that shipped after all."""


async def watch_frs(conn: Connection, tools: Tools, received: Sequence[Received]) -> None:
    """Applies order and FR facts; other events are left out."""
    batch = _Batch()
    for one in received:
        _sort(batch, one)
    changed = await _save_orders(conn, tools, batch)
    watched = await _save_frs(conn, tools, batch)
    # words that waited first: they may be what an FR's new state is about
    ready = {fr_id: row["source"] for fr_id, row in watched.items() if _ready(row)}
    await apply_early(conn, tools, sorted(ready), set(ready.values()))
    touched = {row["order_id"] for row in watched.values() if row["has_shipments"]}
    touched |= await _note_stopped(conn, tools, batch.stopped)
    await review_orders(conn, tools, sorted(changed | touched))
    await _answer(conn, tools, batch, watched)


def _ready(row: Any) -> bool:
    state = FrState(row["state"])
    return judgement.takes_shipments(state, Outcome(row["outcome"])) or state in judgement.ENDED


def _sort(batch: _Batch, one: Received) -> None:
    event = one.event
    match event:
        case OrderFact(order=order):
            _order(batch, order, one.traceparent)
        case FrCreated(fr=fr, order=order):
            _order(batch, order, one.traceparent)
            found = batch.frs.setdefault(event.fr_id, _Fr(event.order_id, fr.source, fr.number))
            found.fr = found.fr or fr
        case FrVoidRequested(instead=ShippedAfterAll(fr_id=shipped)):
            batch.stopped[event.fr_id] = shipped
        case FrProgress():
            _progress(batch, event, one.traceparent)


def _order(batch: _Batch, order: Order, traceparent: str | None) -> None:
    known = batch.orders.get(order.order_id)
    if known is None or known[0].sequence < order.sequence:
        batch.orders[order.order_id] = (order, known[1] if known and known[1] else traceparent)


def _progress(batch: _Batch, event: FrProgress, traceparent: str | None) -> None:
    found = batch.frs.setdefault(event.fr_id, _Fr(event.order_id, event.source, event.number))
    if event.sequence > found.sequence:
        found.state, found.outcome, found.recall = event.state, event.outcome, event.recall
        found.sequence = event.sequence
    if isinstance(event, FrSubmitted):
        found.fr = found.fr or event.fr
        newest = batch.asked.get(event.fr_id)
        if newest is None or newest[0] < event.sequence:
            batch.asked[event.fr_id] = (event.sequence, traceparent)
        _order(batch, event.order, traceparent)
    if isinstance(event, FrSubmitted | FrAcknowledged) and event.platform_id:
        found.platform_id = event.platform_id


async def _save_orders(conn: Connection, tools: Tools, batch: _Batch) -> set[str]:
    """Stores newer copies; answers the orders whose review may change something."""
    columns = Columns()
    for order_id, (order, traceparent) in sorted(batch.orders.items()):
        columns.add(
            order_ids=order_id,
            sequences=order.sequence,
            channels=order.channel,
            channel_order_ids=order.channel_order_id,
            bodies=order.model_dump(mode="json"),
            traceparents=traceparent,
        )
    if not columns:
        return set()
    changed = set()
    for row in await rows(tools.queries.upsert_orders(conn, **columns.values)):
        order, _ = batch.orders[row["order_id"]]
        if row["has_shipments"] or completeness.status(order, ()) is not FulfillmentStatus(row["fulfillment"]):
            changed.add(row["order_id"])
    return changed


async def _save_frs(conn: Connection, tools: Tools, batch: _Batch) -> dict[str, Any]:
    columns = Columns()
    for fr_id, fr in sorted(batch.frs.items()):
        columns.add(
            fr_ids=fr_id,
            order_ids=fr.order_id,
            sources=fr.source,
            numbers=fr.number,
            platform_ids=fr.platform_id,
            states=fr.state.value,
            outcomes=fr.outcome.value,
            recalls=fr.recall.value,
            sequences=fr.sequence,
            frs=None if fr.fr is None else fr.fr.model_dump(mode="json"),
        )
    if not columns:
        return {}
    found = await rows(tools.queries.upsert_watches(conn, **columns.values))
    await _expect(conn, tools, {row["source"] for row in found if FrState(row["state"]) in judgement.TAKES})
    return {row["fr_id"]: row for row in found}


async def _note_stopped(conn: Connection, tools: Tools, stopped: dict[str, str]) -> set[str]:
    """Their orders, where it is news: what is told of the shipment follows."""
    if not stopped:
        return set()
    frs = sorted(stopped)
    found = tools.queries.stopped_for(conn, fr_ids=frs, instead=[stopped[fr_id] for fr_id in frs])
    return {row["order_id"] for row in await rows(found)}


async def _expect(conn: Connection, tools: Tools, sources: set[str]) -> None:
    """Their next turns come within their time; a manual source has none."""
    columns = Columns()
    for source in sorted(sources):
        configured = tools.configurations.source(source)
        if configured is None or configured.source.platform is not Platform.MANUAL:
            columns.add(sources=source, waits=configured.source.poll_every if configured else _FIRST_LOOK)
    if columns:
        await tools.queries.expect_turns(conn, **columns.values)


async def _answer(conn: Connection, tools: Tools, batch: _Batch, watched: dict[str, Any]) -> None:
    now, messages = tools.clock.now(), []
    for fr_id, (sequence, traceparent) in batch.asked.items():
        row = watched[fr_id]
        about = {tracing.ORDER_ID: row["order_id"], tracing.FR_ID: fr_id}
        with tools.telemetry.span("fr.watch", parent=traceparent, kind="consumer", attributes=about) as span:
            receipt = facts.watched(now, fr_id, row["order_id"], sequence)
            messages.append(facts.message(receipt, span.traceparent))
    await outbox.append(conn, messages)
