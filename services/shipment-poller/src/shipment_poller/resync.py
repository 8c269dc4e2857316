"""Many shipments pushed again because a person asked (SP-12): begun piece by piece, watched, and canceled on request.

Promises: orders are independent, whatever happens to one; what has not been tried yet when it is canceled stays as it
was; each ends as synced, or failed with a reason. How long that takes is the channels' budgets' to say, so the progress
names what makes it longer than the 5 minutes that are promised.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from shipment_poller.review_orders import Tools
from waybill_common.commands import UNNAMED, Command
from waybill_common.db import Connection, Pool, rows, transaction
from waybill_common.ids import new_id

AT_ONCE = 500
"""Shipments begun in one transaction: few enough that no order waits long for its lock."""
PROMISED = timedelta(minutes=5)
_KEPT = timedelta(days=30)


class ChannelProgress(BaseModel):
    """One channel's part of it. `per_second` is the pace seen so far; `later_because` says what is in the way."""

    channel: str
    shipments: int
    synced: int
    failed: int
    not_needed: int
    canceled: int
    pending: int
    per_second: float | None = None
    expected_seconds: float | None = None
    later_because: str | None = None


class Progress(BaseModel):
    """How far a resync is. `done`: all its shipments have an end, or were canceled."""

    resync_id: str
    asked_at: datetime
    actor: str
    reason: str
    shipments: int
    synced: int
    failed: int
    canceled: int
    pending: int
    done: bool
    canceled_at: datetime | None = None
    channels: tuple[ChannelProgress, ...]
    failures: tuple[dict[str, Any], ...] = ()


class Resyncs:
    """`turn` is the worker's: it begins the next piece of the oldest resync. `wake` is called after each."""

    def __init__(self, pool: Pool, tools: Tools, wake: Callable[[], None]) -> None:
        self._pool = pool
        self._q = tools.queries
        self._wake = wake

    async def begin(
        self,
        actor: str,
        reason: str,
        *,
        ids: Sequence[str] | None,
        channel: str | None,
        code: str | None,
        command: Command = UNNAMED,
    ) -> dict[str, Any]:
        """Chooses the shipments; they begin with the worker's next turns, and what comes of each names the resync.

        A command's resync has the command's id.
        """
        resync_id = command.cause or str(new_id())

        async def act(conn: Connection) -> dict[str, Any]:
            await self._q.drop_old_resyncs(conn, keep=_KEPT)
            await self._q.begin_resync(conn, resync_id=resync_id, actor=actor, reason=reason)
            found = await self._q.resync_parts(conn, resync_id=resync_id, ids=ids, channel=channel, code=code)
            command.expects(found["shipments"])
            return {"resync_id": resync_id, "shipments": found["shipments"], "orders": found["orders"]}

        answer: dict[str, Any] = await command.once(self._pool, act)
        return answer

    async def turn(self) -> int:
        """Begins up to `AT_ONCE` shipments of the oldest resync that has some left."""
        async with transaction(self._pool) as conn:
            claimed = await self._q.claim_resync(conn)
            if claimed is None:
                return 0
            resync_id = claimed["resync_id"]
            parts = await rows(self._q.next_parts(conn, resync_id=resync_id, most=AT_ONCE))
            if not parts:
                await self._q.all_armed(conn, resync_id=resync_id)
                return 1
            orders = sorted({row["order_id"] for row in parts})
            await self._q.lock_orders(conn, order_ids=orders)
            await self._q.arm_parts(conn, resync_id=resync_id, ids=[row["shipment_id"] for row in parts])
            await self._q.arm_pushes(conn, order_ids=orders)
        self._wake()
        return len(parts)

    async def progress(self, resync_id: str) -> Progress | None:
        """How far it is now; none when there is no such resync (any more)."""
        async with self._pool.acquire() as conn:
            row = await self._q.resync_of(conn, resync_id=resync_id)
            if row is None:
                return None
            channels = await rows(self._q.resync_progress(conn, resync_id=resync_id))
            failures = await rows(self._q.resync_failures(conn, resync_id=resync_id))
        return progress_of(row, channels, failures)

    async def cancel(self, resync_id: str, actor: str, command: Command = UNNAMED) -> bool:
        """Stops what was not tried yet, and puts it back as it was; false when there is nothing to cancel."""

        async def act(conn: Connection) -> bool:
            if await self._q.cancel_resync(conn, resync_id=resync_id, actor=actor) is None:
                return False
            await self._q.cancel_waiting(conn, resync_id=resync_id)
            return True

        if not await command.once(self._pool, act):
            return False
        while True:
            async with transaction(self._pool) as conn:
                parts = await rows(self._q.cancelable_parts(conn, resync_id=resync_id, most=AT_ONCE))
                if not parts:
                    return True
                await self._q.lock_orders(conn, order_ids=sorted({row["order_id"] for row in parts}))
                await self._q.put_back(conn, resync_id=resync_id, ids=[row["shipment_id"] for row in parts])


def progress_of(row: Mapping[str, Any], channels: Sequence[Mapping[str, Any]], failures: Sequence[Any]) -> Progress:
    """From what is stored; pure."""
    since = (row["now"] - row["asked_at"]).total_seconds()
    parts = tuple(_channel(found, since) for found in channels)
    total = {name: sum(getattr(one, name) for one in parts) for name in ("shipments", "synced", "failed", "canceled")}
    pending = sum(one.pending for one in parts)
    told = {name: row[name] for name in ("resync_id", "asked_at", "actor", "reason", "canceled_at")}
    return Progress(
        **told, **total, pending=pending, done=pending == 0, channels=parts, failures=tuple(dict(f) for f in failures)
    )


def _channel(found: Mapping[str, Any], since: float) -> ChannelProgress:
    pending = found["pending"] + found["waiting"]
    settled = found["synced"] + found["failed"] + found["not_needed"]
    pace = settled / since if settled and since > 0 else None
    expected = pending / pace if pace else None
    counts = {n: found[n] for n in ("channel", "shipments", "synced", "failed", "not_needed", "canceled")}
    return ChannelProgress(
        **counts,
        pending=pending,
        per_second=None if pace is None else round(pace, 2),
        expected_seconds=None if expected is None or not pending else round(expected, 1),
        later_because=_because(found, since, expected) if pending else None,
    )


def _because(found: Mapping[str, Any], since: float, expected: float | None) -> str | None:
    """What makes it take longer than promised; none while it does not."""
    if found["health"] in ("down", "unauthorized"):
        return f"the channel is {found['health']}: {found['cause'] or 'no answer'}; its shipments go on by themselves"
    if since + (expected or 0.0) <= PROMISED.total_seconds():
        return None
    if found["per_second"] is not None:
        return f"the rate budget of channel {found['channel']}: it grants {found['per_second']:g} units/s in all"
    if found["spent"]:
        return f"the rate budget of channel {found['channel']} is used up; it fills again by itself"
    return f"channel {found['channel']} answers slowly"
