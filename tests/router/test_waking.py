"""RT-7: waiting orders wake for what they wait for, and waking costs what it gains.

A hundred thousand orders wait (`WAYBILL_WAITING_ORDERS`); one count comes.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from router.decide import decide
from waybill_contracts.fr_created import FrCreated, OrderUnroutable
from waybill_contracts.orders_imported import OrderCanceled, OrderImported
from waybill_contracts.values import OrderState

from .test_route_orders import NOW, later

Make = Callable[..., Any]
WAITING = int(os.environ.get("WAYBILL_WAITING_ORDERS", "100000"))

MANY = """
insert into orders (order_id, sequence, version, body, standing, reason, answered)
select $1 || lpad(n::text, 8, '0'), 1, 1, jsonb_set($2, '{order_id}', to_jsonb($1 || lpad(n::text, 8, '0'))),
    'waiting', 'no_stock', 1
from generate_series(1, $3::int) n
"""
THEIR_WAITS = """
insert into order_waits (key, order_id, needs)
select 'sku/' || $2 || case when $4 then (n % 1000)::text else '' end, $1 || lpad(n::text, 8, '0'), 1
from generate_series(1, $3::int) n
"""


async def crowd(world: Any, order: Make, prefix: str, sku: str, number: int, *, spread: bool = False) -> None:
    """So many orders that wait for one unit of `sku` (of a thousand SKUs with `spread`), as the router stores them."""
    body = order((sku, 1)).model_dump(mode="json")
    await world.pool.execute(MANY, prefix, body, number)
    await world.pool.execute(THEIR_WAITS, prefix, sku, number, spread)


@pytest.mark.timeout(600)
async def test_rt7_a_hundred_thousand_orders_wait_and_one_count_wakes_those_that_it_can_serve(
    world: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    await crowd(world, order, "other-", "Z", WAITING - 3, spread=True)
    await crowd(world, order, "ours-", "A", 3)
    await world.pool.execute("analyze orders, order_waits")
    await world.pool.execute("delete from wakes")
    await world.count("east", "A", 2)

    assert await world.waking.turn() == 1
    due = await world.pool.fetch("select order_id from orders where due_at is not null order by order_id")
    assert [row["order_id"] for row in due] == ["ours-00000001", "ours-00000002"], "two units: the two oldest"
    said = await world.play()
    assert sum(isinstance(event, FrCreated) for event in said) == 2
    assert await world.pool.fetchval("select count(*) from wakes") == 0
    assert await world.pool.fetchval("select count(*) from orders where due_at is not null") == 0


@pytest.mark.timeout(600)
async def test_rt7_all_of_them_wait_for_one_sku_and_a_count_of_ten_costs_ten_plans(
    world: Any, source: Make, order: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.configure([source("east")])
    await crowd(world, order, "ours-", "A", WAITING)
    await world.pool.execute("analyze orders, order_waits")
    await world.pool.execute("delete from wakes")
    await world.count("east", "A", 10)
    plans = []

    def counted(cases: list[Any], book: Any, stock: Any) -> list[Any]:
        plans.append(len(cases))
        return [decide(case, book, stock) for case in cases]

    monkeypatch.setattr("router.route_orders._decide_all", counted)
    said = await world.play()
    assert sum(isinstance(event, FrCreated) for event in said) == 10
    assert sum(plans) == 10, f"planned {plans}"
    await world.is_conserved()


@pytest.mark.timeout(600)
async def test_rt7_waking_reads_by_indexes_alone(world: Any, source: Make, order: Make) -> None:
    await world.configure([source("east")])
    await crowd(world, order, "other-", "Z", 20_000, spread=True)
    await crowd(world, order, "ours-", "A", 20_000)
    await world.pool.execute("analyze orders, order_waits")
    for sql, arguments in (
        (world.q.waiters.sql, (["sku/A"], [""], [10], 500)),
        (world.q.wake_orders.sql, (["ours-00000001"],)),
        (world.q.still_due.sql, (["ours-00000001"],)),
    ):
        plan = "\n".join(row[0] for row in await world.pool.fetch(f"explain (analyze, costs off) {sql}", *arguments))
        assert "Seq Scan on orders" not in plan, plan
        assert "Seq Scan on order_waits" not in plan, plan
        assert "Index" in plan, plan


async def test_rt7_who_needs_more_than_there_is_sleeps_on_and_who_comes_later_is_served(
    world: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    big, small = order(("A", 5), number="1"), order(("A", 2), number="2")
    await world.place(big)
    await world.place(small)
    await world.count("east", "A", 3)
    said = await world.play()
    assert [event.fr.order_number for event in said if isinstance(event, FrCreated)] == ["2"]
    await world.count("east", "A", 7)
    said = await world.play()
    assert [event.fr.order_number for event in said if isinstance(event, FrCreated)] == ["1"]


async def test_rt7_an_older_order_that_cannot_use_what_came_does_not_stand_in_the_way(
    world: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    for number in range(5):
        await world.place(order(("A", 1), ("NEVER", 1), number=f"blocked-{number}"))
    await world.place(order(("A", 1), number="ready"))
    await world.count("east", "A", 1)
    said = await world.play()
    assert [event.fr.order_number for event in said if isinstance(event, FrCreated)] == ["ready"]


async def test_rt7_what_a_losing_plan_leaves_free_is_not_forgotten(
    world: Any, source: Make, order: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both orders of a batch want the last unit; the first is canceled while plans are made; the second gets it."""
    await world.configure([source("east")])
    await world.count("east", "A", 1)
    first, second = order(("A", 1), number="1"), order(("A", 1), number="2")
    await world.tell(*(OrderImported(at=NOW, order=one, via="pull") for one in (first, second)))
    canceled = OrderCanceled(at=NOW, sequence=2, order=later(first, state=OrderState.CANCELED, version=2), reason="b")
    loop, rounds = asyncio.get_running_loop(), []

    def overtaken(cases: list[Any], book: Any, stock: Any) -> list[Any]:
        verdicts = [decide(case, book, stock) for case in cases]
        if not rounds:
            asyncio.run_coroutine_threadsafe(world.tell(canceled), loop).result(60)
        rounds.append(len(cases))
        return verdicts

    monkeypatch.setattr("router.route_orders._decide_all", overtaken)
    said = await world.play()
    assert [event.fr.order_number for event in said if isinstance(event, FrCreated)] == ["2"]


