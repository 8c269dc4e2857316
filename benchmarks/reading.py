"""READ: how long the console takes to answer, asked over HTTP with so many orders in its read model; G11: and with few.

Consoles are processes of their own; one client asks, as a person does, question after question in turn, so that no
question finds only its own pages in the cache. The table has every question; a goal takes the slowest of its kind.
Questions about orders are asked twice: by an admin, and by a user who sees one small store.

The round over all questions is asked of the large read model and of a small one in turn: G11 compares their CPU, and
shows what the slowest of a hundred answers took.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.intake import KEY, Service, service_environ
from benchmarks.measure import Size, cpu_of, median, quantile, server_cpu
from benchmarks.reading_copies import SMALL_STORE, add_small_store, fill
from benchmarks.reading_lives import SLOTS
from benchmarks.reading_questions import GOALS_OF, Question
from console.api.security import Keys
from waybill_common.db import Pool, queries
from waybill_common.embedded.postgres import EmbeddedPostgres

FEW = 10_000
"""Orders of the read model that the large one is compared with."""
_Asked = list[tuple[str, Question, str]]
"""What it is called, the question, and whose key asks it."""


@dataclass
class Side:
    """One console over one read model, and what its answers took."""

    name: str
    orders: int
    console: Service
    asked: _Asked
    taken: dict[str, list[float]] = field(default_factory=dict)
    """Question -> milliseconds of each answer, read whole"""
    cpu: list[float] = field(default_factory=list)
    """milliseconds of console and PostgreSQL for each round over all questions"""


async def measure(size: Size) -> list[Result]:
    orders = size.orders or size.of(20_000, 2_000)
    with stage.directory() as where, EmbeddedPostgres(size.keep or where / "postgres") as server:
        few = min(FEW, orders // 2)
        await _database(server, "few")
        keys = {"few": await _filled(server.database_url("few"), few), "many": await _filled(server.url, orders)}
        with (
            _console(where, "few", server.database_url("few"), few, keys["few"]) as small,
            _console(where, "many", server.url, orders, keys["many"]) as large,
        ):
            assert server.pid is not None
            await ask_all([small, large], server.pid, size.of(40, 3))
    return [*results(large), growth(small, large)]


async def _database(server: EmbeddedPostgres, name: str) -> None:
    root = await asyncpg.connect(server.url)
    try:
        if not await root.fetchval("select true from pg_database where datname = $1", name):
            await root.execute(f"create database {name}")
    finally:
        await root.close()


async def _filled(url: str, orders: int) -> str:
    """The key of a user of the small store. What an earlier run left is taken as it is, if it has as many orders."""
    pool, q = await stage.schema(url, "console", "console"), queries("console")
    try:
        there = await _orders_in(pool)
        if there == 0:
            await fill(pool, q, orders, lambda text: print(text, flush=True))
        elif there != orders:
            raise RuntimeError(
                f"the kept database has {there} orders, not {orders}: say --orders {there}, or keep another"
            )
        await add_small_store(pool, q, orders)
        _, key = await Keys(pool, q).create("bench", "viewer", "bench", stores=[SMALL_STORE])
        return key
    finally:
        await pool.close()


async def _orders_in(pool: Pool) -> int:
    found: int = await pool.fetchval(
        "select (select count(*) from orders where store <> $1) "
        "+ (select count(*) from excluded_orders where store <> $1)",
        SMALL_STORE,
    )
    return found


@contextmanager
def _console(where: Path, name: str, url: str, orders: int, of_a_store: str) -> Iterator[Side]:
    """With a broker of its own: the two are no replicas of each other. Records stay, however old they are."""
    place = where / name
    place.mkdir(mode=0o755)
    with stage.embedded_broker(place) as kafka:
        environ = service_environ(url, kafka) | {"WAYBILL_RECORDS_KEPT_DAYS": "100000"}
        console = Service("console", place, environ)
        try:
            yield Side(name, orders, console, _asked(of_a_store))
        finally:
            console.stop(5)


def _asked(of_a_store: str) -> _Asked:
    """Every question by the admin, those about orders by the small store's user too."""
    asked = [(what, question, KEY) for questions in GOALS_OF.values() for what, question in questions.items()]
    return asked + [(of_store(what), ask, of_a_store) for what, ask, _ in asked if ask(1)[0] == "/orders"]


def of_store(what: str) -> str:
    return f"{what} (of one small store)"


async def ask_all(sides: list[Side], postgres: int, times: int) -> None:
    """Round after round, each side in turn. Two rounds before that are thrown away."""
    chosen = random.Random(8)
    async with httpx.AsyncClient(timeout=120) as client:
        for side in sides:
            await _ready(client, side.console.url)
        for turn in range(times + 2):
            for side in sides:
                before = server_cpu(postgres) + cpu_of(side.console.pid)
                for what, question, key in side.asked:
                    path, given = question(_settled(chosen, side.orders))
                    began = time.perf_counter()
                    answer = await client.get(
                        f"{side.console.url}/api/v1{path}", params=given, headers={"Authorization": f"Bearer {key}"}
                    )
                    if turn > 1:
                        side.taken.setdefault(what, []).append((time.perf_counter() - began) * 1000)
                    answer.raise_for_status()
                if turn > 1:
                    side.cpu.append((server_cpu(postgres) + cpu_of(side.console.pid) - before) * 1000)


async def _ready(client: httpx.AsyncClient, url: str, seconds: float = 120.0) -> None:
    """Migrated, and in its group."""
    deadline = time.monotonic() + seconds
    while (await client.get(f"{url}/readyz")).status_code != 200:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the console was not ready within {seconds:g} s")
        await asyncio.sleep(0.2)


def _settled(chosen: random.Random, orders: int) -> int:
    """The number of an order with a whole life."""
    while SLOTS[(number := chosen.randint(1, orders)) % len(SLOTS)] != "settled":
        pass
    return number


def results(side: Side) -> list[Result]:
    """A goal for each kind of question: the slowest one's p95."""
    found = []
    for goal, questions in GOALS_OF.items():
        named = [name for what in questions for name in (what, of_store(what)) if name in side.taken]
        of_goal: Mapping[str, list[float]] = {what: side.taken[what] for what in named}
        raw = {what: _shown(values) for what, values in of_goal.items()}
        slowest = max(quantile(values, 0.95) for values in of_goal.values())
        found.append(Result(goal, slowest, {"orders": side.orders, "times_each": len(side.cpu), **raw}))
    return found


def growth(small: Side, large: Side) -> Result:
    """CPU of a round with many orders, over one with few, pair by pair."""
    ratio = median([many / few for few, many in zip(small.cpu, large.cpu, strict=True)])
    slowest = {
        side.name: quantile([ms for all_of in side.taken.values() for ms in all_of], 0.99) for side in (small, large)
    }
    raw = {
        "orders": [small.orders, large.orders],
        "questions": len(large.taken),
        "cpu_ms_a_question": [round(median(side.cpu) / len(side.taken), 2) for side in (small, large)],
        "p99_ms_of_all_answers": [round(slowest[side.name], 1) for side in (small, large)],
    }
    return Result("G11-reads", ratio, raw)


def _shown(values: list[float]) -> str:
    return f"p50 {quantile(values, 0.5):.1f} ms, p95 {quantile(values, 0.95):.1f} ms"
