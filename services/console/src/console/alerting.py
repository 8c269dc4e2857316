"""Tells people of alerts, and watches the promised times itself (OP-11).

Promises: each change is told at least once by each way that is set up, several in one message; a way that fails is
tried again with waits that double up to ten minutes, and keeps nobody else from being told.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console.alert_ways import Way
from waybill_common.alerts import Alerts
from waybill_common.db import Connection, Pool, Queries, rows, transaction
from waybill_common.logs import Log, declare_events

declare_events({"alert.not_told": "a webhook or mail server did not take what it was told; it is tried again"})
MOST_AT_ONCE = 50
FAILURES_UNTIL_SAID = 3
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)

DEADLINES = {
    "imported": (300, "routed within 5 minutes", "Look at the router: its /readyz, its log."),
    "routed": (900, "sent within 15 minutes", "Look at fulfillment-push and at sources that are down."),
    "shipped": (
        300,
        "told to the channel within 5 minutes",
        "Look at shipment-poller and at channels that are down.",
    ),
}
"""Stage -> (seconds, what is promised, the next step). What waits for a person, a source or stock is not late."""


@dataclass(frozen=True, slots=True)
class News:
    """What a `Teller` tells: named queries for what a way has not been told of, and for what it has been."""

    untold: Callable[..., Any]
    note_told: Callable[..., Awaitable[None]]


class Teller:
    """A worker's turn: what nobody has been told of yet, by each way. `alerts`: say so when a way keeps failing."""

    def __init__(
        self,
        pool: Pool,
        q: Queries,
        ways: Sequence[Way],
        log: Log,
        news: News | None = None,
        alerts: Alerts | None = None,
    ) -> None:
        self._pool, self._q, self._ways, self._log = pool, q, ways, log
        self._news = news or News(q.untold_changes, q.note_told)
        self._alerts = alerts
        self._known: set[str] = set()

    async def turn(self) -> int:
        return sum([await self._by(way) for way in self._ways])

    async def _by(self, way: Way) -> int:
        if way.name not in self._known:
            await self._q.know_way(self._pool, way=way.name)
            self._known.add(way.name)
        async with transaction(self._pool) as conn:  # the row is held while it is told: no other replica tells it too
            claimed = await self._q.claim_way(conn, way=way.name)
            if claimed is None:
                return 0
            changes = [dict(row) for row in await rows(self._news.untold(conn, way=way.name, limit=MOST_AT_ONCE))]
            if not changes:
                return 0
            try:
                await way.tell(changes)
            except Exception as error:
                failures = claimed["failures"] + 1
                wait = min(FIRST_WAIT * 2 ** min(failures - 1, 12), LONGEST_WAIT)
                said = f"{type(error).__name__}: {error}"[:300]
                await self._q.note_way(conn, way=way.name, failures=failures, wait=wait, last_error=said)
                self._log.warning("alert.not_told", way=way.name, failures=failures, error=type(error).__name__)
                await self._failing(conn, way, failures, said)
                return 0
            await self._news.note_told(conn, way=way.name, ids=[change["id"] for change in changes])
            if claimed["failures"]:
                await self._q.note_way(conn, way=way.name, failures=0, wait=timedelta(0), last_error="")
                await self._failing(conn, way, 0, "")
        return len(changes)

    async def _failing(self, conn: Connection, way: Way, failures: int, said: str) -> None:
        if self._alerts is None:
            return
        if failures >= FAILURES_UNTIL_SAID:
            detail = f"{failures} tries in a row, last: {said}. All of it is kept and told as soon as it is taken."
            await self._alerts.raised(conn, f"not_told/{way.name}", f"The {way.name} webhook takes nothing", detail)
        elif failures == 0:
            await self._alerts.cleared(conn, f"not_told/{way.name}")


class Deadlines:
    """A worker's turn: an alert for each stage at which orders are late, cleared when none is."""

    def __init__(self, pool: Pool, q: Queries, alerts: Alerts) -> None:
        self._pool, self._q, self._alerts = pool, q, alerts

    async def turn(self) -> int:
        for stage, (seconds, promise, action) in DEADLINES.items():
            async with transaction(self._pool) as conn:
                late = await self._q.late(conn, stage=stage, seconds=seconds)
                key = f"deadline/{stage}"
                if not late["orders"]:
                    await self._alerts.cleared(conn, key)
                    continue
                examples = ", ".join(late["numbers"])
                detail = f"e.g. {examples}; the oldest since {late['since']:%Y-%m-%d %H:%M:%S} UTC. {action}"
                await self._alerts.raised(conn, key, f"{late['orders']} orders were not {promise}", detail)
        return 0
