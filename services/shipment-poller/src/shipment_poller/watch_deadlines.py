"""The deadlines of this stage, watched: what is late raises one alert a connection, with what is in the way.

A source is read within 15 minutes (or its own `poll_every`), and within the hour when all has shipped and may be
corrected; what a channel is to be told is settled within 5 minutes of being asked for; an early shipment finds its FR
within a day. An alert clears when nothing is late any more.
"""

from collections.abc import Mapping
from typing import Any

from shipment_poller import facts, schedule
from shipment_poller.configuration import Configurations
from shipment_poller.review_orders import Tools
from waybill_common import outbox
from waybill_common.db import Connection, Pool, rows, transaction

EVERY = 20.0
"""Seconds between two looks."""
POLL, SYNC = "late_poll", "late_sync"
Late = dict[str, tuple[str, str]]
"""Alert key -> (title, detail)."""


class Deadlines:
    """`turn` is the worker's; replicas leave it to the one that comes first."""

    def __init__(self, pool: Pool, tools: Tools) -> None:
        self._pool = pool
        self._tools = tools

    async def turn(self) -> int:
        """Raises and clears; always 0, because a deadline is looked at in time, not in a hurry."""
        q = self._tools.queries
        async with transaction(self._pool) as conn:
            if not await q.only_one(conn, name="/deadlines"):
                return 0
            await self._tools.configurations.refresh(conn)
            polls = [dict(row) for row in await rows(q.late_turns(conn, sweep_for=schedule.SWEEP_FOR))]
            late = late_polls(polls, self._tools.configurations)
            late |= late_syncs([dict(row) for row in await rows(q.late_syncs(conn, after=schedule.SYNCED_WITHIN))])
            await self._alert(conn, late)
            await self._early(conn)
        return 0

    async def _alert(self, conn: Connection, late: Late) -> None:
        for key, (title, detail) in late.items():
            await self._tools.alerts.raised(conn, key, title, detail)
        for row in await rows(self._tools.queries.open_alerts(conn, pattern="late\\_%")):
            if row["key"] not in late:
                await self._tools.alerts.cleared(conn, row["key"])

    async def _early(self, conn: Connection) -> None:
        now = self._tools.clock.now()
        overdue = await rows(self._tools.queries.early_overdue(conn))
        alerts = [facts.early_alert(now, r["source"], r["source_shipment_id"], r["reference"]) for r in overdue]
        await outbox.append(conn, [facts.message(alert) for alert in alerts])


def late_polls(turns: list[dict[str, Any]], configurations: Configurations) -> Late:
    """Sources that were not read in time, though something is unshipped there, or may be corrected."""
    late: Late = {}
    for turn in turns:
        configured = configurations.source(turn["source"])
        poll_every = configured.source.poll_every if configured else schedule.SEEN_WITHIN
        is_late, what = (schedule.late, "shipments") if turn["unshipped"] else (schedule.late_sweep, "corrections")
        key = f"{POLL}/{turn['source']}"
        if key not in late and turn["read_at"] is not None and is_late(turn["read_at"], poll_every, turn["now"]):
            title = f"{turn['source']} was last read {_ago(turn['now'] - turn['read_at'])} ago: {what} are seen late"
            late[key] = (title, _in_the_way(turn))
    return late


def late_syncs(found: list[dict[str, Any]]) -> Late:
    """Channels that were not told in time."""
    late: Late = {}
    for one in found:
        title = f"{one['count']} shipments wait for {one['channel']} for more than 5 minutes"
        late[f"{SYNC}/{one['channel']}"] = (title, f"since {one['since']:%Y-%m-%d %H:%M} UTC: {_in_the_way(one)}")
    return late


def _in_the_way(one: Mapping[str, Any]) -> str:
    """Why it is late, and what helps."""
    if one["health"] in ("down", "unauthorized"):
        mend = "enter new credentials" if one["health"] == "unauthorized" else "check that it can be reached"
        return f"the connection is {one['health']} ({one['cause'] or 'no answer'}): {mend}; the rest goes by itself"
    if one.get("per_second") is not None:
        return f"its rate budget of {one['per_second']:g} units/s: it goes on by itself, or grant more"
    if one.get("reason"):
        return f"last it said: {one['reason']}"
    return "look at its transaction records"


def _ago(passed: Any) -> str:
    minutes = int(passed.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
