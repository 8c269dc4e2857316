"""G1, G2, G4: a backlog through the whole product, against the bare batched pipeline of `reference.py`, in turn.

Throughput is from the moment that the orders are in the shop until each is told as shipped and synced; CPU until all
services (the console too) are done with it. Shop, sources and broker are nobody's CPU; both sides have a shop, a
PostgreSQL of production's settings and topics of their own, on one broker.
"""

import asyncio
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import uvloop

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.hub import Lap, running_hub
from benchmarks.measure import Size, Stopwatch, median, rounded
from benchmarks.reference import TOPICS as REFERENCE_TOPICS
from benchmarks.reference import Reference
from benchmarks.shop import Shop, calls_between, own_shop
from waybill_common.embedded.postgres import EmbeddedPostgres
from waybill_contracts.topics import TOPICS

T = TypeVar("T")

_LIMIT = 150.0


def run(size: Size) -> list[Result]:
    orders = size.orders or size.of(1500, 60)
    with stage.directory() as where, stage.any_broker(where, *TOPICS, *REFERENCE_TOPICS) as (kafka, kind):
        (where / "bare").mkdir()
        with running_hub(where, kafka) as hub, _bare(where / "bare", kafka) as bare:
            skus = hub.shop.skus()
            bare.lap(size.of(100, 20), skus)
            hub.lap(size.of(100, 20), skus)
            yardstick, product = [], []
            for _ in range(1 if size.quick else 3):
                yardstick.append(bare.lap(orders, skus))
                product.append(hub.lap(orders, skus))
            problems = hub.shop.problems() + bare.shop.problems()
            insert_us = bare.insert_us(size.of(3000, 500))
    assert not problems, f"by the shops' books these figures are of no worth: {problems[:3]}"
    return _results(yardstick, product, kind, insert_us)


def _results(yardstick: list[Lap], product: list[Lap], kind: str, insert_us: float) -> list[Result]:
    raw = {
        "orders": product[0].orders,
        "broker": kind,
        "reference_orders_s": rounded([lap.rate for lap in yardstick], digits=1),
        "waybill_orders_s": rounded([lap.rate for lap in product], digits=1),
        "reference_cpu_ms_an_order": rounded([lap.cpu_ms for lap in yardstick], digits=2),
        "waybill_cpu_ms_an_order": rounded([lap.cpu_ms for lap in product], digits=2),
        "reference_cpu_ms_by_part": yardstick[-1].by_part(),
        "waybill_cpu_ms_by_part": product[-1].by_part(),
        "reference_calls_an_order": yardstick[-1].calls,
        "waybill_calls_an_order": product[-1].calls,
        "waybill_writing_transactions_an_order": rounded([lap.writes / lap.orders for lap in product]),
        "waybill_commits_with_reads_an_order": rounded([lap.commits / lap.orders for lap in product]),
        "reference_writing_transactions_an_order": rounded([lap.writes / lap.orders for lap in yardstick]),
        "one_durable_insert_us": round(insert_us, 1),
        "waybill_cpu_in_durable_inserts": round(median([lap.cpu_ms for lap in product]) * 1000 / insert_us, 1),
    }
    both = list(zip(yardstick, product, strict=True))
    return [
        Result("G1", median([p.rate / y.rate for y, p in both]), raw),
        Result("G2", median([p.cpu_ms / y.cpu_ms for y, p in both]), raw),
        Result("G4", median([p.writes / p.orders for p in product]), raw),
    ]


class _bare:  # noqa: N801  a context manager, used as a function
    """The reference with its own shop and database, in an event loop of its own thread."""

    def __init__(self, where: Path, kafka: str) -> None:
        self._where = where
        self._kafka = kafka
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._postgres = EmbeddedPostgres(where / "postgres")
        self._shop = own_shop(where)
        self._placed = 0

    def __enter__(self) -> "_bare":
        self.shop: Shop = self._shop.__enter__()
        self._postgres.start()
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, *error: object) -> None:
        self._do(self._reference.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._postgres.stop()
        self._shop.__exit__(None, None, None)

    def lap(self, orders: int, skus: list[str]) -> Lap:
        """As `Hub.lap`."""
        assert self._postgres.pid is not None
        calls, writes = self.shop.calls(), self._reference.commits
        self.shop.place(orders, skus)
        watch = Stopwatch(self._postgres.pid)
        self._placed += orders
        deadline = time.monotonic() + _LIMIT
        while self._reference.done < self._placed:
            self._reference.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"the reference did {self._reference.done} of {self._placed} in {_LIMIT:g} s")
            time.sleep(0.02)
        seconds, cpu = watch.wall, {"reference": watch.own, "postgresql": watch.database}
        writes = self._reference.commits - writes
        return Lap(orders, seconds, cpu, writes, writes, calls_between(calls, self.shop.calls(), orders))

    def insert_us(self, rows: int) -> float:
        """CPU of one durable one-row insert with 8 connections, ours and PostgreSQL's."""
        return self._do(self._insert(rows))

    async def _start(self) -> None:
        self._pool = await asyncpg.create_pool(self._postgres.url, min_size=8, max_size=8)
        self._reference = Reference(self._pool, self._kafka, self.shop.configuration())
        await self._reference.start()

    async def _insert(self, rows: int) -> float:
        await self._pool.execute("create table one (id bigint primary key, body text)")
        numbers = iter(range(rows))

        async def work() -> None:
            for number in numbers:
                await self._pool.execute("insert into one values ($1, $2)", number, "x" * 200)

        assert self._postgres.pid is not None
        watch = Stopwatch(self._postgres.pid)
        await asyncio.gather(*(work() for _ in range(8)))
        return (watch.own + watch.database) / rows * 1e6

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
