"""Backpressure: 100,000 orders arrive at once in one channel, while another has one now and then.

A process of its own runs order-ingest's pulls against generated channels, so its peak is that of pulling alone. What
the other channel's orders wait for is taken from the moment its turn is due until they are committed.
"""

import asyncio
import os
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from benchmarks import stage
from benchmarks.goals import Result
from benchmarks.intake import peak_mb
from benchmarks.measure import Size, quantile
from benchmarks.samples import START, channel_order, channel_rules
from order_ingest.app import METRICS
from order_ingest.calls import Calls
from order_ingest.configure import apply_configuration
from order_ingest.poller import Poller
from order_ingest.pull_channel import PullChannel
from order_ingest.rulebook import Rulebook
from waybill_common.alerts import Alerts
from waybill_common.breaker import Health
from waybill_common.clock import SystemClock
from waybill_common.db import Pool, transaction
from waybill_common.logs import make_log
from waybill_common.metrics import Metrics
from waybill_common.telemetry import Telemetry
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.envelope import Received
from waybill_platforms.model.orders import ChannelOrder, OrderPage
from waybill_platforms.ports import OrderReader

FLOODED, OTHER = "flooded", "other"


@dataclass
class Generated:
    """A channel whose orders are made when they are asked for; `orders` grows in the one that has some now and then."""

    name: str
    orders: int = 0

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        start = int(page) if page else max(int((since - START).total_seconds()), 0)
        end = min(start + limit, self.orders)
        return OrderPage(made(self.name, start, end), str(end) if end < self.orders else None)

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        return channel_order(int(order_id.rpartition("-")[2]))

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        return channel_order(int(number.removeprefix("#")))


def made(name: str, start: int, end: int) -> tuple[ChannelOrder, ...]:
    """These orders of a generated channel: one a second."""
    return tuple(replace(channel_order(number), id=f"{name}-{number}") for number in range(start, end))


@dataclass
class Ingest:
    """order-ingest's pulls over generated channels."""

    pool: Pool
    readers: dict[str, Generated]
    health: Health = field(default_factory=Health)

    def calls(self) -> Calls:
        async def open_reader(configured: ChannelConfigured) -> OrderReader:
            return self.readers[configured.channel.id]

        alerts, telemetry = Alerts(None), Telemetry("bench")
        return Calls(self.pool, self.health, alerts, SystemClock(), telemetry, Rulebook(), open_reader)

    async def configure(self) -> None:
        base = channel_rules().channel
        events = [
            ChannelConfigured(
                at=START, sequence=1, store="acme", starts_at=START - timedelta(days=1),
                channel=base.model_copy(update={"id": name, "poll_every": timedelta(seconds=1)}),
            )
            for name in self.readers
        ]  # fmt: skip
        async with transaction(self.pool) as conn:
            received = [Received(event, event.entity, "bench", None) for event in events]
            await apply_configuration(conn, received, self.health, START)

    async def imported(self, name: str) -> int:
        return int(await self.pool.fetchval("select count(*) from orders where channel = $1", name))


async def measure(size: Size) -> list[Result]:
    orders = size.orders or size.of(100_000, 2_000)
    with stage.directory() as where, stage.postgres(where) as server:
        pool = await stage.schema(server.url, "order_ingest", "order_ingest")
        ingest = Ingest(pool, {FLOODED: Generated(FLOODED, orders), OTHER: Generated(OTHER)})
        await ingest.configure()
        calls = ingest.calls()
        log, metrics = make_log("bench", "ERROR"), Metrics("bench")
        metrics.declare(METRICS)
        poller = Poller(calls, PullChannel(calls, log, metrics), log)
        before, began = peak_mb(os.getpid()), time.perf_counter()
        waits = await _play(ingest, poller, orders)
        seconds, peak = time.perf_counter() - began, peak_mb(os.getpid())
        pool.terminate()
    raw = {
        "orders": orders,
        "orders_a_second": round(orders / seconds),
        "peak_mb_before": before,
        "peak_mb": peak,
        "other_channel_orders": len(waits),
        "other_channel_waits_s_median_and_longest": [round(quantile(waits, 0.5), 2), round(max(waits), 2)],
    }
    return [Result("ARRIVE", peak, raw), Result("ARRIVE-other", max(waits), raw)]


async def _play(ingest: Ingest, poller: Poller, orders: int) -> list[float]:
    """How long each of the other channel's orders waited while the flood was under way, in seconds."""
    waits, other, due = [], ingest.readers[OTHER], time.perf_counter()
    while True:
        await poller.turn()
        if other.orders and await ingest.imported(OTHER) == other.orders:
            waits.append(time.perf_counter() - due)
        elif other.orders:
            continue
        if await ingest.imported(FLOODED) == orders:
            await poller.close()
            return waits
        await asyncio.sleep(0.2)
        other.orders += 1
        due = time.perf_counter()
        await ingest.pool.execute(
            "update channels set due_at = now() where channel_id = $1 and due_at is not null", OTHER
        )
