"""Orders that something second-hand told of are read live at their channel, and that is what is imported.

An event or a webhook about an order of a channel with an API of its own is of doubtful age (DESIGN section 3): it
only says where to look. An order that the channel does not show is looked for again while its index may lag, then told
to a person.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from order_ingest.calls import Calls, NotConfigured
from order_ingest.import_orders import Batch, import_orders
from order_ingest.named import q
from order_ingest.seen import seen
from waybill_common.budget import BudgetWait
from waybill_common.db import Connection, transaction, transient
from waybill_common.ids import new_id
from waybill_common.leases import Lease, LeasedTable, claim, give_up
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.orders import ChannelOrder
from waybill_platforms.recording import recording

TABLE = LeasedTable(table="live_reads", id="live_read_id", connection="channel")
PATIENCE = timedelta(minutes=2)
HOLD = timedelta(seconds=20)
AGAIN_IN = timedelta(seconds=10)
SOON = timedelta(seconds=1)
"""After an outage or a deadlock with another way in, which pass by themselves."""
AFTER_A_BUG = timedelta(minutes=1)
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order to be read: by its channel's id where that was told, else by number."""

    channel: str
    number: str
    order_ref: str | None
    via: str
    traceparent: str | None


async def want(conn: Connection, wanted: Sequence[Wanted]) -> None:
    """Notes what is to be read, in the caller's transaction; asking twice reads once, the newer time."""
    newest = {(one.channel, one.number): one for one in wanted}
    if newest:
        ordered = [newest[key] for key in sorted(newest)]
        await q().want_live_reads(
            conn,
            patience=PATIENCE,
            ids=[new_id() for _ in ordered],
            channels=[one.channel for one in ordered],
            numbers=[one.number for one in ordered],
            refs=[one.order_ref for one in ordered],
            vias=[one.via for one in ordered],
            traceparents=[one.traceparent for one in ordered],
        )


class LiveReads:
    """The worker that reads them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def turn(self) -> int:
        """Reads a few that are due; returns how many were taken up."""
        calls = self._calls
        async with calls.pool.acquire() as conn:
            blocked = await calls.health.blocked(conn)
            leases = await claim(
                conn, TABLE, limit=AT_ONCE, per_connection=AT_ONCE, hold=HOLD, exclude_connections=blocked
            )
        # each ends on its own: what nobody expected of one is the worker's to log, and no other's trouble
        ended = await asyncio.gather(*(self._read(lease) for lease in leases), return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error
        return len(leases)

    async def _read(self, lease: Lease) -> None:
        try:
            await self._read_live(lease)
        except Exception as error:
            row = lease.row
            async with transaction(self._calls.pool) as conn:
                await give_up(conn, TABLE, [lease], SOON if transient(error) else AFTER_A_BUG)
                if not transient(error):
                    title = f"Order {row['number']} was announced for channel {row['channel']} and cannot be taken in"
                    detail = f"{type(error).__name__}: {error}"[:1000]
                    await self._calls.alerts.raised(conn, missing_alert(row["channel"], row["number"]), title, detail)
            raise

    async def _read_live(self, lease: Lease) -> None:
        calls, row = self._calls, lease.row
        read_at = calls.clock.now()
        credentials: int | None = None
        try:
            with recording(attempt=lease.attempts + 1) as exchanges:
                reader, credentials = await calls.reader(row["channel"])
                order = await reader.get_order(row["order_ref"]) if row["order_ref"] else None
                if order is None and row["number"] != row["order_ref"]:
                    order = await reader.find_by_number(row["number"])
        except BudgetWait as wait:
            async with calls.pool.acquire() as conn:
                await give_up(conn, TABLE, [lease], timedelta(seconds=wait.seconds))
        except NotConfigured as error:
            async with transaction(calls.pool) as conn:
                await self._missing(conn, lease, str(error))
        except PlatformError as error:
            async with transaction(calls.pool) as conn:
                await calls.failed(conn, row["channel"], credentials, error, exchanges)
                await self._postpone(conn, lease, calls.wait(error, lease.attempts + 1, AGAIN_IN))
        else:
            async with transaction(calls.pool) as conn:
                order_ids = [] if order is None else await self._import(conn, lease, order, read_at)
                await calls.succeeded(conn, row["channel"], credentials, exchanges, order_ids)
                if order is None:
                    await self._missing(
                        conn, lease, "check the number in what announced it, and whether it was deleted"
                    )
                else:
                    await calls.alerts.cleared(conn, missing_alert(row["channel"], row["number"]))
                    await self._end(conn, lease)

    async def _import(self, conn: Connection, lease: Lease, order: ChannelOrder, read_at: datetime) -> list[str]:
        row = lease.row
        sighting = seen(row["channel"], order, read_at=read_at, via=row["via"], traceparent=row["traceparent"])
        rules = await self._calls.rulebook.of(conn, [sighting])
        if row["channel"] not in rules:
            return []
        batch = Batch([sighting], rules, self._calls.telemetry, self._calls.clock.now())
        return (await import_orders(conn, batch)).order_ids

    async def _missing(self, conn: Connection, lease: Lease, why: str) -> None:
        row, calls = lease.row, self._calls
        if calls.clock.now() < row["give_up_at"]:
            await self._postpone(conn, lease, AGAIN_IN)
            return
        await calls.alerts.raised(
            conn,
            missing_alert(row["channel"], row["number"]),
            f"Order {row['number']} was announced, but channel {row['channel']} does not show it",
            f"looked for {lease.attempts + 1} times; {why}",
        )
        await self._end(conn, lease)

    async def _end(self, conn: Connection, lease: Lease) -> None:
        await q().end_live_read(conn, id=lease.id, token=lease.token, give_up_at=lease.row["give_up_at"])

    async def _postpone(self, conn: Connection, lease: Lease, wait: timedelta) -> None:
        await q().postpone_live_read(conn, id=lease.id, token=lease.token, due_in=wait)


def missing_alert(channel: str, number: str) -> str:
    """The alert that is open while an order that was announced is not at its channel."""
    return f"not-at-channel/{channel}/{number}"
