"""A source's stock is read from its platform, page by page, and the router is told what changed (RT-1).

Promises: a level is told as a count of what is on the shelf, our own requests included (docs/decisions/0025); one that
has not changed, and of which nothing was asked or shipped meanwhile, is no event before `AGAIN`; one that the platform
does not count is not told; a failed turn comes again by the retry schedule; a source that is down or unauthorized waits
without calls.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import random
from typing import Any

from shipment_poller import facts
from shipment_poller.crew import Crew
from shipment_poller.poll_source import NOT_CONFIGURED, Sources
from shipment_poller.review_orders import Columns, Tools
from shipment_poller.stock_names import StockNames
from waybill_common import leases, outbox
from waybill_common.breaker import Health
from waybill_common.budget import BudgetWait
from waybill_common.db import Connection, Pool, rows, transaction
from waybill_common.leases import Lease, LeasedTable
from waybill_common.logs import Log, declare_events
from waybill_common.retry import SP_8, Again, Family, decide
from waybill_contracts.config_changed import SourceConfigured
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.stock import StockLevel, StockPage
from waybill_platforms.ports import SourceConnection, StockReader
from waybill_platforms.recording import recording

declare_events(
    {
        "stock.told": "a source's levels were read to the end and some of them were told or could not be",
        "stock.failed": "reading a source's levels ended early; it comes again",
        "stock.connection_unusable": "a source's configuration cannot be used; its stock is not read",
    }
)

STOCK_TURNS = LeasedTable("stock_turns", "source", "source")
HOLD = timedelta(minutes=5)
"""A page can be many calls: a store that tells its stock SKU by SKU."""
AT_ONCE = 4
AGAIN = timedelta(hours=24)
"""A level that has not changed is told again after this, so that a router that lost it heals."""
NAMED = 20


class LeaseLost(Exception):
    """Somebody else reads this source's stock now."""


@dataclass(slots=True)
class Turn:
    """One reading of a source's levels."""

    lease: Lease
    configured: SourceConfigured
    connection: SourceConnection
    names: StockNames
    met: set[str] = field(default_factory=set)
    told: int = 0
    uncounted: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        return self.configured.source.id


