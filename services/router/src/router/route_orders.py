"""Due orders are routed: claimed fairly, loaded, planned off the event loop without a lock, stored in one transaction.

The transaction locks the orders, the rulebook (when somebody is to wait), the SKUs waited for and the shelves, always
in that order. What no longer holds is not stored: an order that changed meanwhile, a reservation that the shelf cannot
cover any more, a wait whose reason is gone. Those losers stay due and are planned again at once. An order that cannot
be planned at all is set aside with an alert, and tried again later; its neighbours go on.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from router.case import Case
from router.conclude import conclude
from router.decide import decide
from router.ledger import Key
from router.missing import wanted
from router.numbering import number_frs
from router.reserve import asks_of, reserve
from router.routing.plan import Rulebook
from router.routing.task import Offer
from router.rulebooks import Rulebooks
from router.store import Round, add_frs, case_of, load_offers, save
from router.verdict import Verdict
from waybill_common.alerts import Alerts
from waybill_common.db import Connection, Pool, Queries, rows, transaction, transient
from waybill_common.ids import new_id
from waybill_common.leases import Lease, LeasedTable, claim, extend, give_up
from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metric, Metrics
from waybill_common.telemetry import Telemetry
from waybill_contracts import tracing

declare_events({"route.order_set_aside": "an order cannot be planned; it is tried again later, its neighbours go on"})
ORDERS = LeasedTable("orders", "order_id", "channel")
"""Claimed in turns between channels, the longest due of each first: a flood in one makes no other wait."""

HOLD = timedelta(seconds=30)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
METRICS = (
    Metric("router_orders_total", "counter", "Orders planned and stored", ("outcome",)),
    Metric("router_losers_total", "counter", "Plans not stored because something had changed", ("why",)),
)


class RouteOrders:
    """One replica's planning; any number of them may run."""

    def __init__(
        self,
        pool: Pool,
        queries: Queries,
        books: Rulebooks,
        alerts: Alerts,
        telemetry: Telemetry,
        metrics: Metrics,
        log: Log,
        *,
        batch: int,
        hold: timedelta = HOLD,
    ) -> None:
        self._pool = pool
        self._q = queries
        self._books = books
        self._alerts = alerts
        self._telemetry = telemetry
        self._metrics = metrics
        self._log = log
        self._batch = batch
        self._hold = hold

    async def turn(self) -> int:
        """One round; how many orders it dealt with."""
        async with self._pool.acquire() as conn:
            revision, book = await self._books.current(conn)
            leases = await claim(conn, ORDERS, limit=self._batch, per_connection=self._batch, hold=self._hold)
        if leases:
            await self._deal_with(leases, revision, book)
        return len(leases)

    async def _deal_with(self, leases: Sequence[Lease], revision: int, book: Rulebook) -> None:
        try:
            await self._round(leases, revision, book)
        except Exception as error:
            if isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name == "number_used_once":
                # Another replica took the same FR number in the same moment: the next round sees it.
                await self._give_up(leases)
                self._lost("number_taken", len(leases))
            elif transient(error):
                await self._give_up(leases)  # they need not wait for the lease to end; the worker logs it and rests
                raise
            elif len(leases) == 1:
                await self._set_aside(leases[0], error)
            else:  # one of them is poison: each alone
                for lease in leases:
                    await self._deal_with([lease], revision, book)

    async def _round(self, leases: Sequence[Lease], revision: int, book: Rulebook) -> None:
        async with self._pool.acquire() as conn:
            cases = sorted(
                (case_of(lease.row) for lease in leases), key=lambda c: (c.order.placed_at, c.order.order_id)
            )
            await add_frs(conn, self._q, cases)
            skus = {sku for case in cases for _, sku in wanted(case)}
            snapshot = await load_offers(conn, self._q, sorted(skus), book)
        verdicts = await self._planned(leases, cases, book, snapshot)
        async with transaction(self._pool) as conn:
            await self._store(conn, leases, verdicts, Round(revision), book, snapshot)
            for lease in leases:
                if lease.attempts:
                    await self._alerts.cleared(conn, alert_key(lease.id))

    async def _planned(
        self, leases: Sequence[Lease], cases: list[Case], book: Rulebook, snapshot: dict[Key, Offer]
    ) -> list[Verdict]:
        """Off the event loop; however long it takes, no other replica begins the same plans anew meanwhile."""
        planning = asyncio.ensure_future(asyncio.to_thread(_decide_all, cases, book, dict(snapshot)))
        while not (await asyncio.wait([planning], timeout=self._hold.total_seconds() / 3))[0]:
            async with self._pool.acquire() as conn:
                await extend(conn, ORDERS, leases, self._hold)
        return planning.result()

    async def _set_aside(self, lease: Lease, error: Exception) -> None:
        wait = min(FIRST_WAIT * 2 ** min(lease.attempts, 10), LONGEST_WAIT)
        detail = f"{type(error).__name__}: {error}"[:1000]
        self._log.error("route.order_set_aside", order_id=lease.id, error=detail, exc_info=error)
        async with transaction(self._pool) as conn:
            await self._q.set_aside(conn, order_id=lease.id, token=lease.token, wait=wait)
            await self._alerts.raised(conn, alert_key(lease.id), f"Order {lease.id} cannot be planned", detail)

    async def _give_up(self, leases: Sequence[Lease]) -> None:
        with contextlib.suppress(Exception):  # an outage ends the lease by its time
            async with self._pool.acquire() as conn:
                await give_up(conn, ORDERS, leases, None)

    async def _store(
        self,
        conn: Connection,
        leases: Sequence[Lease],
        verdicts: list[Verdict],
        done: Round,
        book: Rulebook,
        snapshot: dict[Key, Offer],
    ) -> None:
        token: UUID = leases[0].token
        held = await rows(
            self._q.hold_orders(
                conn,
                order_ids=[v.case.order.order_id for v in verdicts],
                revisions=[v.case.revision for v in verdicts],
                token=token,
            )
        )
        ours = {row["order_id"] for row in held}
        valid = [v for v in verdicts if v.case.order.order_id in ours]
        self._lost("order_changed", len(verdicts) - len(valid))
        planned = {id(v): asks_of(v, book) for v in verdicts}  # before numbers, for want of which a plan is given up
        await number_frs(conn, self._q, valid, book)
        valid = await self._still_waiting(conn, valid, done.revision, book, snapshot)
        covered = await reserve(conn, self._q, valid, done, book)
        self._lost("stock_gone", len(valid) - len(covered))
        covered = self._without_hasty(planned, covered)
        now, batch = datetime.now(UTC), str(new_id())
        for verdict in covered:
            about = {tracing.ORDER_ID: verdict.case.order.order_id}
            with self._telemetry.span("router.route_order", parent=verdict.case.traceparent, attributes=about) as span:
                conclude(verdict, done, book, now=now, batch=batch, trace=span.traceparent)
        await save(conn, self._q, done)
        await self._q.release_lease(conn, order_ids=[lease.id for lease in leases], token=token)
        for outcome, orders in Counter(verdict.standing for verdict in done.verdicts).items():
            self._metrics.count("router_orders_total", orders, outcome=outcome)

    async def _still_waiting(
        self, conn: Connection, verdicts: list[Verdict], revision: int, book: Rulebook, snapshot: dict[Key, Offer]
    ) -> list[Verdict]:
        """Without those whose reason to wait may be gone: the rules changed, or more is free than they were planned on.

        The locks make sure that whoever changes it later sees the waits and wakes them.
        """
        waits = [verdict for verdict in verdicts if verdict.waits_for]
        if not waits:
            return verdicts
        stale: set[int] = set()
        if await self._q.hold_revision(conn) != revision:
            stale = {id(verdict) for verdict in waits}
        else:
            skus = sorted({key.removeprefix("sku/") for v in waits for key in v.waits_for if key != "config"})
            await self._q.share_skus(conn, skus=skus)
            offers = await load_offers(conn, self._q, skus, book)
            fresh = {sku for (source, sku), offer in offers.items() if _better(offer, snapshot.get((source, sku)))}
            stale = {id(v) for v in waits if any(f"sku/{sku}" in v.waits_for for sku in fresh)}
        self._lost("wait_over", len(stale))
        return [verdict for verdict in verdicts if id(verdict) not in stale]

    def _without_hasty(self, planned: Mapping[int, dict[Key, int]], kept: list[Verdict]) -> list[Verdict]:
        """Without those that wait because an earlier order of the batch was to use the units up, and now does not.

        Nothing would wake them: those units were free all along. `planned`: what each verdict's plan asked for.
        """
        stored = {id(verdict) for verdict in kept if verdict.makes_frs}
        free = {f"sku/{sku}" for verdict, asked in planned.items() if verdict not in stored for _, sku in asked}
        hasty = {id(verdict) for verdict in kept if free.intersection(verdict.waits_for)}
        self._lost("wait_over", len(hasty))
        return [verdict for verdict in kept if id(verdict) not in hasty]

    def _lost(self, why: str, orders: int) -> None:
        if orders:
            self._metrics.count("router_losers_total", orders, why=why)


def alert_key(order_id: str) -> str:
    """The alert that is open while an order cannot be planned."""
    return f"cannot-be-planned/{order_id}"


def _decide_all(cases: list[Case], book: Rulebook, stock: dict[Key, Offer]) -> list[Verdict]:
    return [decide(case, book, stock) for case in cases]


def _better(now: Offer, then: Offer | None) -> bool:
    """Whether more can be planned with `now` than with `then`."""
    if then is None:
        return True
    more = max(now.available or 0, 0) > max(then.available or 0, 0)
    return more or (now.unit_cost, now.weight_g) != (then.unit_cost, then.weight_g)
