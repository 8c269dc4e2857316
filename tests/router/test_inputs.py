"""RT-12: a decision is stored with the very problem that was solved."""

from collections.abc import Callable
from typing import Any

from waybill_contracts.orders_imported import OrderImported

Make = Callable[..., Any]


async def test_a_decision_stores_the_stock_that_earlier_orders_of_its_batch_had_left(
    world: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    await world.count("east", "A", 10)
    orders = [order(("A", 3), number="1001"), order(("A", 4), number="1002")]
    await world.tell(*(OrderImported(at=o.placed_at, sequence=o.sequence, order=o, via="pull") for o in orders))
    await world.play()
    rows = await world.pool.fetch("select inputs from decisions order by (event->>'order_id')")
    drawn = sorted((row["inputs"]["demands"][0][2], row["inputs"]["stock"][0][2]) for row in rows)
    assert drawn in ([(3, 10), (4, 7)], [(3, 6), (4, 10)])
