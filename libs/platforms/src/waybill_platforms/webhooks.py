"""Makes platforms post to us, keeps them posting, and ends it again (IN-3): one verb and its worker, for whoever owns
the connection. order-ingest has it for its channels, shipment-poller for its sources.

A person asks once and names the address. The work is a leased row, so that two who ask at the same moment register
once; it is due again each day, because platforms switch off what they could not deliver for a while. What is registered
and on already stays. Another address takes the place of the former one, which is then left. Without it nothing is lost,
only later: the pull finds every order, the poll every shipment.
"""

import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from waybill_common import outbox
from waybill_common.alerts import Alerts
from waybill_common.budget import BudgetWait, patient
from waybill_common.db import Connection, Pool, Queries, transaction
from waybill_common.leases import Lease, LeasedTable, claim, give_up
from waybill_common.outbox import Message
from waybill_common.refusals import Refused
from waybill_common.retry import Again, Schedule, decide
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.deliveries import Registered
from waybill_platforms.ports import WebhookReader
from waybill_platforms.recording import Exchange, recording

TABLE = LeasedTable(table="webhooks", id="connection", connection=None)
"""Asked for while a connection is down it is tried all the same: who asked learns at once what the platform says."""
HOLD = timedelta(minutes=5)
EVERY = timedelta(days=1)
AGAIN_IN = timedelta(hours=1)
SCHEDULE = Schedule(retries=3, step=1.5)
PATIENCE = 30.0
"""Seconds that one call may wait for the rate budget before the whole is put off."""
AT_ONCE = 4


class Ended(BaseModel):
    """Who ends it. `address`: what was registered there by somebody else is ended as well."""

    address: str | None = Field(None, min_length=1, max_length=1000)
    actor: str = Field(min_length=1, max_length=200)


class Asked(Ended):
    """Where the platform reaches this connection's `/hooks/{connection}`."""

    address: str = Field(min_length=1, max_length=1000)


