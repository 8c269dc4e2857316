"""The completeness audit: what a channel shows of a window against what is here (IN-14), and imports of past windows.

A walk over the channel's pages, each in one transaction: what was missing or differs is taken in by the one verb, then
lines and quantities are compared once more by other code than the verb's. Which orders were shown is kept in a table,
so the two sets are compared by the database, sorted, and memory holds one page however long the window is. A walk that
fails goes on where its committed pages end. Whatever it healed raises an alert; what it could not explain does too.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from order_ingest.audit_result import Found, conclude
from order_ingest.audit_rules import heal_of, unlike
from order_ingest.audit_walk import Walk, WalkLost
from order_ingest.calls import Calls, NotConfigured
from order_ingest.cursor import LONG_OVERLAP
from order_ingest.import_orders import Batch, Counts, import_orders
from order_ingest.named import q
from order_ingest.page_turns import PageTurns
from order_ingest.seen import Seen, newest, seen
from order_ingest.side_by_side import SideBySide
from waybill_common.breaker import Blocked
from waybill_common.budget import BudgetWait, patient
from waybill_common.db import Connection, affected, rows, transaction, transient
from waybill_common.ids import new_id
from waybill_common.leases import Lease, LeasedTable, claim, give_up
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.orders import ChannelOrder, OrderPage
from waybill_platforms.ports import OrderReader
from waybill_platforms.recording import Exchange, recording

TABLE = LeasedTable(table="audits", id="audit_id", connection="channel", where="t.state = 'waiting'")
VIA = "audit"
PAGE = 100
HOLD = timedelta(minutes=2)
BESIDE = 16
"""Audits under way side by side: a short one does not wait for the end of a long one."""
AT_ONCE = 2
"""Pages of theirs in hand: they are in no hurry, and share their channels' budgets with the pulls."""
DAILY_REACH = timedelta(days=7)
LONGEST_WAIT = 30.0
MOST_ATTEMPTS = 8
AGAIN_IN = timedelta(minutes=1)


