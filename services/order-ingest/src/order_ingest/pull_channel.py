"""One channel's turn: all pages of its window, each in a transaction of its own, then the cursor (IN-2).

A window that fails anywhere leaves the cursor where it was. The next turn takes the window up where its committed pages
end, less the overlap, so that a window of any length is finished in the end; what is read twice changes nothing. Memory
is bounded by one page. The lease is extended with every page, so a turn that lost it writes nothing. Between two pages
of a long window every other channel that waits has a page of its own (`page_turns.py`).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from order_ingest.calls import Calls
from order_ingest.cursor import Cursor, Window, advanced, next_window, resumed
from order_ingest.import_orders import Batch, Counts, import_orders
from order_ingest.named import q
from order_ingest.page_turns import PageTurns
from order_ingest.seen import Seen, seen
from waybill_common.budget import BudgetWait, patient
from waybill_common.db import Connection, affected, transaction, transient
from waybill_common.leases import Lease
from waybill_common.logs import Log
from waybill_common.metrics import Metrics
from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.orders import OrderPage
from waybill_platforms.ports import OrderReader
from waybill_platforms.recording import Exchange, recording

VIA = "pull"
PAGE = 100
HOLD = timedelta(seconds=10)
"""Short, so that the channel of a killed replica is taken up soon; who runs a turn extends it while it runs."""


WAITS = (0.3, 0.9)
"""Seconds between the tries of one page: a long window must not begin anew for one lost answer."""
LONGEST_WAIT = 30.0
"""Seconds that a turn waits at most for its budget or for what the platform asks; longer waits are the row's.

