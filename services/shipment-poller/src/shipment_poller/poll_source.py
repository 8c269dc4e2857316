"""A source's turn: list what it shipped since its cursor, record page by page, and say when the next turn is due.

Promises: the cursor moves only after a list was read to its end and all of it was recorded, and overlaps the one
before; what cannot be read or recorded holds up nothing else, and is asked for again until it can; a failed turn comes
again by the retry schedule; a source that is down or unauthorized waits without calls.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shipment_poller import facts, merge, schedule
from shipment_poller.forgotten import withdrawn_by_silence
from shipment_poller.review_orders import Tools
from shipment_poller.source_turns import Sources, SourceTurn, SourceWorker
from shipment_poller.take_words import take_words
from shipment_poller.translate import said_by
from waybill_common import outbox
from waybill_common.breaker import Health
from waybill_common.db import Connection, Pool, rows, transaction
from waybill_common.leases import Lease, LeasedTable
from waybill_common.logs import Log, declare_events
from waybill_contracts.config_changed import SourceConfigured
from waybill_platforms.model.requests import OpenRequest
from waybill_platforms.model.shipments import ShipmentPage
from waybill_platforms.ports import SourceConnection
from waybill_platforms.recording import recording

declare_events(
    {
        "poll.done": "a source's turn ended well and told something",
        "poll.failed": "a source's turn ended early; it comes again",
        "poll.connection_unusable": "a source's configuration cannot be used; it is not polled",
    }
)

SOURCE_TURNS = LeasedTable("source_turns", "source", "source")
WALKS = 3
"""How often a list that moves while it is paged is read in one turn."""


@dataclass(slots=True)
class Turn(SourceTurn):
    """One source's turn under way."""

    seen: list[datetime] = field(default_factory=list)
    moved: bool = False
    """The list did not stand still, however often it was read: the next turn begins where this one did."""


