"""G6: the kernel's consumer (order, dead letters, attempts, offsets after the commit) against raw `getmany`.

CPU from the first batch to the last, an event; the product's with PostgreSQL's share, as each batch is a transaction.
"""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.measure import Size, Stopwatch, in_turn, median, rounded
from benchmarks.samples import order_fact
from waybill_common.alerts import Alerts
from waybill_common.batches import Batches, Guard, TooManyDeadLetters
from waybill_common.consumer import Consumer
from waybill_common.consuming import Record, Subscription
from waybill_common.db import Connection, Pool
from waybill_common.logs import make_log
from waybill_common.metrics import Metrics
from waybill_common.settings import ServiceSettings
from waybill_contracts.envelope import decode

TOPIC = "orders.imported"
_groups = itertools.count()


async def measure(size: Size) -> list[Result]:
    events = size.of(8000, 2000)
    with stage.directory() as where, stage.postgres(where) as server, stage.embedded_broker(where, TOPIC) as kafka:
        postmaster = server.pid
        assert postmaster is not None
        pool = await stage.schema(server.url, "bench")
        settings = stage.settings(server.url, kafka)
        await _produce(kafka, events)
        shares: list[float] = []

        async def ours() -> float:
            watch = await _consume(settings, pool, events, postmaster, lambda record: record)
            shares.append(watch[1] / watch[2])
            return (watch[0] + watch[1]) / watch[2]

        async def with_contracts() -> float:
            watch = await _consume(settings, pool, events, postmaster, _read)
            return (watch[0] + watch[1]) / watch[2]

        pairs = await in_turn(size.pairs, lambda: _getmany(kafka, events), ours)
        decoded = [await with_contracts() for _ in range(size.pairs)]
        pool.terminate()
    raw = {
        "events": events,
        "getmany_us_an_event": rounded(pairs.yardstick, 1e6, 1),
        "waybill_us_an_event": rounded(pairs.product, 1e6, 1),
        "of_it_postgresql_us": rounded(shares[1:], 1e6, 1),
        "medians_us": rounded([median(pairs.yardstick), median(pairs.product)], 1e6, 1),
        "with_the_contracts_models_us": rounded(decoded, 1e6, 1),
        "ratio_with_the_contracts_models": round(median(decoded) / median(pairs.yardstick), 2),
    }
    return [Result("G6", pairs.ratio, raw)]


def _read(record: Record) -> Any:
    return decode(record.topic, record.key, record.headers, record.value)


async def _produce(kafka: str, events: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, max_batch_size=256 * 1024)
    await producer.start()
    for number in range(events):
        made = order_fact(number)
        headers = [(name, text.encode()) for name, text in made.headers.items()]
        await producer.send(TOPIC, made.value, key=made.key.encode(), headers=headers)
    await producer.stop()


async def _getmany(kafka: str, events: int) -> float:
    """Seconds of CPU an event, after the first batch."""
    consumer = AIOKafkaConsumer(
        TOPIC, bootstrap_servers=kafka, group_id=f"raw-{next(_groups)}", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    seen = first = 0
    watch = Stopwatch()
    try:
        async with asyncio.timeout(30):
            while seen < events:
                found = await consumer.getmany(timeout_ms=250, max_records=200)
                seen += sum(len(records) for records in found.values())
                if seen and not first:
                    first = seen
                    watch.start()
        return watch.own / (events - first)
    finally:
        await consumer.stop()


async def _consume(
    settings: ServiceSettings, pool: Pool, events: int, postgres: int, read: Any
) -> tuple[float, float, int]:
    """(own CPU, PostgreSQL's CPU, events), after the first batch."""
    stop = asyncio.Event()
    watch = Stopwatch(postgres)
    seen = first = 0
    took = (0.0, 0.0)

    async def handle(conn: Connection, batch: Sequence[Any]) -> None:
        nonlocal seen, first, took
        seen += len(batch)
        if not first:
            first = seen
            watch.start()
        if seen >= events:
            took = watch.own, watch.database
            stop.set()

    async def stopped(error: TooManyDeadLetters) -> None:
        raise error

    subscription: Subscription[Any] = Subscription(f"bench-{next(_groups)}", (TOPIC,), read, handle)
    log, metrics = make_log("bench", "WARNING"), Metrics("bench")
    await pool.execute("truncate consumer_progress")
    batches = Batches(pool, subscription, Alerts(None), Guard(0.2, 100), log, metrics)
    consumer = Consumer(
        settings, pool, subscription, batches, instance="bench", on_stopped=stopped, log=log, metrics=metrics
    )
    async with asyncio.timeout(30):
        await consumer.run(stop)
    return *took, events - first
