"""A schema of order-ingest on a real database, and a reader that a test fills."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))

from ingest_samples import START, configured

from order_ingest.configure import apply_configuration
from order_ingest.heal_orders import Healer
from order_ingest.import_orders import Batch, Counts, import_orders
from order_ingest.rulebook import Rulebook
from order_ingest.seen import Seen
from waybill_common.alerts import Alerts
from waybill_common.breaker import Health
from waybill_common.db import Pool, open_pool, transaction
from waybill_common.migrations import migrate
from waybill_common.telemetry import Telemetry
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.envelope import Received, decode
from waybill_contracts.event import Event
from waybill_platforms.model.orders import ChannelOrder, OrderPage

NOW = START + timedelta(days=1)


@pytest_asyncio.fixture
async def ingest_pool(database_url: str) -> AsyncIterator[Pool]:
    await migrate(database_url, "order_ingest", ["order_ingest"])
    pool = await open_pool(database_url, "order_ingest", size=8, name="test")
    yield pool
    pool.terminate()


@dataclass
class House:
    """order-ingest's verbs on a database, one transaction each, and what they told."""

    pool: Pool
    rulebook: Rulebook = field(default_factory=Rulebook)
    telemetry: Telemetry = field(default_factory=lambda: Telemetry("test"))
    health: Health = field(default_factory=Health)

    async def configure(self, *events: ChannelConfigured) -> None:
        received = [Received(event, f"console:{event.entity}:{event.sequence}", "console", None) for event in events]
        async with transaction(self.pool) as conn:
            await apply_configuration(conn, received, self.health, NOW)

    async def see(self, *sightings: Seen) -> Counts:
        async with transaction(self.pool) as conn:
            rules = await self.rulebook.of(conn, sightings)
            return await import_orders(conn, Batch(sightings, rules, self.telemetry, NOW))

    async def heal(self) -> int:
        return await Healer(self.pool, self.rulebook, self.telemetry, Alerts(None)).heal(NOW)

    async def told(self, topic: str = "orders.imported") -> list[Event]:
        rows = await self.pool.fetch("select * from facts where topic = $1 order by position", topic)
        received = [decode(r["topic"], r["key"].encode(), r["headers"], r["value"]) for r in rows]
        return [one.event for one in received if one is not None]

    async def told_names(self) -> list[str]:
        return [type(event).__name__ for event in await self.told()]

    async def row(self, order_id: str = "o1") -> asyncpg.Record:
        row = await self.pool.fetchrow("select * from orders where channel_order_id = $1", order_id)
        assert row is not None
        return row

    async def rows(self) -> list[asyncpg.Record]:
        return list(await self.pool.fetch("select * from orders order by channel_order_id"))


@pytest_asyncio.fixture
async def house(ingest_pool: Pool) -> House:
    house = House(ingest_pool)
    await house.configure(configured())
    return house


@pytest_asyncio.fixture
async def empty_house(ingest_pool: Pool) -> House:
    return House(ingest_pool)


@dataclass
class ShelfReader:
    """A channel made of a list of orders, page by page; what a test puts into `trouble` is raised at that page."""

    orders: list[ChannelOrder] = field(default_factory=list)
    page_size: int = 2
    trouble: dict[int, BaseException] = field(default_factory=dict)
    asked: list[datetime] = field(default_factory=list)
    pages: int = 0
    before_page: Callable[[int], Awaitable[None]] | None = None

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        number = int(page or 0)
        if number == 0:
            self.asked.append(since)
        if self.before_page is not None:
            await self.before_page(number)
        if number in self.trouble:
            raise self.trouble[number]
        self.pages += 1
        changed = sorted((o for o in self.orders if o.updated_at >= since), key=lambda o: (o.updated_at, o.id))
        found = changed[number * self.page_size : (number + 1) * self.page_size]
        more = (number + 1) * self.page_size < len(changed)
        return OrderPage(tuple(found), str(number + 1) if more else None)

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        return next((o for o in self.orders if o.id == order_id), None)

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        return next((o for o in self.orders if o.number == number), None)


@pytest.fixture
def shelf() -> ShelfReader:
    return ShelfReader()
