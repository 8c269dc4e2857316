"""The completeness audit's outward half: what channels were told of shipments, against what they show now (IN-14).

A walk over the fulfillments that are owed to a channel, in the order in which they came, a page a turn: so memory holds
one page, and a walk that breaks goes on at its place. Only orders that should be shown are read, each by one read.
Promises: what is owed and nobody was about to push is pushed after a read-back, with an alert; what was confirmed and
is other now, on two looks, is told and left as it stands; nothing at the channel is changed by an audit.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from shipment_poller import facts
from shipment_poller.outward_rules import Kind
from shipment_poller.outward_store import Looked, OutwardStore, healed_prefix, load
from shipment_poller.push_worker import Channels
from shipment_poller.review_orders import Tools
from shipment_poller.store_sync import SyncStore
from shipment_poller.sync_order import shown_by
from waybill_common import outbox
from waybill_common.breaker import Health
from waybill_common.budget import BudgetWait, patient
from waybill_common.db import Connection, Pool, rows, transaction
from waybill_common.ids import new_id
from waybill_common.leases import Lease, LeasedTable, claim, give_up
from waybill_common.retry import Family
from waybill_contracts.configuration import Platform
from waybill_platforms.errors import PlatformError
from waybill_platforms.ports import ChannelConnection
from waybill_platforms.recording import about, recording

AUDITS = LeasedTable("outward_audits", "audit_id", "channel")
PAGE = 20
"""Owed fulfillments a turn: their reads end well within the lease even when each takes its whole time."""
HOLD = timedelta(minutes=10)
AT_ONCE = 2
"""Audits side by side: they are in no hurry, and share their channels' budgets with the pushes."""
REACH = timedelta(days=7)
AGAIN_IN = timedelta(minutes=1)
MOST_ATTEMPTS = 8
KEPT = timedelta(days=90)
LONGEST_WAIT = 30.0
BETWEEN_LOOKS = 1.0
"""Seconds, at least, between two looks at what seems to have drifted; the channel's own lag may ask for more."""


class WalkLost(Exception):
    """Another replica took it over: what this one found is not written."""


