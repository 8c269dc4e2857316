"""Pushes what is due to the channels: claims orders, tries each, stores announcements and outcomes in groups.

Promises: one order's trouble holds no other up; a channel that is down, unauthorized, not configured or out of budget
keeps its rows `pending` without using up attempts. Under a backlog a commit serves many orders.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from random import random
from typing import Protocol

from shipment_poller.acts import Act
from shipment_poller.channel_try import AtChannel
from shipment_poller.crew import Crew
from shipment_poller.group_commit import GroupCommit
from shipment_poller.jobs import Finish, Job, job_of
from shipment_poller.lifecycle import SyncState
from shipment_poller.pace import Pace
from shipment_poller.review_orders import Tools
from shipment_poller.store_sync import Announcement, SyncStore
from shipment_poller.sync_order import sync_order
from waybill_common import leases
from waybill_common.breaker import Health
from waybill_common.db import Pool, rows
from waybill_common.leases import Lease, LeasedTable
from waybill_common.logs import Log, declare_events
from waybill_contracts import tracing
from waybill_contracts.configuration import Channel
from waybill_platforms.ports import ChannelConnection
from waybill_platforms.recording import recording

declare_events({"push.connection_unusable": "a channel's configuration cannot be used; its shipments wait"})

PUSH_TURNS = LeasedTable("push_turns", "order_id", "channel")
HOLD = timedelta(seconds=75)
AT_ONCE = 128
NOT_CONFIGURED = timedelta(seconds=30)

Work = Callable[[], Awaitable[None]]


class Channels(Protocol):
    """Where open channels come from (`waybill_platforms.connections.Connections`)."""

    def channel(self, channel: Channel, version: int) -> ChannelConnection | None: ...


class PushWorker:
    """Built once; `crew.turn` is the worker's turn. `chance` gives a number from 0 to 1 for each wait's jitter."""

    def __init__(
        self,
        pool: Pool,
        tools: Tools,
        channels: Channels,
        health: Health,
        log: Log,
        chance: Callable[[], float] = random,
    ) -> None:
        self._pool = pool
        self._tools = tools
        self._channels = channels
        self._health = health
        self._log = log
        self._chance = chance
        self._pace = Pace()
        self.claims = 0
        store = SyncStore(tools, health)
        self.crew = Crew(self._claim, AT_ONCE, log)
        self.announcements: GroupCommit[Announcement] = GroupCommit(pool, store.announce, lambda: self.crew.under_way)
        self.outcomes: GroupCommit[Job] = GroupCommit(pool, store.finish, lambda: self.crew.under_way)

    async def _claim(self, room: int) -> list[Work]:
        async with self._pool.acquire() as conn:
            await self._tools.configurations.refresh(conn)
            blocked = await self._health.blocked(conn)
            excluded = type(blocked)([*blocked, *self._pace.full()], blocked.probing)
            claimed = await leases.claim(
                conn,
                PUSH_TURNS,
                limit=room,
                per_connection=self._pace.share(),
                hold=HOLD,
                exclude_connections=excluded,
            )
            if not claimed:
                return []
            self.claims += 1
            found = await rows(self._tools.queries.pushes_to_do(conn, order_ids=[lease.id for lease in claimed]))
        by_order = {row["order_id"]: row for row in found}
        for lease in claimed:
            self._pace.begun(lease.row["channel"])
        return [partial(self._push, lease, job_of(lease, by_order[lease.id])) for lease in claimed]

    async def _push(self, lease: Lease, job: Job) -> None:
        channel = lease.row["channel"]
        try:
            at = self._at(job)
            if at is not None:
                await self._try(job, at)
            elif job.open_parts:
                async with self._pool.acquire() as conn:
                    await leases.give_up(conn, PUSH_TURNS, [lease], NOT_CONFIGURED)
                return
            await self.outcomes.store(job)
        finally:
            self._pace.ended(channel, job.rests)

    async def _try(self, job: Job, at: AtChannel) -> None:
        shipment_ids = tuple(part.shipment_id for part in job.open_parts)
        frs = tuple(sorted({part.fr_id for part in job.open_parts}))
        attempt = max((part.attempts + 1 for part in job.open_parts), default=1)
        about: dict[str, str | int] = {tracing.ORDER_ID: job.order_id, tracing.CHANNEL: job.channel, "attempt": attempt}
        with (
            self._tools.telemetry.span(
                "shipment.sync", parent=job.traceparent, kind="client", attributes=about
            ) as span,
            recording(attempt=attempt, order_ids=(job.order_id,), fr_ids=frs, shipment_ids=shipment_ids) as made,
        ):
            job.span = span.traceparent
            try:
                await sync_order(job, at)
            finally:
                job.exchanges = made

    def _at(self, job: Job) -> AtChannel | None:
        """The channel ready to be called; none while it cannot be. One without a platform has nothing to be told."""
        configured = self._tools.configurations.channel(job.channel)
        if configured is None:
            return None
        job.credential_version = configured.credential_version
        try:
            connection = self._channels.channel(configured.channel, configured.sequence)
        except ValueError as error:
            self._log.warning("push.connection_unusable", channel=job.channel, error=str(error))
            return None
        if connection is None:
            for part in job.open_parts:
                part.finish = Finish(SyncState.NOT_NEEDED, tried=False)
            return None
        return AtChannel(
            configured.channel,
            connection.writer,
            connection.features,
            self._announce,
            lambda: self._health.is_blocked(job.channel),
            self._chance,
        )

    async def _announce(self, job: Job, acts: list[Act]) -> None:
        await self.announcements.store((job, acts))