class AuditChannel:
    """The worker that walks."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._running = SideBySide(calls.pool, TABLE, HOLD)
        self._walked: set[str] = set()
        self._turns = PageTurns(AT_ONCE)

    async def plan(self) -> int:
        """Asks for each channel's daily audit; returns how many were asked for."""
        ids = [new_id() for _ in range(50)]
        return affected(await q().plan_daily(self._calls.pool, ids=ids, reach=DAILY_REACH))

    async def turn(self) -> int:
        """Takes up what is due and waits a moment for what runs; returns how many were taken up or ended."""
        return await self._start_due() + await self._running.look()

    @property
    def busy(self) -> bool:
        """Whether an audit is under way."""
        return len(self._running) > 0

    async def close(self) -> None:
        """Ends what runs; another replica, or the next start, goes on where the committed pages end."""
        await self._running.close()

    async def _start_due(self) -> int:
        calls = self._calls
        async with calls.pool.acquire() as conn:
            blocked = await calls.health.blocked(conn)
            excluded = Blocked(blocked | self._walked, blocked.probing - self._walked)
            leases = await claim(
                conn, TABLE, limit=max(BESIDE - len(self._running), 0), per_connection=1, hold=HOLD,
                exclude_connections=excluded,
            )  # fmt: skip
        for lease in leases:
            self._walked.add(lease.row["channel"])
            self._running.start(lease, self._run(lease))
        return len(leases)

    async def _run(self, lease: Lease) -> None:
        try:
            await self._walk(lease)
        except asyncio.CancelledError:
            async with self._calls.pool.acquire() as conn:
                await give_up(conn, TABLE, [lease], timedelta(0))
            raise
        finally:
            self._walked.discard(lease.row["channel"])

    async def _walk(self, lease: Lease) -> None:
        channel = await rows(q().listing(self._calls.pool, channel=lease.row["channel"]))
        walk = Walk(lease, channel[0]["cursor_at"] if channel else None)
        exchanges: list[Exchange] = []
        try:
            reader, walk.credentials = await self._calls.reader(walk.channel)
            await self._pages(reader, walk, exchanges)
            await conclude(self._calls, reader, walk.lease, VIA)
        except BudgetWait as wait:
            async with self._calls.pool.acquire() as conn:
                await give_up(conn, TABLE, [lease], timedelta(seconds=wait.seconds))
        except PlatformError as error:
            used = 0 if self._calls.health.is_blocked(walk.channel) else 1
            later = self._calls.wait(error, lease.attempts + 1, AGAIN_IN)
            async with transaction(self._calls.pool) as conn:
                await self._calls.failed(conn, walk.channel, walk.credentials, error, exchanges)
                await self._fail(conn, lease, error.message, used, later)
        except (NotConfigured, WalkLost) as error:
            async with transaction(self._calls.pool) as conn:
                await self._fail(conn, lease, str(error), 1, AGAIN_IN)
        except Exception as error:
            async with transaction(self._calls.pool) as conn:
                await self._fail(conn, lease, f"{type(error).__name__}: {error}"[:1000], not transient(error), AGAIN_IN)
            raise

    async def _pages(self, reader: OrderReader, walk: Walk, exchanges: list[Exchange]) -> None:
        page_token: str | None = None
        while True:
            exchanges.clear()
            async with self._turns.turn() as mine:
                read_at = self._calls.clock.now()
                page = await mine.awaited(self._read(reader, walk, page_token, exchanges))
                await self._keep(walk, page, read_at, exchanges)
            if walk.ends_with(page):
                return
            page_token = page.next

    async def _read(
        self, reader: OrderReader, walk: Walk, page_token: str | None, exchanges: list[Exchange]
    ) -> OrderPage:
        with recording(attempt=walk.lease.attempts + 1) as exchanged, patient(LONGEST_WAIT):
            try:
                return await reader.list_changed(walk.since, page_token, PAGE)
            finally:
                exchanges += exchanged

    async def _keep(self, walk: Walk, page: OrderPage, read_at: datetime, exchanges: Sequence[Exchange]) -> None:
        """One page: compared, taken in, compared again; with what was exchanged, and the lease."""
        orders = [order for order in page.orders if walk.holds(order)]
        sightings = newest(seen(walk.channel, order, read_at=read_at, via=VIA) for order in orders)
        async with transaction(self._calls.pool) as conn:
            found, problems = await self._take_in(conn, walk, sightings)
            await self._calls.succeeded(conn, walk.channel, walk.credentials, exchanges, found.order_ids)
            await found.keep(conn, walk.lease.id)
            resume_at = page.orders[-1].updated_at if page.orders else walk.since
            done = await q().keep_audit(
                conn, audit_id=walk.lease.id, token=walk.lease.token, hold=HOLD, resume_at=resume_at,
                problems=[*page.problems, *problems],
            )  # fmt: skip
            if affected(done) == 0:
                raise WalkLost(f"audit of {walk.channel}: the lease ended before its page was committed")

    async def _take_in(self, conn: Connection, walk: Walk, sightings: Sequence[Seen]) -> tuple[Found, list[str]]:
        ids = [sighting.order.id for sighting in sightings]
        before = await _copies(conn, walk.channel, ids)
        counts, problems = await self._import(conn, walk, sightings)
        if walk.asked:
            await q().ask_for(conn, channel=walk.channel, ids=ids)
        after = await _copies(conn, walk.channel, ids)
        found = Found(counts.order_ids)
        for sighting in sightings:
            order = sighting.order
            fresh = walk.cursor_at is None or order.updated_at > walk.cursor_at - LONG_OVERLAP
            heal = heal_of(order, before.get(order.id), after.get(order.id), fresh=fresh)
            found.add(order.id, "" if walk.asked else heal, unlike(order, after.get(order.id)))
            if heal in ("missing", "changed") and not walk.asked:
                await self._tell(conn, walk.channel, order, heal)
        return found, problems

    async def _import(self, conn: Connection, walk: Walk, sightings: Sequence[Seen]) -> tuple[Counts, list[str]]:
        """All at once, else each alone: one that cannot be taken in keeps no other out, and is told."""
        try:
            return await self._import_some(conn, walk, sightings), []
        except Exception as error:
            if transient(error):
                raise
        counts, problems = Counts(), []
        for sighting in sightings:
            try:
                counts.add(await self._import_some(conn, walk, [sighting]))
            except Exception as error:
                if transient(error):
                    raise
                problems.append(f"{sighting.order.number}: {type(error).__name__}: {error}"[:500])
        return counts, problems

    async def _import_some(self, conn: Connection, walk: Walk, sightings: Sequence[Seen]) -> Counts:
        async with conn.transaction():
            rules = await self._calls.rulebook.of(conn, sightings)
            known = [sighting for sighting in sightings if sighting.channel in rules]
            now = self._calls.clock.now()
            return await import_orders(conn, Batch(known, rules, self._calls.telemetry, now, asked=walk.asked))

    async def _tell(self, conn: Connection, channel: str, order: ChannelOrder, heal: str) -> None:
        """Recovery in silence would hide its cause: each heal is an alert."""
        what = "was not here" if heal == "missing" else "was here with other content"
        title = f"Order {order.number[:100]} of channel {channel} {what}: the audit took it in as the channel shows it"
        detail = f"changed at the channel {order.updated_at:%Y-%m-%d %H:%M:%S} UTC, and no pull or webhook brought it"
        await self._calls.alerts.raised(conn, f"{healed_prefix(channel)}{order.id[:200]}", title, detail)

    async def _fail(self, conn: Connection, lease: Lease, error: str, used: int, wait: timedelta) -> None:
        await q().fail_audit(
            conn, audit_id=lease.id, token=lease.token, due_in=wait, used=int(used), error=error, most=MOST_ATTEMPTS
        )
        if lease.attempts + used >= MOST_ATTEMPTS:
            title = f"The audit of channel {lease.row['channel']} was given up after {MOST_ATTEMPTS} failures in a row"
            await self._calls.alerts.raised(conn, f"audit-failed/{lease.row['channel']}", title, error)


async def _copies(conn: Connection, channel: str, ids: Sequence[str]) -> dict[str, Any]:
    """What we have of these orders, by the channel's ids."""
    return {row["channel_order_id"]: row for row in await rows(q().copies_of(conn, channel=channel, ids=ids))}


def healed_prefix(channel: str) -> str:
    """What the alerts about a channel's heals begin with."""
    return f"audit-healed/{channel}/"
