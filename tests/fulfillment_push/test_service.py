"""The service whole: its own process, real database, Kafka protocol, and the sandbox's HTTP sources. (FP-2 to FP-9)"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
import yaml
from aiokafka import AIOKafkaProducer

from waybill_common.embedded.processes import free_port
from waybill_common.settings import ServiceSettings
from waybill_contracts.config_changed import SourceConfigured
from waybill_contracts.configuration import Configuration, Source
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event

SECRET = "a secret of this test"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def until(what: Callable[[], Awaitable[Any]], seconds: float = 40.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := await what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.1)
    return answer


@dataclass
class Sandbox:
    """Its control API."""

    url: str
    http: httpx.AsyncClient

    async def source(self, source_id: str = "east") -> Source:
        text = (await self.http.get("/_sandbox/config.yaml")).text
        found = Configuration.model_validate(yaml.safe_load(text)).sources
        return next(source for source in found if source.id == source_id)

    async def misbehave(self, *rules: dict[str, Any]) -> None:
        (await self.http.post("/_sandbox/faults", json=list(rules))).raise_for_status()

    async def bitten(self) -> dict[str, int]:
        told = (await self.http.get("/_sandbox/faults")).json()
        return {rule["kind"]: rule["bitten"] for rule in told}

    async def made(self) -> Counter[str]:
        """Requests made at the sources, by reference."""
        text = (await self.http.get("/_sandbox/ledger")).text
        entries = [json.loads(line) for line in text.splitlines()]
        return Counter(entry["reference"] for entry in entries if entry["event"] == "request_created")


@asynccontextmanager
async def process(*args: str, read: bool = False, **environment: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of ours; killed at the end if it still runs. `read`: its errors are wanted."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *args, env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE if read else None,
    )  # fmt: skip
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


@pytest_asyncio.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    port = free_port()
    args = ("sandbox", "--port", str(port), "--data", str(tmp_path), "--orders", "1", "--ship-after", "3600")
    async with process(*args), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:

        async def up() -> bool:
            try:
                return (await http.get("/_sandbox/health")).is_success
            except httpx.TransportError:
                return False

        await until(up)
        yield Sandbox(f"http://127.0.0.1:{port}", http)


@dataclass
class Push:
    """A database, a broker, and the service's processes."""

    environment: dict[str, str]
    port: int
    database: asyncpg.Pool
    producer: AIOKafkaProducer

    def run(self) -> Any:
        environment: dict[str, Any] = dict(self.environment)
        return process("fulfillment_push", **environment)

    def http(self) -> httpx.AsyncClient:
        token = ServiceSettings(database_url="-", kafka="-", secret_key=SECRET).service_token
        headers = {"authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers)

    async def publish(self, *events: Event) -> None:
        for event in events:
            message = encode(event, source="test", traceparent=TRACE)
            headers = [(name, text.encode()) for name, text in message.headers.items()]
            await self.producer.send(message.topic, message.value, key=message.key.encode(), headers=headers)
        await self.producer.flush()

    async def count(self, where: str) -> int:
        try:
            found = await self.database.fetchval(f"select count(*) from fulfillment_push.frs where {where}")
        except asyncpg.UndefinedTableError:
            return 0
        return int(found)

    async def until_count(self, where: str, wanted: int, seconds: float = 60.0) -> None:
        async def reached() -> bool:
            return await self.count(where) == wanted

        try:
            await until(reached, seconds)
        except AssertionError:
            others = await self.database.fetch(f"select * from fulfillment_push.frs where not ({where}) limit 3")
            raise AssertionError(f"{await self.count(where)} of {wanted}: {[dict(row) for row in others]}") from None


@pytest_asyncio.fixture
async def push(database_url: str, kafka: str) -> AsyncIterator[Push]:
    port = free_port()
    environment = {
        "WAYBILL_DATABASE_URL": database_url, "WAYBILL_KAFKA": kafka, "WAYBILL_SECRET_KEY": SECRET,
        "WAYBILL_HTTP_PORT": str(port), "WAYBILL_LEASE_SECONDS": "30",
    }  # fmt: skip
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=2)
    yield Push(environment, port, pool, producer)
    await pool.close()
    await producer.stop()


def many(kit: Any, source: Source, count: int, **given: Any) -> list[Event]:
    """FRs that the sandbox's source sells, each of an order of its own."""
    sku, source_sku = next(iter(source.skus.map.items()))
    line = kit.fr_of().lines[0].model_copy(update={"sku": sku, "source_sku": source_sku, "quantity": 1})
    return [
        kit.created(kit.fr_of(f"f{n:04}", f"o{n:04}", lines=(line,), source_shipping_method=None, **given))
        for n in range(count)
    ]


def configured(kit: Any, source: Source) -> Event:
    return SourceConfigured(at=kit.created().at, sequence=1, source=source)


