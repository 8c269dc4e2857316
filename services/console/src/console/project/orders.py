"""Orders, exclusions and the router's decisions."""

import json
from collections.abc import Sequence

from console.project.folding import columns, newest
from waybill_common.db import Connection, Queries
from waybill_contracts.envelope import Received
from waybill_contracts.fr_created import OrderDecision, OrderUnroutable, Unfulfilled
from waybill_contracts.orders_imported import OrderExcluded, OrderFact
from waybill_contracts.values import Order


async def project_orders(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    """Every event that carries the order's whole copy may be the newest word about it."""
    carried = [(item, order) for item in batch if isinstance(order := getattr(item.event, "order", None), Order)]
    found = newest(carried, key=lambda pair: pair[1].order_id, sequence=lambda pair: pair[1].sequence)
    if not found:
        return
    await q.upsert_orders(
        conn,
        snapshots=[order.model_dump(mode="json") for _, order in found],
        traceparents=[item.traceparent for item, _ in found],
        times=[item.event.at for item, _ in found],
    )
    await q.forget_excluded(
        conn,
        channels=[order.channel for _, order in found],
        channel_order_ids=[order.channel_order_id for _, order in found],
    )


async def project_versions(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    """Every copy that order-ingest told, kept beside the newest one."""
    facts = {(e.order.order_id, e.order.sequence): (i, e) for i in batch if isinstance(e := i.event, OrderFact)}
    if facts:
        told = [facts[key] for key in sorted(facts)]
        await q.keep_versions(
            conn,
            snapshots=[event.order.model_dump(mode="json") for _, event in told],
            traceparents=[item.traceparent for item, _ in told],
            times=[event.at for _, event in told],
        )


async def project_excluded(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    events = [item.event for item in batch if isinstance(item.event, OrderExcluded)]
    found = newest(events, key=lambda e: e.aggregate, sequence=lambda e: e.sequence)
    if not found:
        return
    rows = [(e.channel, e.channel_order_id, e.store, e.number, e.reason, e.detail, e.sequence, e.at) for e in found]
    names = ("channels", "channel_order_ids", "stores", "numbers", "reasons", "details", "sequences", "times")
    await q.upsert_excluded(conn, **dict(zip(names, columns(rows, len(names)), strict=True)))


async def project_decisions(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    events = [item.event for item in batch if isinstance(item.event, OrderDecision)]
    found = newest(events, key=lambda e: e.order_id, sequence=lambda e: e.sequence)
    if not found:
        return
    rows = [_decision_row(event) for event in found]
    names = ("order_ids", "sequences", "routed", "reasons", "details", "lacks", "bodies", "times")
    await q.upsert_decisions(conn, **dict(zip(names, columns(rows, len(names)), strict=True)))


def _decision_row(event: OrderDecision) -> tuple[object, ...]:
    """Of an order that is routed, a part may wait all the same (`partial`): then that part's reason stands here."""
    body = event.decision.model_dump(mode="json")
    told = event.order_id, event.sequence, not isinstance(event, OrderUnroutable)
    lacks = event.decision.unfulfilled
    if isinstance(event, OrderUnroutable):
        why: tuple[str | None, str] = event.reason, event.detail
    else:
        why = (lacks[0].reason, lacks[0].detail) if lacks else (None, "")
    return *told, *why, _causes(lacks), body, event.at


def _causes(lacks: Sequence[Unfulfilled]) -> str:
    """What is wanting, once for each cause; as text, since a list of lists would be taken for an array of two."""
    causes = {(x.reason, x.source, x.sku): x.fix for x in lacks}
    found = [{"code": code, "source": source, "sku": sku, "fix": fix} for (code, source, sku), fix in causes.items()]
    return json.dumps(found)
