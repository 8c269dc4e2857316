"""Renews access tokens before they end, and when a service was refused with one (IN-12).

Promises: whatever the replicas, a connection is renewed by one at a time; the new token is published sealed under a
higher `credential_version`, by which services resume; a refusal is an alert with the way out, and is tried again with
waits that double up to an hour; each try is a transaction record, which holds neither secret nor token. What the
applied file says stays as it is: the token is stored beside it.
It cannot know when a token ends that a person gave: that one is renewed when a service is refused with it.
"""

from datetime import datetime, timedelta
from typing import Any

from console.configure.apply import Change, shown
from console.configure.publishing import event_of, message_of
from console.messages import message
from waybill_common import outbox
from waybill_common.alerts import Alerts
from waybill_common.budget import Budget, BudgetWait
from waybill_common.clock import Clock
from waybill_common.db import Connection, Pool, Queries, rows, transaction
from waybill_common.logs import Log, declare_events
from waybill_common.retry import Family
from waybill_common.vault import Vault
from waybill_contracts import topics
from waybill_contracts.config_changed import ChannelConfigured, SourceConfigured
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.renewal import Renewed
from waybill_platforms.ports import ChannelConnection, SourceConnection
from waybill_platforms.recording import recording
from waybill_platforms.registry import open_channel, open_source

declare_events(
    {
        "token.renewed": "a connection has a new access token; services work by it as soon as they hear of it",
        "token.not_renewed": "a platform gave no new access token; it is asked again",
    }
)
ACTOR = "token renewal"
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
UNTOLD = 2
"""Failures in a row that may pass by themselves, before a person is told."""
WAY_OUT = (
    "Check that the app (or the user) with these lasting credentials still exists at the platform and may sign in, and"
    " apply a configuration with ones that hold. It is asked again by itself until then."
)


def due(now: datetime, expires_at: datetime | None) -> datetime | None:
    """When three quarters of its life are over; None: when it is refused."""
    return None if expires_at is None else now + (expires_at - now) * 0.75


def wait_after(failures: int) -> timedelta:
    """`failures` in a row, at least 1."""
    doubled: int = 2 ** min(failures - 1, 12)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


class Asking:
    """Opens connections for the one question that the console asks them."""

    def __init__(self, budget: Budget, vault: Vault) -> None:
        self._budget, self._vault = budget, vault

    def seal(self, entity: str, renewed: Renewed) -> dict[str, str]:
        return {name: self._vault.seal(entity, value) for name, value in renewed.credentials.items()}

    def can(self, row: Any) -> bool:
        """Whether the platform renews, and has what it takes; nothing is sent. What cannot be opened, cannot."""
        try:
            connection = self._open(row)
        except ValueError:
            return False  # whoever works by it says why, by its probe and its alert
        return connection is not None and connection.renewer is not None

    async def renew(self, row: Any) -> Renewed:
        """Raises PlatformError, BudgetWait, and ValueError when it cannot be opened any more."""
        connection = self._open(row)
        if connection is None or connection.renewer is None:
            raise ValueError(f"{row['entity']} has nothing to renew with: give its lasting credentials")
        try:
            return await connection.renewer.renew()
        finally:
            await connection.aclose()

    def _open(self, row: Any) -> ChannelConnection | SourceConnection | None:
        sealed = row["credentials"] | row["renewed"]
        secrets = {name: self._vault.open(row["entity"], text) for name, text in sealed.items()}
        configured = event_of(row)
        if isinstance(configured, ChannelConfigured):
            return open_channel(configured.channel, secrets, budget=self._budget)
        if isinstance(configured, SourceConfigured):
            return open_source(configured.source, secrets, budget=self._budget)
        return None


