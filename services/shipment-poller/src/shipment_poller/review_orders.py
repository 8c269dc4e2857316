"""Reviews orders in the caller's transaction: load (locked) -> review (pure) -> save, batch-wise.

Promises: a handful of statements however many orders; facts and rows commit together; an order without its copy or an
FR without content is left as it is. The caller wakes the workers after its commit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from shipment_poller import facts, merge
from shipment_poller.configuration import Configurations
from shipment_poller.lifecycle import SyncState
from shipment_poller.model import Said, ShipmentState, Verdict, Watched
from shipment_poller.review import Dossier, Kept, Outcome, Review, axis, review
from waybill_common import outbox
from waybill_common.alerts import Alerts
from waybill_common.clock import Clock
from waybill_common.db import Connection, Queries, rows
from waybill_common.ids import stable_id
from waybill_common.telemetry import Telemetry
from waybill_contracts import tracing
from waybill_contracts.fulfillment_submitted import FrState, Reason, Recall
from waybill_contracts.fulfillment_submitted import Outcome as Known
from waybill_contracts.shipment_synced import Decided
from waybill_contracts.values import FulfillmentRequest, FulfillmentStatus, Order, ShipmentLine, SyncStatus

_LINES = TypeAdapter(tuple[ShipmentLine, ...])


@dataclass(frozen=True, slots=True)
class Tools:
    """What the verbs of this service work with; built once in app.py."""

    queries: Queries
    configurations: Configurations
    clock: Clock
    telemetry: Telemetry
    alerts: Alerts


@dataclass(frozen=True, slots=True)
class Word:
    """A source's newest word about one shipment of an FR that takes it."""

    source: str
    fr_id: str
    order_id: str
    said: Said

    @property
    def shipment_id(self) -> str:
        return str(stable_id("shipment", self.source, self.said.id))


@dataclass(slots=True)
class _Result:
    dossier: Dossier
    review: Review
    channel: str
    traceparent: str | None


@dataclass(slots=True)
class Columns:
    """Rows for one batch statement, column-wise."""

    values: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def add(self, **row: Any) -> None:
        for name, value in row.items():
            self.values[name].append(value)

    def __bool__(self) -> bool:
        return bool(self.values)


async def review_orders(conn: Connection, tools: Tools, order_ids: Sequence[str], words: Sequence[Word] = ()) -> int:
    """Reviews these orders with what is newly said; returns how many shipments' facts were told."""
    if not order_ids:
        return 0
    results = []
    for dossier, said, row in await _load(conn, tools, sorted(set(order_ids)), words):
        rules = {watched.source: tools.configurations.rules(watched.source) for watched in dossier.watches.values()}
        results.append(_Result(dossier, review(dossier, said, rules), row["channel"], row["traceparent"]))
    return await _save(conn, tools, results)


async def _load(
    conn: Connection, tools: Tools, order_ids: Sequence[str], words: Sequence[Word]
) -> list[tuple[Dossier, dict[str, Said], Any]]:
    q = tools.queries
    orders = await rows(q.orders_for_review(conn, order_ids=order_ids))
    watches: dict[str, dict[str, Watched]] = defaultdict(dict)
    for row in await rows(q.watches_for_review(conn, order_ids=order_ids)):
        watches[row["order_id"]][row["fr_id"]] = watched_of(row)
    kept: dict[str, dict[str, Kept]] = defaultdict(dict)
    for row in await rows(q.shipments_for_review(conn, order_ids=order_ids)):
        kept[row["order_id"]][row["shipment_id"]] = _kept(row)
    heard: dict[str, dict[str, Said]] = defaultdict(dict)
    for word in sorted(words, key=lambda w: (w.said.shipped_at, w.said.id)):
        shipments = kept[word.order_id]
        stored = shipments.get(word.shipment_id)
        newer = merge.newer(stored.said if stored else None, word.said)
        if newer is None:
            continue
        if stored is None:
            shipments[word.shipment_id] = Kept(word.shipment_id, word.fr_id, word.source, newer)
        heard[word.order_id][word.shipment_id] = newer
    return [
        (_dossier(row, watches[row["order_id"]], kept[row["order_id"]]), heard[row["order_id"]], row) for row in orders
    ]


def _dossier(row: Any, watches: Mapping[str, Watched], kept: Mapping[str, Kept]) -> Dossier:
    return Dossier(
        Order.model_validate(row["body"]),
        watches,
        list(kept.values()),
        FulfillmentStatus(row["fulfillment"]),
        SyncStatus(row["sync"]),
        row["completions"],
    )


def watched_of(row: Any) -> Watched:
    fr = None if row["fr"] is None else FulfillmentRequest.model_validate(row["fr"])
    state, outcome, recall = FrState(row["state"]), Known(row["outcome"]), Recall(row["recall"])
    known = (row["fr_id"], row["order_id"], row["source"], state, outcome, fr, recall)
    return Watched(*known, row["stopped_for"])


