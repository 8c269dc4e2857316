"""A parcel of an FR that was over: what was made in its place is asked back, and a person's decision is followed.

RT-6, RT-13. Told as it happens: an FR is voided, its units are planned again, and then its source ships it all the
same. Router and fulfillment-push together are in `tests/fulfillment_push/test_with_router.py`.
"""

from collections.abc import Callable
from typing import Any

import pytest

from waybill_contracts.fr_created import FrCreated, FrVoidRequested, OrderRouted
from waybill_contracts.fulfillment_submitted import FrState, FrVoided, Reason
from waybill_contracts.orders_imported import OrderHeld
from waybill_contracts.shipment_synced import (
    Choice,
    Decided,
    ShipmentConflicted,
    ShipmentFact,
    ShipmentRecorded,
    ShipmentWithdrawn,
)
from waybill_contracts.values import (
    ByHand,
    FulfillmentStatus,
    Hold,
    HoldReason,
    OrderState,
    Shipment,
    ShipmentLine,
    SyncStatus,
)

from .test_route_orders import NOW, later, progress, two_sources

Make = Callable[..., Any]
WHY = Reason(code="replacement_unsent", message="the FR is VOIDED, but its source shipped it")
ANN = ByHand(actor="ann", reason="the buyer has it")


def parcel(fr: FrCreated, units: int, sequence: int = 1, choice: Choice | None = None) -> ShipmentFact:
    """The poller's word about a parcel of this FR, in conflict or decided."""
    line = fr.fr.lines[0]
    shipment = Shipment(
        shipment_id=f"s-{fr.fr_id}", order_id=fr.order_id, fr_id=fr.fr_id, source=fr.fr.source, source_shipment_id="1",
        lines=(ShipmentLine(line_id=line.line_id, sku=line.sku, quantity=units),), carrier="UPS", shipped_at=NOW,
    )  # fmt: skip
    told: dict[str, Any] = {
        "at": NOW, "sequence": sequence, "shipment": shipment, "fulfillment": FulfillmentStatus.UNFULFILLED,
        "sync": SyncStatus.NOT_NEEDED, "decided": choice and Decided(choice=choice, by=ANN),
    }  # fmt: skip
    if choice is Choice.KEEP_STOPPED:
        return ShipmentRecorded(**told)
    return ShipmentConflicted(**told, reason=WHY)


async def replaced(world: Any, http: Any, source: Make, order: Make) -> tuple[FrCreated, FrCreated]:
    """An FR that was voided, and the one that was made in its place."""
    await two_sources(world, source)
    first, _ = await world.place(order(("A", 3)))
    await http.post(f"/internal/frs/{first.fr_id}/regenerate", json={"actor": "ann", "reason": "east is flooded"})
    await world.tell(progress(first, FrVoided, FrState.VOIDED))
    return first, next(event for event in await world.play() if isinstance(event, FrCreated))


async def test_rt13_a_parcel_of_the_old_fr_asks_the_new_one_back_and_names_it(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    first, second = await replaced(world, http, source, order)
    await world.tell(parcel(first, 3))
    asked, _ = await world.play()
    assert isinstance(asked, FrVoidRequested)
    assert (asked.fr_id, asked.reason, asked.by_hand) == (second.fr_id, "predecessor_shipped", None)
    assert (asked.instead.number, asked.instead.source) == ("1001", "east")
    await world.tell(progress(second, FrVoided, FrState.VOIDED))
    await world.tell(progress(second, FrVoided, FrState.VOIDED))
    assert [type(event) for event in await world.play()] == []  # nothing is missing: the parcel counts as shipped
    assert await world.shelf("east", "A") == (7, 0, 0), "3 have left, and nothing is given back twice"
    await world.is_conserved()


async def test_rt13_told_again_or_late_it_changes_nothing(world: Any, http: Any, source: Make, order: Make) -> None:
    first, second = await replaced(world, http, source, order)
    told = [parcel(first, 3), parcel(first, 3, 2, Choice.SHIP_REPLACEMENT)]
    await world.tell(told[0])
    await world.play()
    await world.tell(progress(second, FrVoided, FrState.VOIDED))
    await world.tell(told[1])
    await world.play()
    before = await world.pool.fetch("select * from allocations order by position")
    await world.tell(*told, told[0])
    await world.tell(progress(second, FrVoided, FrState.VOIDED))
    assert await world.play() == []
    assert await world.pool.fetch("select * from allocations order by position") == before


async def test_rt13_its_replacement_ships_all_the_same_once_a_person_says_so(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    first, second = await replaced(world, http, source, order)
    await world.tell(parcel(first, 3))
    await world.play()
    await world.tell(progress(second, FrVoided, FrState.VOIDED))
    assert await world.play() == [], "until then nothing is asked for"
    await world.tell(parcel(first, 3, 2, Choice.SHIP_REPLACEMENT))
    third, routed = await world.play()
    assert (type(third), type(routed), third.fr.lines[0].quantity) == (FrCreated, OrderRouted, 3)
    assert await world.shelf("east", "A") == (7, 3, 0)
    await world.tell(parcel(first, 3, 3, Choice.KEEP_STOPPED))  # and changes their mind: it counts after all
    asked, _ = await world.play()
    assert (asked.fr_id, asked.reason) == (third.fr_id, "predecessor_shipped")
    await world.is_conserved()


@pytest.mark.parametrize("choice", [None, *Choice])
async def test_rt13_whatever_was_decided_a_parcel_that_comes_back_is_on_the_shelf_and_asked_for_again(
    world: Any, http: Any, source: Make, order: Make, choice: Choice | None
) -> None:
    first, second = await replaced(world, http, source, order)
    told = parcel(first, 3, 2, choice)
    await world.tell(parcel(first, 3), told)
    await world.play()
    await world.tell(progress(second, FrVoided, FrState.VOIDED))
    await world.play()
    gone = {"at": NOW, "sequence": 3, "shipment": told.shipment, "reason": WHY}
    await world.tell(ShipmentWithdrawn(**gone, fulfillment=FulfillmentStatus.UNFULFILLED, sync=SyncStatus.NOT_NEEDED))
    await world.play()
    live = await world.pool.fetchval("select sum(open) from allocations")
    assert live == 3, "asked for once, whoever asked for it"
    assert await world.shelf("east", "A") == (10, 3, 0)
    await world.is_conserved()


async def test_rt13_a_part_that_left_leaves_the_rest_to_be_asked_for(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    first, second = await replaced(world, http, source, order)
    await world.tell(parcel(first, 1))
    asked, _ = await world.play()
    assert asked.fr_id == second.fr_id
    await world.tell(progress(second, FrVoided, FrState.VOIDED))
    third, _ = await world.play()
    assert [line.quantity for line in third.fr.lines] == [2]
    assert await world.shelf("east", "A") == (9, 2, 0)


async def test_rt13_a_hold_does_not_keep_what_would_be_shipped_twice_from_being_asked_back(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    first, second = await replaced(world, http, source, order)
    row = await world.pool.fetchrow("select body from orders")
    held = type(order(("A", 1))).model_validate(row["body"])
    hold = Hold(reason=HoldReason.ON_HOLD_BY_PERSON, detail="", fix="release it")
    held = later(held, state=OrderState.HELD, holds=(hold,))
    await world.tell(OrderHeld(at=NOW, sequence=held.sequence, order=held, added=(hold,)))
    await world.play()
    await world.tell(parcel(first, 3))
    assert [e.fr_id for e in await world.play() if isinstance(e, FrVoidRequested)] == [second.fr_id]