class TokenRenewals:
    """A worker's turn: who is to be renewed, then the one that is due."""

    def __init__(self, pool: Pool, q: Queries, asking: Asking, alerts: Alerts, clock: Clock, log: Log) -> None:
        self._pool, self._q, self._asking = pool, q, asking
        self._alerts, self._clock, self._log = alerts, clock, log
        self._enrolled_by = -1

    async def turn(self) -> int:
        await self._enrol()
        async with transaction(self._pool) as conn:  # the row is held while it is asked: no other replica asks too
            claimed = await self._q.claim_renewal(conn)
            if claimed is None:
                return 0
            await self._renew(conn, claimed)
        return 1

    async def _enrol(self) -> None:
        """One row for each connection that can be renewed, looked at again with each version of the configuration."""
        version = await self._q.current_version(self._pool)
        if version == self._enrolled_by:
            return
        async with transaction(self._pool) as conn:
            found = [row for row in await rows(self._q.entities(conn)) if row["credentials"] and self._asking.can(row)]
            for row in sorted(found, key=lambda row: str(row["entity"])):
                none_yet = "access_token" not in row["credentials"] | row["renewed"]
                await self._q.enrol_renewal(
                    conn, entity=row["entity"], credential_version=row["credential_version"], at_once=none_yet
                )
            gone = await rows(self._q.dismiss_renewals(conn, entities=[row["entity"] for row in found]))
            for row in gone:
                await self._alerts.cleared(conn, _alert(row["entity"]))
        self._enrolled_by = version

    async def _renew(self, conn: Connection, claimed: Any) -> None:
        asked = await self._q.entity(conn, entity=claimed["entity"])
        if asked is None:
            return  # removed this moment; the next turn lets its row go
        with recording(attempt=claimed["failures"] + 1) as exchanges:
            try:
                renewed = await self._asking.renew(asked)
            except BudgetWait as wait:
                await self._put_off(conn, claimed, timedelta(seconds=wait.seconds), claimed["failures"], "rate budget")
            except (PlatformError, ValueError) as error:
                await self._failed(conn, claimed, error)
            else:
                await self._store(conn, claimed, asked, renewed)
        await outbox.append(conn, [message(exchange.event(topics.CONSOLE)) for exchange in exchanges])

    async def _store(self, conn: Connection, claimed: Any, asked: Any, renewed: Renewed) -> None:
        await self._q.lock_config(conn)
        entity = asked["entity"]
        old = await self._q.entity(conn, entity=entity)
        if old is None or old["version"] != asked["version"]:
            return  # applied anew meanwhile; it is still due, and asked again with what holds now
        now, sealed = self._clock.now(), self._asking.seal(entity, renewed)
        new = dict(old) | {
            "version": await self._q.next_version(conn),
            "renewed": old["renewed"] | sealed,
            "credential_version": old["credential_version"] + 1,
            "actor": ACTOR,
            "at": now,
        }
        change = Change(entity, "changed", _shown(old, ()), _shown(new, sealed))
        await self._q.save_renewed(
            conn, **{name: new[name] for name in ("entity", "version", "renewed", "credential_version")}
        )
        await self._q.add_version(conn, version=new["version"], at=now, actor=ACTOR, changes=[change._asdict()])
        await outbox.append(conn, [message_of(new)])
        await self._q.note_renewal(
            conn,
            entity=entity,
            credential_version=new["credential_version"],
            expires_at=renewed.expires_at,
            due_at=due(now, renewed.expires_at),
            early=0 if claimed["due"] else claimed["early"] + 1,
        )
        await self._alerts.cleared(conn, _alert(entity))
        self._log.info("token.renewed", entity=entity, credential_version=new["credential_version"])

    async def _failed(self, conn: Connection, claimed: Any, error: PlatformError | ValueError) -> None:
        entity, failures = claimed["entity"], claimed["failures"] + 1
        await self._put_off(conn, claimed, wait_after(failures), failures, str(error))
        passes = isinstance(error, PlatformError) and error.family is Family.LATER
        if not passes or failures > UNTOLD:
            title = f"{entity} gets no new access token"
            await self._alerts.raised(conn, _alert(entity), title, f"{error}. {WAY_OUT}")
        self._log.warning("token.not_renewed", entity=entity, failures=failures, error=type(error).__name__)

    async def _put_off(self, conn: Connection, claimed: Any, wait: timedelta, failures: int, why: str) -> None:
        await self._q.put_off_renewal(
            conn, entity=claimed["entity"], wait=wait, failures=failures, last_error=why[:300]
        )


def _alert(entity: str) -> str:
    return f"renewal/{entity}"


def _shown(row: Any, new: Any) -> dict[str, Any]:
    return shown(row["body"], row["credential_names"], [*row["credentials"] | row["renewed"]], set(new))
