"""What rests or waits for an answer for too long is said (FP-3, FP-7): one alert a source, with how many and which.

A sent FR may rest, but not unseen: unacknowledged for longer than its source's `lead`, it is told. A source that was
asked to give a request back and has not answered within an hour counts as `unanswered`; it goes on being asked. Both
depend on the clock alone, so a source that is down, cannot be asked, or has no connection is seen too.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fulfillment_push.facts import tell
from fulfillment_push.receive import SERVICE
from fulfillment_push.sources import SourceBook
from fulfillment_push.store import Store
from waybill_common.alerts import Alerts
from waybill_common.db import Connection, Pool, rows, transaction
from waybill_contracts.fulfillment_submitted import FrRecallRequested, Recall

ANSWER_WITHIN = timedelta(hours=1)
MANY = 200


class Deadlines:
    """A worker of its own; its turns are cheap, and every replica may take them."""

    def __init__(self, pool: Pool, store: Store, book: SourceBook, alerts: Alerts) -> None:
        self._pool = pool
        self._store = store
        self._book = book
        self._alerts = alerts
        self._told: set[str] = set()

    async def turn(self) -> int:
        """Returns how many recalls went over their deadline now."""
        async with transaction(self._pool) as conn:
            await self._book.refresh(conn)
            sources = self._book.settings
            overdue = await self._overdue(conn)
            leads = [source.lead for source in sources.values()]
            resting = await rows(self._store.q.resting_unseen(conn, sources=list(sources), leads=leads))
            await self._say(conn, resting, "unacknowledged", "not acknowledged within its lead")
            silent = await rows(self._store.q.unanswered_recalls(conn, sources=list(sources)))
            unheard = {name: {"source": name, "frs": 0} for name in sources} | {row["source"]: row for row in silent}
            await self._say(conn, unheard.values(), "recall-unanswered", "asked back, and not answered within the hour")
        return overdue

    async def _overdue(self, conn: Connection) -> int:
        late = await rows(self._store.q.overdue_recalls(conn, before=ANSWER_WITHIN, limit=MANY))
        frs = await self._store.load(conn, [row["fr_id"] for row in late])
        over = [fr for fr in frs.values() if fr.recall is Recall.REQUESTED]
        for fr in over:
            fr.recall = Recall.UNANSWERED
            tell(fr, FrRecallRequested)
        await self._store.save(conn, over)
        return len(over)

    async def _say(self, conn: Connection, found: Any, kind: str, words: str) -> None:
        for row in found:
            key = f"{SERVICE}/{kind}/{row['source']}"
            if row["frs"]:
                await self._alerts.raised(conn, key, f"FRs at {row['source']} are {words}", _detail(row))
                self._told.add(key)
            elif key in self._told or await self._open(conn, key):
                await self._alerts.cleared(conn, key)
                self._told.discard(key)

    async def _open(self, conn: Connection, key: str) -> bool:
        """Raised by another replica, or before a restart."""
        return bool(await conn.fetchval("select true from open_alerts where key = $1", key))


def _detail(row: Mapping[str, Any]) -> str:
    numbers = ", ".join(row["numbers"]) + (", …" if row["frs"] > len(row["numbers"]) else "")
    return f"{row['frs']} of them, the oldest since {row['since']:%Y-%m-%d %H:%M} UTC: {numbers}. Ask the source."
