"""RT-9: a preview says what would be decided, group by group, with what stands in the way; and changes nothing."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from router.routes import preview_order
from waybill_contracts.config_changed import RoutingConfigured, SourceConfigured
from waybill_contracts.configuration import Routing
from waybill_contracts.values import Hold, HoldReason, OrderState

from .conftest import START
from .test_route_orders import two_sources

Make = Callable[..., Any]

EVERYTHING = """
select string_agg(md5(t::text), ',' order by t::text) from (
    select row_to_json(o)::text as t from orders o union all select row_to_json(s)::text from stock s
    union all select row_to_json(f)::text from frs f union all select row_to_json(a)::text from allocations a
    union all select row_to_json(d)::text from decisions d union all select row_to_json(w)::text from order_waits w
    union all select row_to_json(k)::text from wakes k union all select row_to_json(p)::text from facts p
) as all_rows
"""


async def three_roadblocks(world: Any, source: Make) -> None:
    """A group of three sources: one does not ship there, one has no price, one has no stock; and another group."""
    abroad = source("abroad", serves={"countries": ["GB"]})
    sources = [abroad, source("east"), source("west"), source("north")]
    groups = [
        {"id": "main", "default": True, "sources": ["abroad", "east", "west"]},
        {"id": "north-only", "sources": ["north"]},
    ]
    rules = [{"when": {"tag": ["b2b"]}, "group": "north-only"}]
    await world.tell(
        *(SourceConfigured(at=START, source=one) for one in sources),
        RoutingConfigured(at=START, routing=Routing.model_validate({"groups": groups, "rules": rules})),
    )
    await world.count("abroad", "A", 10)
    await world.count("east", "A", 10, cost=None)
    await world.count("north", "A", 10, cost="2.50")


async def test_rt9_three_kinds_of_roadblock_each_with_its_way_out(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await three_roadblocks(world, source)
    placed = order(("A", 2))
    await world.place(placed)
    answer = (await http.get(f"/internal/orders/{placed.order_id}/preview")).json()
    main, north = answer["groups"]
    assert (answer["group"], answer["chosen_by"]) == ("main", "no rule matches: it is the default group")
    assert (main["chosen"], main["cost"], main["frs"]) == (True, None, [])
    assert [(b["source"], b["line_id"], b["sentence"], b["fix"]) for b in main["roadblocks"]] == [
        ("abroad", "L1", "abroad does not ship to US", "add the country to its serves.countries"),
        (
            "east",
            "L1",
            "the price of A at east is not known",
            "send it as unit_cost with a count: waybill sources stock east --file FILE",
        ),
        ("west", "L1", "west has no A free", "count it again: waybill sources stock west --file FILE"),
    ]
    [lack] = main["unfulfilled"]
    assert (lack["line_id"], lack["quantity"], lack["reason"]) == ("L1", 2, "missing_cost")
    assert lack["sentence"] == "the price of A at east is not known"
    # the other group could: 2 × 2.50 + 1.00 + 5.00 + 0.20
    assert (north["chosen"], north["cost"], north["frs"][0]["source"]) == (False, "11.20", "north")
    assert north["candidates"] == [
        {"source": "north", "address": 0, "each_fr": "6.00", "offers": [{"sku": "A", "free": 10, "each": "2.60"}]}
    ]


async def test_rt9_the_plan_its_parts_its_numbers_and_the_next_best(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    await world.count("east", "B", 1, cost="1.00")
    await world.place(order(("A", 1)))
    placed = order(("A", 3), auto_generate=False)
    await world.place(placed)
    answer = (await http.get(f"/internal/orders/{placed.order_id}/preview")).json()
    assert [stop["reason"] for stop in answer["stops"]] == ["awaiting_generate"]
    [group] = answer["groups"]
    [fr] = group["frs"]
    assert (fr["source"], fr["items"], fr["fee"], fr["shipping"], fr["cost"]) == (
        "east",
        "9.00",
        "1.00",
        "5.30",
        "15.30",
    )
    assert group["proved"]
    assert (group["runner_up"]["sources"], group["runner_up"]["more"]) == (["west"], "3.00")
    assert group["not_in_plan"][0]["sentence"] == "west would cost more: alone 18.30 USD, 3.00 more"


async def test_rt9_a_rule_that_matches_is_named(world: Any, http: Any, source: Make, order: Make) -> None:
    await three_roadblocks(world, source)
    placed = order(("A", 2), tags=("b2b",), auto_generate=False)
    await world.place(placed)
    answer = (await http.get(f"/internal/orders/{placed.order_id}/preview")).json()
    assert (answer["group"], answer["chosen_by"]) == ("north-only", "rule 1 matches: tag b2b")


async def test_rt9_a_held_order_shows_its_plan_and_the_hold(world: Any, http: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    hold = Hold(reason=HoldReason.AWAITING_PAYMENT, fix="wait for the payment")
    placed = order(("A", 1), state=OrderState.HELD, holds=(hold,))
    await world.place(placed)
    answer = (await http.get(f"/internal/orders/{placed.order_id}/preview")).json()
    assert (answer["would_route"], answer["stops"][0]["sentence"]) == (False, "the order is held: wait for the payment")
    assert answer["groups"][0]["frs"][0]["source"] == "east"


async def test_rt9_a_routed_order_has_nothing_left_to_ask_for(world: Any, http: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    placed = order(("A", 1))
    await world.place(placed)
    answer = (await http.get(f"/internal/orders/{placed.order_id}/preview")).json()
    assert (answer["missing"], answer["stops"][0]["reason"]) == ([], "nothing_to_ship")


async def test_rt9_a_preview_has_no_side_effects_and_could_have_none(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    placed = order(("A", 3), auto_generate=False)
    await world.place(placed)
    before = await world.pool.fetchval(EVERYTHING)
    assert (await http.get(f"/internal/orders/{placed.order_id}/preview")).status_code == 200
    assert await world.pool.fetchval(EVERYTHING) == before
    async with world.pool.acquire() as conn, conn.transaction(readonly=True):
        await preview_order(conn, world.q, world.books, placed.order_id)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await conn.execute("update orders set generate = true")
    assert (await http.get("/internal/orders/nobody/preview")).status_code == 404
