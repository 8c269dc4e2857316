"""What the router tells about FRs is sent again until fulfillment-push has answered it. (RT-6, RT-13)"""

from collections.abc import Callable
from typing import Any

from waybill_contracts.fulfillment_submitted import FrProcessing, FrState, FrVoided

from .test_route_orders import progress

Make = Callable[..., Any]
WHO = {"actor": "ann", "reason": "asked"}


async def awaited(world: Any) -> list[tuple[str, int]]:
    """(FR, our fact about it) that nobody has answered yet."""
    found = await world.pool.fetch("select subject, sequence from receipts_due order by 1, 2")
    return [(row["subject"].removeprefix("fr/"), row["sequence"]) for row in found]


async def test_rt13_a_new_fr_and_a_void_each_wait_for_their_own_answer(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    await world.count("east", "A", 5)
    created, _ = await world.place(order(("A", 1)))
    assert await awaited(world) == [(created.fr_id, 1)]
    answer = progress(created, FrProcessing, FrState.PROCESSING, sequence=1)
    await world.tell(answer)
    assert await awaited(world) == []

    await http.post(f"/internal/frs/{created.fr_id}/void", json=WHO)
    assert await awaited(world) == [(created.fr_id, 2)]
    await world.tell(answer)  # told again: it answers the FR, not the void
    assert await awaited(world) == [(created.fr_id, 2)]
    voided = progress(created, FrVoided, FrState.VOIDED, sequence=2)
    await world.tell(voided.model_copy(update={"router_sequence": 2}))
    assert await awaited(world) == []