def _kept(row: Any) -> Kept:
    reason = None if row["reason"] is None else Reason.model_validate(row["reason"])
    verdict = Verdict(
        ShipmentState(row["state"]), _LINES.validate_python(row["lines"]), row["carrier"], row["courier_known"], reason
    )
    said = Said.model_validate(row["said"])
    sync = None if row["sync"] is None else SyncState(row["sync"])
    decided = None if row["decided"] is None else Decided.model_validate(row["decided"])
    known = (row["shipment_id"], row["fr_id"], row["source"], said, verdict, row["sequence"], sync, row["wanted"])
    return Kept(*known, decided)


async def _save(conn: Connection, tools: Tools, results: Sequence[_Result]) -> int:
    shipments, history, syncs, orders, done = Columns(), Columns(), Columns(), Columns(), Columns()
    messages: list[outbox.Message] = []
    now = tools.clock.now()
    for result in results:
        _axes(result, orders, done)
        about = {tracing.ORDER_ID: result.dossier.order.order_id, tracing.CHANNEL: result.channel}
        with tools.telemetry.span("shipment.record", parent=result.traceparent, attributes=about) as span:
            for outcome in result.review.outcomes:
                _columns(result, outcome, shipments, history, syncs)
                messages += _told(now, result, outcome, span.traceparent)
            if result.review.completed:
                messages.append(_shipped(now, result, span.traceparent))
    q = tools.queries
    if shipments:
        await q.save_shipments(conn, **shipments.values)
    if history:
        await q.save_history(conn, **history.values)
    if syncs:
        await q.save_syncs(conn, **syncs.values)
        await q.arm_pushes(conn, order_ids=sorted(set(syncs.values["order_ids"])))
    if orders:
        await q.save_orders(conn, **orders.values)
    if done:
        await q.save_done(conn, **done.values)
    await outbox.append(conn, messages)
    return sum(outcome.told for result in results for outcome in result.review.outcomes)


def _axes(result: _Result, orders: Columns, done: Columns) -> None:
    seen, was = result.review, result.dossier
    if (seen.fulfillment, seen.sync) != (was.fulfillment, was.sync):
        orders.add(
            order_ids=was.order.order_id,
            fulfillments=seen.fulfillment.value,
            syncs=seen.sync.value,
            completions=was.completions + seen.completed,
        )
    for fr_id, is_done in seen.done.items():
        done.add(fr_ids=fr_id, done=is_done)


def _columns(result: _Result, outcome: Outcome, shipments: Columns, history: Columns, syncs: Columns) -> None:
    before, verdict, order_id = outcome.before, outcome.verdict, result.dossier.order.order_id
    reason = None if verdict.reason is None else verdict.reason.model_dump()
    sequence = before.sequence + outcome.told
    if not outcome.changed:
        return
    shipments.add(
        shipment_ids=before.shipment_id,
        order_ids=order_id,
        fr_ids=before.fr_id,
        sources=before.source,
        source_shipment_ids=before.said.id,
        said=before.said.model_dump(mode="json"),
        states=verdict.state.value,
        lines={"lines": [line.model_dump() for line in verdict.lines]},  # a bare list would be a second dimension
        carriers=verdict.carrier,
        known=verdict.courier_known,
        reasons=reason,
        sequences=sequence,
    )
    if outcome.told:
        sync = axis(verdict.state, outcome.sync).value
        history.add(
            shipment_ids=before.shipment_id, sequences=sequence, states=verdict.state.value, syncs=sync, reasons=reason
        )
    if outcome.rearmed:
        syncs.add(shipment_ids=before.shipment_id, order_ids=order_id, channels=result.channel, wanted=outcome.wanted)


def _told(now: datetime, result: _Result, outcome: Outcome, traceparent: str) -> list[outbox.Message]:
    if not outcome.told:
        return []
    before, verdict = outcome.before, outcome.verdict
    shipment = facts.shipment_of(
        before.shipment_id, result.dossier.order.order_id, before.fr_id, before.source, before.said, verdict
    )
    axes = (result.review.fulfillment, result.review.sync)
    told = [
        facts.message(
            facts.judged(now, before.sequence + 1, shipment, verdict, axes, outcome.corrected, before.decided),
            traceparent,
        )
    ]
    was = before.verdict.reason if before.verdict and before.verdict.state is ShipmentState.CONFLICT else None
    now_in = verdict.reason if verdict.state is ShipmentState.CONFLICT and before.decided is None else None
    if now_in is not None and now_in != was:
        told.append(facts.message(facts.conflict_alert(now, shipment, now_in)))
    if now_in is None and was is not None:
        told.append(facts.message(facts.conflict_over(now, before.shipment_id)))
    return told


def _shipped(now: datetime, result: _Result, traceparent: str) -> outbox.Message:
    order, seen = result.dossier.order, result.review
    completion = result.dossier.completions + 1
    return facts.message(facts.shipped(now, order.order_id, order.version, completion, seen.sync), traceparent)
