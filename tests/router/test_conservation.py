"""I4: routers, voids, shipments, differences and counts at the same time; at every commit free + reserved = on hand.

The small storm is part of every run. The big one (chaos: 4 routers, 20 sources, 50 hot SKUs) has 2,000 orders, or
`WAYBILL_STORM_ORDERS`: 20,000 is the full size. A trigger, for these tests alone, looks at every commit.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from waybill_common.db import open_pool, transient
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.fulfillment_submitted import FrState, FrVoided
from waybill_contracts.inventory_updated import StockAdjusted, StockCounted
from waybill_contracts.orders_imported import OrderImported
from waybill_contracts.shipment_synced import ShipmentRecorded
from waybill_contracts.values import FulfillmentStatus, Order, Shipment, ShipmentLine, SyncStatus

from .conftest import EMPTY, World

Make = Callable[..., Any]
STORM = int(os.environ.get("WAYBILL_STORM_ORDERS", "2000"))

AT_EVERY_COMMIT = """
create or replace function router.must_add_up() returns trigger language plpgsql as $$
declare asked bigint; s router.stock%rowtype; begin
    select * into s from router.stock where source = new.source and sku = new.sku;
    select coalesce(sum(open), 0) into asked from router.allocations
        where source = new.source and sku = new.sku and open > 0 and tracked;
    if s.reserved + s.uncovered <> asked or s.reserved < 0 or s.reserved > s.on_hand then
        raise exception 'not conserved: % % on hand %, reserved %, uncovered %, asked %',
            new.source, new.sku, s.on_hand, s.reserved, s.uncovered, asked;
    end if;
    return null;
end $$;
create constraint trigger stock_adds_up after insert or update on router.stock
    deferrable initially deferred for each row execute function router.must_add_up();
create constraint trigger allocations_add_up after insert or update on router.allocations
    deferrable initially deferred for each row when (new.tracked) execute function router.must_add_up();
