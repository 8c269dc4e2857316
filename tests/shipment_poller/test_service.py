"""The service whole: its own process, real database, Kafka protocol, and the sandbox's shop and sources over HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
import yaml
from aiokafka import AIOKafkaProducer
from poller_harness import AT, TRACE, fr_of, line_of, order_of, submitted

from waybill_common.embedded.processes import free_port
from waybill_common.settings import ServiceSettings
from waybill_contracts.config_changed import ChannelConfigured, SourceConfigured
from waybill_contracts.configuration import Configuration
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event
from waybill_contracts.values import Address
from waybill_platforms.connections import Connections, plain
from waybill_platforms.http import NoBudget
from waybill_platforms.model.orders import ChannelOrder
from waybill_platforms.model.requests import SourceRequest, SourceRequestLine

SECRET = "a secret of this test"
SOURCE = "west"


async def until(what: Callable[[], Awaitable[Any]], seconds: float = 120.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := await what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.1)
    return answer


@asynccontextmanager
async def process(*args: str, read: bool = False, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
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


@dataclass
class Sandbox:
    http: httpx.AsyncClient
    config: Configuration

    async def misbehave(self, *rules: dict[str, Any]) -> None:
        (await self.http.post("/_sandbox/faults", json=list(rules))).raise_for_status()

    async def report(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/_sandbox/report")).json()
        return found


@pytest_asyncio.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    port = free_port()
    args = ("sandbox", "--port", str(port), "--data", str(tmp_path), "--orders", "40", "--ship-after", "1")
    async with process(*args), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:

        async def up() -> bool:
            try:
                return (await http.get("/_sandbox/health")).is_success
            except httpx.TransportError:
                return False

        await until(up)
        text = (await http.get("/_sandbox/config.yaml")).text
        yield Sandbox(http, Configuration.model_validate(yaml.safe_load(text)))


@dataclass
class Poller:
    environment: dict[str, str]
    port: int
    database: asyncpg.Pool
    producer: AIOKafkaProducer

    def run(self, **more: str) -> Any:
        return process("shipment_poller", **self.environment | more)

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

    async def synced(self) -> int:
        try:
            found = await self.database.fetchval(
                "select count(*) from shipment_poller.orders where fulfillment = 'shipped' and sync = 'synced'"
            )
        except asyncpg.UndefinedTableError:
            return 0
        return int(found)


@pytest_asyncio.fixture
async def poller(database_url: str, kafka: str) -> AsyncIterator[Poller]:
    port = free_port()
    environment = {
        "WAYBILL_DATABASE_URL": database_url, "WAYBILL_KAFKA": kafka, "WAYBILL_SECRET_KEY": SECRET,
        "WAYBILL_HTTP_PORT": str(port),
    }  # fmt: skip
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=2)
    yield Poller(environment, port, pool, producer)
    await pool.close()
    await producer.stop()


async def submit_all(sandbox: Sandbox) -> list[Event]:
    """Plays the three stages before: reads the shop, asks one source for everything, and says so."""
    [channel] = sandbox.config.channels
    source = next(one for one in sandbox.config.sources if one.id == SOURCE)
    connections = Connections(NoBudget(), plain)
    shop, supplier = connections.channel(channel, 1), connections.source(source, 1)
    assert shop is not None
    assert supplier is not None
    told: list[Event] = [
        ChannelConfigured(at=AT, sequence=1, store="acme", channel=channel, starts_at=AT),
        SourceConfigured(at=AT, sequence=1, source=source),
    ]
    listed = (await sandbox.http.get("/_sandbox/shops/acme/orders", params={"expectation": "shipped"})).json()
    expected = {one["name"] for one in listed["orders"]}
    page = await shop.reader.list_changed(datetime(2000, 1, 1, tzinfo=UTC))
    while True:
        for seen in page.orders:
            if seen.number in expected:
                told.append(await _submit(seen, channel, source, supplier))
        if page.next is None:
            break
        page = await shop.reader.list_changed(datetime(2000, 1, 1, tzinfo=UTC), page.next)
    await connections.aclose()
    return told


async def _submit(seen: ChannelOrder, channel: Any, source: Any, supplier: Any) -> Event:
    lines = []
    for line in seen.lines:
        ours = channel.skus.map.get(line.sku)
        left = line.fulfillable if line.fulfillable is not None else line.quantity - line.canceled
        service = not line.requires_shipping or line.sku in channel.skus.services or ours is None
        made_of = {ours: 1} if isinstance(ours, str) else {"none": 1}
        before = line.quantity - left
        lines.append(line_of(line.line_id, line.quantity, made_of, canceled=before, service=service))
    order = order_of(
        seen.id.rsplit("/", 1)[-1], lines, channel=channel.id, channel_order_id=seen.id, number=seen.number
    )
    fr = fr_of(order, source=source.id, channel=channel.id, number=f"W-{seen.number.strip('#')}")
    asked = fr.lines
    request = SourceRequest(
        fr.number,
        seen.number,
        tuple(SourceRequestLine(one.line_id, source.skus.map.get(one.sku, one.sku), one.quantity, "") for one in asked),
        seen.addresses[0] if seen.addresses else Address(country="US"),
        None,
        "USD",
    )
    answer = await supplier.sink.submit(request)
    return submitted(order, fr, platform_id=answer.platform_id)


def _wrong(report: dict[str, Any]) -> list[dict[str, Any]]:
    # one source was asked for everything here, so its stock is not what is judged
    return [one for one in report["problems"] if one["kind"] not in {"oversold"}]


async def test_what_the_source_shipped_ends_at_the_shop_exactly_once_whatever_it_answers(
    poller: Poller, sandbox: Sandbox
) -> None:
    events = await submit_all(sandbox)
    orders = len(events) - 2
    assert orders > 20
    await sandbox.misbehave(
        {"match": "fulfillmentCreate", "kind": "lost", "rate": 0.05},
        {"match": "acme*", "kind": "503", "rate": 0.04, "params": {"retry_after": 1}},
        {"match": "acme*", "kind": "throttled", "rate": 0.03},
        {"match": f"{SOURCE}:shipments", "kind": "503", "count": 2, "skip": 1},
    )
    await poller.publish(*events)
    async with poller.run() as service, poller.http() as http:

        async def all_synced() -> bool:
            return await poller.synced() == orders

        try:
            await until(all_synced, 90)
        except AssertionError:
            print((await http.get("/internal/waiting")).text)
            raise
        service.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.wait(), 12) == 0
    report = await sandbox.report()
    assert _wrong(report) == []
    assert await poller.database.fetchval("select count(*) from shipment_poller.outbox") == 0
    assert await poller.database.fetchval("select count(*) from shipment_poller.dead_letters") == 0
    types = await poller.database.fetch("select headers ->> 'ce_type' as kind from shipment_poller.facts")
    counted = Counter(row["kind"] for row in types)
    assert counted["waybill.order.shipped.v1"] == orders
    assert counted["waybill.shipment.synced.v1"] == counted["waybill.shipment.recorded.v1"]
    traces = await poller.database.fetch(
        "select distinct headers ->> 'traceparent' as trace from shipment_poller.facts"
    )
    assert {row["trace"][3:35] for row in traces if row["trace"]} == {TRACE[3:35]}


async def test_people_poll_a_source_push_again_and_see_what_waits(poller: Poller, sandbox: Sandbox) -> None:
    await poller.publish(*await submit_all(sandbox))
    async with poller.run(), poller.http() as http:

        async def configured() -> bool:
            try:
                return (await http.post(f"/internal/sources/{SOURCE}/poll")).status_code == 202
            except httpx.TransportError:
                return False

        await until(configured)
        assert (await http.post("/internal/sources/nobody/poll")).status_code == 404
        begun = (await http.post("/internal/shipments/resync", json={})).json()
        assert (begun["shipments"], begun["orders"]) == (0, 0)
        progress = (await http.get(f"/internal/resyncs/{begun['resync_id']}")).json()
        assert (progress["done"], progress["actor"]) == (True, "an operator")
        couriers = (await http.get("/internal/channels/acme-shop/couriers")).json()
        assert couriers["map"]
        waiting = (await http.get("/internal/waiting")).json()
        assert [one["source"] for one in waiting["sources"]] == [SOURCE]
        stranger = await http.get("/internal/waiting", headers={"authorization": "Bearer no"})
        assert stranger.status_code == 401


@pytest.mark.chaos  # leases are real: about three minutes
@pytest.mark.timeout(400)
async def test_killed_in_the_middle_and_started_again_nothing_is_lost_or_double(
    poller: Poller, sandbox: Sandbox
) -> None:
    events = await submit_all(sandbox)
    await poller.publish(*events)
    await sandbox.misbehave({"match": "fulfillmentCreate", "kind": "slow", "params": {"seconds": 0.3}})
    async with poller.run() as first:

        async def some() -> bool:
            return await poller.synced() > 3

        await until(some)
        first.kill()
        await first.wait()
    async with poller.run():

        async def all_synced() -> bool:
            return await poller.synced() == len(events) - 2

        await until(all_synced, 300)
    assert _wrong(await sandbox.report()) == []


async def test_it_says_in_one_line_what_is_missing() -> None:
    nothing = dict.fromkeys(("WAYBILL_DATABASE_URL", "WAYBILL_KAFKA", "WAYBILL_SECRET_KEY"), "")
    async with process("shipment_poller", read=True, **nothing) as started:
        _, errors = await asyncio.wait_for(started.communicate(), 120)
    assert started.returncode == 2
    [line] = errors.decode().strip().splitlines()
    assert all(name in line for name in nothing)
