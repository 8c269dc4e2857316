"""What a round of planning reads and writes, one statement a table. The queries are in `sql/`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from router.case import Case, LiveFr
from router.killed import killed_of
from router.ledger import Allocation, Key
from router.routing.plan import Rulebook
from router.routing.task import Offer, nano
from router.verdict import Verdict
from waybill_common import outbox
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.fr_created import OrderDecision
from waybill_contracts.values import ByHand, FulfillmentRequest, Order


def case_of(row: Any) -> Case:
    """The case of a row of `orders`, its FRs not yet loaded."""
    return Case(
        order=Order.model_validate(row["body"]),
        revision=row["revision"],
        answered=row["answered"],
        decisions=row["decisions"],
        frs_made=row["frs_made"],
        generate=row["generate"],
        standing=row["standing"],
        reason=row["reason"],
        traceparent=row["traceparent"],
        asked_by=None if row["asked_by"] is None else ByHand.model_validate(row["asked_by"]),
        killed=killed_of(row["killed"]),
        told=row["told_version"],
    )


async def add_frs(conn: Connection, q: Queries, cases: Sequence[Case]) -> None:
    """Loads the FRs of orders that have any."""
    by_order = {case.order.order_id: case for case in cases if case.frs_made}
    if not by_order:
        return
    frs: dict[str, LiveFr] = {}
    for row in await rows(q.frs_of_orders(conn, order_ids=list(by_order))):
        fr = LiveFr(
            fr_id=row["fr_id"],
            source=row["source"],
            number=row["number"],
            sequence=row["sequence"],
            state=row["state"],
            order_version=row["order_version"],
            body=FulfillmentRequest.model_validate(row["body"]),
            wish=row["wish"],
        )
        frs[fr.fr_id] = fr
        by_order[row["order_id"]].frs.append(fr)
    for row in await rows(q.allocations_of_frs(conn, fr_ids=list(frs))):
        frs[row["fr_id"]].allocations.append(Allocation(**dict(row)))


async def load_offers(conn: Connection, q: Queries, skus: Sequence[str], book: Rulebook) -> dict[Key, Offer]:
    """What is free of these SKUs anywhere, less each source's safety stock."""
    offers: dict[Key, Offer] = {}
    for row in await rows(q.stock_of_skus(conn, skus=list(skus))):
        site = book.sites.get(row["source"])
        if site is not None:
            free = row["free"] - site.source.stock.safety if site.tracked else None
            cost = None if row["unit_cost"] is None else nano(row["unit_cost"])
            offers[(row["source"], row["sku"])] = Offer(free, cost, row["weight_g"])
    return offers


@dataclass(slots=True)
class Round:
    """What one transaction will store."""

    revision: int
    verdicts: list[Verdict] = field(default_factory=list)
    decisions: list[tuple[OrderDecision, dict[str, Any], list[dict[str, Any]]]] = field(default_factory=list)
    """Each with its inputs and its stages."""
    frs: list[FulfillmentRequest] = field(default_factory=list)
    tracked: set[str] = field(default_factory=set)
    spoken: list[tuple[LiveFr, int, str, int]] = field(default_factory=list)
    reserved: dict[Key, int] = field(default_factory=dict)
    messages: list[outbox.Message] = field(default_factory=list)


async def save(conn: Connection, q: Queries, done: Round) -> None:
    """Reservations, decisions, FRs, where each order stands, and the outbox. The caller holds the locks."""
    if done.reserved:
        await q.reserve(
            conn,
            sources=[source for source, _ in done.reserved],
            skus=[sku for _, sku in done.reserved],
            units=list(done.reserved.values()),
        )
    await _save_decisions(conn, q, done)
    await _save_frs(conn, q, done)
    told = {event.order_id: event.sequence for event, _, _ in done.decisions}
    made: dict[str, int] = {}
    for fr in done.frs:
        made[fr.order_id] = made.get(fr.order_id, 0) + 1
    ids = [verdict.case.order.order_id for verdict in done.verdicts]
    await q.settle_orders(
        conn,
        order_ids=ids,
        standings=[verdict.standing for verdict in done.verdicts],
        reasons=[verdict.reason or None for verdict in done.verdicts],
        answered=[verdict.case.order.sequence for verdict in done.verdicts],
        decisions=[told.get(v.case.order.order_id, v.case.decisions) for v in done.verdicts],
        frs=[made.get(order_id, 0) for order_id in ids],
        asked=[verdict.case.more_to_come for verdict in done.verdicts],
        killed=[{line_id: asdict(one) for line_id, one in v.killed.items()} for v in done.verdicts],
        versions=[verdict.case.order.version for verdict in done.verdicts],
    )
    waited = [v.case.order.order_id for v in done.verdicts if v.case.standing == "waiting"]
    if waited:
        await q.forget_waits(conn, order_ids=waited)
    waits = sorted((key, v.case.order.order_id, v.needs.get(key, 1)) for v in done.verdicts for key in v.waits_for)
    if waits:
        await q.add_waits(
            conn,
            keys=[key for key, _, _ in waits],
            order_ids=[order_id for _, order_id, _ in waits],
            needs=[needs for _, _, needs in waits],
        )
    await outbox.append(conn, done.messages)


async def _save_decisions(conn: Connection, q: Queries, done: Round) -> None:
    if not done.decisions:
        return
    ats: list[datetime] = [event.at for event, _, _ in done.decisions]
    await q.add_decisions(
        conn,
        decision_ids=[event.decision.decision_id for event, _, _ in done.decisions],
        order_ids=[event.order_id for event, _, _ in done.decisions],
        sequences=[event.sequence for event, _, _ in done.decisions],
        ats=ats,
        types=[event.TYPE for event, _, _ in done.decisions],
        versions=[event.order_version for event, _, _ in done.decisions],
        revisions=[done.revision] * len(done.decisions),
        events=[event.model_dump_json() for event, _, _ in done.decisions],
        inputs=[inputs for _, inputs, _ in done.decisions],
        stages=[json.dumps(stages) for _, _, stages in done.decisions],  # a list in a list would be an array of two
    )


async def _save_frs(conn: Connection, q: Queries, done: Round) -> None:
    if done.spoken:
        await q.speak_of_frs(
            conn,
            fr_ids=[fr.fr_id for fr, _, _, _ in done.spoken],
            sequences=[sequence for _, sequence, _, _ in done.spoken],
            states=[state for _, _, state, _ in done.spoken],
            versions=[version for _, _, _, version in done.spoken],
        )
    if not done.frs:
        return
    await q.add_frs(
        conn,
        fr_ids=[fr.fr_id for fr in done.frs],
        order_ids=[fr.order_id for fr in done.frs],
        sources=[fr.source for fr in done.frs],
        numbers=[fr.number for fr in done.frs],
        versions=[fr.order_version for fr in done.frs],
        bodies=[fr.model_dump(mode="json") for fr in done.frs],
    )
    lines: dict[tuple[str, str, str], tuple[str, int]] = {}
    for fr in done.frs:
        for line in fr.lines:
            key = (fr.fr_id, line.line_id, line.sku)
            lines[key] = fr.source, line.quantity + (lines[key][1] if key in lines else 0)
    await q.add_allocations(
        conn,
        fr_ids=[fr_id for fr_id, _, _ in lines],
        line_ids=[line_id for _, line_id, _ in lines],
        skus=[sku for _, _, sku in lines],
        sources=[source for source, _ in lines.values()],
        tracked=[source in done.tracked for source, _ in lines.values()],
        quantities=[units for _, units in lines.values()],
    )
