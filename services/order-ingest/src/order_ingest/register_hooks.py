"""Makes a channel's platform post to us, and keeps it posting (IN-3).

A person asks for it once and names the address. The work is a leased row, so that two who ask at the same moment
register once; it is due again each day, because platforms switch off what they could not deliver for a while. What is
registered and on already stays. Without it nothing is lost, only later: the pull finds every order.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from order_ingest.calls import Calls, NotConfigured
from order_ingest.facts import message
from order_ingest.named import q
from order_ingest.take_hook import OpenHooks
from waybill_common import outbox
from waybill_common.budget import BudgetWait, patient
from waybill_common.db import transaction
from waybill_common.leases import Lease, LeasedTable, claim, give_up
from waybill_contracts.topics import ORDER_INGEST
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.deliveries import Registered
from waybill_platforms.recording import recording

TABLE = LeasedTable(table="webhooks", id="channel", connection=None)
"""Asked for while a channel is down it is tried all the same: whoever asked learns at once what the platform says."""
HOLD = timedelta(minutes=5)
EVERY = timedelta(days=1)
AGAIN_IN = timedelta(hours=1)
PATIENCE = 30.0
"""Seconds that one call may wait for the rate budget before the whole is put off."""
AT_ONCE = 4


class PostsNothing(ValueError):
    """The channel's platform has no webhooks; the text says how its changes come instead."""


class WrongAddress(ValueError):
    """No platform could post there, or what it posts would not come to this channel; the text says what is needed."""


@dataclass(frozen=True, slots=True)
class RegisterHooks:
    """The verb, and the worker that does it."""

    calls: Calls
    open_hooks: OpenHooks

    async def ask(self, channel: str, address: str, actor: str) -> dict[str, Any]:
        """The row that the worker takes up. Raises NotConfigured, PostsNothing, WrongAddress, and PlatformError."""
        configured = await self.calls.rulebook.channel(self.calls.pool, channel)
        if configured is None:
            raise NotConfigured(f"channel {channel!r} is not configured: use the id of a configured channel")
        if await self.open_hooks(configured) is None:
            every = configured.channel.poll_every.total_seconds()
            raise PostsNothing(
                f"platform {configured.channel.platform.value} posts nothing: changes of channel {channel} come with "
                f"its pull, every {every:g} s; make `poll_every` shorter if that is too late"
            )
        check_address(channel, address)
        return dict(await q().ask_webhooks(self.calls.pool, channel=channel, address=address, asked_by=actor))

    async def turn(self) -> int:
        """Registers what is due, one channel after the other; returns how many."""
        async with self.calls.pool.acquire() as conn:
            leases = await claim(conn, TABLE, limit=AT_ONCE, per_connection=AT_ONCE, hold=HOLD)
        for lease in leases:
            await self._register(lease)
        return len(leases)

    async def _register(self, lease: Lease) -> None:
        """What nobody expected is the worker's to log; the row is due again when its lease ends."""
        registered: Registered | None = None
        with recording(attempt=lease.attempts + 1) as exchanges:
            try:
                registered = await self._call(lease.row)
            except BudgetWait as wait:
                async with self.calls.pool.acquire() as conn:
                    await give_up(conn, TABLE, [lease], timedelta(seconds=wait.seconds))
                return
            except NotConfigured:
                await q().forget_webhooks(self.calls.pool, channel=lease.id, token=lease.token)
                return
            except PlatformError as caught:
                error = caught
        async with transaction(self.calls.pool) as conn:
            await outbox.append(conn, [message(exchange.event(ORDER_INGEST)) for exchange in exchanges])
            if registered is not None:
                await self._keep(conn, lease, registered)
            else:
                await self._fail(conn, lease, error)

    async def _call(self, row: Any) -> Registered:
        configured = await self.calls.rulebook.channel(self.calls.pool, row["channel"])
        hooks = None if configured is None else await self.open_hooks(configured)
        if hooks is None:
            raise NotConfigured(f"channel {row['channel']!r} was removed, or is of another platform now")
        with patient(PATIENCE):
            return await hooks.register(row["address"])

    async def _keep(self, conn: Any, lease: Lease, registered: Registered) -> None:
        await q().keep_webhooks(
            conn, channel=lease.id, token=lease.token, topics=list(registered.topics), warning=registered.warning,
            due_in=EVERY,
        )  # fmt: skip
        await self.calls.alerts.cleared(conn, _alert(lease.id))

    async def _fail(self, conn: Any, lease: Lease, error: PlatformError) -> None:
        wait = self.calls.wait(error, lease.attempts + 1, AGAIN_IN)
        await q().fail_webhooks(conn, channel=lease.id, token=lease.token, error=error.message, due_in=wait)
        title = f"Channel {lease.id} could not be made to post its changes: they come with its pull alone"
        await self.calls.alerts.raised(conn, _alert(lease.id), title, error.message)


def check_address(channel: str, address: str) -> None:
    """Raises WrongAddress. Whether it can be reached is the platform's to find out."""
    try:
        parts = urlsplit(address)
        reachable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is no number
        reachable = False
    if not reachable or parts.query or parts.fragment or parts.username is not None or any(map(str.isspace, address)):
        raise WrongAddress(f"address: {address!r} is no plain http or https address; write https://hub.example")
    if not parts.path.endswith(f"/hooks/{channel}"):
        raise WrongAddress(f"address: {address!r} does not end with /hooks/{channel}, where this channel listens")


def _alert(channel: str) -> str:
    return f"webhooks/{channel}"
