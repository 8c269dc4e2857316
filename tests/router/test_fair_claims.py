"""Channels take turns in the router: a flood in one makes no other wait, and the oldest still gets the last unit."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from router.route_orders import ORDERS
from waybill_common.leases import claim
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.orders_imported import OrderImported
from waybill_contracts.values import Order

from .conftest import START, World

Make = Callable[..., Any]

FLOOD = """
insert into orders (order_id, sequence, version, body, due_at)
select 'flood-' || lpad(n::text, 8, '0'), 1, 1,
    jsonb_set($1, '{order_id}', to_jsonb('flood-' || lpad(n::text, 8, '0'))),
    now() - interval '1 hour' + n * interval '1 ms'
from generate_series(1, $2::int) n
"""

READ = "select seq_scan, idx_tup_fetch from pg_stat_xact_user_tables where relid = 'orders'::regclass"
"""What this session has read and not reported yet: only its growth is the transaction's own."""


@pytest.fixture
def small(router_pool: Any) -> World:
    """A router that plans 20 orders a round."""
    return World(router_pool, batch=20)


async def flood(world: World, order: Make, number: int) -> None:
    """So many orders of the channel `flood`, due long before any other."""
    body = order(("A", 1), channel="flood").model_dump(mode="json")
    await world.pool.execute(FLOOD, body, number)


async def routed(world: World) -> list[str]:
    """The channels of the orders that one round routed."""
    await world.routing.turn()
    return [event.order.channel for event in await world.said() if isinstance(event, FrCreated)]


async def brought(world: World, orders: list[Order]) -> None:
    await world.tell(*(OrderImported(at=START, order=one, via="pull") for one in orders))


async def test_a_flood_in_one_channel_makes_no_other_wait(small: World, source: Make, order: Make) -> None:
    await small.configure([source("east")])
    await small.count("east", "A", 1000)
    await flood(small, order, 200)
    await brought(small, [order(("A", 1), channel="shop", number=f"S{at}") for at in range(4)])
    await brought(small, [order(("A", 1), channel="store", number="T1")])

    first = await routed(small)
    assert (first.count("shop"), first.count("store"), first.count("flood")) == (4, 1, 15), "the round is full"
    left = await small.pool.fetch("select order_id from orders where due_at is null and channel = 'flood' order by 1")
    assert [row["order_id"] for row in left] == [f"flood-{at:08}" for at in range(1, 16)], "the longest due of them"
    assert await routed(small) == ["flood"] * 20


async def test_of_two_floods_each_gets_half_of_a_round(small: World, source: Make, order: Make) -> None:
    await small.configure([source("east")])
    await small.count("east", "A", 1000)
    await flood(small, order, 100)
    await brought(small, [order(("A", 1), channel="sale", number=f"S{at}") for at in range(30)])
    first = await routed(small)
    assert (first.count("flood"), first.count("sale")) == (10, 10)


async def test_rt6_within_a_round_the_oldest_gets_the_last_unit_whatever_its_channel(
    small: World, source: Make, order: Make
) -> None:
    await small.configure([source("east")])
    await small.count("east", "A", 1)
    old = order(("A", 1), channel="b-shop", number="old", placed_at=START - timedelta(hours=2))
    new = [order(("A", 1), channel="a-shop", number=f"new-{at}") for at in range(3)]
    await brought(small, [*new, old])
    said = await small.play()
    assert [event.fr.order_number for event in said if isinstance(event, FrCreated)] == ["old"]


@pytest.mark.timeout(600)
async def test_a_claim_reads_no_more_than_it_may_take(small: World, order: Make) -> None:
    """However many are due: of a round's size for each channel, along the index."""
    await flood(small, order, 20_000)
    await small.pool.execute("analyze orders")
    async with small.pool.acquire() as conn, conn.transaction():
        before = await conn.fetchrow(READ)
        taken = await claim(conn, ORDERS, limit=20, per_connection=20, hold=timedelta(seconds=30))
        after = await conn.fetchrow(READ)
    assert before is not None
    assert after is not None
    assert [lease.id for lease in taken] == [f"flood-{at:08}" for at in range(1, 21)]
    assert after["seq_scan"] == before["seq_scan"]
    assert 20 <= after["idx_tup_fetch"] - before["idx_tup_fetch"] < 200
