"""`python -m router` alone: a process with a real database and the Kafka protocol; killed and started again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaProducer

from waybill_common.settings import ServiceSettings
from waybill_contracts.config_changed import RoutingConfigured, SourceConfigured
from waybill_contracts.configuration import Routing
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event
from waybill_contracts.inventory_updated import StockCounted
from waybill_contracts.orders_imported import OrderImported

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "a secret of this test"
Make = Callable[..., Any]


async def until(what: Callable[[], Awaitable[Any]], seconds: float = 40.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := await what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.1)
    return answer


@asynccontextmanager
async def router(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "router", env=os.environ | environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def publish(kafka: str, *events: Event) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for event in events:
            made = encode(event, source="test")
            headers = [(name, text.encode()) for name, text in made.headers.items()]
            await producer.send_and_wait(made.topic, made.value, key=made.key.encode(), headers=headers)
    finally:
        await producer.stop()


async def test_the_service_routes_what_comes_over_kafka_survives_a_kill_and_drains(
    database_url: str, kafka: str, unused_port: int, source: Make, order: Make
) -> None:
    environment = {
        "WAYBILL_DATABASE_URL": database_url,
        "WAYBILL_KAFKA": kafka,
        "WAYBILL_SECRET_KEY": SECRET,
        "WAYBILL_HTTP_PORT": str(unused_port),
        "WAYBILL_LOG_LEVEL": "WARNING",
        "WAYBILL_SESSION_TIMEOUT_MS": "6000",
    }
    routing = Routing.model_validate({"groups": [{"id": "all", "sources": ["east"]}]})
    stock = StockCounted(
        at=NOW, source="east", sku="A", on_hand=50, counted_at=NOW, unit_cost=Decimal("3.00"), weight_g=100
    )
    orders = [order(("A", 1), number=str(at)) for at in range(20)]
    await publish(
        kafka,
        SourceConfigured(at=NOW, source=source("east")),
        RoutingConfigured(at=NOW, routing=routing),
        stock,
        *(OrderImported(at=NOW, order=one, via="pull") for one in orders[:10]),
    )
    connection: list[asyncpg.Connection[asyncpg.Record]] = []

    async def routed() -> int:
        if not connection:
            connection.append(await asyncpg.connect(database_url))
        try:
            return int(await connection[0].fetchval("select count(*) from router.frs"))
        except asyncpg.UndefinedTableError:
            return 0

    async def all_of(wanted: int) -> bool:
        return await routed() == wanted

    async with router(environment) as process:
        await until(lambda: all_of(10))
        process.kill()
        await process.wait()
    await publish(kafka, *(OrderImported(at=NOW, order=one, via="pull") for one in orders[5:]))
    token = ServiceSettings(database_url="x", kafka="x", secret_key=SECRET).service_token
    async with router(environment) as process:
        await until(lambda: all_of(20))
        base = f"http://127.0.0.1:{unused_port}"
        async with httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {token}"}) as http:
            assert (await http.get("/internal/waiting", headers={"Authorization": "Bearer wrong"})).status_code == 401
            preview = (await http.get(f"/internal/orders/{orders[0].order_id}/preview")).json()
            assert preview["standing"] == "routed"
            [shelf] = (await http.get("/internal/sources/east/stock")).json()
            assert (shelf["on_hand"], shelf["reserved"]) == (50, 20)
            [decision] = (await http.get(f"/internal/orders/{orders[0].order_id}/decisions")).json()
            assert decision["event"]["decision"]["chosen"]["requests"][0]["source"] == "east"
            assert (await http.get("/internal/waiting")).json() == {}
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 15) == 0
        assert time.monotonic() - started < 10
    await connection[0].close()


def test_a_missing_variable_is_named_in_one_line() -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("WAYBILL_")}
    done = subprocess.run(
        [sys.executable, "-m", "router"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "WAYBILL_DATABASE_URL" in done.stderr


CONFIG = """
sources:
  - id: east
    platform: manual
    serves: {countries: [US]}
    costs: {currency: USD, fee: "1.50", shipping: [{zone: [US], base: "4.00", per_kg: "0.80"}]}
    stock: {from: feed, safety: 2}
  - id: west
    platform: manual
    costs: {currency: USD, fee: "0.50", shipping: [{zone: ["*"], base: "6.00", per_kg: "0.333"}]}
routing:
  groups: [{id: default, sources: [east, west], priorities: [source_priority, fewest_frs]}]
stock:
  - {source: east, sku: SKU-1, on_hand: 4, unit_cost: "3.10", weight_g: 250}
  - {source: west, sku: SKU-1, on_hand: 40, unit_cost: "3.50", weight_g: 255}
"""
ORDERS = """
{"number": "1", "country": "US", "lines": [{"line": "a", "sku": "SKU-1", "quantity": 2}]}
{"number": "2", "country": "US", "lines": [{"line": "a", "sku": "SKU-1", "quantity": 1}]}
{"number": "3", "country": "GB", "lines": [{"line": "a", "sku": "SKU-2", "quantity": 2}]}
"""


def plan(tmp_path: Path, orders: str, *arguments: str, config: str = CONFIG) -> subprocess.CompletedProcess[str]:
    (tmp_path / "c.yaml").write_text(config)
    (tmp_path / "o.jsonl").write_text(orders)
    command = [sys.executable, "-m", "router.plan", "--config", "c.yaml", "--orders", "o.jsonl", *arguments]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)


def test_routing_plan_prints_a_decision_a_line_from_files_alone(tmp_path: Path) -> None:
    done = plan(tmp_path, ORDERS, "--sequential")
    first, second, third = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["cost"], first["lower_bound"], first["gap"]) == ("12.10", "12.10", "0.00")
    assert first["frs"] == [{"source": "east", "cost": "12.10", "lines": [{"line": "a", "quantity": 2}]}]
    assert first["runner_up"]["sources"] == ["east", "west"]
    # 3.50 + 0.50 + 6.00 + 0.333 × 0.255: the total is rounded, the FR's cost is exact
    assert (second["cost"], second["frs"][0]["cost"]) == ("10.08", "10.084915")
    assert third["unfulfilled"][0]["reason"] == "no_stock"
    assert {entry["reason"] for entry in third["excluded"]} == {"does_not_serve_country", "no_stock"}
    assert "fewest_frs stands below source_priority" in done.stderr
    assert [json.loads(line)["cost"] for line in plan(tmp_path, ORDERS).stdout.splitlines()][1] == "8.80"


def test_routing_plan_names_every_mistake_with_its_place(tmp_path: Path) -> None:
    broken = plan(tmp_path, '{"number": "1", "lines": []}\n{"number": "2", "country": "us", "lines": []}\n')
    assert broken.returncode == 2
    assert "o.jsonl:1: country" in broken.stderr
    assert "o.jsonl:2: country" in broken.stderr
    unknown = plan(tmp_path, ORDERS, config=CONFIG.replace("sources: [east, west]", "sources: [east, north]"))
    assert "routing.groups[0].sources: 'north' is no source" in unknown.stderr
