"""Calls to channels: an open reader for each, and what a call's end means for the connection's health.

What was exchanged, the connection's state and its alerts are appended in the transaction that stores the outcome.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from order_ingest.connection_state import tell_state
from order_ingest.facts import message
from order_ingest.rulebook import Rulebook
from waybill_common import outbox
from waybill_common.alerts import Alerts
from waybill_common.breaker import Health
from waybill_common.clock import Clock
from waybill_common.db import Connection, Pool
from waybill_common.retry import Again, Family, Schedule, decide
from waybill_common.telemetry import Telemetry
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.topics import ORDER_INGEST
from waybill_platforms.errors import PlatformError
from waybill_platforms.ports import OrderReader
from waybill_platforms.recording import Exchange

OpenReader = Callable[[ChannelConfigured], Awaitable[OrderReader]]
"""Gives the channel's reader: the same one until the configuration's version changes."""

SCHEDULE = Schedule(retries=3, step=1.5)


class NotConfigured(LookupError):
    """The channel is no longer configured: its row waits until it is."""


@dataclass(frozen=True)
class Calls:
    """What every worker that reads from channels needs."""

    pool: Pool
    health: Health
    alerts: Alerts
    clock: Clock
    telemetry: Telemetry
    rulebook: Rulebook
    open_reader: OpenReader

    async def reader(self, channel: str) -> tuple[OrderReader, int]:
        """The reader of a channel and the version of the credentials that it calls with; raises NotConfigured."""
        configured = await self.rulebook.channel(self.pool, channel)
        if configured is None:
            raise NotConfigured(f"channel {channel!r} is not configured; add it, or leave it: nothing is lost")
        return await self.open_reader(configured), configured.credential_version

    async def succeeded(
        self,
        conn: Connection,
        channel: str,
        credentials: int | None,
        exchanges: Sequence[Exchange],
        order_ids: Sequence[str] = (),
    ) -> None:
        """A call with these credentials ended well: recorded; a connection that was down is up again."""
        await self._record(conn, exchanges, order_ids)
        change = await self.health.note(conn, channel, None, credential_version=credentials)
        if change is not None:
            await tell_state(conn, change, self.clock.now())
        await self.alerts.cleared(conn, refusal_alert(channel))

    async def failed(
        self,
        conn: Connection,
        channel: str,
        credentials: int | None,
        error: PlatformError,
        exchanges: Sequence[Exchange],
    ) -> None:
        """A call failed: recorded; its family decides whether the connection is down, locked out, or misconfigured.

        `credentials` is the version that the call was made with: newer ones may have come meanwhile.
        """
        await self._record(conn, exchanges, ())
        change = await self.health.note(
            conn, channel, error.family, credential_version=credentials, cause=error.message
        )
        if change is not None:
            await tell_state(conn, change, self.clock.now())
        if error.family in (Family.REFUSED, Family.UNREADABLE):
            title = f"Channel {channel} refuses to be read" if error.family is Family.REFUSED else (
                f"Channel {channel} answers what we cannot read"
            )  # fmt: skip
            await self.alerts.raised(conn, refusal_alert(channel), title, error.message)

    def wait(self, error: PlatformError, attempt: int, otherwise: timedelta) -> timedelta:
        """How long until the next try: soon for what may pass by itself, else the ordinary interval."""
        answer = decide(SCHEDULE, error.family, attempt, error.retry_after, random.random())
        if isinstance(answer, Again):
            return timedelta(seconds=answer.after_seconds)
        asked = timedelta(seconds=min(error.retry_after or 0.0, SCHEDULE.longest))
        return max(otherwise, asked)

    async def _record(self, conn: Connection, exchanges: Sequence[Exchange], order_ids: Sequence[str]) -> None:
        for exchange in exchanges:
            exchange.order_ids = exchange.order_ids or tuple(order_ids)
        await outbox.append(conn, [message(exchange.event(ORDER_INGEST)) for exchange in exchanges])


def refusal_alert(channel: str) -> str:
    """The alert that is open while a channel answers, but not with what we asked for."""
    return f"reading/{channel}"
