"""A source's turn under a lease, whatever it reads: shipments (`poll_source`) or stock (`poll_stock`).

Promises: one turn a source at a time; a source that is down or unauthorized waits without calls; one that is not
configured, or out of budget, is put off without using an attempt; a failed turn comes again by the retry schedule, and
after its last try in its time.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import random
from typing import ClassVar, Generic, Protocol, TypeVar

from shipment_poller import facts
from shipment_poller.crew import Crew
from shipment_poller.review_orders import Tools
from waybill_common import leases, outbox
from waybill_common.breaker import Health
from waybill_common.budget import BudgetWait
from waybill_common.db import Connection, Pool, transaction
from waybill_common.leases import Lease, LeasedTable
from waybill_common.logs import Log
from waybill_common.retry import SP_8, Again, Family, decide
from waybill_contracts.config_changed import SourceConfigured
from waybill_contracts.configuration import Source
from waybill_platforms.errors import PlatformError
from waybill_platforms.ports import SourceConnection

NOT_CONFIGURED = timedelta(seconds=30)


class Sources(Protocol):
    """Where open sources come from (`waybill_platforms.connections.Connections`)."""

    def source(self, source: Source, version: int) -> SourceConnection | None: ...


class LeaseLost(Exception):
    """Somebody else has this source's turn now."""


@dataclass(slots=True)
class SourceTurn:
    """One source's turn under way."""

    lease: Lease
    configured: SourceConfigured
    connection: SourceConnection
    told: int = 0
    problems: list[str] = field(default_factory=list)
    """What could not be read, recorded or told."""

    @property
    def source(self) -> str:
        return self.configured.source.id


Turn = TypeVar("Turn", bound=SourceTurn)


class SourceWorker(ABC, Generic[Turn]):
    """Built once; `crew.turn` is the worker's turn. The subclass says what is read, and what follows."""

    table: ClassVar[LeasedTable]
    hold: ClassVar[timedelta]
    at_once: ClassVar[int]
    word: ClassVar[str]
    """Before the names of its log events: `<word>.failed`, `<word>.connection_unusable`"""

    def __init__(self, pool: Pool, tools: Tools, sources: Sources, health: Health, log: Log) -> None:
        self._pool = pool
        self._tools = tools
        self._sources = sources
        self._health = health
        self._log = log
        self.crew = Crew(self._claim, self.at_once, log)

    @abstractmethod
    def _begun(self, lease: Lease, configured: SourceConfigured, connection: SourceConnection) -> Turn:
        """The turn, before anything is read."""

    @abstractmethod
    async def _read(self, turn: Turn) -> None:
        """Reads to the end and stores what it finds. Raises PlatformError, BudgetWait, LeaseLost."""

    @abstractmethod
    async def _ended(self, turn: Turn) -> None:
        """It was read to the end: stores when the next turn comes."""

    @abstractmethod
    async def _failed(self, conn: Connection, turn: Turn, wait: timedelta | None, attempts: int) -> None:
        """It failed: the next turn comes after `wait` (None: in its time); part of a transaction."""

    async def _claim(self, room: int) -> list[Callable[[], Awaitable[None]]]:
        async with self._pool.acquire() as conn:
            await self._tools.configurations.refresh(conn)
            blocked = await self._health.blocked(conn)
            claimed = await leases.claim(
                conn, self.table, limit=room, per_connection=1, hold=self.hold, exclude_connections=blocked
            )
        return [partial(self._take, lease) for lease in claimed]

    async def _take(self, lease: Lease) -> None:
        turn = self._opened(lease)
        if turn is None:
            await self._put_off(lease, NOT_CONFIGURED)
            return
        try:
            await self._read(turn)
        except BudgetWait as wait:
            await self._put_off(turn.lease, timedelta(seconds=wait.seconds))
        except PlatformError as error:
            await self._again(turn, error)
        except LeaseLost:
            return
        else:
            await self._ended(turn)

    def _opened(self, lease: Lease) -> Turn | None:
        """None while the source is not configured, cannot be opened, or has no connection."""
        configured = self._tools.configurations.source(lease.id)
        if configured is None:
            return None
        try:
            connection = self._sources.source(configured.source, configured.sequence)
        except ValueError as error:
            self._log.warning(f"{self.word}.connection_unusable", source=lease.id, error=str(error))
            return None
        return None if connection is None else self._begun(lease, configured, connection)

    async def _again(self, turn: Turn, error: PlatformError) -> None:
        attempts = turn.lease.attempts + 1
        family = Family.LATER if error.family is Family.UNREADABLE else error.family
        decision = decide(SP_8, family, attempts, error.retry_after, random())
        wait = timedelta(seconds=decision.after_seconds) if isinstance(decision, Again) else None
        async with transaction(self._pool) as conn:
            # after the last retry the next turn in time is a new try
            await self._failed(conn, turn, wait, attempts if wait is not None else 0)
            await self._note(conn, turn, error.family, error.message)
        self._log.warning(
            f"{self.word}.failed", source=turn.source, cause=error.cause, error=error.message, attempt=attempts
        )

    async def _put_off(self, lease: Lease, wait: timedelta) -> None:
        async with self._pool.acquire() as conn:
            await leases.give_up(conn, self.table, [lease], wait)

    async def _extend(self, conn: Connection, turn: Turn) -> None:
        [turn.lease] = await leases.extend(conn, self.table, [turn.lease], self.hold) or [turn.lease]

    async def _note(self, conn: Connection, turn: Turn, family: Family | None, cause: str | None) -> None:
        version = turn.configured.credential_version
        change = await self._health.note(conn, turn.source, family, credential_version=version, cause=cause)
        if change is not None:
            told = facts.connection_changed(self._tools.clock.now(), change)
            await outbox.append(conn, [facts.message(event) for event in told])
