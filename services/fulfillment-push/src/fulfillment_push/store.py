"""Rows in and out: FRs are loaded under their row locks, decided on in memory, and saved with history and events.

Promises: a save writes row, history and outbox in the caller's transaction, in a handful of statements whatever the
number of FRs; locks are taken in the order of ids, so that consumer, send run and people never deadlock. The order is
read after the FR's lock is held, so a decision sees every change of it that was committed before.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from fulfillment_push.fr import Fr, KnownOrder, Waiting, WaitsFor
from fulfillment_push.receive import SERVICE
from fulfillment_push.shipping import Units, units_of
from waybill_common.commands import cause
from waybill_common.db import Connection, queries, rows
from waybill_common.outbox import Message, Receipt, append
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event
from waybill_contracts.fulfillment_submitted import FrShipping, FrState, FrSubmitted, Outcome, Reason, Recall
from waybill_contracts.shipment_synced import ShipmentFact
from waybill_contracts.values import Order, OrderState


class Store:
    """The service's named queries with our values on the outside."""

    def __init__(self) -> None:
        self.q = queries("fulfillment_push")

    async def newer_orders(self, conn: Connection, orders: Iterable[Order]) -> list[str]:
        """Keeps the newest copy of each order; returns the ids of those that were newer than what was stored."""
        newest: dict[str, Order] = {}
        for order in orders:
            known = newest.get(order.order_id)
            if known is None or order.sequence > known.sequence:
                newest[order.order_id] = order
        if not newest:
            return []
        found = await rows(
            self.q.upsert_orders(
                conn,
                order_ids=list(newest),
                sequences=[order.sequence for order in newest.values()],
                versions=[order.version for order in newest.values()],
                states=[order.state.value for order in newest.values()],
                bodies=[order.model_dump(mode="json") for order in newest.values()],
            )
        )
        return [row["order_id"] for row in found]

    async def frs_of_orders(self, conn: Connection, order_ids: Sequence[str]) -> list[str]:
        if not order_ids:
            return []
        return [row["fr_id"] for row in await rows(self.q.frs_of_orders(conn, order_ids=list(order_ids)))]

    async def make_known(self, conn: Connection, heard: Sequence[tuple[str, str, str | None]]) -> None:
        """A row for each (fr_id, order_id, traceparent) that has none yet."""
        if heard:
            ids, orders, traces = zip(*heard, strict=True)
            await self.q.insert_missing(conn, fr_ids=ids, order_ids=orders, traceparents=traces)

    async def load(
        self, conn: Connection, fr_ids: Collection[str], *, requests: bool = False, orders: bool = False
    ) -> dict[str, Fr]:
        """The FRs under their locks, each with what we know of its order. Unknown ids are left out.

        `requests` and `orders` add their bodies, for facts that embed them.
        """
        if not fr_ids:
            return {}
        found = await rows(self.q.lock_frs(conn, fr_ids=list(fr_ids), with_body=requests))
        order_ids = list({row["order_id"] for row in found})
        known = await rows(self.q.orders_by_id(conn, order_ids=order_ids, with_body=orders))
        copies = {
            row["order_id"]: KnownOrder(row["order_id"], row["version"], OrderState(row["state"]), row["body"])
            for row in known
        }
        return {row["fr_id"]: _fr(row, copies.get(row["order_id"])) for row in found}

    async def bound(self, conn: Connection, things: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """(source, platform id) -> the FR that it belongs to, for those that belong to one."""
        if not things:
            return {}
        sources, platform_ids = zip(*things, strict=True)
        found = await rows(self.q.bound_platform_ids(conn, sources=sources, platform_ids=platform_ids))
        return {(row["source"], row["platform_id"]): row["fr_id"] for row in found}

    async def shipped(self, conn: Connection, told: Sequence[ShipmentFact]) -> dict[str, list[Units]]:
        """Keeps the newest word about each shipment; the units of all shipments of each FR that it changes."""
        newest: dict[str, ShipmentFact] = {}
        for event in sorted(told, key=lambda event: event.sequence):
            newest[event.shipment.shipment_id] = event
        if not newest:
            return {}
        changed = await rows(
            self.q.upsert_shipments(
                conn,
                shipment_ids=list(newest),
                fr_ids=[event.shipment.fr_id for event in newest.values()],
                sequences=[event.sequence for event in newest.values()],
                units=[{"units": units_of(event)} for event in newest.values()],
            )
        )
        found: dict[str, list[Units]] = {row["fr_id"]: [] for row in changed}
        for row in await rows(self.q.shipped_units(conn, fr_ids=list(found))):
            found[row["fr_id"]].append(row["units"]["units"])
        return found

    async def save(self, conn: Connection, frs: Iterable[Fr], more: Sequence[Message] = ()) -> None:
        """Writes what changed, its history and its events, then `more` messages; facts leave in the order told."""
        frs = list(frs)
        changed = [(fr, row) for fr in frs if (row := columns(fr)) != fr.stored]
        if changed:
            await self._update(conn, changed)
        moves = [(fr.fr_id, move) for fr in frs for move in fr.moves]
        if moves:
            await self.q.insert_history(
                conn,
                fr_ids=[fr_id for fr_id, _ in moves],
                ats=[move.at for _, move in moves],
                from_states=[move.from_state and move.from_state.value for _, move in moves],
                to_states=[move.to_state.value for _, move in moves],
                whos=[move.who for _, move in moves],
                whys=[move.why for _, move in moves],
                attempts=[move.attempt for _, move in moves],
            )
        await append(conn, [message(fact, fr.traceparent) for fr in frs for fact in fr.facts] + list(more))

    async def _update(self, conn: Connection, changed: Sequence[tuple[Fr, tuple[Any, ...]]]) -> None:
        values = zip(*(row for _, row in changed), strict=True)
        arrays = {name: list(column) for name, column in zip(_COLUMNS, values, strict=True)}
        await self.q.save_frs(
            conn,
            fr_ids=[fr.fr_id for fr, _ in changed],
            bodies=[fr.body if fr.body_is_new else None for fr, _ in changed],
            **arrays,
        )


def message(fact: Event, traceparent: str | None) -> Message:
    """The outbox's form of a fact of ours; fr.submitted is sent again until the poller watches the FR."""
    receipt = Receipt(f"fr/{fact.fr_id}", fact.sequence) if isinstance(fact, FrSubmitted) else None
    return Message(*encode(fact, source=SERVICE, traceparent=traceparent, caused_by=cause()), receipt=receipt)


_COLUMNS = (
    "sources", "numbers", "states", "outcomes", "recalls", "knowns", "auto_processes", "router_sequences", "sequences",
    "order_versions", "attempts", "asks", "void_reasons", "platform_ids", "reasons", "canceled", "last_facts",
    "fact_ats", "waitings", "waiting_details", "waiting_sinces", "due_ats", "lease_tokens", "lease_untils",
    "lease_endeds", "first_missings", "handles", "shippings", "shipped", "sent_ats", "recalled_ats",
)  # fmt: skip


def columns(fr: Fr) -> tuple[Any, ...]:
    """What is stored of an FR besides its identity and body, in the order of `_COLUMNS`."""
    waiting = fr.waiting
    return (
        fr.source, fr.number, fr.state.value, fr.outcome.value, fr.recall.value, fr.known, fr.auto_process,
        fr.router_sequence, fr.sequence, fr.order_version, fr.attempts, fr.asks, fr.void_reason, fr.platform_id,
        None if fr.reason is None else fr.reason.model_dump(mode="json"), _canceled(fr), fr.last_fact,
        fr.fact_at, waiting and waiting.code.value, waiting and waiting.detail[:500], fr.waiting_since, fr.due_at,
        fr.lease_token, fr.lease_until, fr.lease_ended, fr.first_missing, fr.handle, fr.shipping.value,
        _shipped(fr), fr.sent_at, fr.recalled_at,
    )  # fmt: skip


def _canceled(fr: Fr) -> dict[str, Any]:
    return {"lines": fr.canceled, "total": [[line, sku, units] for (line, sku), units in fr.canceled_total.items()]}


def _shipped(fr: Fr) -> dict[str, Any]:
    return {"total": [[line, sku, units] for (line, sku), units in sorted(fr.shipped_total.items())]}


def _fr(row: Any, order: KnownOrder | None) -> Fr:
    reason = row["reason"]
    waiting = row["waiting"]
    fr = Fr(
        **{name: row[name] for name in _AS_IT_IS},
        state=FrState(row["state"]),
        outcome=Outcome(row["outcome"]),
        recall=Recall(row["recall"]),
        shipping=FrShipping(row["shipping"]),
        reason=None if reason is None else Reason.model_validate(reason),
        waiting=None if waiting is None else Waiting(WaitsFor(waiting), row["waiting_detail"] or ""),
        canceled=row["canceled"]["lines"],
        canceled_total={(line, sku): units for line, sku, units in row["canceled"].get("total", ())},
        shipped_total={(line, sku): units for line, sku, units in row["shipped"]["total"]},
        order=order,
    )
    fr.stored = columns(fr)
    return fr


_AS_IT_IS = (
    "fr_id", "order_id", "now", "source", "number", "known", "auto_process", "router_sequence", "sequence",
    "order_version", "attempts", "asks", "void_reason", "platform_id", "handle", "last_fact", "fact_at",
    "waiting_since", "due_at", "lease_token", "lease_until", "lease_ended", "first_missing", "sent_at", "recalled_at",
    "traceparent", "body",
)  # fmt: skip
