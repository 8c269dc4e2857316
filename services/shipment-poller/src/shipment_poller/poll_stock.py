"""A source's stock is read from its platform, page by page, and the router is told what changed (RT-1).

Promises: a level is told as a count of what is on the shelf, our own requests included (docs/decisions/0025); one that
has not changed, and of which nothing was asked or shipped meanwhile, is no event before `AGAIN`; one that the platform
does not count is not told; a failed turn comes again by the retry schedule; a source that is down or unauthorized waits
without calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shipment_poller import facts
from shipment_poller.review_orders import Columns
from shipment_poller.source_turns import LeaseLost, SourceTurn, SourceWorker
from shipment_poller.stock_names import StockNames
from waybill_common import outbox
from waybill_common.budget import BudgetWait
from waybill_common.db import Connection, rows, transaction
from waybill_common.leases import Lease, LeasedTable
from waybill_common.logs import declare_events
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
AGAIN = timedelta(hours=24)
"""A level that has not changed is told again after this, so that a router that lost it heals."""
NAMED = 20


@dataclass(slots=True, kw_only=True)
class Turn(SourceTurn):
    """One reading of a source's levels."""

    names: StockNames
    met: set[str] = field(default_factory=set)
    uncounted: list[str] = field(default_factory=list)


class StockWorker(SourceWorker[Turn]):
    """Reads the sources with `stock: {from: platform}`."""

    table, word = STOCK_TURNS, "stock"
    hold = timedelta(minutes=5)
    """A page can be many calls: a store that tells its stock SKU by SKU."""
    at_once = 4

    def _begun(self, lease: Lease, configured: SourceConfigured, connection: SourceConnection) -> Turn:
        turn = Turn(lease, configured, connection, names=StockNames(configured.source))
        for theirs, ours in sorted(turn.names.shared.items()):
            turn.problems.append(f"skus.map: {', '.join(ours)} are all {theirs} there; give each SKU its own")
        return turn

    async def _read(self, turn: Turn) -> None:
        if turn.connection.stock is None:
            platform = turn.configured.source.platform.value
            turn.problems.append(f"stock.from: {platform} tells no stock; use feed or untracked")
        else:
            await self._pages(turn, turn.connection.stock)

    async def _pages(self, turn: Turn, reader: StockReader) -> None:
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
            await self._extend(conn, turn)
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

    async def _failed(self, conn: Connection, turn: Turn, wait: timedelta | None, attempts: int) -> None:
        in_time = turn.configured.source.stock.every
        await self._finish(conn, turn, in_time if wait is None else wait, attempts, read_whole=False)

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


def unread(source: str) -> str:
    """The key of the alert about what of a source's stock cannot be told."""
    return f"stock/{source}"
