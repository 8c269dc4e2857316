"""RT-10: a person picks source, lines and shipping method; rules are bypassed, holds and reservation are not."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from waybill_contracts.fr_created import FrCreated, FrVoidRequested, OrderRouted
from waybill_contracts.fulfillment_submitted import FrState, FrVoided
from waybill_contracts.orders_imported import OrderChanged
from waybill_contracts.values import Address, Component, Hold, HoldReason, Order, OrderState

from .test_route_orders import NOW, later, progress, two_sources

Make = Callable[..., Any]
ANN = {"actor": "ann", "reason": "promised by phone"}


async def create(http: Any, order: Order, source: str, *lines: tuple[str, int], **more: Any) -> Any:
    body = {"source": source, "lines": [{"line_id": name, "quantity": units} for name, units in lines], **ANN, **more}
    return await http.post(f"/internal/orders/{order.order_id}/frs", json=body)


async def test_rt10_the_life_of_a_manual_fr(world: Any, http: Any, source: Make, order: Make) -> None:
    """Outside every rule: a source of no group, that serves another country, at a price that is not known."""
    far = source("far", serves={"countries": ["GB"]}, shipping_methods={"map": {"express": "DHL Express"}})
    await world.configure([far])
    await world.configure([source("east")], version=2)
    await world.count("far", "A", 10, cost=None)
    placed = order(("A", 3), ("B", 1))
    [waits] = await world.place(placed)
    assert waits.reason == "no_stock"

    answer = await create(http, placed, "far", ("L1", 2), shipping_method="express")
    assert answer.status_code == 201
    created, routed, rest = await world.play()
    assert isinstance(created, FrCreated)
    fr = created.fr
    assert [(line.line_id, line.quantity) for line in fr.lines] == [("L1", 2)]
    assert (fr.source, fr.shipping_method, fr.source_shipping_method) == ("far", "express", "DHL Express")
    assert (fr.by_hand.actor, fr.by_hand.reason) == ("ann", "promised by phone")
    assert (fr.cost.items, fr.cost.shipping, fr.cost.unknown) == (0, Decimal("5.20"), ("items",))
    assert isinstance(routed, OrderRouted)
    assert (routed.decision.group, routed.decision.by_hand.actor) == ("", "ann")
    assert {lack.line_id: lack.quantity for lack in rest.decision.unfulfilled} == {"L1": 1, "L2": 1}
    assert await world.shelf("far", "A") == (10, 2, 0)
    [log] = (await http.get(f"/internal/orders/{placed.order_id}/by-hand")).json()
    assert (log["action"], log["fr_id"]) == ("create", fr.fr_id)
    stages = (await http.get(f"/internal/orders/{placed.order_id}/decisions")).json()[1]["stages"]
    assert [stage["stage"] for stage in stages] == ["routed", "fr_added", "strategies_applied", "done"]
    assert stages[0]["by_hand"] == ANN

    other = later(placed, version=2, shipping_method="overnight")
    await world.tell(OrderChanged(at=NOW, sequence=2, order=other, changed=("shipping_method",)))
    said = await world.play()
    assert not any(isinstance(event, FrVoidRequested) for event in said), "the person chose the method"
    await world.is_conserved()


async def test_rt10_no_more_is_asked_for_than_is_missing(world: Any, http: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    placed = order(("A", 3), auto_generate=False)
    await world.place(placed)
    too_many = await create(http, placed, "west", ("L1", 4))
    assert too_many.status_code == 409
    assert "4 × A of line L1 are asked for, 3 are missing" in too_many.json()["detail"]
    assert (await create(http, placed, "west")).status_code == 201, "no lines: all that is missing"
    assert "nothing is missing of order 1001" in (await create(http, placed, "west")).json()["detail"]
    assert await world.shelf("west", "A") == (10, 3, 0)


async def test_rt10_holds_and_the_payment_gate_still_apply(world: Any, http: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    hold = Hold(reason=HoldReason.AWAITING_PAYMENT, fix="wait for the payment")
    held = order(("A", 1), state=OrderState.HELD, holds=(hold,))
    await world.place(held)
    answer = await create(http, held, "east")
    assert answer.status_code == 409
    assert "awaiting_payment: wait for the payment" in answer.json()["detail"]


async def test_rt10_reservation_still_applies_and_nothing_is_stored_without_it(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east", stock={"safety": 8})])
    await world.count("east", "A", 10)
    placed = order(("A", 3))
    await world.place(placed)
    answer = await create(http, placed, "east")
    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "there is not enough stock: east has 2 × A free, 3 are asked for (its safety stock of 8 is not given away)"
    )
    assert await world.shelf("east", "A") == (10, 0, 0)
    assert await world.pool.fetchval("select count(*) from frs") == 0


async def test_rt10_units_that_were_taken_back_by_hand_can_be_given_to_another_source(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    placed = order(("A", 3))
    created, _ = await world.place(placed)
    await http.post(f"/internal/frs/{created.fr_id}/void", json=ANN)
    await world.tell(progress(created, FrVoided, FrState.VOIDED))
    await world.play()
    assert (await create(http, placed, "west")).status_code == 201
    [fr, *_] = await world.play()
    assert (fr.fr.source, fr.fr.predecessor) == ("west", created.fr_id)
    assert await world.pool.fetchval("select standing from orders") == "routed"


async def test_rt10_a_kit_is_asked_for_by_the_piece_or_by_one_of_its_skus(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    await world.count("west", "B", 10)
    parts = (Component(sku="A", quantity=2), Component(sku="B", quantity=1))
    body = order(("KIT", 2), auto_generate=False).model_dump()
    body["lines"][0]["components"] = [part.model_dump() for part in parts]
    kit = Order.model_validate(body)
    await world.place(kit)
    first = (await create(http, kit, "west", ("L1", 1))).json()
    assert [(line["sku"], line["quantity"]) for line in first["lines"]] == [("A", 2), ("B", 1)]
    line = {"line_id": "L1", "sku": "A", "quantity": 1}
    second = (await create(http, kit, "west", lines=[line])).json()
    assert [(line["sku"], line["quantity"]) for line in second["lines"]] == [("A", 1)]
    await world.is_conserved()


async def test_rt10_what_cannot_be_made_says_why(world: Any, http: Any, source: Make, order: Make) -> None:
    strict = source("strict", shipping_methods={"map": {"express": "X"}, "unmapped": "hold"})
    await world.configure([source("east"), strict])
    await world.count("east", "A", 10)
    addresses = (Address(country="US", city="A"), Address(country="US", city="B"))
    placed = order(("A", 1, 0), ("A", 1, 1), addresses=addresses, auto_generate=False)
    await world.place(placed)
    table = [
        (await create(http, placed, "nowhere"), "'nowhere' is no source", "use one of east, strict"),
        (await create(http, placed, "strict"), "strict has no name for 'ground'", "use one that it knows (express)"),
        (await create(http, placed, "east", ("L9", 1)), "order 1001 has no line 'L9'", "it has L1, L2"),
        (await create(http, placed, "east"), "they go to different addresses", "make one for each address"),
    ]
    for answer, words, way in table:
        assert answer.status_code == 409
        assert words in answer.json()["detail"]
        assert way in answer.json()["remedy"]
    assert (await create(http, placed, "east", ("L2", 1))).json()["ship_to"]["city"] == "B"