class OutwardAudits:
    """`turn` and `plan` are workers' turns. `wake` is called when something is to be pushed."""

    def __init__(self, pool: Pool, tools: Tools, channels: Channels, health: Health, wake: Callable[[], None]) -> None:
        self._pool = pool
        self._tools = tools
        self._q = tools.queries
        self._channels = channels
        self._health = health
        self._wake = wake
        self._store = OutwardStore(tools, SyncStore(tools, health))

    async def plan(self) -> int:
        """Asks for each channel's daily audit; 0, because it is in no hurry."""
        async with transaction(self._pool) as conn:
            await self._tools.configurations.refresh(conn)
            found = [c.channel for c in self._tools.configurations.channels]
            channels = [one.id for one in found if one.platform is not Platform.EVENTS]
            await self._q.plan_outward(conn, ids=[new_id() for _ in channels], channels=channels, reach=REACH)
            await self._q.forget_outward(conn, keep=KEPT)
        return 0

    async def turn(self) -> int:
        """One page of each audit that is due; returns how many were taken up."""
        async with self._pool.acquire() as conn:
            await self._tools.configurations.refresh(conn)
            blocked = await self._health.blocked(conn)
            leases = await claim(conn, AUDITS, limit=AT_ONCE, per_connection=1, hold=HOLD, exclude_connections=blocked)
        await asyncio.gather(*(self._step(lease) for lease in leases))
        return len(leases)

    async def _step(self, lease: Lease) -> None:
        configured = self._tools.configurations.channel(lease.row["channel"])
        opened = None if configured is None else self._channels.channel(configured.channel, configured.sequence)
        if configured is None or opened is None:
            await self._fail(lease, "the channel is not configured, or has no API", 1, AGAIN_IN)
            return
        looked: list[Looked] = []
        try:
            await self._page(lease, opened, configured.credential_version, looked)
        except BudgetWait as wait:
            async with self._pool.acquire() as conn:
                await give_up(conn, AUDITS, [lease], timedelta(seconds=wait.seconds))
        except PlatformError as error:
            await self._refused(lease, error, configured.credential_version, looked)
        except WalkLost:
            return
        except Exception as error:
            await self._fail(lease, f"{type(error).__name__}: {error}"[:1000], 1, AGAIN_IN)
            raise

    async def _page(self, lease: Lease, at: ChannelConnection, credentials: int, looked: list[Looked]) -> None:
        row = lease.row
        async with self._pool.acquire() as conn:
            page = await rows(
                self._q.outward_page(
                    conn, channel=row["channel"], since=row["since"], until=row["until"], after_at=row["after_at"],
                    after_id=row["after_id"], asked_at=row["asked_at"], daily=row["asked_by"] == "daily", most=PAGE,
                )
            )  # fmt: skip
            looked += await load(conn, self._tools, lease, sorted({one["order_id"] for one in page if one["look"]}))
        for one in looked:
            one.job.credential_version = credentials
        await self._look(at, looked)
        suspects = [one for one in looked if one.newly_drifted]
        if suspects:
            await asyncio.sleep(max(at.features.index_lag.total_seconds(), BETWEEN_LOOKS))
            await self._look(at, suspects)
        await self._keep(lease, page, looked)

    async def _look(self, at: ChannelConnection, looked: Sequence[Looked]) -> None:
        """Reads those that only the channel can tell about. Raises what is the connection's trouble, not an order's."""
        for one in looked:
            if not one.asks_for_a_read:
                one.compare({})
                continue
            with recording(order_ids=(one.job.order_id,)) as made, patient(LONGEST_WAIT), about("find_fulfillment"):
                try:
                    state = await at.writer.read(one.job.channel_order_id)
                except PlatformError as error:
                    if error.family in (Family.LATER, Family.UNAUTHORIZED):
                        raise
                    one.unread, one.standings = error.message, {}
                    continue
                finally:
                    one.job.exchanges += made
            one.job.health.append((None, None))
            one.compare(None if state is None else shown_by(state))

    async def _keep(self, lease: Lease, page: Sequence[Any], looked: Sequence[Looked]) -> None:
        ends = len(page) < PAGE
        async with transaction(self._pool) as conn:
            counts, problems = await self._store.keep(conn, lease, looked)
            if ends:
                counts += await self._store.push_unminded(conn, lease)
            place = page[-1] if page else {"owed_at": lease.row["after_at"], "shipment_id": lease.row["after_id"]}
            kept = await self._q.keep_outward(
                conn, audit_id=lease.id, token=lease.token, counts=dict(counts),
                problems=problems, after_at=place["owed_at"], after_id=place["shipment_id"],
            )  # fmt: skip
            if kept is None:
                raise WalkLost(f"audit of {lease.row['channel']}: the lease ended before its page was committed")
            await self._tell_drift(conn, lease.row["channel"], problems)
            if ends:
                await self._end(conn, lease)
        if counts[Kind.MISSING] or counts[Kind.MENDED]:
            self._wake()

    async def _tell_drift(self, conn: Connection, channel: str, problems: Sequence[str]) -> None:
        """One alert a channel while any of its fulfillments stands other than it was confirmed."""
        now = await self._q.drifted_at(conn, channel=channel)
        key = f"outward-drift/{channel}"
        if not now["shipments"]:
            await self._tools.alerts.cleared(conn, key)
            return
        if problems:
            title = f"Channel {channel} shows fulfillments other than it was told: changed or canceled there"
            detail = f"{now['shipments']} of {now['orders']} orders; decide for each (resync, or leave it): "
            await self._tools.alerts.raised(conn, key, title, (detail + "; ".join(problems))[:1000])

    async def _end(self, conn: Connection, lease: Lease) -> None:
        channel = lease.row["channel"]
        row = await self._q.outward_audit(conn, audit_id=lease.id)
        await self._q.finish_outward(conn, audit_id=lease.id)
        await self._tools.alerts.cleared(conn, f"outward-failed/{channel}")
        if not row["counts"].get(Kind.MISSING):
            for alert in await rows(self._q.open_alerts(conn, pattern=f"{healed_prefix(channel)}%")):
                await self._tools.alerts.cleared(conn, alert["key"])

    async def _refused(self, lease: Lease, error: PlatformError, credentials: int, looked: Sequence[Looked]) -> None:
        channel = lease.row["channel"]
        async with transaction(self._pool) as conn:
            change = await self._health.note(
                conn, channel, error.family, credential_version=credentials, cause=error.message
            )
            messages = [m for one in looked for m in facts.exchanges(one.job.exchanges)]
            if change is not None:
                messages += [facts.message(e) for e in facts.connection_changed(self._tools.clock.now(), change)]
            await outbox.append(conn, messages)
        used = 0 if self._health.is_blocked(channel) else 1
        await self._fail(lease, error.message, used, max(AGAIN_IN, timedelta(seconds=error.retry_after or 0)))

    async def _fail(self, lease: Lease, error: str, used: int, wait: timedelta) -> None:
        channel = lease.row["channel"]
        async with transaction(self._pool) as conn:
            left = await self._q.fail_outward(
                conn, audit_id=lease.id, token=lease.token, due_in=wait, used=used, error=error, most=MOST_ATTEMPTS
            )
            if left is not None and left["state"] == "failed":
                title = f"The outward audit of channel {channel} was given up after {MOST_ATTEMPTS} failures in a row"
                await self._tools.alerts.raised(conn, f"outward-failed/{channel}", title, error)
