"""IN-13: what an edit or a cancellation came too late for is told, once, with what had left already."""

from collections.abc import Callable
from typing import Any

import pytest

from waybill_contracts.fr_created import FrConfirmed, FrCreated, FrVoidRequested, OrderDecision, TooLate
from waybill_contracts.fulfillment_submitted import FrAcknowledged, FrState
from waybill_contracts.orders_imported import OrderCanceled, OrderChanged, OrderHeld
from waybill_contracts.values import Order, OrderLine, OrderState, PaymentState

from .test_route_orders import NOW, later, progress, two_sources
from .test_take_back import shipped

Make = Callable[..., Any]
ELSEWHERE = {"country": "US", "city": "Elsewhere"}


async def left(world: Any, source: Make, placed: Order, units: int) -> FrCreated:
    """An order whose one FR is with its source, and of which so many units have left."""
    await two_sources(world, source)
    created, _ = await world.place(placed)
    sent = progress(created, FrAcknowledged, FrState.ACKNOWLEDGED, platform_id="p1")
    await world.tell(sent)
    if units:
        await world.tell(shipped(created, units))
    await world.play()
    return created  # type: ignore[no-any-return]  # the world is a fixture without a type


async def change(world: Any, order: Order) -> list[Any]:
    """Its next version is told; what the router said."""
    if order.state is OrderState.CANCELED:
        fact: Any = OrderCanceled(at=NOW, sequence=order.sequence, order=order, reason="customer")
    else:
        fact = OrderChanged(at=NOW, sequence=order.sequence, order=order, changed=("lines",), via="pull")
    await world.tell(fact)
    return await world.play()  # type: ignore[no-any-return]  # as above


def said(events: list[Any]) -> list[TooLate]:
    return [one for event in events if isinstance(event, OrderDecision) for one in event.too_late]


def fewer(order: Order, canceled: int) -> tuple[OrderLine, ...]:
    return tuple(line.model_copy(update={"canceled": canceled}) for line in order.lines)


def moved(order: Order) -> Order:
    address = order.addresses[0].model_copy(update={"city": "Elsewhere"})
    return later(order, version=2, addresses=(address,))


CHANGES: dict[str, Callable[[Order], Order]] = {
    "order_canceled": lambda order: later(order, version=2, state=OrderState.CANCELED),
    "address_changed": moved,
    "shipping_method_changed": lambda order: later(order, version=2, shipping_method="air"),
    "quantity_reduced": lambda order: later(order, version=2, lines=fewer(order, 3)),
}


@pytest.mark.parametrize("reason", CHANGES)
async def test_in13_all_of_it_had_left(world: Any, source: Make, order: Make, reason: str) -> None:
    placed = order(("A", 3))
    created = await left(world, source, placed, 3)

    events = await change(world, CHANGES[reason](placed))

    [late] = said(events)
    assert (late.fr_id, late.number, late.source, late.reason) == (created.fr_id, "1001", "east", reason)
    assert [(line.line_id, line.sku, line.quantity) for line in late.lines] == [("L1", "A", 3)]
    assert not any(isinstance(event, FrVoidRequested) for event in events), "there is nothing left to ask back"


@pytest.mark.parametrize("reason", CHANGES)
async def test_in13_a_part_had_left_and_the_rest_is_asked_back(
    world: Any, source: Make, order: Make, reason: str
) -> None:
    placed = order(("A", 3))
    await left(world, source, placed, 1)

    events = await change(world, CHANGES[reason](placed))

    [late] = said(events)
    assert (late.reason, [line.quantity for line in late.lines]) == (reason, [1])
    [asked] = [event for event in events if isinstance(event, FrVoidRequested)]
    assert asked.reason == reason


@pytest.mark.parametrize("reason", CHANGES)
async def test_in13_what_had_not_left_is_no_part_of_it(world: Any, source: Make, order: Make, reason: str) -> None:
    placed = order(("A", 3))
    await left(world, source, placed, 0)

    events = await change(world, CHANGES[reason](placed))

    assert said(events) == []
    assert [event.reason for event in events if isinstance(event, FrVoidRequested)] == [reason]


async def test_in13_fewer_pieces_come_too_late_only_for_what_had_left_beyond_them(
    world: Any, source: Make, order: Make
) -> None:
    placed = order(("A", 5))
    await left(world, source, placed, 3)

    events = await change(world, later(placed, version=2, lines=fewer(placed, 3)))

    assert [(one.reason, [line.quantity for line in one.lines]) for one in said(events)] == [("quantity_reduced", [1])]


async def test_in13_a_change_that_what_left_does_not_contradict_is_applied(
    world: Any, source: Make, order: Make
) -> None:
    placed = order(("A", 5))
    created = await left(world, source, placed, 3)

    events = await change(
        world, later(placed, version=2, lines=fewer(placed, 0), payment=PaymentState.PARTIALLY_REFUNDED)
    )

    assert said(events) == []
    assert [event.fr_id for event in events if isinstance(event, FrConfirmed)] == [created.fr_id]


async def test_in13_it_is_told_once_for_each_version(world: Any, source: Make, order: Make) -> None:
    placed = order(("A", 3))
    await left(world, source, placed, 3)
    second = moved(placed)
    assert len(said(await change(world, second))) == 1

    held = later(second, state=OrderState.HELD)
    await world.tell(OrderHeld(at=NOW, sequence=held.sequence, order=held, added=()))
    assert said(await world.play()) == [], "a hold is no new version"

    third = later(held, version=3, state=OrderState.IMPORTED)
    assert [one.reason for one in said(await change(world, third))] == ["address_changed"]
    await world.is_conserved()
