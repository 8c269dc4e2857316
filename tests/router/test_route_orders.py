"""The router on a real database: orders in, decisions and FRs out, stock reserved with them."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from router.decide import decide
from waybill_contracts.alerts_raised import AlertCleared, AlertRaised
from waybill_contracts.fr_created import FrConfirmed, FrCreated, FrVoidRequested, OrderRouted, OrderUnroutable
from waybill_contracts.fulfillment_submitted import FrCanceled, FrRecallRefused, FrState, FrVoided, Recall
from waybill_contracts.orders_imported import OrderCanceled, OrderChanged, OrderHeld, OrderImported, OrderReleased
from waybill_contracts.values import Address, Component, Hold, HoldReason, Order, OrderState

NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)
Make = Callable[..., Any]


def later(order: Order, **changes: Any) -> Order:
    return order.model_copy(update={"sequence": order.sequence + 1, **changes})


def progress(fr: FrCreated, kind: type, state: FrState, sequence: int = 2, **more: Any) -> Any:
    return kind(
        at=NOW,
        sequence=sequence,
        fr_id=fr.fr_id,
        order_id=fr.order_id,
        source=fr.fr.source,
        number=fr.fr.number,
        state=state,
        order_version=fr.order_version,
        router_sequence=fr.sequence,
        **more,
    )


async def two_sources(world: Any, source: Make, **group: Any) -> None:
    await world.configure([source("east"), source("west")], **group)
    await world.count("east", "A", 10, cost="3.00")
    await world.count("west", "A", 10, cost="4.00")


async def test_rt2_an_order_goes_to_the_cheapest_source_and_its_stock_is_reserved(
    world: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    created, routed = await world.place(order(("A", 3)))
    assert isinstance(created, FrCreated)
    assert isinstance(routed, OrderRouted)
    assert created.fr.source == "east"
    assert created.fr.cost.total == Decimal("9.00") + 1 + 5 + Decimal("0.30")
    assert routed.decision.chosen is not None
    assert routed.decision.chosen.requests[0].fr_id == created.fr_id
    assert routed.decision.gap == 0
    assert routed.decision.runner_up is not None
    assert await world.shelf("east", "A") == (10, 3, 0)
    await world.is_conserved()


async def test_rt2_an_order_for_two_addresses_gives_an_fr_for_each(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    addresses = (Address(country="US", city="A"), Address(country="US", city="B"))
    *created, _ = await world.place(order(("A", 1, 0), ("A", 1, 1), addresses=addresses))
    assert [fr.fr.ship_to.city for fr in created] == ["A", "B"]
    assert [fr.fr.number for fr in created] == ["1001", "1001-1"]


async def test_rt7_an_order_without_stock_waits_and_wakes_when_it_comes(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    [unroutable] = await world.place(order(("B", 2)))
    assert isinstance(unroutable, OrderUnroutable)
    assert unroutable.reason == "no_stock"
    await world.count("west", "C", 5)
    assert await world.play() == []
    await world.count("west", "B", 5)
    created, routed = await world.play()
    assert created.fr.source == "west"
    assert (routed.sequence, routed.order_sequence) == (2, 1)


async def test_rt7_a_missing_cost_is_named_and_its_coming_wakes_the_order(
    world: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    await world.count("west", "B", 5, cost=None)
    [unroutable] = await world.place(order(("B", 2)))
    assert (unroutable.reason, unroutable.decision.unfulfilled[0].reason) == ("missing_cost", "missing_cost")
    await world.count("west", "B", 5, cost="2.00")
    assert [type(event) for event in await world.play()] == [FrCreated, OrderRouted]


async def test_rt7_a_change_of_rules_wakes_waiting_orders(world: Any, source: Make, order: Make) -> None:
    await world.configure([source("east", serves={"countries": ["US"]})])
    await world.count("east", "A", 10)
    [unroutable] = await world.place(order(("A", 1), country="GB"))
    assert unroutable.reason == "no_source_serves"
    await world.configure([source("east")], version=2)
    created, routed = await world.play()
    assert (created.fr.ship_to.country, routed.decision.config_version) == ("GB", 2)


async def test_rt8_without_auto_generate_an_order_waits_for_it(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    placed = order(("A", 1), auto_generate=False)
    [unroutable] = await world.place(placed)
    assert unroutable.reason == "awaiting_generate"
    body = {"actor": "ann", "reason": "checked by phone"}
    assert (await http.post(f"/internal/orders/{placed.order_id}/generate", json=body)).status_code == 200
    created, routed = await world.play()
    assert isinstance(created, FrCreated)
    assert (routed.decision.by_hand.actor, routed.decision.by_hand.reason) == ("ann", "checked by phone")
    again = await http.post(f"/internal/orders/{placed.order_id}/generate", json=body)
    assert (again.status_code, again.json()["detail"]) == (409, "order 1001 does not wait for generate: it is routed")


async def test_rt8_many_orders_are_generated_at_once_and_each_is_answered(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    waiting = [order(("A", 1), number=str(at), auto_generate=False) for at in (1, 2)]
    routed = order(("A", 1), number="3")
    for one in (*waiting, routed):
        await world.place(one)
    ids = [one.order_id for one in (*waiting, routed)] + ["nobody"]
    answer = await http.post("/internal/orders:generate", json={"order_ids": ids, "actor": "ann", "reason": "go"})
    assert [one["refused"] for one in answer.json()["orders"]] == [
        None,
        None,
        "order 3 does not wait for generate: it is routed",
        "order nobody is not known to the router",
    ]
    assert sum(isinstance(event, FrCreated) for event in await world.play()) == 2


async def test_a_held_order_is_answered_but_not_planned_until_released(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    hold = Hold(reason=HoldReason.AWAITING_PAYMENT, fix="wait for the payment")
    held = order(("A", 1), state=OrderState.HELD, holds=(hold,))
    [unroutable] = await world.place(held)
    assert (unroutable.reason, unroutable.order_sequence) == ("held", 1)
    free = later(held, state=OrderState.IMPORTED, holds=())
    await world.tell(OrderReleased(at=NOW, sequence=2, order=free, removed=(hold,)))
    created, routed = await world.play()
    assert isinstance(created, FrCreated)
    assert routed.order_sequence == 2
    await world.tell(
        OrderHeld(at=NOW, sequence=3, order=later(free, state=OrderState.HELD, holds=(hold,)), added=(hold,))
    )
    [answer] = await world.play()
    assert answer.reason == "held"
    assert await world.shelf("east", "A") == (10, 1, 0)


async def test_an_order_fact_seen_twice_gets_the_same_answer_again_and_changes_nothing(
    world: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    placed = order(("A", 3))
    _, routed = await world.place(placed)
    again = await world.place(placed)
    assert again == [routed]
    assert await world.shelf("east", "A") == (10, 3, 0)


async def test_a_change_that_leaves_the_fr_right_confirms_it(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    placed = order(("A", 3))
    created, _ = await world.place(placed)
    await world.tell(OrderChanged(at=NOW, sequence=2, order=later(placed, version=2, note="ring"), changed=("note",)))
    confirmed, routed = await world.play()
    assert isinstance(confirmed, FrConfirmed)
    assert (confirmed.fr_id, confirmed.order_version, confirmed.sequence) == (created.fr_id, 2, 2)
    assert routed.order_sequence == 2


async def test_rt13_a_new_address_asks_the_fr_back_and_plans_again_once_it_is_voided(
    world: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    placed = order(("A", 3))
    created, _ = await world.place(placed)
    moved = later(placed, version=2, addresses=(Address(country="CA"),))
    await world.tell(OrderChanged(at=NOW, sequence=2, order=moved, changed=("addresses",)))
    asked, _ = await world.play()
    assert isinstance(asked, FrVoidRequested)
    assert asked.reason == "address_changed"
    assert await world.shelf("east", "A") == (10, 3, 0)
    voided = progress(created, FrVoided, FrState.VOIDED)
    await world.tell(voided)
    await world.tell(voided)
    assert await world.shelf("east", "A") == (10, 0, 0)
    renewed, _ = await world.play()
    assert (renewed.fr.number, renewed.fr.ship_to.country) == ("1001-1", "CA")
    assert renewed.fr.predecessor == created.fr_id
    await world.is_conserved()


async def test_a_quantity_that_shrinks_asks_back_only_what_is_too_much(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    await world.count("west", "A", 10, cost="19.00")
    await world.count("west", "B", 10)
    placed = order(("A", 3), ("B", 2))
    first, second, _ = await world.place(placed)
    lines = (placed.lines[0], placed.lines[1].model_copy(update={"canceled": 1}))
    await world.tell(OrderChanged(at=NOW, sequence=2, order=later(placed, version=2, lines=lines), changed=("lines",)))
    said = await world.play()
    back = [event for event in said if isinstance(event, FrVoidRequested)]
    kept = [event for event in said if isinstance(event, FrConfirmed)]
    with_b = next(fr for fr in (first, second) if any(line.sku == "B" for line in fr.fr.lines))
    assert [event.fr_id for event in back] == [with_b.fr_id]
    assert len(kept) == 1
    await world.tell(progress(with_b, FrVoided, FrState.VOIDED))
    renewed, _ = await world.play()
    assert [(line.sku, line.quantity) for line in renewed.fr.lines] == [("B", 1)]


async def test_a_canceled_order_asks_its_frs_back(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    placed = order(("A", 3))
    await world.place(placed)
    gone = later(placed, version=2, state=OrderState.CANCELED)
    await world.tell(OrderCanceled(at=NOW, sequence=2, order=gone, reason="buyer"))
    asked, answer = await world.play()
    assert isinstance(asked, FrVoidRequested)
    assert (answer.reason, answer.order_sequence) == ("canceled", 2)


async def test_a_refused_recall_keeps_the_fr_and_comes_to_rest(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    placed = order(("A", 3))
    created, _ = await world.place(placed)
    moved = later(placed, version=2, addresses=(Address(country="CA"),))
    await world.tell(OrderChanged(at=NOW, sequence=2, order=moved, changed=("addresses",)))
    await world.play()
    await world.tell(progress(created, FrRecallRefused, FrState.PROCESSED, recall=Recall.REFUSED))
    assert not any(isinstance(event, FrCreated | FrVoidRequested) for event in await world.play())
    assert await world.shelf("east", "A") == (10, 3, 0)


async def test_rt6_a_source_that_cancels_loses_that_stock_until_its_next_count_and_the_order_is_planned_again(
    world: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    created, _ = await world.place(order(("A", 3)))
    await world.tell(progress(created, FrCanceled, FrState.CANCELED))
    assert await world.shelf("east", "A") == (7, 0, 0)
    renewed, _ = await world.play()
    assert (renewed.fr.predecessor, renewed.fr.source) == (created.fr_id, "west")


async def test_fp6_a_source_that_canceled_is_left_out_for_that_order_until_a_person_says_otherwise(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    await world.count("east", "A", 10)
    created, _ = await world.place(order(("A", 3)))
    await world.tell(progress(created, FrCanceled, FrState.CANCELED))
    [waits] = await world.play()
    assert waits.decision.unfulfilled[0].reason == "canceled_by_source"
    await world.count("east", "A", 50)
    assert not [event for event in await world.play() if isinstance(event, FrCreated)], "a count is no person's word"
    another, _ = await world.place(order(("A", 1), number="1002"))
    assert another.fr.source == "east", "other orders still go there"
    who = {"actor": "ann", "reason": "they found some"}
    answer = await http.post(f"/internal/frs/{created.fr_id}/regenerate", json=who)
    assert answer.status_code == 200, answer.text
    again, _ = await world.play()
    assert (again.fr.source, again.fr.predecessor) == ("east", created.fr_id)
    await world.is_conserved()


async def test_on_source_cancel_kill_does_not_ask_again(world: Any, source: Make, order: Make) -> None:
    await world.configure([source("east", on_source_cancel="kill")])
    await world.count("east", "A", 10)
    created, _ = await world.place(order(("A", 3)))
    await world.tell(progress(created, FrCanceled, FrState.CANCELED))
    [answer] = await world.play()
    assert (answer.reason, type(answer)) == ("source_canceled", OrderUnroutable)


async def test_rt5_with_partial_the_most_goes_and_the_rest_waits(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source, partial=True)
    *created, routed = await world.place(order(("A", 25)))
    assert sum(line.quantity for fr in created for line in fr.fr.lines) == 20
    assert isinstance(routed, OrderRouted)
    assert [(lack.quantity, lack.reason) for lack in routed.decision.unfulfilled] == [(5, "no_stock")]
    await world.count("east", "A", 15, cost="3.00")
    rest, _ = await world.play()
    assert rest.fr.lines[0].quantity == 5
    await world.is_conserved()


async def test_rt4_a_group_that_cancels_gives_up_what_has_no_stock_and_nothing_else(
    world: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")], unroutable="cancel")
    await world.count("east", "UNPRICED", 5, cost=None)
    await world.count("east", "A", 5)
    [given_up] = await world.place(order(("B", 1), number="1"))
    assert (given_up.reason, given_up.cancel) == ("no_stock", True)
    [a_person_forgot_the_price] = await world.place(order(("UNPRICED", 1), number="2"))
    assert (a_person_forgot_the_price.reason, a_person_forgot_the_price.cancel) == ("missing_cost", False)
    placed = order(("A", 1), number="3")
    await world.place(placed)
    lines = (placed.lines[0].model_copy(update={"quantity": 9}),)
    await world.tell(OrderChanged(at=NOW, sequence=2, order=later(placed, version=2, lines=lines), changed=("lines",)))
    [_, under_way] = await world.play()
    assert (under_way.reason, under_way.cancel) == ("no_stock", False)


async def test_rt1_an_untracked_source_ships_without_stock(world: Any, source: Make, order: Make) -> None:
    await world.configure([source("drop", stock={"from": "untracked"})])
    await world.count("drop", "A", 0)
    created, _ = await world.place(order(("A", 30)))
    assert created.fr.lines[0].quantity == 30
    assert await world.shelf("drop", "A") == (0, 0, 0)
    await world.is_conserved()


async def test_rt11_the_sources_strategies_are_applied(world: Any, source: Make, order: Make) -> None:
    east = source(
        "east",
        fr_number={"prefix": "E-", "forbid": "#"},
        auto_process=False,
        skus={"map": {"A": "E-100"}},
        shipping_methods={"map": {"ground": "FedEx Ground"}},
    )
    await world.configure([east])
    await world.count("east", "A", 10)
    created, _ = await world.place(order(("A", 1), number="#1001"))
    fr = created.fr
    assert (fr.number, fr.auto_process) == ("E-1001", False)
    assert (fr.lines[0].source_sku, fr.source_shipping_method) == ("E-100", "FedEx Ground")


async def test_rt11_orders_with_the_same_number_get_different_ones(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    [first, _] = await world.place(order(("A", 1)))
    [second, _] = await world.place(order(("A", 1)))
    assert [first.fr.number, second.fr.number] == ["1001", "1001-1"]


async def test_rt11_a_number_that_is_too_long_is_a_named_roadblock(world: Any, source: Make, order: Make) -> None:
    await world.configure([source("east", fr_number={"prefix": "EAST-", "max_length": 6})])
    await world.count("east", "A", 10)
    [answer] = await world.place(order(("A", 1)))
    assert answer.decision.excluded[0].reason == "number_too_long"
    assert answer.reason == "number_too_long"


async def test_rt12_a_decision_is_stored_with_its_inputs(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    placed = order(("A", 3))
    await world.place(placed)
    async with world.pool.acquire() as conn:
        [row] = [row async for row in world.q.decisions_of(conn, order_id=placed.order_id)]
    assert row["inputs"]["demands"] == [["L1", "A", 3, 0]]
    assert ["east", "A", 10, "3.00", 100] in row["inputs"]["stock"]


async def test_a_kit_is_asked_for_in_units_of_which_some_make_a_piece(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    placed = order(("PACK", 1))
    line = placed.lines[0].model_copy(update={"components": (Component(sku="A", quantity=6),)})
    kit = Order.model_validate({**placed.model_dump(), "lines": [line.model_dump()]})
    created, _ = await world.place(kit)
    assert [(part.sku, part.quantity, part.per_piece) for part in created.fr.lines] == [("A", 6, 6)]


async def test_the_facts_of_one_order_stay_in_its_trace(world: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    await world.tell(OrderImported(at=NOW, order=order(("A", 1)), via="pull"), traceparent=trace)
    await world.play()
    headers = await world.pool.fetch("select headers from facts where topic = 'fr.created'")
    assert {row["headers"]["traceparent"][3:35] for row in headers} == {"a" * 32}


async def test_rt11_many_orders_with_one_number_all_find_a_free_one(world: Any, source: Make, order: Make) -> None:
    await world.configure([source("east")])
    await world.count("east", "A", 100)
    orders = [order(("A", 1)) for _ in range(30)]
    await world.tell(*(OrderImported(at=NOW, order=one, via="pull") for one in orders))
    numbers = [event.fr.number for event in await world.play() if isinstance(event, FrCreated)]
    assert sorted(numbers) == sorted(["1001", *(f"1001-{at}" for at in range(1, 30))])


async def test_a_round_that_fails_stores_nothing_and_its_order_is_tried_again_later(
    world: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    await world.tell(OrderImported(at=NOW, order=order(("A", 1)), via="pull"))
    await world.pool.execute("alter table allocations add constraint broken check (asked > 1000)")
    assert [type(event) for event in await world.play()] == [AlertRaised]
    assert await world.shelf("east", "A") == (10, 0, 0)
    await world.pool.execute("alter table allocations drop constraint broken")
    await world.pool.execute("update orders set due_at = now()")
    assert [type(event) for event in await world.play()] == [FrCreated, OrderRouted, AlertCleared]


async def test_rt6_a_shelf_that_others_emptied_meanwhile_makes_the_plan_lose_and_be_made_again(
    world: Any, another_world: Callable[[], Any], source: Make, order: Make
) -> None:
    await two_sources(world, source)
    other = another_world()
    orders = [order(("A", 4), number=str(at)) for at in range(5)]
    await world.tell(*(OrderImported(at=NOW, order=one, via="pull") for one in orders[:3]))
    await other.routing._pool.execute("update stock set on_hand = 10")

    async def both() -> None:
        await asyncio.gather(world.routing.turn(), other.routing.turn())

    await both()
    await world.tell(*(OrderImported(at=NOW, order=one, via="pull") for one in orders[3:]))
    for _ in range(5):
        await both()
    assert (await world.shelf("east", "A"))[1] + (await world.shelf("west", "A"))[1] == 20
    assert await world.pool.fetchval("select count(*) from orders where standing = 'routed'") == 5
    await world.is_conserved()


async def test_an_order_that_cannot_be_planned_is_set_aside_and_its_neighbours_go_on(
    world: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    bad, good = order(("A", 1)), order(("A", 1), number="1002")
    for one in (bad, good):
        await world.tell(OrderImported(at=NOW, sequence=1, order=one, via="pull"))
    spoil = "update orders set body = jsonb_set(body, '{currency}', '\"gold\"') where order_id = $1"
    await world.pool.execute(spoil, bad.order_id)
    told = await world.play()
    assert {event.order_id for event in told if isinstance(event, OrderRouted)} == {good.order_id}
    row = await world.pool.fetchrow("select *, due_at > now() as later from orders where order_id = $1", bad.order_id)
    assert (row["reason"], row["lease_token"], row["later"], row["attempts"]) == ("cannot_be_planned", None, True, 1)
    assert await world.pool.fetchval("select count(*) from open_alerts") == 1

    await world.tell(OrderChanged(at=NOW, sequence=2, order=later(bad), changed=("lines",)))
    assert any(isinstance(event, OrderRouted) for event in await world.play())
    assert await world.pool.fetchval("select count(*) from open_alerts") == 0


async def test_a_plan_that_takes_longer_than_a_lease_is_made_once(
    another_world: Make, source: Make, order: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = another_world(hold=0.3), another_world(hold=0.3)
    await two_sources(ours, source)
    await ours.tell(OrderImported(at=NOW, sequence=1, order=order(("A", 1)), via="pull"))
    plans = []

    def slowly(cases: list[Any], book: Any, stock: Any) -> list[Any]:
        plans.append(len(cases))
        time.sleep(1.0)
        return [decide(case, book, stock) for case in cases]

    monkeypatch.setattr("router.route_orders._decide_all", slowly)
    first = asyncio.ensure_future(ours.routing.turn())
    while not first.done():
        await theirs.routing.turn()
        await asyncio.sleep(0.05)
    assert plans == [1]
    assert [type(event) for event in await ours.said()] == [FrCreated, OrderRouted]