async def test_rt7_what_a_plan_without_a_number_leaves_free_is_not_forgotten(
    world: Any, source: Make, order: Make
) -> None:
    """The first order takes both sources' last units, but its second FR would be 1001-1, too long for west."""
    numbers = {"fr_number": {"max_length": 4}}
    await world.configure([source("east", **numbers), source("west", **numbers)])
    await world.count("east", "A", 1)
    await world.count("west", "B", 1)
    first, second = order(("A", 1), ("B", 1), number="1001"), order(("A", 1), number="1002")
    await world.tell(*(OrderImported(at=NOW, order=one, via="pull") for one in (first, second)))
    said = await world.play()
    assert [event.fr.order_number for event in said if isinstance(event, FrCreated)] == ["1002"]
    assert [event.reason for event in said if isinstance(event, OrderUnroutable)][:1] == ["number_too_long"]


async def test_rt7_a_change_of_rules_wakes_all_portion_by_portion(
    world: Any, source: Make, order: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.wake_orders.PORTION", 4)
    await world.configure([source("east", serves={"countries": ["GB"]})])
    await world.count("east", "A", 100)
    for number in range(10):
        await world.place(order(("A", 1), number=str(number)))
    await world.configure([source("east")], version=2)
    await world.waking.turn()
    assert await world.pool.fetchval("select count(*) from orders where due_at is not null") == 4
    assert await world.waking.turn() == 0, "the portion is not planned yet"
    said = await world.play()
    assert sum(isinstance(event, FrCreated) for event in said) == 10
