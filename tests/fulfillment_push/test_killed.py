"""The process dies by SIGKILL at every statement and at every boundary of the exchange, against the sandbox; each
request is found there exactly once, and is told exactly once. (FP-5; "no FR sent twice", whatever is killed)

The killed process is the whole service in a real child. What it left is settled by another worker once its lease is
over: for that the stored moments are moved into the past, instead of waiting a minute for each of some eighty kills.

This cannot show what a source does that is killed itself; the sandbox's own tests do.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiokafka import AIOKafkaConsumer

from sandbox.app import build
from sandbox.world import Wish, World
from waybill_platforms.http import NoBudget
from waybill_platforms.http_source.client import open_supplier
from waybill_platforms.http_source.settings import HttpSourceSettings

LATE = 100.0
TOKEN = "demo-east-token"


@dataclass
class Proxy:
    """Between the service and its source: counts bytes, and has the service killed when enough went through."""

    upstream: int
    port: int = 0
    cut: tuple[str, int] | None = None  # ("request" | "answer", after so many bytes)
    kill: Any = None
    request_bytes: int = 0
    answer_bytes: int = 0
    reached: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        there = asyncio.create_task(self._pass(reader, up_writer, "request"))
        back = asyncio.create_task(self._pass(up_reader, writer, "answer"))
        for task in (there, back):
            self.tasks.add(task)
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        if not back.done():
            await asyncio.wait({back}, timeout=0.5)  # the source may be at work on a whole request
        for end in (writer, up_writer):
            end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        passed = 0
        try:
            while data := await reader.read(65536):
                if self.cut is not None and self.cut[0] == way and passed + len(data) >= self.cut[1]:
                    await self._end(writer, data[: self.cut[1] - passed])
                    return
                writer.write(data)
                await writer.drain()
                passed += len(data)
                setattr(self, f"{way}_bytes", passed)
        except ConnectionError:
            pass

    async def _end(self, writer: asyncio.StreamWriter, rest: bytes) -> None:
        """What is to arrive arrives, then the service is dead, and the rest of what it had sent is lost."""
        writer.write(rest)
        await writer.drain()
        self.cut, self.reached = None, True
        self.kill()


@dataclass
class Scene:
    """The stage of the service's tables, a sandbox behind a proxy, a broker, and children that are killed."""

    stage: Any
    kit: Any
    world: World
    proxy: Proxy
    database_url: str
    kafka: str
    processes: Any
    orders: Any
    line: Any
    ledger_file: Path
    serial: int = 0

    async def deliver(self) -> str:
        """Another FR, due now; its id."""
        self.serial += 1
        fr_id = f"f{self.serial}"
        fr = self.kit.fr_of(fr_id, f"o{self.serial}", lines=(self.line,), source_shipping_method=None)
        await self.stage.deliver(self.kit.created(fr))
        return fr_id

    def child(self, **given: Any) -> Any:
        return self.processes(self.orders.Orders(self.database_url, self.kafka, **given))

    async def settled(self, fr_id: str) -> bool:
        """The FR is at its source, and the relay has sent and removed everything."""
        row = await self.stage.fr(fr_id)
        left = await self.stage.pool.fetchval("select count(*) from outbox")
        return row["state"] in ("PROCESSED", "ACKNOWLEDGED") and left == 0

    async def recover(self, fr_id: str) -> None:
        """Time passes, and another worker settles what the dead one left."""
        for _ in range(6):
            await self.stage.pass_time(LATE)
            await self.stage.send()
            if (await self.stage.fr(fr_id))["state"] != "PROCESSING":
                return
        raise AssertionError(f"never settled: {dict(await self.stage.fr(fr_id))}")

    def ledger(self, event: str) -> Counter[str]:
        self.world.journal.flush()
        entries = [json.loads(entry) for entry in self.ledger_file.read_text().splitlines()]
        return Counter(entry["reference"] for entry in entries if entry["event"] == event)


