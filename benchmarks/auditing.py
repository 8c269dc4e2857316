"""An audit over a window of a million orders, all of them here: the peak memory of the process that walks.

The orders are made when they are asked for, as a shop would show them; our copies of them are put into the database
beforehand, with the digests that importing them would have left, so that the walk finds what it would find in life.
"""

import os
import time
from datetime import timedelta

from benchmarks import stage
from benchmarks.arriving import Generated, Ingest, made
from benchmarks.goals import Result
from benchmarks.intake import peak_mb
from benchmarks.measure import Size
from benchmarks.samples import START
from order_ingest.audit_channel import AuditChannel
from order_ingest.calls import Calls
from order_ingest.import_orders import Batch, import_orders
from order_ingest.named import q
from order_ingest.seen import Seen, seen
from waybill_common.db import Pool, transaction
from waybill_common.ids import new_id

CHANNEL = "shop"
COPIED_AT_ONCE = 2_000
_COPIES = """
insert into orders (order_id, store, channel, channel_order_id, number, standing, version, sequence, updated_at,
    read_at, digest, snapshot, body, baseline, rules_version, via, traceparent, placed_at)
select gen_random_uuid(), o.store, o.channel, u.id, u.number, o.standing, o.version, o.sequence, u.updated_at,
    o.read_at, u.digest, o.snapshot, jsonb_set(o.body, '{lines}', u.lines -> 'lines'), o.baseline, o.rules_version,
    o.via, o.traceparent, o.placed_at
from (select * from orders limit 1) o
cross join unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[], $5::jsonb[])
    as u (id, number, updated_at, digest, lines)
on conflict do nothing
"""


async def measure(size: Size) -> list[Result]:
    orders = size.orders or size.of(1_000_000, 2_000)
    with stage.directory() as where, stage.postgres(where) as server:
        pool = await stage.schema(server.url, "order_ingest", "order_ingest")
        ingest = Ingest(pool, {CHANNEL: Generated(CHANNEL, orders)})
        await ingest.configure()
        calls = ingest.calls()
        await _copies(pool, calls, orders)
        worker, audit_id = AuditChannel(calls), new_id()
        until = START + timedelta(seconds=orders)
        await q().ask_audit(
            pool, id=audit_id, channel=CHANNEL, kind="audit", since=START, until=until, asked_by="bench"
        )
        before, began = peak_mb(os.getpid()), time.perf_counter()
        while await worker.turn() or worker.busy:
            pass
        seconds, peak = time.perf_counter() - began, peak_mb(os.getpid())
        row = await q().audit(pool, audit_id=audit_id)
        pool.terminate()
    if row["state"] != "done" or (row["result"]["shown"], row["result"]["imported"]) != (orders, orders):
        raise RuntimeError(f"{row['state']}: {row['last_error'] or row['result']}")
    raw = {
        "orders": orders,
        "orders_a_second": round(orders / seconds),
        "seconds": round(seconds, 1),
        "peak_mb_before": before,
        "unexplained": row["result"]["unexplained"],
        "healed": row["result"]["healed_missing"] + row["result"]["healed_changed"],
    }
    return [Result("AUDIT", peak, raw)]


async def _copies(pool: Pool, calls: Calls, orders: int) -> None:
    """The first is imported by the one verb; the others are copies of its row, with their own ids and digests."""
    first = _sighting(0)
    async with transaction(pool) as conn:
        rules = await calls.rulebook.of(conn, [first])
        await import_orders(conn, Batch([first], rules, calls.telemetry, START))
    lines = await pool.fetchval("select body -> 'lines' from orders")
    for start in range(1, orders, COPIED_AT_ONCE):
        made = [_sighting(number) for number in range(start, min(start + COPIED_AT_ONCE, orders))]
        theirs = [
            [{**ours, "line_id": shown.line_id} for ours, shown in zip(lines, one.order.lines, strict=True)]
            for one in made
        ]
        await pool.execute(
            _COPIES, [one.order.id for one in made], [one.order.number for one in made],
            [one.order.updated_at for one in made], [one.digest for one in made],
            [{"lines": one} for one in theirs],
        )  # fmt: skip
    await pool.execute("vacuum analyze orders")


def _sighting(number: int) -> Seen:
    [order] = made(CHANNEL, number, number + 1)
    return seen(CHANNEL, order, read_at=START, via="pull")
