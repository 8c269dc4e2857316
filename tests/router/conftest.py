"""What the router's tests share: configured sources, orders as order-ingest tells them, a router on a real database."""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from router.acting_routes import add_acting_routes
from router.actuals_route import add_actuals
from router.consumer import Inbox
from router.facts import Notices
from router.route_orders import METRICS, RouteOrders
from router.routes import make_routes
from router.rulebooks import Rulebooks
from router.simulation_route import add_simulation
from router.stock_route import add_stock
from router.take_back import Desk
from router.wake_orders import WakeOrders
from waybill_common.alerts import Alerts
from waybill_common.db import Pool, open_pool, queries, transaction
from waybill_common.embedded.postgres import EmbeddedPostgres
from waybill_common.http import answer_refusals, internal
from waybill_common.ids import new_id
from waybill_common.logs import make_log
from waybill_common.metrics import Metrics
from waybill_common.migrations import migrate
from waybill_common.telemetry import Telemetry, new_traceparent
from waybill_contracts.config_changed import RoutingConfigured, SourceConfigured
from waybill_contracts.configuration import Routing, Source
from waybill_contracts.envelope import Received, decode
from waybill_contracts.event import Event
from waybill_contracts.inventory_updated import StockCounted
from waybill_contracts.orders_imported import OrderImported
from waybill_contracts.values import Order

TOKEN = "the service token of these tests"
START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_source(name: str, **settings: Any) -> Source:
    """A manual source in USD: fee 1.00, shipping 5.00 + 1.00 a kg, anywhere."""
    costs = {"currency": "USD", "fee": "1.00", "shipping": [{"zone": ["*"], "base": "5.00", "per_kg": "1.00"}]}
    return Source.model_validate({"id": name, "platform": "manual", "costs": costs, **settings})


def make_order(
    *lines: tuple[str, int] | tuple[str, int, int], number: str = "1001", country: str = "US", **fields: Any
) -> Order:
    """An importable order; each line is (SKU, pieces) or (SKU, pieces, address)."""
    made = [
        {
            "line_id": f"L{at}",
            "channel_sku": line[0],
            "quantity": line[1],
            "components": [{"sku": line[0], "quantity": 1}],
            "address": line[2] if len(line) > 2 else 0,
        }
        for at, line in enumerate(lines, start=1)
    ]
    body = {
        "order_id": str(new_id()),
        "store": "acme",
        "channel": "acme-shop",
        "channel_order_id": f"gid-{number}",
        "number": number,
        "version": 1,
        "sequence": 1,
        "state": "imported",
        "placed_at": START,
        "currency": "USD",
        "payment": "paid",
        "addresses": [{"country": country, "city": "A"}],
        "lines": made,
        "shipping_method": "ground",
    }
    return Order.model_validate({**body, **fields})