async def until(so: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not await so():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def scene(
    stage: Any, kit: Any, database_url: str, kafka: str, tmp_path: Path, push_processes: Any, push_child: Any
) -> AsyncIterator[Scene]:
    world = World(tmp_path, Wish(orders=1, seed=7, ship_after=3600.0))
    async with _served(world) as (origin, proxy):
        sku = world.goods[0]
        line = kit.fr_of().lines[0].model_copy(update={"source_sku": sku.source_sku("east"), "quantity": 1})
        await stage.configure(kit.source_of(url=f"{origin}/sources/east", credentials={"token": TOKEN}), version=2)
        settings = HttpSourceSettings(url=f"{origin}/sources/east", token=TOKEN)
        connection = open_supplier("east", settings, NoBudget())

        async def opened(known: Any) -> Any:
            return connection

        stage.open = opened
        yield Scene(
            stage, kit, world, proxy, database_url, kafka, push_processes, push_child, line, tmp_path / "ledger.jsonl"
        )
        await connection.aclose()


@asynccontextmanager
async def _served(world: World) -> AsyncIterator[tuple[str, Proxy]]:
    runner = web.AppRunner(build(world), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    proxy = Proxy(runner.addresses[0][1])
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{proxy.port}", proxy
    server.close()
    await runner.cleanup()


async def the_steps(scene: Scene, notes: Path) -> list[Any]:
    """What a child that nobody kills does from its start until one FR is sent and told, in order."""
    fr_id = await scene.deliver()
    with scene.child(notes=str(notes)):
        await until(lambda: scene.settled(fr_id))
    found = [entry.split("\t") for entry in notes.read_text().splitlines()]
    steps = [scene.orders.Step(moment, name, int(n)) for moment, name, n in found]
    first = next(
        place for place, step in enumerate(steps) if "with recursive" in step.name.lower() or "for update" in step.name
    )
    return [step for step in steps[first:] if worth_a_kill(step)]


EVERY = pytest.param(True, marks=pytest.mark.chaos, id="every")
FEW = pytest.param(False, id="the sharp ones")
"""Each kill takes a process and a second; the sharp ones are part of every run, all of them of `make chaos`."""


def sharp(step: Any) -> bool:
    """Around the intent's commit, the call, the answer's commit, and the relay."""
    return step.name.startswith(("COMMIT after update", "COMMIT after with m", "submit", "draw", "relay: removes"))


def worth_a_kill(step: Any) -> bool:
    """Before every statement, after every commit and around the call; not the later idle rounds of the loops."""
    return step.time <= 2 and (step.moment == "before" or step.name.startswith(("COMMIT", "relay", "submit", "draw")))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [FEW, EVERY])
async def test_fp5_killed_at_any_statement_each_request_is_at_the_source_once_and_told(
    scene: Scene, tmp_path: Path, every: bool
) -> None:
    steps = [step for step in await the_steps(scene, tmp_path / "steps") if every or sharp(step)]
    killed = []
    for step in steps:
        fr_id = await scene.deliver()
        with scene.child(end_at=step) as child:
            await until(lambda: _over(scene, child, fr_id))  # noqa: B023
            dead = child.exitcode == -signal.SIGKILL
        if dead:
            killed.append(step)
        await scene.recover(fr_id)
    names = {step.name for step in killed}
    assert len(killed) > (20 if every else 7), [str(step) for step in killed]
    assert {"submit", "draw"} <= names
    for wanted in (
        "COMMIT after",
        "relay: removes",
        *(["update frs f set", "insert into fr_history"] if every else ()),
    ):
        assert any(wanted in name for name in names), (wanted, sorted(names))
    await _everything_once(scene)


async def _over(scene: Scene, child: Any, fr_id: str) -> bool:
    return not child.is_alive() or await scene.settled(fr_id)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("every", [FEW, EVERY])
async def test_fp5_killed_at_any_byte_of_the_exchange_each_request_is_at_the_source_once(
    scene: Scene, every: bool
) -> None:
    whole = await _lengths(scene)
    cuts = [(way, at) for way, length in whole.items() for at in _boundaries(length)[:: 1 if every else 3]]
    for cut in cuts:
        fr_id = await scene.deliver()
        with scene.child() as child:
            scene.proxy.kill = lambda: os.kill(child.pid, signal.SIGKILL)
            scene.proxy.cut, scene.proxy.reached = cut, False
            await until(lambda: _over(scene, child, fr_id))  # noqa: B023
            child.join(10)
            assert (scene.proxy.reached, child.exitcode) == (True, -signal.SIGKILL), cut
        await scene.recover(fr_id)
    await _everything_once(scene)


async def _lengths(scene: Scene) -> dict[str, int]:
    """Bytes of one request and of its answer, as they go over the wire."""
    fr_id = await scene.deliver()
    with scene.child():
        await until(lambda: scene.settled(fr_id))
    return {"request": scene.proxy.request_bytes, "answer": scene.proxy.answer_bytes}


def _boundaries(length: int) -> list[int]:
    """Nothing, the first byte, within, all but the last, all."""
    return [0, 1, length // 4, length // 2, length * 3 // 4, length - 1, length]


async def _everything_once(scene: Scene) -> None:
    """At the source: one request under each reference, no second post of any. On the topic: each fact under one id."""
    fr_ids = [f"f{n + 1}" for n in range(scene.serial)]
    made = scene.ledger("request_created")
    assert made == Counter({f"E-{fr_id}": 1 for fr_id in fr_ids})
    assert scene.ledger("request_repeated") == Counter()
    assert scene.ledger("request_conflict") == Counter()

    async def all_told() -> bool:
        return await scene.stage.pool.fetchval("select count(*) from outbox") == 0

    with scene.child():  # relays what is left
        await until(all_told)
    told = await _told(scene.kafka)
    for fr_id in fr_ids:
        ids = {event_id for event_id, kind, about in told if (kind, about) == ("fr.submitted", fr_id)}
        assert len(ids) == 1, (fr_id, ids)


async def _told(kafka: str) -> list[tuple[str, str, str]]:
    """(ce_id, short type, FR) of everything on our topic."""
    consumer = AIOKafkaConsumer("fulfillment.submitted", bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    found = []
    try:
        while batch := await consumer.getmany(timeout_ms=1500):
            for records in batch.values():
                for record in records:
                    headers = {name: value.decode() for name, value in record.headers}
                    kind = headers["ce_type"].removeprefix("waybill.").removesuffix(".v1")
                    found.append((headers["ce_id"], kind, json.loads(record.value)["fr_id"]))
    finally:
        await consumer.stop()
    return found
