"""G12: the relay against the two floors that no relay can be faster than.

Drain floor: taking rows with their bytes out of a plain table, `DELETE … RETURNING` by 500. Send floor: `create_batch`
and `send_batch` of such rows by 500. The relay does both, in order, and keeps the facts.
"""

import asyncio
import itertools
import time

from aiokafka import AIOKafkaProducer

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.measure import Size, median, rounded
from benchmarks.samples import order_fact
from waybill_common import outbox
from waybill_common.alerts import Alerts
from waybill_common.db import Connection, Pool, transaction
from waybill_common.logs import make_log
from waybill_common.metrics import Metrics
from waybill_common.outbox import Message
from waybill_common.relay import Relay
from waybill_contracts.topics import PARTITIONS

TOPIC = "orders.imported"
BATCH = 500
_PLAIN = """
create table plain_outbox (position bigint generated always as identity primary key, id text, topic text, key text,
    headers json, value bytea)
"""
_FILL = """
insert into plain_outbox (id, topic, key, headers, value)
select * from unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::bytea[])
"""
_DRAIN = """
delete from plain_outbox where position in (select position from plain_outbox order by position limit $1) returning *
"""


async def measure(size: Size) -> list[Result]:
    rows = size.of(20_000, 3_000)
    messages = [order_fact(number) for number in range(rows)]
    with stage.directory() as where, stage.postgres(where) as server, stage.embedded_broker(where, TOPIC) as kafka:
        pool = await stage.schema(server.url, "bench")
        await pool.execute(_PLAIN)
        relay = Relay(
            stage.settings(server.url, kafka), "bench", alerts=Alerts(None), instance="bench",
            log=make_log("bench", "WARNING"), metrics=Metrics("bench"),
        )  # fmt: skip
        stop = asyncio.Event()
        task = asyncio.create_task(relay.run(stop))
        drains: list[float] = []
        sends: list[float] = []
        relays: list[float] = []
        for number in range(size.pairs + 1):
            found = await _drain(pool, messages), await _send(kafka, messages), await _relay(pool, messages)
            if number:
                for rates, seconds in zip((drains, sends, relays), found, strict=True):
                    rates.append(rows / seconds)
        stop.set()
        await task
        pool.terminate()
    ratios = [relay / min(drain, send) for drain, send, relay in zip(drains, sends, relays, strict=True)]
    raw = {
        "rows": rows,
        "bytes_a_row": len(messages[0].value or b""),
        "drain_floor_rows_s": rounded(drains, digits=0),
        "send_floor_rows_s": rounded(sends, digits=0),
        "relay_rows_s": rounded(relays, digits=0),
        "medians_rows_s": rounded([median(drains), median(sends), median(relays)], digits=0),
    }
    return [Result("G12", median(ratios), raw)]


async def _drain(pool: Pool, messages: list[Message]) -> float:
    async with pool.acquire() as conn:
        await conn.execute(
            _FILL,
            [m.id for m in messages], [m.topic for m in messages], [m.key for m in messages],
            [dict(m.headers) for m in messages], [m.value for m in messages],
        )  # fmt: skip
        await conn.execute("vacuum analyze plain_outbox")
        began = time.perf_counter()
        while await conn.fetch(_DRAIN, BATCH):
            pass
        return time.perf_counter() - began


async def _send(kafka: str, messages: list[Message]) -> float:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, enable_idempotence=True, acks="all", max_batch_size=1024 * 1024, linger_ms=0
    )
    await producer.start()
    rows = [(m.key.encode(), m.value, [(k, v.encode()) for k, v in m.headers.items()]) for m in messages]
    began = time.perf_counter()
    flights = []
    partitions = itertools.cycle(range(PARTITIONS))
    for start in range(0, len(rows), BATCH):
        batch, partition = producer.create_batch(), next(partitions)
        for key, value, headers in rows[start : start + BATCH]:
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                flights.append(await producer.send_batch(batch, TOPIC, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=headers)
        flights.append(await producer.send_batch(batch, TOPIC, partition=partition))
    await asyncio.gather(*flights)
    took = time.perf_counter() - began
    await producer.stop()
    return took


async def _relay(pool: Pool, messages: list[Message]) -> float:
    """Seconds from the commit of the rows until the outbox is empty."""
    async with transaction(pool) as conn:
        await outbox.append(conn, messages)
    began = time.perf_counter()
    async with asyncio.timeout(60), pool.acquire() as conn:
        while await _left(conn):  # noqa: ASYNC110  rows are removed by another session
            await asyncio.sleep(0.01)
    return time.perf_counter() - began


async def _left(conn: Connection) -> bool:
    # from the newest row down: the oldest end is where the relay has just removed rows
    return await conn.fetchval("select position from outbox order by position desc limit 1") is not None
