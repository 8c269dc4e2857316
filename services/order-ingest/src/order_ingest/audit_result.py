"""How an audit ends: what is here and was not shown is looked up one by one, then the counts are stored and told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from order_ingest.calls import Calls
from order_ingest.import_orders import Batch, import_orders
from order_ingest.named import q
from order_ingest.seen import seen
from waybill_common.budget import patient
from waybill_common.db import Connection, rows, transaction
from waybill_common.leases import Lease
from waybill_platforms.ports import OrderReader
from waybill_platforms.recording import recording

MOST_LOOKED_UP = 200
"""Orders of one audit that are looked up one by one; each is a call."""


@dataclass(slots=True)
class Found:
    """What was shown on one page, with what was healed and what still differs."""

    order_ids: list[str]
    """Ours, of orders that came or changed."""
    ids: list[str] = field(default_factory=list)
    healed: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)

    def add(self, channel_order_id: str, healed: str, unlike: str) -> None:
        self.ids.append(channel_order_id)
        self.healed.append(healed)
        self.unlike.append(unlike)

    async def keep(self, conn: Connection, audit_id: Any) -> None:
        await q().keep_shown(conn, audit_id=audit_id, ids=self.ids, healed=self.healed, unlike=self.unlike)


async def conclude(calls: Calls, reader: OrderReader, lease: Lease, via: str) -> None:
    """Stores the result and raises or clears what it says. Raises what the platform raises."""
    gone, hidden, more = await _not_shown(calls, reader, lease, via) if lease.row["kind"] == "audit" else ([], 0, False)
    async with transaction(calls.pool) as conn:
        row = await q().audit(conn, audit_id=lease.id)
        counts = dict(await q().audit_counts(conn, audit_id=lease.id, channel=row["channel"]))
        counts["unexplained"] += len(row["problems"])
        counts |= {"deleted_at_channel": len(gone), "not_listed": hidden, "not_looked_up": more}
        why = [f"{u['channel_order_id']}: {u['why']}" for u in await rows(
            q().unexplained(conn, audit_id=lease.id, channel=row["channel"])
        )]  # fmt: skip
        result = {**counts, "problems": [*why, *row["problems"]][:20], "deleted": gone[:20]}
        await q().finish_audit(conn, audit_id=lease.id, token=lease.token, result=result)
        await q().forget_shown(conn, audit_id=lease.id)
        await _tell(calls, conn, row, result)


async def _not_shown(calls: Calls, reader: OrderReader, lease: Lease, via: str) -> tuple[list[str], int, bool]:
    """(numbers deleted at the channel, how many it merely did not list, whether there were more than are looked up)."""
    row = lease.row
    found = await rows(
        q().not_shown(
            calls.pool, audit_id=lease.id, channel=row["channel"], since=row["since"], until=row["until"],
            limit=MOST_LOOKED_UP + 1,
        )
    )  # fmt: skip
    gone, hidden = [], 0
    for ours in found[:MOST_LOOKED_UP]:
        read_at = calls.clock.now()
        with recording() as exchanges, patient(30.0):
            order = await reader.get_order(ours["channel_order_id"])
        async with transaction(calls.pool) as conn:
            await calls.succeeded(conn, row["channel"], None, exchanges, [str(ours["order_id"])])
            if order is not None:
                sighting = seen(row["channel"], order, read_at=read_at, via=via)
                rules = await calls.rulebook.of(conn, [sighting])
                await import_orders(conn, Batch([sighting], rules, calls.telemetry, calls.clock.now()))
        hidden += order is not None
        gone += [ours["number"]] if order is None else []
    return gone, hidden, len(found) > MOST_LOOKED_UP


async def _tell(calls: Calls, conn: Connection, row: Any, result: dict[str, Any]) -> None:
    channel = row["channel"]
    await calls.alerts.cleared(conn, f"audit-failed/{channel}")
    if not result["healed_missing"] and not result["healed_changed"] and row["kind"] == "audit":
        for alert in await rows(q().open_alerts_like(conn, prefix=f"audit-healed/{channel}/")):
            await calls.alerts.cleared(conn, alert["key"])
    await _one(calls, conn, f"audit-unexplained/{channel}", result["unexplained"], result["problems"],
               f"{result['unexplained']} orders that channel {channel} shows are not accounted for")  # fmt: skip
    await _one(calls, conn, f"audit-deleted/{channel}", result["deleted_at_channel"], result["deleted"],
               f"{result['deleted_at_channel']} orders are here that channel {channel} no longer has")  # fmt: skip


async def _one(calls: Calls, conn: Connection, key: str, count: int, said: Sequence[str], title: str) -> None:
    if count:
        await calls.alerts.raised(conn, key, title, "; ".join(said)[:1000])
    else:
        await calls.alerts.cleared(conn, key)