class HooksRefused(Refused):
    """Nobody posts for this connection, or not there."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The verb, and the worker that does it. `open_hooks` raises HooksRefused and PlatformError."""

    noun: str
    """channel or source."""
    otherwise: str
    """What its changes come with where nothing is posted: its pull, its poll."""
    pool: Pool
    q: Queries
    alerts: Alerts
    open_hooks: Callable[[str], Awaitable[WebhookReader]]
    told: Callable[[Iterable[Exchange]], list[Message]]

    async def ask(self, connection: str, address: str, actor: str) -> dict[str, Any]:
        """As it stands then; the worker takes it up. Raises HooksRefused."""
        await self._opened(connection)
        check_address(self.noun, connection, address)
        row = await self.q.ask_webhooks(self.pool, connection=connection, address=address, asked_by=actor)
        return self._shown(connection, row)

    async def end(self, connection: str, address: str | None, actor: str) -> dict[str, Any]:
        """What was registered is taken off, at `address` too where one is named. Raises HooksRefused."""
        await self._opened(connection)
        if address is not None:
            check_address(self.noun, connection, address)
        elif await self.q.webhooks_of(self.pool, connection=connection) is None:
            text = f"nothing that {connection} posts was registered here"
            raise HooksRefused(text, "name the address that it posts to, to end it")
        leaving = [address] if address else []
        row = await self.q.end_webhooks(self.pool, connection=connection, leaving=leaving, asked_by=actor)
        return self._shown(connection, row)

    async def of(self, connection: str) -> dict[str, Any]:
        """What is registered, and since when."""
        return self._shown(connection, await self.q.webhooks_of(self.pool, connection=connection))

    def _shown(self, connection: str, row: Any) -> dict[str, Any]:
        """For people: state off, waiting, on, ending, or failed, and since when."""
        if row is None:
            return {self.noun: connection, "state": "off", "address": None, "topics": []}
        state = "ending" if row["address"] is None else "waiting" if row["checked_at"] is None else "on"
        names = (
            "address",
            "leaving",
            "topics",
            "warning",
            "asked_by",
            "asked_at",
            "checked_at",
            "last_error",
            "due_at",
        )
        told = {name: row[name] for name in names}
        return {self.noun: connection, "state": "failed" if row["last_error"] else state, **told}

    async def turn(self) -> int:
        """Does what is due, one connection after the other; returns how many."""
        async with self.pool.acquire() as conn:
            leases = await claim(conn, TABLE, limit=AT_ONCE, per_connection=AT_ONCE, hold=HOLD)
        for lease in leases:
            await self._settle(lease)
        return len(leases)

    async def _opened(self, connection: str) -> WebhookReader:
        try:
            return await self.open_hooks(connection)
        except PlatformError as error:  # the connection cannot be opened: a setting or a secret is missing
            raise HooksRefused(error.message, "add the setting or secret that it lacks: `waybill apply`") from error

    async def _settle(self, lease: Lease) -> None:
        """What nobody expected is the worker's to log; the row is due again when its lease ends."""
        registered: Registered | None = None
        failed: PlatformError | None = None
        with recording(attempt=lease.attempts + 1) as exchanges:
            try:
                registered = await self._call(lease)
            except BudgetWait as wait:
                async with self.pool.acquire() as conn:
                    await give_up(conn, TABLE, [lease], timedelta(seconds=wait.seconds))
                return
            except Refused:  # it was removed, or is of another platform now
                pass
            except PlatformError as error:
                failed = error
        async with transaction(self.pool) as conn:
            await outbox.append(conn, self.told(exchanges))
            if failed is not None:
                done = await self._fail(conn, lease, failed)
            else:
                done = await self._keep(conn, lease, registered)
            if done is None:  # somebody asked for something else meanwhile
                await give_up(conn, TABLE, [lease], timedelta(0))

    async def _call(self, lease: Lease) -> Registered | None:
        """The new address first, so that no moment is without one. None: nothing is to be posted any more."""
        hooks = await self.open_hooks(lease.id)
        address: str | None = lease.row["address"]
        with patient(PATIENCE):
            registered = None if address is None else await hooks.register(address)
            for left in lease.row["leaving"]:
                await hooks.unregister(left)
        return registered

    async def _keep(self, conn: Connection, lease: Lease, registered: Registered | None) -> Any:
        await self.alerts.cleared(conn, _alert(lease.id))
        named = {"connection": lease.id, "token": lease.token, "address": lease.row["address"]}
        if registered is None:
            return await self.q.forget_webhooks(conn, **named)
        return await self.q.keep_webhooks(
            conn, **named, topics=list(registered.topics), warning=registered.warning, due_in=EVERY
        )

    async def _fail(self, conn: Connection, lease: Lease, error: PlatformError) -> Any:
        answer = decide(SCHEDULE, error.family, lease.attempts + 1, error.retry_after, random.random())
        wait = timedelta(seconds=answer.after_seconds) if isinstance(answer, Again) else AGAIN_IN
        title = f"{self.noun.capitalize()} {lease.id} could not be made to post its changes: they come with its "
        title += f"{self.otherwise} alone"
        if lease.row["address"] is None:
            title = f"{self.noun.capitalize()} {lease.id} could not be told to post its changes no more"
        await self.alerts.raised(conn, _alert(lease.id), title, error.message)
        return await self.q.fail_webhooks(
            conn, connection=lease.id, token=lease.token, address=lease.row["address"], error=error.message, due_in=wait
        )


def check_address(noun: str, connection: str, address: str) -> None:
    """Raises HooksRefused. Whether it can be reached is the platform's to find out."""
    try:
        parts = urlsplit(address)
        reachable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is no number
        reachable = False
    if not reachable or parts.query or parts.fragment or parts.username is not None or any(map(str.isspace, address)):
        text = f"address: {address!r} is no plain http or https address"
        raise HooksRefused(text, "write https://hub.example", status=422)
    if not parts.path.endswith(f"/hooks/{connection}"):
        way = f"let it end with /hooks/{connection}, where this {noun} listens"
        raise HooksRefused(f"address: {address!r} does not lead to {noun} {connection}", way, status=422)


def _alert(connection: str) -> str:
    return f"webhooks/{connection}"