"""
NO_LONGER = "drop function router.must_add_up() cascade"


@pytest_asyncio.fixture
async def watched_pool(router_database: str) -> AsyncIterator[Any]:
    """A pool large enough for many routers, on a database that refuses every commit that does not add up."""
    pool = await open_pool(router_database, "router", size=16, name="storm")
    await pool.execute(EMPTY)
    await pool.execute(AT_EVERY_COMMIT)
    yield pool
    await pool.execute(NO_LONGER)
    pool.terminate()


@dataclass
class Storm:
    """Everything at once, from a seed; `transient` counts what the database threw back at a caller."""

    pool: Any
    routers: int
    sources: list[str]
    skus: list[str]
    orders: list[Order]
    worlds: list[Any] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    voids: int = 0
    transient: list[str] = field(default_factory=list)
    calm: asyncio.Event = field(default_factory=asyncio.Event)

    async def blow(self, source: Make, in_stock: int) -> None:
        self.worlds = [World(self.pool, batch=50) for _ in range(self.routers)]
        first = self.worlds[0]
        await first.configure([source(name) for name in self.sources])
        for name in self.sources:
            await first.tell(*(self._count(first, name, sku, in_stock) for sku in self.skus))
        routing = [asyncio.create_task(self._route(world)) for world in self.worlds]
        try:
            await asyncio.gather(self._bring(), *(self._disturb(at) for at in range(self.routers)))
            for name in self.sources:  # at last there is enough of everything
                first.moment += timedelta(minutes=5)
                await self._tell(first, *(self._count(first, name, sku, len(self.orders) * 4) for sku in self.skus))
            await self._all_routed()
        finally:
            self.calm.set()
            await asyncio.gather(*routing)

    def _count(self, world: Any, name: str, sku: str, on_hand: int) -> StockCounted:
        world.moment += timedelta(milliseconds=1)
        return StockCounted(
            at=world.moment, source=name, sku=sku, counted_at=world.moment, on_hand=on_hand,
            unit_cost="3.00", weight_g=100,
        )  # fmt: skip

    async def _tell(self, world: Any, *events: Any) -> None:
        """As the consumer does: transient trouble (a deadlock, say) is tried again, and counted."""
        for _ in range(20):
            try:
                return await world.tell(*events)
            except asyncpg.PostgresError as error:
                if not transient(error):
                    raise
                self.transient.append(type(error).__name__)
        raise AssertionError("never got through")

    async def _bring(self) -> None:
        for at in range(0, len(self.orders), 20):
            facts = [OrderImported(at=o.placed_at, order=o, via="pull") for o in self.orders[at : at + 20]]
            await self._tell(self.worlds[at % self.routers], *facts)

    async def _route(self, world: Any) -> None:
        while not self.calm.is_set():
            try:
                worked = await world.waking.turn() + await world.routing.turn()
            except asyncpg.PostgresError as error:
                if not transient(error):
                    raise
                self.transient.append(type(error).__name__)
                continue
            await asyncio.sleep(0 if worked else 0.01)

    async def _disturb(self, at: int) -> None:
        """Voids and shipments of live FRs, differences, and counts of other moments, older ones too."""
        world, random = self.worlds[at], Random(at)
        for _ in range(max(40, len(self.orders) // 40)):
            found = await self.pool.fetch(
                "select fr_id, order_id, source, number, body from frs where state = 'live' order by random() limit 20"
            )
            batch: list[Any] = []
            for row in [row for row in found if row["fr_id"] not in self.touched][:6]:
                self.touched.add(row["fr_id"])
                void = random.random() < 0.5
                self.voids += void
                batch.append(_voided(row, world) if void else _shipped(row, world))
            moment = world.moment + timedelta(seconds=random.randint(-50, 50))
            name, sku = random.choice(self.sources), random.choice(self.skus)
            common = {"at": moment, "source": name, "sku": sku}
            batch.append(StockAdjusted(**common, adjustment_id=f"{at}-{random.random()}", delta=random.randint(-3, 3)))
            batch.append(StockCounted(**common, counted_at=moment, on_hand=random.randint(0, 60)))
            await self._tell(world, *batch)
            await asyncio.sleep(0.005)

    async def _all_routed(self) -> None:
        deadline = time.monotonic() + 120 + len(self.orders) / 10
        while await self.pool.fetchval("select count(*) from orders where due_at is not null or standing <> 'routed'"):
            assert time.monotonic() < deadline, await self.pool.fetch(
                "select standing, reason, count(*) from orders group by 1, 2"
            )
            await asyncio.sleep(0.1)

    async def is_over_without_harm(self) -> None:
        """Every order is routed once and whole, nothing is lost, and nobody had to hear of a deadlock."""
        assert len(self.touched) > len(self.orders) // 20, "too little happened"
        await self.worlds[0].is_conserved()
        asked = await self.pool.fetch(
            """select f.order_id, sum(a.open + a.shipped) as units from frs f join allocations a using (fr_id)
            group by f.order_id"""
        )
        units = {row["order_id"]: row["units"] for row in asked}
        assert units == {o.order_id: sum(line.quantity for line in o.lines) for o in self.orders}
        assert await self.pool.fetchval("select count(*) from orders where standing = 'routed'") == len(self.orders)
        assert await self.pool.fetchval("select count(*) from open_alerts where key like 'cannot-be-planned%'") == 0
        assert sum(isinstance(event, FrCreated) for event in await self.worlds[0].said()) >= len(self.orders)
        assert not self.transient, f"reached a caller: {self.transient}"


def storm(pool: Any, order: Make, *, routers: int, sources: int, skus: int, orders: int) -> Storm:
    random = Random(7)
    names = [f"SKU-{at}" for at in range(skus)]
    made = [
        order((random.choice(names), random.randint(1, 3)), (random.choice(names), 1), number=str(at))
        for at in range(orders)
    ]
    return Storm(pool, routers, [f"source-{at}" for at in range(sources)], names, made)


async def test_rt6_free_and_reserved_are_on_hand_at_every_commit(watched_pool: Any, source: Make, order: Make) -> None:
    small = storm(watched_pool, order, routers=2, sources=3, skus=3, orders=240)
    await small.blow(source, in_stock=120)
    await small.is_over_without_harm()


@pytest.mark.chaos
@pytest.mark.timeout(3600)
async def test_rt6_four_routers_twenty_sources_fifty_hot_skus(watched_pool: Any, source: Make, order: Make) -> None:
    """Half of what is wanted is in stock at first: orders wait, wake and compete all the time."""
    big = storm(watched_pool, order, routers=4, sources=20, skus=50, orders=STORM)
    started = time.monotonic()
    await big.blow(source, in_stock=max(STORM * 3 // 2 // (20 * 50), 2))
    await big.is_over_without_harm()
    print(f"{STORM} orders, {big.voids} voids, {len(big.touched)} FRs touched: {time.monotonic() - started:.0f} s")


async def test_the_trigger_sees_a_unit_that_is_reserved_for_nobody(watched_pool: Any, source: Make) -> None:
    world = World(watched_pool)
    await world.configure([source("east")])
    await world.count("east", "A", 5)
    with pytest.raises(asyncpg.RaiseError, match="not conserved: east A on hand 5, reserved 1, uncovered 0, asked 0"):
        await watched_pool.execute("update stock set reserved = 1")


def _voided(row: Any, world: Any) -> FrVoided:
    return FrVoided(
        at=world.moment,
        sequence=2,
        fr_id=row["fr_id"],
        order_id=row["order_id"],
        source=row["source"],
        number=row["number"],
        state=FrState.VOIDED,
        order_version=1,
        router_sequence=1,
    )


def _shipped(row: Any, world: Any) -> ShipmentRecorded:
    lines = tuple(
        ShipmentLine(line_id=line["line_id"], sku=line["sku"], quantity=line["quantity"])
        for line in row["body"]["lines"]
    )
    shipment = Shipment(
        shipment_id=f"s-{row['fr_id']}",
        order_id=row["order_id"],
        fr_id=row["fr_id"],
        source=row["source"],
        source_shipment_id="1",
        lines=lines,
        carrier="UPS",
        shipped_at=world.moment,
    )
    return ShipmentRecorded(
        at=world.moment, shipment=shipment, fulfillment=FulfillmentStatus.PARTIAL, sync=SyncStatus.PENDING
    )
