"""The product, whole: five services as processes on a PostgreSQL and a broker, fed with backlogs and read by /proc."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from benchmarks.measure import cpu_of, server_cpu
from benchmarks.shop import Shop, calls_between
from console.up.world import SERVICES, World
from waybill_common.embedded.processes import free_port

_NEWEST = "select coalesce(max(position), 0) from shipment_poller.facts"
_SHIPPED = """
select count(*) from shipment_poller.facts where position > {} and headers->>'ce_type' = 'waybill.order.shipped.v1'
"""
_SCHEMAS = ("order_ingest", "router", "fulfillment_push", "shipment_poller", "console")
_LIMIT = 200.0


@dataclass(frozen=True, slots=True)
class Lap:
    """One backlog. CPU in seconds; `writes` are transactions with a transaction id, `commits` include reads."""

    orders: int
    seconds: float
    cpu: dict[str, float]
    writes: int
    commits: int
    calls: dict[str, float]

    @property
    def rate(self) -> float:
        return self.orders / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU an order, all of it."""
        return sum(self.cpu.values()) / self.orders * 1000

    def by_part(self) -> dict[str, float]:
        """CPU an order in milliseconds, by process."""
        return {name: round(seconds / self.orders * 1000, 3) for name, seconds in self.cpu.items()}


class Hub:
    """A started World with a shop without orders, its configuration applied."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.shop = Shop(world.sandbox_url)
        self.pids = service_pids()
        self._shipped = 0
        self.configure(self.shop.configuration())

    def lap(self, orders: int, skus: Sequence[str], *, lines: int = 4) -> Lap:
        """Places a backlog and waits until each order is shipped and told, and all services are done with it."""
        calls, writes, commits, cpu = self.shop.calls(), *self._transactions(), self.cpu()
        newest = self._ask(_NEWEST)  # so that counting reads this lap's facts alone
        self.shop.place(orders, skus, lines=lines)
        began = time.perf_counter()
        self._wait(_SHIPPED.format(newest), orders)
        seconds = time.perf_counter() - began
        self._shipped += orders
        self._settled()
        now = self.cpu()
        writes_now, commits_now = self._transactions()
        return Lap(
            orders,
            seconds,
            {name: now[name] - before for name, before in cpu.items()},
            writes_now - writes,
            commits_now - commits,
            calls_between(calls, self.shop.calls(), orders),
        )

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU so far, by service, and PostgreSQL's."""
        found = {name: cpu_of(pid) for name, pid in self.pids.items()}
        postgres = self._world._postgres.pid
        assert postgres is not None
        return found | {"postgresql": server_cpu(postgres)}

    def configure(self, document: dict[str, Any]) -> None:
        """Applied by every service when it returns."""
        answer = self._world.api("PUT", "/config", params={"wait": 30}, json=document)
        answer.raise_for_status()
        if answer.json()["pending"]:
            raise RuntimeError(f"not applied within 30 s: {answer.json()['pending']}")

    def _settled(self) -> None:
        deadline = time.monotonic() + _LIMIT
        while self._world.api("GET", "/stats").raise_for_status().json()["orders"]["by_stage"].get("settled", 0) < (
            self._shipped
        ):
            self._look(deadline, "settled at the console")
        for schema in _SCHEMAS:
            self._wait(f"select 1 - least(count(*), 1) from {schema}.outbox", 1)

    def _wait(self, statement: str, wanted: int) -> None:
        deadline = time.monotonic() + _LIMIT
        while (found := self._ask(statement)) < wanted:
            self._look(deadline, f"{found} of {wanted}: {statement}")

    def _look(self, deadline: float, what: str) -> None:
        self._world.children.check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"not done after {_LIMIT:g} s: {what}")
        time.sleep(0.2)

    def _ask(self, statement: str) -> int:
        return int(_fetch(self._world.database_url, statement)[0])

    def _transactions(self) -> tuple[int, int]:
        row = _fetch(
            self._world.database_url,
            "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint,"
            " (select xact_commit from pg_stat_database where datname = current_database())",
        )
        return int(row[0]), int(row[1])


@contextmanager
def running_hub(where: Path, kafka: str) -> Iterator[Hub]:
    os.environ["WAYBILL_CONSOLE_PORT"] = str(free_port())  # not 8080, which a person's own run may want
    world = World(where / "world", lambda text: None, kafka=kafka)
    try:
        world.start(sandbox_orders=0)
        yield Hub(world)
    finally:
        world.stop()


def service_pids() -> dict[str, int]:
    """The services among the processes that this one started, by name."""
    names = {module: name for name, module in SERVICES.items()}
    found = {}
    for child in psutil.Process().children():
        words = child.cmdline()
        if len(words) >= 3 and words[1] == "-m" and words[2] in names:
            found[names[words[2]]] = child.pid
    return found


def _fetch(url: str, statement: str) -> asyncpg.Record:
    async def ask() -> asyncpg.Record:
        connection = await asyncpg.connect(url)
        try:
            row = await connection.fetchrow(statement)
            assert row is not None
            return row
        finally:
            await connection.close()

    return asyncio.run(ask())