class World:
    """A router on a database: events go in, rounds are played, and what it said is read from its outbox."""

    def __init__(self, pool: Pool, batch: int = 200, hold: float = 30.0) -> None:
        self.pool = pool
        self.q = queries("router")
        self.books = Rulebooks(self.q)
        self.metrics = Metrics("router", METRICS)
        telemetry = Telemetry("router")
        self.alerts = alerts = Alerts(Notices())
        self.inbox = Inbox(self.q, self.books, alerts, telemetry)
        log = make_log("router", "CRITICAL")
        self.routing = RouteOrders(
            pool, self.q, self.books, alerts, telemetry, self.metrics, log, batch=batch, hold=timedelta(seconds=hold)
        )
        self.waking = WakeOrders(pool, self.q, self.books)
        self.heard = 0
        self.moment = START

    async def tell(self, *events: Event, traceparent: str | None = None) -> None:
        """One batch, as the consumer would hand it on."""
        trace = traceparent or new_traceparent()
        batch = [Received(event, f"{event.aggregate}:{event.sequence}", "test", trace) for event in events]
        async with transaction(self.pool) as conn:
            await self.inbox.handle(conn, batch)

    async def configure(self, sources: Sequence[Source], version: int = 1, **group: Any) -> None:
        """Sources in one group, `default`."""
        body = {"id": "default", "default": True, "sources": [source.id for source in sources], **group}
        routing = Routing.model_validate({"groups": [body]})
        await self.tell(
            *(SourceConfigured(at=START, sequence=version, source=source) for source in sources),
            RoutingConfigured(at=START, sequence=version, routing=routing),
        )

    async def count(
        self,
        source: str,
        sku: str,
        on_hand: int,
        cost: str | None = "3.00",
        grams: int | None = 100,
        at: datetime | None = None,
    ) -> None:
        self.moment += timedelta(seconds=1)
        await self.tell(
            StockCounted(
                at=self.moment,
                source=source,
                sku=sku,
                on_hand=on_hand,
                counted_at=at or self.moment,
                unit_cost=None if cost is None else Decimal(cost),
                weight_g=grams,
            )
        )

    async def place(self, order: Order) -> list[Event]:
        """The order is imported and routed; what the router said about it."""
        await self.tell(OrderImported(at=START, sequence=order.sequence, order=order, via="pull"))
        return await self.play()

    async def play(self) -> list[Event]:
        """Rounds until nothing is due; what was said since the last time."""
        for _ in range(100):
            if not await self.waking.turn() + await self.routing.turn():
                return await self.said()
        raise AssertionError("the router never comes to rest")

    async def said(self) -> list[Event]:
        """Events since the last call, config.applied left out."""
        facts = await self.pool.fetch("select * from facts where position > $1 order by position", self.heard)
        self.heard = facts[-1]["position"] if facts else self.heard
        events = []
        for fact in facts:
            received = decode(fact["topic"], fact["key"].encode(), fact["headers"], fact["value"])
            assert received is not None
            if "config.applied" not in received.event.TYPE:
                events.append(received.event)
        return events

    async def shelf(self, source: str, sku: str) -> tuple[int, int, int]:
        """(on hand, reserved, uncovered)."""
        row = await self.pool.fetchrow(
            "select on_hand, reserved, uncovered from stock where source = $1 and sku = $2", source, sku
        )
        assert row is not None
        return row["on_hand"], row["reserved"], row["uncovered"]

    async def is_conserved(self) -> None:
        """reserved + uncovered = what live allocations ask for, shelf by shelf (I4)."""
        wrong = await self.pool.fetch(CONSERVATION)
        assert not wrong, [dict(row) for row in wrong]


CONSERVATION = """
select s.source, s.sku, s.on_hand, s.reserved, s.uncovered, a.open, a.uncovered as named
from stock s left join (
    select source, sku, sum(open) as open, sum(uncovered) as uncovered from allocations where tracked group by 1, 2
) a using (source, sku)
where s.reserved + s.uncovered <> coalesce(a.open, 0) or s.uncovered <> coalesce(a.uncovered, 0)
    or s.reserved < 0 or s.reserved > s.on_hand
"""


@pytest_asyncio.fixture(scope="session")
async def router_database(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """One migrated database for all tests of this folder; each begins with empty tables."""
    name = f"router_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres.url)
    await connection.execute(f"create database {name} template template0")
    await connection.close()
    await migrate(postgres.database_url(name), "router", ["router"])
    yield postgres.database_url(name)


EMPTY = """
do $$ declare names text; begin
    select string_agg(format('router.%I', tablename), ', ') into names from pg_tables
    where schemaname = 'router' and tablename <> 'applied_migrations';
    execute 'truncate ' || names || ' restart identity';
    insert into router.rulebook default values;
end $$
"""


@pytest_asyncio.fixture
async def router_pool(router_database: str) -> AsyncIterator[Pool]:
    pool = await open_pool(router_database, "router", size=8, name="test")
    await pool.execute(EMPTY)
    yield pool
    pool.terminate()


@pytest_asyncio.fixture
async def world(router_pool: Pool) -> World:
    return World(router_pool)


@pytest_asyncio.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The router's internal HTTP on the world's database."""
    app = FastAPI()
    answer_refusals(app)
    routes = make_routes(world.pool, world.q, world.books, internal([TOKEN]))
    add_simulation(routes, world.pool, world.q, world.books)
    add_actuals(routes, world.pool, world.q, world.books)
    desk = Desk(world.q, world.books, world.alerts)
    add_acting_routes(routes, world.pool, desk, lambda: None)
    add_stock(routes, world.pool, desk, lambda: None)
    app.include_router(routes)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://router", headers=headers) as client:
        yield client


@pytest.fixture
def source() -> Callable[..., Source]:
    return make_source


@pytest.fixture
def order() -> Callable[..., Order]:
    return make_order


@pytest.fixture
def another_world(router_pool: Pool) -> Callable[..., World]:
    """A second replica on the same database."""
    return lambda hold=30.0: World(router_pool, batch=20, hold=hold)


@pytest.fixture
def conservation() -> str:
    return CONSERVATION
