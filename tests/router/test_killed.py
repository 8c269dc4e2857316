"""FP-6: what a source cancels for good (`on_source_cancel: kill`) is told as canceled pieces of the line."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.router.test_route_orders import NOW, later, progress
from tests.router.test_take_back import act

from router.killed import NOTHING, Killed, book_killed, canceled_pieces
from waybill_contracts.fr_created import FrCreated, FrVoidRequested, OrderRouted, OrderUnroutable
from waybill_contracts.fulfillment_submitted import CanceledLine, FrCanceled, FrState, FrVoided
from waybill_contracts.orders_imported import OrderChanged
from waybill_contracts.values import Component, Order, OrderLine, OrderState

Make = Callable[..., Any]
KIT = (Component(sku="A", quantity=2), Component(sku="B", quantity=1))


def line(quantity: int, canceled: int = 0, killed: int = 0, parts: tuple[Component, ...] = ()) -> OrderLine:
    parts = parts or (Component(sku="A", quantity=1),)
    return OrderLine(
        line_id="L1", channel_sku="X", quantity=quantity, canceled=canceled, killed=killed, components=parts
    )


BOOKED = {
    "two of five": (line(5), NOTHING, {"A": 2}, {"A": 3}, 2),
    "told before and come back with the order": (line(5, 2, 2), Killed(2, {"A": 2}), {"A": 2}, {"A": 3}, 2),
    "one more, later": (line(5, 2, 2), Killed(2, {"A": 2}), {"A": 3}, {"A": 2}, 3),
    "on top of what the channel canceled before": (line(5, 1), NOTHING, {"A": 2}, {"A": 2}, 3),
    "one more, after the merchant canceled the same two": (line(5, 2), Killed(2, {"A": 2}), {"A": 3}, {"A": 2}, 3),
    "what was not wanted any more cancels nothing": (line(5, 2), NOTHING, {"A": 2}, {"A": 3}, 0),
    "of what was asked for while the rest waits": (line(5), NOTHING, {"A": 1}, {"A": 2}, 1),
    "a kit lacks a part": (line(3, parts=KIT), NOTHING, {"B": 2}, {"A": 6, "B": 1}, 2),
    "half a part is a whole kit": (line(3, parts=KIT), NOTHING, {"A": 1}, {"A": 5, "B": 3}, 1),
    "both parts of the same kits": (line(3, parts=KIT), NOTHING, {"A": 4, "B": 2}, {"A": 2, "B": 1}, 2),
    "another kit, later": (line(3, 2, 2, KIT), Killed(2, {"B": 2}), {"A": 2, "B": 2}, {"B": 1}, 3),
    "asked for again": (line(5, 2, 2), Killed(2, {"A": 2}), {}, {"A": 3}, 0),
    "one of two asked for again": (line(5, 2, 2), Killed(2, {"A": 2}), {"A": 1}, {"A": 3}, 1),
}


@pytest.mark.parametrize("case", BOOKED.values(), ids=BOOKED)
def test_fp6_units_become_pieces(case: tuple[OrderLine, Killed, dict[str, int], dict[str, int], int]) -> None:
    asked_for, before, killed, asked, pieces = case
    now = book_killed(asked_for, before, Counter(killed), Counter(asked))
    assert now.canceled == pieces
    assert book_killed(asked_for, now, Counter(killed), Counter(asked)) == now


@given(quantity=st.integers(1, 9), channel=st.integers(0, 9), parts=st.lists(st.integers(0, 4), max_size=6))
def test_fp6_in_however_many_parts_it_is_told_as_much_is_canceled_as_was_killed(
    quantity: int, channel: int, parts: list[int]
) -> None:
    """All that the channel wants is asked for; then the source cancels it part by part."""
    channel = min(channel, quantity)
    order_line, now = line(quantity, channel), NOTHING
    live, killed = quantity - channel, 0
    for part in parts:
        part = min(part, live)
        live, killed = live - part, killed + part
        now = book_killed(order_line, now, Counter(A=killed), Counter(A=live))
        pieces = canceled_pieces(order_line, now)
        assert quantity - pieces == live
        order_line = line(quantity, pieces, pieces - channel)  # as it comes back from order-ingest


def changed(placed: Order, sequence: int, canceled: int, killed: int = 0) -> OrderChanged:
    lines = (placed.lines[0].model_copy(update={"canceled": canceled, "killed": killed}),)
    order = placed.model_copy(update={"sequence": sequence, "version": sequence, "lines": lines})
    return OrderChanged(at=NOW, sequence=sequence, order=order, changed=("lines",))


def part(created: FrCreated, units: int, sequence: int) -> Any:
    lines = (CanceledLine(line_id="L1", sku="A", quantity=units),)
    return progress(created, FrCanceled, FrState.ACKNOWLEDGED, sequence=sequence, lines=lines)


def totals(event: Any) -> list[tuple[str, int]]:
    return [(one.line_id, one.canceled) for one in event.killed]


async def test_fp6_the_router_tells_totals_once_a_change_and_counts_them_once(
    world: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east", on_source_cancel="kill")])
    await world.count("east", "A", 20)
    placed = order(("A", 5))
    created, routed = await world.place(placed)
    assert totals(routed) == []

    await world.tell(part(created, 1, 2))
    await world.tell(part(created, 1, 2))  # twice
    [told] = await world.play()
    assert (type(told), told.reason, totals(told)) == (OrderUnroutable, "source_canceled", [("L1", 1)])
    await world.tell(part(created, 1, 3))
    [told] = await world.play()
    assert totals(told) == [("L1", 2)]

    await world.tell(changed(placed, 2, canceled=2, killed=2))
    confirmed, answer = await world.play()
    assert (confirmed.fr_id, type(answer), totals(answer)) == (created.fr_id, OrderRouted, [("L1", 2)])

    await world.tell(changed(placed, 3, canceled=2))  # the merchant cancels the same two at the channel
    confirmed, answer = await world.play()
    assert (confirmed.fr_id, type(answer)) == (created.fr_id, OrderRouted)

    await world.tell(progress(created, FrVoided, FrState.VOIDED, sequence=4))  # the other three are asked for anew
    renewed, _ = await world.play()
    assert [x.quantity for x in renewed.fr.lines] == [3]
    await world.is_conserved()


async def test_fp6_of_a_kit_what_lacks_a_part_is_canceled_and_its_other_parts_are_asked_back(
    world: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east", on_source_cancel="kill"), source("west")])
    await world.count("east", "B", 20)
    await world.count("west", "A", 20)
    placed = order(("KIT", 3))
    lines = (placed.lines[0].model_copy(update={"components": KIT}),)
    frs = [x for x in await world.place(placed.model_copy(update={"lines": lines})) if isinstance(x, FrCreated)]
    at = {fr.fr.source: fr for fr in frs}
    two = (CanceledLine(line_id="L1", sku="B", quantity=2),)
    await world.tell(progress(at["east"], FrCanceled, FrState.ACKNOWLEDGED, lines=two))
    asked, told = await world.play()
    assert (type(asked), asked.fr_id, totals(told)) == (FrVoidRequested, at["west"].fr_id, [("L1", 2)])
    await world.tell(progress(at["west"], FrVoided, FrState.VOIDED))
    renewed, _ = await world.play()
    assert [(x.sku, x.quantity) for x in renewed.fr.lines] == [("A", 2)]


async def test_fp6_a_person_who_has_them_asked_for_again_takes_the_pieces_back(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east", on_source_cancel="kill")])
    await world.count("east", "A", 20)
    placed = order(("A", 3))
    created, _ = await world.place(placed)
    await world.tell(progress(created, FrCanceled, FrState.CANCELED))
    [told] = await world.play()
    assert totals(told) == [("L1", 3)]
    gone = later(changed(placed, 2, canceled=3, killed=3).order, state=OrderState.CANCELED)
    await world.tell(OrderChanged(at=NOW, sequence=3, order=gone, changed=("canceled",)))
    [answer] = await world.play()
    assert (answer.reason, totals(answer)) == ("canceled", [("L1", 3)])
    assert (await act(http, created, "regenerate")).status_code == 200
    [answer] = await world.play()
    assert totals(answer) == [("L1", 0)]
    await world.tell(changed(placed, 4, canceled=0))
    renewed, _ = await world.play()
    assert [x.quantity for x in renewed.fr.lines] == [3]
