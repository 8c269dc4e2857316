"""RT-6: on hand = free + reserved, shipped leaves once, counts and differences count once, whatever the order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.ledger import Allocation, Count, Move, Moves, Shelf, adjust, count, move
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.fulfillment_submitted import FrCanceled, FrState, FrVoided
from waybill_contracts.inventory_updated import StockAdjusted, StockCounted
from waybill_contracts.shipment_synced import ShipmentRecorded, ShipmentWithdrawn
from waybill_contracts.values import FulfillmentStatus, Shipment, ShipmentLine, SyncStatus

Make = Callable[..., Any]
T0 = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def shipment(fr: FrCreated, units: int, *, shipped: datetime, sequence: int = 1, kind: type = ShipmentRecorded) -> Any:
    line = fr.fr.lines[0]
    told = Shipment(
        shipment_id=f"s-{fr.fr_id}",
        order_id=fr.order_id,
        fr_id=fr.fr_id,
        source=fr.fr.source,
        source_shipment_id="1",
        lines=(ShipmentLine(line_id=line.line_id, sku=line.sku, quantity=units),),
        carrier="UPS",
        shipped_at=shipped,
    )
    more = {"reason": {"code": "withdrawn", "message": "it was taken back"}} if kind is ShipmentWithdrawn else {}
    axes = {"fulfillment": FulfillmentStatus.PARTIAL, "sync": SyncStatus.PENDING}
    return kind(at=shipped, sequence=sequence, shipment=told, **axes, **more)


def progress(fr: FrCreated, kind: type, state: FrState, sequence: int = 2, **more: Any) -> Any:
    return kind(
        at=T0,
        sequence=sequence,
        fr_id=fr.fr_id,
        order_id=fr.order_id,
        source=fr.fr.source,
        number=fr.fr.number,
        state=state,
        order_version=1,
        router_sequence=1,
        **more,
    )


async def routed(world: Any, source: Make, order: Make, units: int = 4, on_hand: int = 10) -> FrCreated:
    await world.configure([source("east")])
    await world.count("east", "A", on_hand, at=at(0))
    created, _ = await world.place(order(("A", units)))
    assert isinstance(created, FrCreated)
    return created


async def test_rt6_a_shipment_consumes_the_reservation_and_on_hand_once(world: Any, source: Make, order: Make) -> None:
    fr = await routed(world, source, order)
    shipped = shipment(fr, 3, shipped=at(5))
    await world.tell(shipped)
    await world.tell(shipped, shipped)
    assert await world.shelf("east", "A") == (7, 1, 0)
    await world.tell(shipment(fr, 4, shipped=at(5), sequence=2))
    assert await world.shelf("east", "A") == (6, 0, 0)
    await world.is_conserved()


async def test_rt6_a_count_taken_after_the_shipment_left_knows_of_it(world: Any, source: Make, order: Make) -> None:
    fr = await routed(world, source, order)
    await world.count("east", "A", 6, at=at(10))
    await world.tell(shipment(fr, 4, shipped=at(5)))
    assert await world.shelf("east", "A") == (6, 0, 0)


async def test_rt6_a_count_taken_before_the_shipment_left_is_corrected_by_it(
    world: Any, source: Make, order: Make
) -> None:
    fr = await routed(world, source, order)
    await world.tell(shipment(fr, 4, shipped=at(5)))
    await world.count("east", "A", 10, at=at(3))
    assert await world.shelf("east", "A") == (6, 0, 0)


async def test_rt6_an_older_count_never_overwrites_a_newer_one(world: Any, source: Make, order: Make) -> None:
    await routed(world, source, order)
    await world.count("east", "A", 8, at=at(10))
    await world.count("east", "A", 99, at=at(9))
    assert await world.shelf("east", "A") == (8, 4, 0)


async def test_rt6_a_shipment_in_the_same_batch_as_a_count_leaves_once(world: Any, source: Make, order: Make) -> None:
    fr = await routed(world, source, order)
    counted = StockCounted(at=at(3), source="east", sku="A", on_hand=10, counted_at=at(3))
    await world.tell(shipment(fr, 4, shipped=at(5)), counted)
    assert await world.shelf("east", "A") == (6, 0, 0)


async def test_rt6_a_shipment_that_is_withdrawn_gives_back(world: Any, source: Make, order: Make) -> None:
    fr = await routed(world, source, order)
    await world.tell(shipment(fr, 4, shipped=at(5)))
    await world.tell(shipment(fr, 4, shipped=at(5), sequence=2, kind=ShipmentWithdrawn))
    assert await world.shelf("east", "A") == (10, 4, 0)
    await world.is_conserved()


async def test_rt6_a_difference_counts_once(world: Any, source: Make, order: Make) -> None:
    await routed(world, source, order)
    lost = StockAdjusted(at=at(5), source="east", sku="A", adjustment_id="x1", delta=-2)
    await world.tell(lost, lost)
    await world.tell(lost)
    await world.tell(StockAdjusted(at=at(-5), source="east", sku="A", adjustment_id="x0", delta=5))
    assert await world.shelf("east", "A") == (8, 4, 0)


async def test_rt6_a_count_below_what_is_reserved_names_the_newest_allocations_and_a_later_one_covers_them(
    world: Any, source: Make, order: Make
) -> None:
    await routed(world, source, order)
    newer, _ = await world.place(order(("A", 5), number="1002"))
    await world.count("east", "A", 6, at=at(5))
    assert await world.shelf("east", "A") == (6, 6, 3)
    async with world.pool.acquire() as conn:
        [named] = [row async for row in world.q.uncovered(conn, most=10)]
    assert (named["fr_id"], named["uncovered"]) == (newer.fr_id, 3)
    assert [event.TYPE for event in await world.said()] == ["waybill.alert.raised.v1"]
    await world.is_conserved()
    await world.count("east", "A", 20, at=at(6))
    assert await world.shelf("east", "A") == (20, 9, 0)
    assert [event.TYPE for event in await world.said()] == ["waybill.alert.cleared.v1"]
    await world.is_conserved()


async def test_rt6_a_void_of_an_uncovered_fr_gives_back_what_was_covered(world: Any, source: Make, order: Make) -> None:
    fr = await routed(world, source, order)
    await world.count("east", "A", 3, at=at(5))
    await world.tell(progress(fr, FrVoided, FrState.VOIDED))
    assert await world.shelf("east", "A") == (3, 0, 0)
    await world.is_conserved()


async def test_rt13_a_void_after_a_partial_cancellation_gives_back_once(world: Any, source: Make, order: Make) -> None:
    fr = await routed(world, source, order)
    lines = ({"line_id": "L1", "sku": "A", "quantity": 1},)
    canceled = progress(fr, FrCanceled, FrState.PROCESSED, 2, lines=lines)
    await world.tell(canceled)
    await world.tell(canceled)
    assert await world.shelf("east", "A") == (9, 3, 0)
    await world.tell(progress(fr, FrVoided, FrState.VOIDED, 3))
    await world.tell(canceled, progress(fr, FrVoided, FrState.VOIDED, 3))
    assert await world.shelf("east", "A") == (9, 0, 0)
    await world.is_conserved()


async def test_rt6_what_a_voided_fr_ships_all_the_same_leaves_on_hand(world: Any, source: Make, order: Make) -> None:
    fr = await routed(world, source, order)
    await world.tell(progress(fr, FrVoided, FrState.VOIDED))
    await world.tell(shipment(fr, 4, shipped=at(5)))
    assert await world.shelf("east", "A") == (6, 0, 0)
    await world.is_conserved()


async def test_safety_stock_is_not_promised(world: Any, source: Make, order: Make) -> None:
    await world.configure([source("east", stock={"safety": 7})])
    await world.count("east", "A", 10)
    [answer] = await world.place(order(("A", 4)))
    assert answer.reason == "no_stock"


@pytest.mark.parametrize("facts", [(), ("unknown",)])
async def test_facts_about_frs_that_are_not_ours_change_nothing(world: Any, facts: tuple[str, ...]) -> None:
    voided = FrVoided(
        at=T0,
        fr_id="nobody",
        order_id="nobody",
        source="east",
        number="1",
        state=FrState.VOIDED,
        order_version=1,
        router_sequence=1,
    )
    await world.tell(*(voided for _ in facts))
    assert await world.said() == []


MOMENTS = st.integers(0, 20).map(at)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("count"), st.integers(0, 30), MOMENTS),
        st.tuples(st.just("adjust"), st.integers(-5, 5), MOMENTS),
        st.tuples(st.just("ask"), st.integers(1, 6), MOMENTS),
        st.tuples(st.just("release"), st.integers(1, 6), MOMENTS),
        st.tuples(st.just("cancel"), st.integers(1, 6), MOMENTS),
        st.tuples(st.just("ship"), st.integers(1, 6), MOMENTS),
        st.tuples(st.just("withdraw"), st.integers(1, 6), MOMENTS),
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_rt6_whatever_happens_the_numbers_add_up(steps: list[tuple[str, int, datetime]]) -> None:
    shelf = Shelf("east", "A", on_hand=20)
    allocation = Allocation("fr", "L", "A", "east", True, asked=1, open=1)
    shelf.set(20, 1)
    for what, units, moment in steps:
        moves = Moves()
        if what == "count":
            count(shelf, Count(units, moment, None, None))
        elif what == "adjust":
            adjust(shelf, units, moment)
        elif what == "ask":
            allocation.asked += units
            allocation.open += units
            moves.shelves[allocation.key] = Move(asked=units)
        elif what in ("release", "cancel"):
            moves.release(allocation, units, source_canceled=what == "cancel")
        else:
            moves.ship(allocation, units if what == "ship" else -units, moment, live=True)
        for moved in moves.shelves.values():
            move(shelf, moved)
        assert allocation.asked == allocation.open + allocation.shipped + allocation.released
        assert min(allocation.open, allocation.shipped, allocation.released) >= 0
        assert 0 <= shelf.reserved <= shelf.on_hand
        assert shelf.asked == allocation.open
        assert shelf.uncovered == 0 or shelf.free == 0
