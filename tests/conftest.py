"""The whole of Waybill as processes, for the tests that tell the life of an order (`e2e`, `connected`, `chaos`)."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import yaml
from hypothesis import HealthCheck, settings

from console.up.report import accounted, line
from console.up.world import World
from waybill_common.embedded.processes import free_port
from waybill_common.embedded.real_kafka import running_kafka
from waybill_contracts.topics import PARTITIONS, TOPICS

# Tables of the command line are as wide wherever the tests run; rich asks once, when it is imported.
os.environ["COLUMNS"] = "200"

sys.path.insert(0, str(Path(__file__).parent))
from suites import WHOLE_SERVICES

# How long an example takes says something about the machine, not about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


_PATIENT = 600
"""Seconds that one test of a whole service, or minutes of interleavings, may take on a machine that has much to do."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Marks what `make test-services` runs; it must be there before `-m` selects."""
    for item in items:
        if "/".join(item.path.parts[-2:]) in WHOLE_SERVICES:
            item.add_marker(pytest.mark.services)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(_PATIENT))


SCHEMAS = ("order_ingest", "router", "fulfillment_push", "shipment_poller", "console")


class Hub:
    """A running Waybill with the sandbox's shop and sources, as a test uses it."""

    def __init__(self, world: World, orders: int) -> None:
        self.world = world
        self.orders = orders

    def start(self, change: Callable[[dict[str, Any]], None] | None = None, shops: str = "acme") -> None:
        """Everything up, the sandbox's configuration applied (after `change`); `shops` of it take part, or `all`."""
        self.world.start(sandbox_orders=self.orders, shops=shops)
        document = yaml.safe_load(self.world.sandbox("config.yaml").text)
        if change is not None:
            change(document)
        answer = self.world.api("PUT", "/config", params={"wait": 30}, json=document)
        assert answer.status_code == 200, answer.text
        assert answer.json()["pending"] == [], answer.text

    def get(self, path: str, **params: Any) -> Any:
        return self.world.api("GET", path, params=params).raise_for_status().json()

    def stats(self) -> dict[str, Any]:
        """The counts; asked again while the console itself is being restarted."""
        deadline = time.monotonic() + 60
        while True:
            try:
                stats: dict[str, Any] = self.get("/stats")
                return stats
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def wait_until(self, so: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """The stats once they are `so`; fails with what they were when they never are."""
        deadline = time.monotonic() + seconds
        while True:
            self.world.children.check()
            stats = self.stats()
            if so(stats):
                return stats
            assert time.monotonic() < deadline, f"{line(stats, self.orders)}; logs in {self.world.directory / 'logs'}"
            time.sleep(0.25)

    def settle(self, seconds: float = 240) -> dict[str, Any]:
        """Waits until every order is where it stays."""
        return self.wait_until(lambda stats: accounted(stats) >= self.orders, seconds)

    def sandbox_post(self, path: str, body: Any) -> Any:
        answer = httpx.post(f"{self.world.sandbox_url}/_sandbox/{path}", json=body, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def books(self) -> dict[str, Any]:
        """What shop and sources recorded, against what was ordered."""
        report: dict[str, Any] = self.world.sandbox("report").json()
        return report

    def query(self, statement: str) -> list[asyncpg.Record]:
        """Rows straight from the database, for invariants."""

        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.world.database_url)
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def unsent(self) -> dict[str, int]:
        """Rows left in each schema's outbox."""
        return {schema: self.query(f"select count(*) from {schema}.outbox")[0][0] for schema in SCHEMAS}

    def quiet(self, seconds: float = 60) -> None:
        """Waits until nothing is left to send anywhere."""
        deadline = time.monotonic() + seconds
        while any(self.unsent().values()):
            assert time.monotonic() < deadline, self.unsent()
            time.sleep(0.25)

    def answered(self, seconds: float = 120) -> None:
        """Waits until every fact that somebody owes a receipt for has it."""
        deadline = time.monotonic() + seconds
        while owed := {s: n for s in SCHEMAS if (n := self.query(f"select count(*) from {s}.receipts_due")[0][0])}:
            assert time.monotonic() < deadline, f"receipts still owed: {owed}"
            time.sleep(0.5)

    def dead_letters(self) -> int:
        return sum(self.query(f"select count(*) from {schema}.dead_letters")[0][0] for schema in SCHEMAS)


@pytest.fixture
def make_hub(tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """Hubs that end with the test: `make_hub(orders=50, kafka=None, replicas=1)`."""
    made: list[Hub] = []

    def make(orders: int, *, kafka: str | None = None, replicas: int = 1, directory: Path | None = None) -> Hub:
        where = directory or tmp_path / f"hub-{len(made)}"
        world = World(where, lambda text: None, kafka=kafka, replicas=replicas)
        world.console_port = free_port()  # a hub that somebody runs here has the port that people know
        hub = Hub(world, orders)
        made.append(hub)
        return hub

    yield make
    for hub in made:
        hub.world.stop()


@pytest.fixture
def apache_kafka(tmp_path: Path) -> Iterator[str]:
    """An Apache Kafka that only this test uses, with Waybill's topics as production has them."""
    with running_kafka(tmp_path / "kafka", dict.fromkeys(TOPICS, PARTITIONS)) as bootstrap:
        yield bootstrap
