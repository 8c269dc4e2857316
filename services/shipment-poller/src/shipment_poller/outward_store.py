"""What an outward audit reads of our orders, and how a page of it is stored. Part of `audit_outward`.

Promises: what is stored was compared with rows that have not changed since; facts, exchanges, alerts and the walk's
place commit together. Cannot promise that the channel stood still meanwhile: what it shows is believed on two looks.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shipment_poller.jobs import Finish, Job, Part, job_of
from shipment_poller.lifecycle import SYNC, SyncState, advance
from shipment_poller.model import Shown, Wanted
from shipment_poller.outward_rules import Kind, Owed, Standing, reason, standing
from shipment_poller.review_orders import Tools, review_orders
from shipment_poller.store_sync import SyncStore
from waybill_common.db import Connection, rows
from waybill_common.leases import Lease


@dataclass(slots=True)
class Looked:
    """One order under audit. `unread`: why the channel could not be asked about it."""

    job: Job
    number: str
    owed: Mapping[str, Owed]
    mark: tuple[Any, ...]
    """By which it is seen whether its rows have changed since."""
    standings: dict[str, Standing] = field(default_factory=dict)
    unread: str | None = None

    @property
    def asks_for_a_read(self) -> bool:
        return any(one.asks_for_a_read for one in self.owed.values())

    def compare(self, shown: Mapping[str, Shown] | None) -> None:
        """With what the channel shows; None: it does not have the order."""
        taken = {b.fulfillment_id: part.shipment_id for part in self.job.parts for b in part.bound}
        for shipment_id, one in self.owed.items():
            others = [fulfillment for fulfillment, owner in taken.items() if owner != shipment_id]
            self.standings[shipment_id] = standing(one, shown, others)

    @property
    def newly_drifted(self) -> set[str]:
        return {i for i, s in self.standings.items() if s.kind is Kind.DRIFTED and not self.owed[i].has_drifted}

    def of_kind(self, *kinds: Kind) -> list[str]:
        return [i for i, s in self.standings.items() if s.kind in kinds]

    def counts(self) -> Counter[str]:
        if self.unread is not None:
            return Counter(orders=1, owed=len(self.owed), unread=len(self.owed))
        return Counter(orders=1, owed=len(self.owed)) + Counter(s.kind.value for s in self.standings.values())


async def load(conn: Connection, tools: Tools, lease: Lease, order_ids: Iterable[str]) -> list[Looked]:
    """These orders as they are stored now."""
    return [_looked(lease, row) for row in await rows(tools.queries.outward_orders(conn, order_ids=[*order_ids]))]


def _looked(lease: Lease, row: Mapping[str, Any]) -> Looked:
    job, syncs = job_of(lease, row), {one["shipment_id"]: one for one in row["syncs"] or []}
    confirmed = {
        f["fulfillment_id"]: Shown.from_json(f["shown"]) for f in row["fulfillments"] or [] if f["shown"] is not None
    }
    owed = {
        part.shipment_id: _owed(part, syncs[part.shipment_id], row["turn"], confirmed)
        for part in job.parts
        if part.wanted is not None
    }
    mark = tuple((s["shipment_id"], s["revision"], s["round"], s["state"], s["waits"]) for s in syncs.values())
    return Looked(job, row["number"], owed, (row["turn"], *mark))


def _owed(part: Part, sync: Mapping[str, Any], turn: bool, confirmed: Mapping[str, Shown]) -> Owed:
    assert part.wanted is not None
    wanted = Wanted.from_json(part.wanted)
    waits = bool(sync["waits"]) and turn  # due, and somebody will take it
    return Owed(wanted, part.state, waits, sync["code"], part.bound, confirmed, part.by_number)


class OutwardStore:
    """Writes pages; the caller's transaction."""

    def __init__(self, tools: Tools, syncs: SyncStore) -> None:
        self._tools = tools
        self._q = tools.queries
        self._syncs = syncs

    async def keep(self, conn: Connection, lease: Lease, looked: Sequence[Looked]) -> tuple[Counter[str], list[str]]:
        """Stores what was found of these orders; what changed meanwhile is left alone and counts as pending."""
        ids = [one.job.order_id for one in looked]
        await self._q.lock_orders(conn, order_ids=ids)
        marks = {one.job.order_id: one.mark for one in await load(conn, self._tools, lease, ids)}
        counts, problems = Counter[str](), []
        for one in looked:
            if marks.get(one.job.order_id) != one.mark:
                counts += Counter(orders=1, owed=len(one.owed), pending=len(one.owed))
                one.standings = {}
                continue
            counts += one.counts()
            problems += _problems(one)
            _report(one)
        await self._syncs.finish(conn, [one.job for one in looked])
        await self._push(conn, lease, looked)
        await self._q.keep_checks(conn, order_ids=ids)
        return counts, problems

    async def push_unminded(self, conn: Connection, lease: Lease) -> Counter[str]:
        """What was recorded and nobody was asked to show: reviewed, which asks for it."""
        row = lease.row
        found = await rows(
            self._q.owed_without_sync(conn, channel=row["channel"], since=row["since"], until=row["until"], most=500)
        )
        order_ids = sorted(one["order_id"] for one in found)
        if not order_ids:
            return Counter()
        await self._q.lock_orders(conn, order_ids=order_ids)
        before = {one["shipment_id"] for one in await rows(self._q.syncs_of(conn, order_ids=order_ids))}
        await review_orders(conn, self._tools, order_ids)
        new = [
            one for one in await rows(self._q.syncs_of(conn, order_ids=order_ids)) if one["shipment_id"] not in before
        ]
        for one in new:
            await self._healed(conn, row["channel"], one["order_id"], f"shipment {one['shipment_id']}")
        return Counter(
            {"owed": len(new), Kind.MISSING.value: len(new), "orders": len({one["order_id"] for one in new})}
        )

    async def _push(self, conn: Connection, lease: Lease, looked: Sequence[Looked]) -> None:
        ids, orders = [], set()
        for one in looked:
            for shipment_id in one.of_kind(Kind.MISSING, Kind.MENDED):
                ids.append(shipment_id)
                orders.add(one.job.order_id)
            if one.of_kind(Kind.MISSING):
                await self._healed(conn, lease.row["channel"], one.job.order_id, f"order {one.number}")
        if ids:
            await self._q.push_again(conn, ids=ids)
            await self._q.arm_pushes(conn, order_ids=sorted(orders))

    async def _healed(self, conn: Connection, channel: str, order_id: str, what: str) -> None:
        title = f"A fulfillment of {what} was owed to channel {channel}, and nobody was about to push it"
        detail = "the audit pushes it now, after reading back; look at what happened to its last try"
        await self._tools.alerts.raised(conn, f"{healed_prefix(channel)}{order_id}", title, detail)


def healed_prefix(channel: str) -> str:
    """What the alerts about a channel's outward heals begin with."""
    return f"outward-healed/{channel}/"


def _report(one: Looked) -> None:
    """Drift ends as a failure that requires a person; what is gone is ours no more."""
    parts = {part.shipment_id: part for part in one.job.parts}
    for shipment_id in sorted(one.newly_drifted):
        part, found = parts[shipment_id], one.standings[shipment_id]
        state = advance(SYNC, part.state, SyncState.FAILED)
        part.finish = Finish(state, None, part.attempts, reason(found.said, found.gone), tried=False)
        for fulfillment_id in found.gone:
            one.job.unbind(part, fulfillment_id)


def _problems(one: Looked) -> list[str]:
    if one.unread is not None:
        return [f"{one.number}: it could not be read: {one.unread}"]
    said = [f"{one.number}: {'; '.join(s.said)}" for s in one.standings.values() if s.kind is Kind.DRIFTED]
    return said + [f"{one.number}: pushed now, nobody was about to" for _ in one.of_kind(Kind.MISSING)]
