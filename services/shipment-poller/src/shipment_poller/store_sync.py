"""What tries at channels announce and what comes of them, stored for many orders in one transaction.

Promises: an intent is committed before its call; outcome, facts, exchange records and the next due time commit
together; a try whose lease was lost changes no turn, and one whose shipment was changed meanwhile leaves the newer
wish due. All writers lock the orders first, in order of their ids.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shipment_poller import completeness, facts
from shipment_poller.acts import Act
from shipment_poller.jobs import Finish, Job, Part
from shipment_poller.lifecycle import SyncState
from shipment_poller.model import ShipmentState
from shipment_poller.review import axis
from shipment_poller.review_orders import Columns, Tools
from waybill_common import outbox
from waybill_common.breaker import Health
from waybill_common.db import Connection, rows
from waybill_contracts.event import Event
from waybill_contracts.fulfillment_submitted import Reason
from waybill_contracts.shipment_synced import (
    ShipmentRecorded,
    ShipmentSynced,
    ShipmentSyncFailed,
    ShipmentWithdrawn,
)
from waybill_contracts.values import FulfillmentStatus, SyncStatus

Announcement = tuple[Job, list[Act]]


class _Ended(NamedTuple):
    """A part that came to an end after so many tries; a resync had it pushed again, or nobody."""

    job: Job
    part: Part
    finish: Finish
    tries: int
    resync_id: str | None


_ENDS = frozenset({SyncState.SYNCED, SyncState.FAILED, SyncState.NOT_NEEDED})


class SyncStore:
    """Writes groups of announcements and outcomes; `health` hears how the calls went."""

    def __init__(self, tools: Tools, health: Health) -> None:
        self._tools = tools
        self._q = tools.queries
        self._health = health

    async def announce(self, conn: Connection, group: Sequence[Announcement]) -> None:
        """Steps and intents, before the calls."""
        steps, intents, closed = Columns(), Columns(), Columns()
        for job, acts in group:
            for part in {id(act.part): act.part for act in acts}.values():
                notified = any(act.notify for act in acts if act.part is part)
                steps.add(
                    shipment_ids=part.shipment_id, revisions=part.revision, states=part.state.value, notified=notified
                )
            for act in acts:
                if act.intent is not None:
                    intents.add(
                        intent_ids=act.intent.intent_id,
                        shipment_ids=act.part.shipment_id,
                        contents=act.intent.content.as_json(),
                        ended=act.intent.ended_at,
                    )
            for intent_id, state in job.closed.items():
                closed.add(intent_ids=intent_id, states=state)
        await self._q.lock_orders(conn, order_ids=[job.order_id for job, _ in group])
        await self._q.begin_work(conn, **steps.values)
        if closed:
            await self._q.close_intents(conn, **closed.values)
        if intents:
            await self._q.open_intents(conn, **intents.values)

    async def finish(self, conn: Connection, jobs: Sequence[Job]) -> None:
        """Outcomes, facts and the next due times."""
        await self._q.lock_orders(conn, order_ids=[job.order_id for job in jobs])
        untold = sorted({shipment_id for job in jobs for shipment_id in job.untold})
        if untold:
            await self._q.not_notified(conn, shipment_ids=untold)
        await self._bindings(conn, jobs)
        ended = await self._syncs(conn, jobs)
        messages = await self._facts(conn, jobs, ended)
        for job in jobs:
            messages += facts.exchanges(job.exchanges)
        messages += await self._healths(conn, jobs)
        await outbox.append(conn, messages)
        await self._q.finish_pushes(
            conn, order_ids=[job.order_id for job in jobs], tokens=[job.lease.token for job in jobs]
        )

    async def _bindings(self, conn: Connection, jobs: Sequence[Job]) -> None:
        bound, unbound, closed, left = Columns(), Columns(), Columns(), Columns()
        for job in jobs:
            for fulfillment_id, (shipment_id, sent, adopted) in job.new_bound.items():
                bound.add(
                    channels=job.channel,
                    fulfillment_ids=fulfillment_id,
                    shipment_ids=shipment_id,
                    order_ids=job.order_id,
                    sent=sent.as_json(),
                    adopted=adopted,
                    shown=job.shown[fulfillment_id].as_json() if fulfillment_id in job.shown else None,
                )
            for fulfillment_id in job.unbound:
                unbound.add(channels=job.channel, fulfillment_ids=fulfillment_id)
            for intent_id, state in job.closed.items():
                closed.add(intent_ids=intent_id, states=state)
            for intent_id, (ended_at, missing_at) in job.left_open.items():
                left.add(intent_ids=intent_id, ended=ended_at, missing=missing_at)
        if bound:
            kept = {row["fulfillment_id"] for row in await rows(self._q.bind_fulfillments(conn, **bound.values))}
            lost = set(bound.values["fulfillment_ids"]) - kept
            if lost:
                raise ValueError(
                    f"fulfillments {sorted(lost)} belong to other shipments already: one of theirs is one of ours"
                )
        if unbound:
            await self._q.unbind_fulfillments(conn, **unbound.values)
        if closed:
            await self._q.close_intents(conn, **closed.values)
        if left:
            await self._q.leave_intents(conn, **left.values)

    async def _syncs(self, conn: Connection, jobs: Sequence[Job]) -> dict[str, _Ended]:
        """Stores each part's finish; answers those that came to an end, with the number of tries."""
        columns = Columns()
        parts = {part.shipment_id: (job, part) for job in jobs for part in job.parts if part.finish is not None}
        for shipment_id, (_, part) in parts.items():
            finish = part.finish
            assert finish is not None
            columns.add(
                shipment_ids=shipment_id,
                revisions=part.revision,
                states=finish.state.value,
                due_in=finish.due_in,
                attempts=finish.attempts,
                looks=finish.looks,
                tries=int(finish.tried),
                reasons=None if finish.reason is None else finish.reason.model_dump(),
            )
        if not columns:
            return {}
        ended = {}
        for row in await rows(self._q.finish_syncs(conn, **columns.values)):
            job, part = parts[row["shipment_id"]]
            assert part.finish is not None
            if part.finish.state in _ENDS:
                ended[part.shipment_id] = _Ended(job, part, part.finish, row["tries"], row["resync_id"])
        return ended

    async def _facts(self, conn: Connection, jobs: Sequence[Job], ended: dict[str, _Ended]) -> list[outbox.Message]:
        axes = await self._axes(conn, [job.order_id for job in jobs])
        if not ended:
            return []
        history, messages, now = Columns(), [], self._tools.clock.now()
        for row in await rows(self._q.next_sequences(conn, shipment_ids=sorted(ended))):
            one = ended[row["shipment_id"]]
            job, finish = one.job, one.finish
            fact = _fact(now, row, one.part, finish, one.tries, axes[job.order_id])
            messages.append(facts.message(fact, job.span, one.resync_id))
            history.add(
                shipment_ids=row["shipment_id"],
                sequences=row["sequence"],
                states=row["state"],
                syncs=finish.state.value,
                reasons=None if finish.reason is None else finish.reason.model_dump(),
            )
        await self._q.save_history(conn, **history.values)
        return messages

    async def _axes(self, conn: Connection, order_ids: list[str]) -> dict[str, tuple[FulfillmentStatus, SyncStatus]]:
        """The orders' axes as they are now; stored where the second one moved."""
        syncs: dict[str, list[SyncStatus]] = defaultdict(list)
        known: dict[str, FulfillmentStatus] = {}
        for row in await rows(self._q.axes_of(conn, order_ids=order_ids)):
            known[row["order_id"]] = FulfillmentStatus(row["fulfillment"])
            sync = None if row["sync"] is None else SyncState(row["sync"])
            syncs[row["order_id"]].append(axis(ShipmentState(row["state"]), sync))
        worst = {order_id: completeness.worst(found) for order_id, found in syncs.items()}
        await self._q.save_axes(conn, order_ids=list(worst), syncs=[sync.value for sync in worst.values()])
        return {order_id: (known[order_id], worst[order_id]) for order_id in known}

    async def _healths(self, conn: Connection, jobs: Sequence[Job]) -> list[outbox.Message]:
        told = []
        for job in sorted(jobs, key=lambda one: one.channel):  # one lock order for all replicas
            for family, cause in job.health:
                change = await self._health.note(
                    conn, job.channel, family, credential_version=job.credential_version, cause=cause
                )
                if change is not None:
                    told += [facts.message(e) for e in facts.connection_changed(self._tools.clock.now(), change)]
        return told


def _fact(
    at: datetime, row: Any, part: Part, finish: Finish, tries: int, axes: tuple[FulfillmentStatus, SyncStatus]
) -> Event:
    told: dict[str, Any] = {"sequence": row["sequence"], "at": at, "shipment": facts.shipment_in(row)}
    told |= {"fulfillment": axes[0], "sync": axes[1]}
    if finish.state is SyncState.SYNCED:
        ids = tuple(bound.fulfillment_id for bound in part.bound)
        adopted = any(one in part.adopted for one in ids)
        return ShipmentSynced(**told, fulfillment_ids=ids, attempts=max(tries, 1), adopted=adopted, notes=finish.notes)
    if finish.state is SyncState.FAILED:
        assert finish.reason is not None
        return ShipmentSyncFailed(**told, reason=finish.reason, attempts=tries)
    if ShipmentState(row["state"]) is ShipmentState.RECORDED:  # its pieces count with another part of the kit now
        return ShipmentRecorded(**told)
    reason = Reason(code="withdrawn_at_channel", message="the channel shows nothing of it (any more)")
    return ShipmentWithdrawn(**told, reason=reason)