class PollWorker(SourceWorker[Turn]):
    """`wake` is called when something new has to be pushed."""

    table, word = SOURCE_TURNS, "poll"
    hold = timedelta(seconds=60)
    at_once = 16

    def __init__(
        self, pool: Pool, tools: Tools, sources: Sources, health: Health, log: Log, wake: Callable[[], None]
    ) -> None:
        super().__init__(pool, tools, sources, health, log)
        self._wake = wake

    def _begun(self, lease: Lease, configured: SourceConfigured, connection: SourceConnection) -> Turn:
        return Turn(lease, configured, connection)

    async def _read(self, turn: Turn) -> None:
        since = schedule.since(turn.lease.row["cursor"])
        requests, fr_ids, swept = await self._open_requests(turn)
        for _ in range(WALKS):
            turn.moved = await self._walk(turn, since, requests, fr_ids)
            if not turn.moved:
                break
        if swept:
            await self._tools.queries.swept(self._pool, fr_ids=swept)

    async def _walk(
        self, turn: Turn, since: datetime | None, requests: list[OpenRequest], fr_ids: tuple[str, ...]
    ) -> bool:
        """Reads all pages. True when the list moved: one stood on two pages, so a neighbour of it may have been missed
        at a page's edge.
        """
        page: str | None = None
        met: set[str] = set()
        moved = False
        while True:
            with recording(fr_ids=fr_ids) as made:
                try:
                    answer = await turn.connection.shipments.list_shipments(since, requests, page)
                finally:
                    exchanges = facts.exchanges(made)
                    if exchanges and not any(one.outcome == "ok" for one in made):
                        await self._keep(exchanges)
            await self._record(turn, answer, exchanges)
            ids = {shipment.id for shipment in answer.shipments}
            moved = moved or not met.isdisjoint(ids)
            met |= ids
            page = answer.next
            if page is None:
                return moved
            async with self._pool.acquire() as conn:
                await self._extend(conn, turn)

    async def _open_requests(self, turn: Turn) -> tuple[list[OpenRequest], tuple[str, ...], list[str]]:
        """Only for platforms that cannot list by change: what is asked for by name."""
        if turn.connection.features.lists_changed_shipments:
            return [], (), []
        found = await rows(
            self._tools.queries.open_requests(
                self._pool,
                source=turn.source,
                sweep_for=schedule.SWEEP_FOR,
                young=schedule.SWEEPS[0][0],
                young_every=schedule.SWEEPS[0][1],
                middle=schedule.SWEEPS[1][0],
                middle_every=schedule.SWEEPS[1][1],
                old_every=schedule.SWEEPS[2][1],
                sweep_at_most=schedule.SWEEP_AT_MOST,
            )
        )
        requests = [OpenRequest(row["number"], row["platform_id"] or None) for row in found]
        swept = [row["fr_id"] for row in found if not row["unshipped"]]
        return requests, tuple(row["fr_id"] for row in found)[:100], swept

    async def _record(self, turn: Turn, answer: ShipmentPage, exchanges: list[outbox.Message]) -> None:
        words = merge.fold(said_by(shipment) for shipment in answer.shipments)
        async with self._pool.acquire() as conn:
            words |= await withdrawn_by_silence(conn, self._tools.queries, turn.source, answer)
        turn.seen += [said.updated_at for said in words.values()]
        turn.problems += answer.problems

        async def beside(conn: Connection) -> None:
            await outbox.append(conn, exchanges)
            await self._note(conn, turn, None, None)

        told, _ = await take_words(self._pool, self._tools, self._log, turn.source, words, turn.problems, beside)
        turn.told += told
        if told:
            self._wake()

    async def _problems(self, conn: Connection, turn: Turn) -> None:
        """One open alert a source, however often its list repeats what cannot be read or recorded."""
        if turn.problems:
            title = f"{len(turn.problems)} shipments of {turn.source} could not be read or recorded"
            await self._tools.alerts.raised(conn, unreadable(turn.source), title, "; ".join(turn.problems[:10]))
        else:
            await self._tools.alerts.cleared(conn, unreadable(turn.source))

    async def _keep(self, exchanges: list[outbox.Message]) -> None:
        async with transaction(self._pool) as conn:
            await outbox.append(conn, exchanges)

    async def _ended(self, turn: Turn) -> None:
        async with transaction(self._pool) as conn:
            wait, cursor = await self._next(conn, turn, to_the_end=not (turn.problems or turn.moved))
            await self._finish(conn, turn, wait, cursor, 0, read_whole=True)
            await self._problems(conn, turn)
            if turn.told:  # what has left is no longer on the shelf
                await self._tools.queries.read_stock_now(conn, source=turn.source)
        if turn.told:
            self._log.info("poll.done", source=turn.source, told=turn.told)

    async def _failed(self, conn: Connection, turn: Turn, wait: timedelta | None, attempts: int) -> None:
        in_time, cursor = await self._next(conn, turn, to_the_end=False)
        await self._finish(conn, turn, in_time if wait is None else wait, cursor, attempts)

    async def _next(
        self, conn: Connection, turn: Turn, *, to_the_end: bool
    ) -> tuple[timedelta | None, datetime | None]:
        q = self._tools.queries
        # locked first, so that an FR that comes meanwhile is seen here or finds the row after us
        row = await q.lock_turn(conn, source=turn.source, token=turn.lease.token)
        now = self._tools.clock.now()
        watching = await q.watching(conn, source=turn.source)
        wait = schedule.next_turn(
            schedule.Watching(int(watching["unshipped"]), watching["last_shipped_at"]),
            turn.configured.source.poll_every,
            now,
        )
        if row is not None and row["wanted_again"]:
            wait = timedelta(0)
        cursor: datetime | None = turn.lease.row["cursor"]
        return wait, schedule.moved(cursor, turn.seen, now) if to_the_end else cursor

    async def _finish(
        self,
        conn: Connection,
        turn: Turn,
        wait: timedelta | None,
        cursor: datetime | None,
        attempts: int,
        *,
        read_whole: bool = False,
    ) -> None:
        await self._tools.queries.finish_turn(
            conn,
            source=turn.source,
            token=turn.lease.token,
            wait=wait,
            cursor=cursor,
            attempts=attempts,
            read_whole=read_whole,
        )


def unreadable(source: str) -> str:
    """The key of the alert about what a source says and nobody can read."""
    return f"unreadable_shipments/{source}"