async def test_requests_reach_the_source_once_whatever_it_answers(push: Push, sandbox: Sandbox, kit: Any) -> None:
    source = await sandbox.source()
    await sandbox.misbehave(
        {"match": "east:submit", "kind": "503", "rate": 0.04, "count": 2, "params": {"retry_after": 1}},
        {"match": "east:submit", "kind": "429", "rate": 0.04, "count": 2, "params": {"retry_after": 1}},
        {"match": "east:submit", "kind": "lost", "rate": 0.08},
    )
    await push.publish(configured(kit, source), *many(kit, source, 150))
    async with push.run() as service:
        await push.until_count("state in ('PROCESSED', 'ACKNOWLEDGED')", 150, 100)
        service.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.wait(), 12) == 0
    assert {kind for kind, bites in (await sandbox.bitten()).items() if bites} == {"503", "429", "lost"}
    made = await sandbox.made()
    assert (len(made), set(made.values())) == (150, {1})
    assert await push.database.fetchval("select count(*) from fulfillment_push.outbox") == 0
    assert await push.database.fetchval("select count(*) from fulfillment_push.dead_letters") == 0


@pytest.mark.parametrize(("seconds", "outcome"), [(0.8, "known"), (30.0, "in_flight")])
async def test_fp2_told_to_stop_it_finishes_calls_in_flight_within_bounds(
    push: Push, sandbox: Sandbox, kit: Any, seconds: float, outcome: str
) -> None:
    source = await sandbox.source()
    await sandbox.misbehave({"match": "east:submit", "kind": "slow", "params": {"seconds": seconds}})
    await push.publish(configured(kit, source), *many(kit, source, 3))
    async with push.run() as service:
        await push.until_count("outcome = 'in_flight'", 3)
        await asyncio.sleep(0.3)  # the calls are under way
        service.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.wait(), 25) == 0
    assert await push.count(f"outcome = '{outcome}'") == 3
    assert set((await sandbox.made()).values()) <= {1}


@pytest.mark.chaos  # leases and quiet times are real: about a minute
async def test_killed_in_the_middle_and_started_again_each_request_is_made_once(
    push: Push, sandbox: Sandbox, kit: Any
) -> None:
    source = await sandbox.source()
    await sandbox.misbehave({"match": "east:submit", "kind": "slow", "params": {"seconds": 0.2}})
    await push.publish(configured(kit, source), *many(kit, source, 120))
    async with push.run() as first:

        async def some_made() -> bool:
            return len(await sandbox.made()) > 15

        await until(some_made)
        first.kill()
        await first.wait()
    assert await push.count("outcome = 'in_flight'") > 0
    async with push.run() as second:
        await push.until_count("state = 'ACKNOWLEDGED' or state = 'PROCESSED'", 120, 90)
        second.terminate()
        assert await asyncio.wait_for(second.wait(), 12) == 0
    made = await sandbox.made()
    assert (len(made), set(made.values())) == (120, {1})


async def test_people_see_what_waits_and_act_on_it(push: Push, sandbox: Sandbox, kit: Any) -> None:
    source = await sandbox.source()
    await push.publish(configured(kit, source), *many(kit, source, 3, auto_process=False))
    kim = {"actor": "kim", "reason": "asked by the shop"}
    async with push.run(), push.http() as http:
        await push.until_count("state = 'UNPROCESSED'", 3)
        seen = (await http.get("/internal/waiting")).json()
        assert {(fr["fr_id"], fr["reason"], fr["by_whom"]) for fr in seen["waiting"]} == {
            (f"f{n:04}", "process", "person") for n in range(3)
        }
        assert await push.count("state = 'UNPROCESSED'") == 3  # FP-8
        answer = await http.post("/internal/frs/f0000/process", json=kim)
        assert (answer.status_code, answer.json()["state"]) == (200, "PROCESSING")
        await push.until_count("state = 'ACKNOWLEDGED' or state = 'PROCESSED'", 1)
        marked = await http.post("/internal/frs/f0001/mark", json=kim | {"state": "PROCESSED", "platform_id": "x"})
        assert marked.json()["state"] == "PROCESSED"
        refused = await http.post("/internal/frs/f0001/resend", json=kim)
        assert (refused.status_code, "PROCESSED" in refused.json()["detail"]) == (409, True)
        assert (await http.post("/internal/frs/nobody/process", json=kim)).status_code == 404
        both = await http.post("/internal/frs:process", json=kim | {"fr_ids": ["f0001", "f0002"]})
        assert [fr["refused"] is None for fr in both.json()["frs"]] == [False, True]
        history = (await http.get("/internal/frs/f0001")).json()["history"]
        assert (history[-1]["who"], history[-1]["why"]) == ("kim", "asked by the shop")
        assert (await http.post("/internal/sources/east/send")).json()["source"] == "east"
        stranger = await http.get("/internal/waiting", headers={"authorization": "Bearer no"})
        assert stranger.status_code == 401


async def test_it_says_in_one_line_what_is_missing() -> None:
    nothing = dict.fromkeys(("WAYBILL_DATABASE_URL", "WAYBILL_KAFKA", "WAYBILL_SECRET_KEY"), "")
    async with process("fulfillment_push", read=True, **nothing) as started:
        _, errors = await asyncio.wait_for(started.communicate(), 20)
    assert started.returncode == 2
    [line] = errors.decode().strip().splitlines()
    assert all(name in line for name in nothing)