As long as the dearest page takes to be affordable at the slowest rate: a window that is put off begins anew, so with
less patience one that holds more pages than the budget buys at a time would never end."""
SLOW = 5.0
"""A try whose calls took longer than this many seconds is not followed by another in the same turn."""


class TurnLost(Exception):
    """The lease ended and somebody else has the channel: what this turn still held is not written."""


@dataclass(slots=True)
class Turn:
    """One window under way."""

    lease: Lease
    window: Window
    cursor: Cursor | None
    credentials: int | None = None
    """The version that the calls are made with; none before the channel is open."""
    counts: Counts = field(default_factory=Counts)
    page: str | None = None
    unreadable: int = 0

    @property
    def channel(self) -> str:
        return str(self.lease.id)


class PullChannel:
    """Pulls one leased channel."""

    def __init__(
        self, calls: Calls, log: Log, metrics: Metrics, waits: Sequence[float] = WAITS, turns: PageTurns | None = None
    ) -> None:
        self._calls = calls
        self._turns = turns or PageTurns()
        self._waits = waits
        self._log = log
        self._metrics = metrics

    async def pull(self, lease: Lease, begun: Callable[[], None] = lambda: None) -> Counts:
        """Reads the whole window; `begun` is called when its first turn has come.

        Raises what the platform raises (after noting it) and TurnLost.
        """
        turn = _begin(lease, self._calls.clock.now())
        exchanges: list[Exchange] = []
        try:
            reader, turn.credentials = await self._calls.reader(turn.channel)
            while True:
                exchanges = []
                async with self._turns.turn() as mine:
                    begun()
                    page, read_at = await mine.awaited(self._read(reader, turn, exchanges))
                    await self._keep(turn, page, read_at, exchanges)
                if page.next is None:
                    return turn.counts
                turn.page = page.next
        except PlatformError as error:
            await self._fail(turn, error, exchanges)
            raise

    async def _read(self, reader: OrderReader, turn: Turn, exchanges: list[Exchange]) -> tuple[OrderPage, datetime]:
        """The next page and when its reading began; reading it again changes nothing, so it is tried a few times."""
        failed: PlatformError | None = None
        for number, wait in enumerate((*self._waits, None), start=1):
            read_at = self._calls.clock.now()
            with recording(attempt=number) as exchanged, patient(LONGEST_WAIT):
                try:
                    return await _next_page(reader, turn), read_at
                except BudgetWait:
                    if failed is not None:  # else nobody would hear of it, and a channel that is down never counts so
                        raise failed from None
                    raise
                except PlatformError as error:
                    hopeless = error.family is not Family.LATER or (error.retry_after or 0.0) > LONGEST_WAIT
                    slow = sum(one.duration_ms for one in exchanged) > SLOW * 1000
                    if wait is None or hopeless or slow:
                        raise
                    failed, pause = error, max(wait, error.retry_after or 0.0)
                finally:
                    exchanges += exchanged
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _keep(self, turn: Turn, page: OrderPage, read_at: datetime, exchanges: list[Exchange]) -> None:
        """One page: its orders, what was exchanged, and either the lease or (at the end) the cursor."""
        sightings = [seen(turn.channel, order, read_at=read_at, via=VIA) for order in page.orders]
        cursor = advanced(turn.cursor, page.orders, read_at)
        turn.unreadable += len(page.problems)
        try:
            counts = await self._commit(turn, sightings, page, cursor, exchanges, singly=False)
        except Exception as error:
            if transient(error) or isinstance(error, TurnLost) or len(sightings) == 0:
                raise
            self._log.warning("pull.page_failed", channel=turn.channel, orders=len(sightings), error=repr(error))
            counts = await self._commit(turn, sightings, page, cursor, exchanges, singly=True)
        turn.cursor = cursor
        turn.counts.add(counts)
        for outcome in ("imported", "held", "excluded", "changed", "unchanged"):
            if number := getattr(counts, outcome):
                self._metrics.count("waybill_orders_seen_total", number, via=VIA, outcome=outcome)

    async def _commit(
        self, turn: Turn, sightings: Sequence[Seen], page: OrderPage, cursor: Cursor | None,
        exchanges: list[Exchange], *, singly: bool,
    ) -> Counts:  # fmt: skip
        async with transaction(self._calls.pool) as conn:
            if not singly:
                counts = await self._import(conn, sightings)
            else:
                counts = await self._import_singly(conn, turn, sightings)
            await self._tell_unreadable(conn, turn.channel, page.problems)
            await self._calls.succeeded(conn, turn.channel, turn.credentials, exchanges, counts.order_ids)
            await self._end_or_go_on(conn, turn, page, cursor, counts)
        return counts

    async def _import(self, conn: Connection, sightings: Sequence[Seen]) -> Counts:
        rules = await self._calls.rulebook.of(conn, sightings)
        known = [sighting for sighting in sightings if sighting.channel in rules]
        return await import_orders(conn, Batch(known, rules, self._calls.telemetry, self._calls.clock.now()))

    async def _import_singly(self, conn: Connection, turn: Turn, sightings: Sequence[Seen]) -> Counts:
        """An order that cannot be taken in must not keep its neighbours out, or the cursor from moving."""
        counts = Counts()
        for sighting in sightings:
            try:
                async with conn.transaction():
                    counts.add(await self._import(conn, [sighting]))
            except Exception as error:
                if transient(error):
                    raise
                turn.unreadable += 1
                await self._calls.alerts.raised(
                    conn,
                    f"not-importable/{sighting.channel}/{sighting.order.id[:200]}",
                    f"Order {sighting.order.number[:100]} of channel {sighting.channel} cannot be taken in",
                    f"{type(error).__name__}: {error}"[:1000],
                )
        return counts

    async def _tell_unreadable(self, conn: Connection, channel: str, problems: tuple[str, ...]) -> None:
        """Orders whose answer does not fit the platform's contract: a person looks, their neighbours go on."""
        if problems:
            title = f"{len(problems)} orders of channel {channel} could not be read"
            await self._calls.alerts.raised(
                conn, f"unreadable-orders/{channel}", title, "; ".join(problems[:10])[:1000]
            )

    async def _end_or_go_on(
        self, conn: Connection, turn: Turn, page: OrderPage, cursor: Cursor | None, counts: Counts
    ) -> None:
        ours: dict[str, Any] = {"channel": turn.channel, "token": turn.lease.token}
        if page.next is not None:
            done = await q().keep_turn(conn, hold=HOLD, resume_at=None if cursor is None else cursor.at, **ours)
        else:
            total = Counts()
            total.add(turn.counts)
            total.add(counts)
            done = await q().finish_pull(
                conn, **ours, deep=turn.window.deep, counts={**total.as_json(), "unreadable": turn.unreadable},
                cursor_at=None if cursor is None else cursor.at, cursor_id=None if cursor is None else cursor.id,
            )  # fmt: skip
        if affected(done) == 0:
            raise TurnLost(f"channel {turn.channel}: the lease ended before its page was committed")

    async def _fail(self, turn: Turn, error: PlatformError, exchanges: list[Exchange]) -> None:
        lease = turn.lease
        every: timedelta = lease.row["poll_every"]
        async with transaction(self._calls.pool) as conn:
            # A connection that is down or locked out waits without using up attempts.
            used = 0 if self._calls.health.is_blocked(turn.channel) else 1
            await self._calls.failed(conn, turn.channel, turn.credentials, error, exchanges)
            await q().fail_pull(
                conn, channel=turn.channel, token=lease.token, error=error.message, used=used,
                due_in=self._calls.wait(error, lease.attempts + 1, every),
            )  # fmt: skip
        self._log.warning(
            "pull.failed", channel=turn.channel, family=error.family.value, cause=error.cause, error=error.message
        )


def _begin(lease: Lease, now: datetime) -> Turn:
    row = lease.row
    cursor = None if row["cursor_at"] is None else Cursor(row["cursor_at"], row["cursor_id"])
    window = next_window(
        cursor, starts_at=row["starts_at"], poll_every=row["poll_every"], deep_at=row["deep_at"], now=now
    )
    window = resumed(window, row["resume_at"])
    return Turn(lease, window, cursor)


async def _next_page(reader: OrderReader, turn: Turn) -> OrderPage:
    page = await reader.list_changed(turn.window.since, turn.page, PAGE)
    if page.next is not None and page.next == turn.page:
        raise _circle(turn.channel)
    return page


def _circle(channel: str) -> PlatformError:
    return PlatformError(
        f"channel {channel} gave the same page twice: its paging goes in a circle",
        family=Family.UNREADABLE, cause="unreadable", outcome="none", action="get_orders",
    )  # fmt: skip
