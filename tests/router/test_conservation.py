"""I4: routers, voids, shipments and counts at the same time; at every commit free + reserved = on hand.

`WAYBILL_ROUTER_ORDERS` says how many orders (240). Two replicas plan; nothing is routed twice or left behind.
"""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import asyncpg

from waybill_common.db import transient
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.fulfillment_submitted import FrState, FrVoided
from waybill_contracts.inventory_updated import StockAdjusted, StockCounted
from waybill_contracts.orders_imported import OrderImported
from waybill_contracts.shipment_synced import ShipmentRecorded
from waybill_contracts.values import FulfillmentStatus, Shipment, ShipmentLine, SyncStatus

ORDERS = int(os.environ.get("WAYBILL_ROUTER_ORDERS", "240"))
SKUS = ("A", "B", "C")
SOURCES = ("east", "west", "north")
Make = Callable[..., Any]


async def tell(world: Any, *events: Any) -> None:
    """As the consumer does: transient trouble (a deadlock, say) is tried again, and counted."""
    for _ in range(20):
        try:
            return await world.tell(*events)
        except asyncpg.PostgresError as error:
            if not transient(error):
                raise
            world.transient = getattr(world, "transient", 0) + 1
    raise AssertionError("never got through")


async def test_rt6_free_and_reserved_are_on_hand_at_every_commit(
    world: Any, another_world: Callable[[], Any], source: Make, order: Make, conservation: str
) -> None:
    await world.configure([source(name) for name in SOURCES])
    for name in SOURCES:
        for sku in SKUS:
            await world.count(name, sku, ORDERS)
    worlds = [world, another_world()]
    random = Random(7)
    orders = [
        order((random.choice(SKUS), random.randint(1, 3)), (random.choice(SKUS), 1), number=str(at))
        for at in range(ORDERS)
    ]
    done = asyncio.Event()
    wrong: list[Any] = []

    async def watch() -> None:
        while not done.is_set():
            wrong.extend(await world.pool.fetch(conservation))
            await asyncio.sleep(0.01)

    async def bring() -> None:
        for at in range(0, ORDERS, 20):
            await tell(world, *(OrderImported(at=world.moment, order=o, via="pull") for o in orders[at : at + 20]))

    async def plan(one: Any) -> None:
        while not done.is_set():
            try:
                worked = await one.waking.turn() + await one.routing.turn()
            except asyncpg.PostgresError as error:
                if not transient(error):
                    raise
                one.transient = getattr(one, "transient", 0) + 1
                continue
            await asyncio.sleep(0 if worked else 0.01)

    voided: set[str] = set()
    shipped: set[str] = set()

    async def disturb(one: Any) -> None:
        own = Random(id(one))
        for _ in range(40):
            facts = await one.pool.fetch("select fr_id, order_id, source, number, body from frs where state = 'live'")
            frs = [row for row in facts if row["fr_id"] not in voided | shipped]
            batch: list[Any] = []
            for row in own.sample(frs, min(len(frs), 6)):
                void = own.random() < 0.5
                (voided if void else shipped).add(row["fr_id"])
                batch.append(_voided(row, world) if void else _shipped(row, world))
            moment = world.moment + timedelta(seconds=own.randint(-50, 50))
            name, sku = own.choice(SOURCES), own.choice(SKUS)
            common = {"at": moment, "source": name, "sku": sku}
            batch.append(StockAdjusted(**common, adjustment_id=str(own.random()), delta=own.randint(-3, 3)))
            batch.append(StockCounted(**common, counted_at=moment, on_hand=own.randint(ORDERS // 4, ORDERS)))
            await tell(one, *batch)
            await asyncio.sleep(0.005)

    background = [asyncio.create_task(watch()), *(asyncio.create_task(plan(one)) for one in worlds)]
    await asyncio.gather(bring(), *(disturb(one) for one in worlds))
    for name in SOURCES:
        for sku in SKUS:
            world.moment += timedelta(minutes=5)
            event = StockCounted(at=world.moment, source=name, sku=sku, counted_at=world.moment, on_hand=ORDERS * 4)
            await tell(world, event)
    for _ in range(300):
        if not await world.pool.fetchval(
            "select count(*) from orders where due_at is not null or standing <> 'routed'"
        ):
            break
        await asyncio.sleep(0.05)
    done.set()
    await asyncio.gather(*background)
    assert not wrong
    await world.is_conserved()
    asked = await world.pool.fetch(
        """select f.order_id, sum(a.open + a.shipped) as units from frs f join allocations a using (fr_id)
        group by f.order_id"""
    )
    units = {row["order_id"]: row["units"] for row in asked}
    assert units == {o.order_id: sum(line.quantity for line in o.lines) for o in orders}
    assert await world.pool.fetchval("select count(*) from orders where standing = 'routed'") == ORDERS
    assert sum(isinstance(event, FrCreated) for event in await world.said()) >= ORDERS
    assert not getattr(world, "transient", 0) + getattr(worlds[1], "transient", 0), "a deadlock reached a caller"


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
