"""Intake in bulk: orders by `orders.inbound` and by file, with the peak memory of every process that takes part.

order-ingest and the console run as processes of their own, the file goes through the command line. Where Java is
missing, events are given in portions that the embedded broker can keep.
"""

import asyncio
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import psutil
from aiokafka import AIOKafkaProducer

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.measure import Size
from benchmarks.samples import ADDRESS, LINES, START, channel_rules
from waybill_common.embedded.processes import GuardedProcess, free_port
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.configuration import Platform
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event
from waybill_contracts.orders_inbound import OrderSubmitted, SubmittedLine
from waybill_contracts.values import PaymentState

KEY = "wb_key_of_the_intake_benchmark"
PORTION = 2000
"""Events that may lie unread in the embedded broker, which keeps 5 MB a partition."""
LIMIT = 400.0
_ORDERS = "select count(*) from order_ingest.orders where via = 'event'"
_CHANNELS = "select count(*) from order_ingest.channels"


async def measure(size: Size) -> list[Result]:
    orders = size.orders or size.of(50_000, 500)
    with (
        stage.directory() as where,
        stage.postgres(where) as server,
        stage.any_broker(where) as (kafka, kind),
        _services(where, server.url, kafka) as services,
    ):
        told = {"orders": orders, "lines_an_order": LINES, "broker": kind}
        seconds = await _by_events(server.url, kafka, orders, whole=kind == "Apache Kafka")
        peaks = {name: peak_mb(process.pid) for name, process in services.items()}
        by_events = {**told, "orders_a_second": round(orders / seconds), "peak_mb": peaks}
        max_events = max(peaks.values())
        seconds, command_line = await asyncio.to_thread(_by_file, where, services["console"], orders)
        peaks = {name: peak_mb(process.pid) for name, process in services.items()} | {"waybill": command_line}
        by_file = {**told, "orders_a_second": round(orders / seconds), "peak_mb": peaks}
    return [
        Result("INTAKE-events", max_events, by_events),
        Result("INTAKE-file", max(peaks.values()), by_file),
    ]


async def _by_events(url: str, kafka: str, orders: int, *, whole: bool) -> float:
    """Seconds from the first event that was sent to the last order that is committed."""
    producer, conn = AIOKafkaProducer(bootstrap_servers=kafka), await asyncpg.connect(url)
    await producer.start()
    try:
        await _send(producer, _channel())
        await producer.flush()
        await _until(conn, _CHANNELS, 1)
        began, portion = time.perf_counter(), orders if whole else PORTION
        for start in range(0, orders, portion):
            end = min(start + portion, orders)
            for number in range(start, end):
                await _send(producer, _submitted(number))
            await producer.flush()
            await _until(conn, _ORDERS, end)
        return time.perf_counter() - began
    finally:
        await producer.stop()
        await conn.close()


def _by_file(where: Path, console: "Service", orders: int) -> tuple[float, float]:
    """(seconds, peak MB of the command line) of `waybill orders import`; every order must have been imported."""
    path = where / "orders.csv"
    with path.open("w", newline="", encoding="utf-8") as to:
        write = csv.writer(to)
        write.writerow(["number", "sku", "quantity", "country", "line1", "city"])
        for number in range(orders):
            write.writerows([f"F-{number}", f"SKU-{at}", at + 1, "BE", f"Rue {number}", "Liège"] for at in range(LINES))
    command = [str(Path(sys.executable).parent / "waybill"), "orders", "import", str(path), "--channel", "shop"]
    environ = {**os.environ, "WAYBILL_URL": console.url, "WAYBILL_API_KEY": KEY}
    with (where / "import.json").open("w") as out:
        process, peak = subprocess.Popen([*command, "--json"], stdout=out, env=environ), 0.0
        while process.poll() is None:
            peak = max(peak, peak_mb(process.pid))
            time.sleep(0.2)
    summary = json.loads((where / "import.json").read_text().strip().splitlines()[-1])
    if summary["imported"] != orders:
        raise RuntimeError(f"{orders} orders were in the file: {summary}")
    return float(summary["seconds"]), peak


class Service(GuardedProcess):
    """One service as a process, and where it listens."""

    def __init__(self, module: str, where: Path, environ: Mapping[str, str]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = where / f"{module}.log"
        super().__init__(
            [sys.executable, "-m", module], log=self.log, environ={**environ, "WAYBILL_HTTP_PORT": str(port)}
        )
        stage.wait_for_port(port, self, 60)


def service_environ(url: str, kafka: str) -> dict[str, str]:
    """What a service is told by its environment; `KEY` is an admin's at the console."""
    told = {
        "WAYBILL_DATABASE_URL": url, "WAYBILL_KAFKA": kafka, "WAYBILL_SECRET_KEY": "benchmarks",
        "WAYBILL_ADMIN_KEY": KEY, "WAYBILL_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    return {name: value for name, value in os.environ.items() if name != "WAYBILL_CONSOLE_PORT"} | told


@contextmanager
def _services(where: Path, url: str, kafka: str) -> Iterator[dict[str, Service]]:
    environ = service_environ(url, kafka)
    ingest = Service("order_ingest", where, environ)
    try:
        console = Service("console", where, {**environ, "WAYBILL_ORDER_INGEST_URL": ingest.url})
        try:
            yield {"order-ingest": ingest, "console": console}
        finally:
            console.stop(5)
    finally:
        ingest.stop(5)


def _channel() -> ChannelConfigured:
    channel = channel_rules().channel.model_copy(update={"platform": Platform.EVENTS, "url": None})
    return ChannelConfigured(at=START, sequence=1, store="acme", channel=channel, starts_at=START - timedelta(days=1))


def _submitted(number: int) -> OrderSubmitted:
    lines = tuple(SubmittedLine(sku=f"SKU-{at}", quantity=at + 1) for at in range(LINES))
    return OrderSubmitted(
        at=START, channel="shop", number=f"E-{number}", placed_at=START, currency="EUR", payment=PaymentState.PAID,
        shipping_method="Standard", ship_to=ADDRESS.model_copy(update={"line2": f"apt {number}"}), lines=lines,
    )  # fmt: skip


async def _send(producer: AIOKafkaProducer, event: Event) -> None:
    message = encode(event, source="erp")
    headers = [(name, text.encode()) for name, text in message.headers.items()]
    await producer.send(message.topic, message.value, key=message.key.encode(), headers=headers)


async def _until(conn: "asyncpg.Connection[asyncpg.Record]", question: str, wanted: int) -> None:
    deadline = time.monotonic() + LIMIT
    while (found := await _count(conn, question)) < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{found} of {wanted} after {LIMIT:g} s: {question}")
        await asyncio.sleep(0.1)


async def _count(conn: "asyncpg.Connection[asyncpg.Record]", question: str) -> int:
    try:
        return int(await conn.fetchval(question))
    except asyncpg.UndefinedTableError:
        return 0  # order-ingest is still making its tables


def peak_mb(pid: int) -> float:
    """The most that a process ever held, as the system counts it; where it does not, what it holds now."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        try:
            kib = psutil.Process(pid).memory_info().rss // 1024
        except psutil.NoSuchProcess:
            return 0.0
    return round(kib / 1024, 1)
