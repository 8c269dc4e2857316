"""RT-12: decisions can be read later, for as long as the setting says; what an order still waits for is kept."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from router.tidy import Tidy
from waybill_common.clock import SystemClock

Make = Callable[..., Any]
OLDER = "update decisions set at = at - $1::interval"


async def left(world: Any, order_id: str) -> int:
    found: int = await world.pool.fetchval("select count(*) from decisions where order_id = $1", order_id)
    return found


async def test_rt12_decisions_are_kept_as_long_as_set_and_the_reason_of_a_waiting_order_longer(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    await world.count("east", "A", 5)
    routed, waiting, young = order(("A", 1)), order(("B", 1), number="1002"), order(("A", 1), number="1003")
    await world.place(routed)
    await world.place(waiting)
    await world.pool.execute(OLDER, timedelta(days=31))
    await world.place(young)

    tidy = Tidy(world.pool, world.q, SystemClock(), kept_days=30)
    assert await tidy.turn() == 1
    assert await tidy.turn() == 0
    assert [await left(world, one.order_id) for one in (routed, waiting, young)] == [0, 1, 1]

    answer = await http.get(f"/internal/orders/{waiting.order_id}/decisions")
    assert answer.json()[0]["event"]["reason"] == "no_stock"
    answer = await http.get(f"/internal/orders/{routed.order_id}/decisions")
    assert (answer.status_code, answer.json()) == (200, [])
    await world.count("east", "B", 1)
    assert [event.TYPE for event in await world.play()] == ["waybill.fr.created.v1", "waybill.order.routed.v1"]


MANY = """
insert into decisions (decision_id, order_id, sequence, at, type, order_version, config_revision, event, inputs)
select 'd' || n, 'o' || n, 1, now() - n * interval '1 minute', 't', 1, 1, '{}', '{}' from generate_series(1, 20000) n
"""


async def test_rt12_old_decisions_are_found_by_an_index(world: Any) -> None:
    await world.pool.execute(MANY)
    await world.pool.execute("analyze decisions")
    plan = await world.pool.fetch(f"explain {world.q.prune_decisions.sql}", 13.0, 100)
    assert "decisions_by_time" in str([row[0] for row in plan])