class StockWorker:
    """Built once; `crew.turn` is the worker's turn."""

    def __init__(self, pool: Pool, tools: Tools, sources: Sources, health: Health, log: Log) -> None:
        self._pool = pool
        self._tools = tools
        self._sources = sources
        self._health = health
        self._log = log
        self.crew = Crew(self._claim, AT_ONCE, log)

    async def _claim(self, room: int) -> list[Callable[[], Awaitable[None]]]:
        async with self._pool.acquire() as conn:
            await self._tools.configurations.refresh(conn)
            blocked = await self._health.blocked(conn)
            claimed = await leases.claim(
                conn, STOCK_TURNS, limit=room, per_connection=1, hold=HOLD, exclude_connections=blocked
            )
        return [partial(self._take, lease) for lease in claimed]

    async def _take(self, lease: Lease) -> None:
        turn = self._opened(lease)
        if turn is None:
            await self._later(lease, NOT_CONFIGURED)
            return
        try:
            if turn.connection.stock is None:
                platform = turn.configured.source.platform.value
                turn.problems.append(f"stock.from: {platform} tells no stock; use feed or untracked")
            else:
                await self._read(turn, turn.connection.stock)
        except BudgetWait as wait:
            await self._later(lease, timedelta(seconds=wait.seconds))
        except PlatformError as error:
            await self._failed(turn, error)
        except LeaseLost:
            return
        else:
            await self._ended(turn)

    def _opened(self, lease: Lease) -> Turn | None:
        configured = self._tools.configurations.source(lease.id)
        if configured is None:
            return None
        try:
            connection = self._sources.source(configured.source, configured.sequence)
        except ValueError as error:
            self._log.warning("stock.connection_unusable", source=lease.id, error=str(error))
            return None
        if connection is None:
            return None
        names = StockNames(configured.source)
        turn = Turn(lease, configured, connection, names)
        for theirs, ours in sorted(names.shared.items()):
            turn.problems.append(f"skus.map: {', '.join(ours)} are all {theirs} there; give each SKU its own")
        return turn

    async def _read(self, turn: Turn, reader: StockReader) -> None:
        asked = turn.names.asked
        if asked == []:
            return
        page: str | None = None
        while True:
            with recording() as made:
                try:
                    answer = await reader.levels(asked or (), page)
                except (PlatformError, BudgetWait):
                    async with transaction(self._pool) as conn:
                        await outbox.append(conn, facts.exchanges(made))
                    raise
            await self._tell(turn, answer, facts.exchanges(made))
            page = answer.next
            if page is None:
                return

    async def _tell(self, turn: Turn, answer: StockPage, exchanges: list[outbox.Message]) -> None:
        turn.problems += answer.problems
        counted, now = self._counted(turn, answer.levels), self._tools.clock.now()
        async with transaction(self._pool) as conn:
            if await self._tools.queries.hold_stock_turn(conn, source=turn.source, token=turn.lease.token) is None:
                raise LeaseLost
            told = [
                facts.message(
                    facts.counted(now, turn.source, row["sku"], row["on_hand"], row["sequence"], answer.as_of)
                )
                for row in await self._news(conn, turn, counted)
            ]
            await outbox.append(conn, [*exchanges, *told])
            await self._note(conn, turn, None, None)
            [turn.lease] = await leases.extend(conn, STOCK_TURNS, [turn.lease], HOLD) or [turn.lease]
        turn.told += len(told)

    async def _news(self, conn: Connection, turn: Turn, counted: Mapping[str, tuple[str, int]]) -> list[Any]:
        """What the router does not know yet, kept as told. Our own requests are on the shelf until they leave it."""
        q, columns = self._tools.queries, Columns()
        names = [theirs for theirs, _ in counted.values()]
        found = await rows(q.requests_at(conn, source=turn.source, skus=names, age=AGAIN))
        asked = {row["source_sku"]: row for row in found}
        adds = turn.connection.features.stock_is_available
        for sku, (theirs, figure) in sorted(counted.items()):
            ours = asked.get(theirs)
            waits = ours["open"] if ours is not None and adds else 0
            columns.add(skus=sku, on_hands=figure + waits, requests=ours["requests"] if ours is not None else "")
        if not columns:
            return []
        return list(await rows(q.tell_stock(conn, source=turn.source, again=AGAIN, **columns.values)))

    def _counted(self, turn: Turn, levels: Sequence[StockLevel]) -> dict[str, tuple[str, int]]:
        """Our SKU -> theirs, and the figure. What stands there twice is told once and said."""
        counted: dict[str, tuple[str, int]] = {}
        for level in levels:
            sku = turn.names.ours(level.sku)
            if sku is None:
                continue
            if level.on_hand is None:
                turn.uncounted.append(sku)
            elif sku in turn.met:
                turn.problems.append(f"SKU {level.sku} stands there several times; only its first figure is taken")
            else:
                turn.met.add(sku)
                counted[sku] = (level.sku, level.on_hand)
        return counted

    async def _ended(self, turn: Turn) -> None:
        every = turn.configured.source.stock.every
        async with transaction(self._pool) as conn:
            await self._finish(conn, turn, every, 0, read_whole=True)
            if turn.problems:
                title = f"{len(turn.problems)} things are wrong with the stock of {turn.source}"
                await self._tools.alerts.raised(conn, unread(turn.source), title, "; ".join(turn.problems[:10]))
            else:
                await self._tools.alerts.cleared(conn, unread(turn.source))
        if turn.told or turn.uncounted:
            more = max(len(turn.uncounted) - NAMED, 0)
            named = ", ".join(sorted(turn.uncounted)[:NAMED]) + (f" and {more} more" if more else "")
            self._log.info("stock.told", source=turn.source, told=turn.told, not_counted=named)

    async def _failed(self, turn: Turn, error: PlatformError) -> None:
        attempts = turn.lease.attempts + 1
        family = Family.LATER if error.family is Family.UNREADABLE else error.family
        decision = decide(SP_8, family, attempts, error.retry_after, random())
        wait = turn.configured.source.stock.every
        if isinstance(decision, Again):
            wait = timedelta(seconds=decision.after_seconds)
        else:
            attempts = 0  # the next turn in time is a new try
        async with transaction(self._pool) as conn:
            await self._finish(conn, turn, wait, attempts, read_whole=False)
            await self._note(conn, turn, error.family, error.message)
        self._log.warning("stock.failed", source=turn.source, cause=error.cause, error=error.message, attempt=attempts)

    async def _finish(self, conn: Connection, turn: Turn, wait: timedelta, attempts: int, *, read_whole: bool) -> None:
        await self._tools.queries.finish_stock_turn(
            conn,
            source=turn.source,
            token=turn.lease.token,
            was_due=turn.lease.row["due_at"],
            wait=wait,
            attempts=attempts,
            read_whole=read_whole,
        )

    async def _later(self, lease: Lease, wait: timedelta) -> None:
        async with self._pool.acquire() as conn:
            await leases.give_up(conn, STOCK_TURNS, [lease], wait)

    async def _note(self, conn: Connection, turn: Turn, family: Family | None, cause: str | None) -> None:
        version = turn.configured.credential_version
        change = await self._health.note(conn, turn.source, family, credential_version=version, cause=cause)
        if change is not None:
            told = facts.connection_changed(self._tools.clock.now(), change)
            await outbox.append(conn, [facts.message(event) for event in told])


def unread(source: str) -> str:
    """The key of the alert about what of a source's stock cannot be told."""
    return f"stock/{source}"
