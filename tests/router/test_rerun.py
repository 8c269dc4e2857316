"""OP-13: decisions about one order, planned again by today's rules on the stock of then; nothing is stored."""

from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]


async def everything(pool: Any) -> dict[str, str]:
    tables = await pool.fetch("select tablename from pg_tables where schemaname = current_schema()")
    return {
        table["tablename"]: await pool.fetchval(
            f"select md5(coalesce(string_agg(t::text, chr(10) order by t::text), '')) from \"{table['tablename']}\" t"
        )
        for table in tables
    }


async def test_op13_todays_costs_move_an_order_and_nothing_is_stored(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east"), source("west")])
    await world.count("east", "A", 2, cost="3.00")
    await world.count("west", "A", 9, cost="4.00")
    placed = order(("A", 1), number="1")
    await world.place(placed)
    unmoved = (await http.get(f"/internal/orders/{placed.order_id}/rerun")).json()["decisions"]
    dearer = source("east", costs={"currency": "USD", "fee": "3.00", "shipping": [{"zone": ["*"], "base": "5.00"}]})
    await world.configure([dearer, source("west")], version=2)
    before = await everything(world.pool)

    moved = (await http.get(f"/internal/orders/{placed.order_id}/rerun")).json()["decisions"]

    assert await everything(world.pool) == before
    assert [(d["kind"], d["from"], d["to"]) for d in unmoved] == [("same", ["east"], ["east"])]
    assert [(d["kind"], d["from"], d["to"]) for d in moved] == [("moved", ["east"], ["west"])]
    assert moved[0]["difference"] == "1.00"


async def test_op13_an_order_without_decisions_has_none(http: Any) -> None:
    assert (await http.get("/internal/orders/nobody/rerun")).json() == {"decisions": []}
