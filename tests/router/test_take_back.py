"""RT-13: a person takes an FR back, and has its units asked for again; told as it happens."""

from collections.abc import Callable
from typing import Any

from waybill_contracts.alerts_raised import AlertCleared, AlertRaised
from waybill_contracts.fr_created import FrCreated, FrVoidRequested, OrderRouted, OrderUnroutable
from waybill_contracts.fulfillment_submitted import FrCanceled, FrRecallRefused, FrState, FrVoided, Recall
from waybill_contracts.orders_imported import OrderCanceled, OrderChanged
from waybill_contracts.shipment_synced import ShipmentRecorded
from waybill_contracts.values import FulfillmentStatus, OrderState, Shipment, ShipmentLine, SyncStatus

from .test_route_orders import NOW, later, progress, two_sources

Make = Callable[..., Any]
ANN = {"actor": "ann", "reason": "east is flooded"}


def shipped(fr: FrCreated, units: int) -> ShipmentRecorded:
    line = fr.fr.lines[0]
    shipment = Shipment(
        shipment_id=f"s-{fr.fr_id}",
        order_id=fr.order_id,
        fr_id=fr.fr_id,
        source=fr.fr.source,
        source_shipment_id="1",
        lines=(ShipmentLine(line_id=line.line_id, sku=line.sku, quantity=units),),
        carrier="UPS",
        shipped_at=NOW,
    )
    return ShipmentRecorded(at=NOW, shipment=shipment, fulfillment=FulfillmentStatus.PARTIAL, sync=SyncStatus.PENDING)


async def act(http: Any, fr: FrCreated, action: str, **more: Any) -> Any:
    return await http.post(f"/internal/frs/{fr.fr_id}/{action}", json={**ANN, **more})


async def test_rt13_the_life_of_a_void_and_regenerate(world: Any, http: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    placed = order(("A", 3))
    created, _ = await world.place(placed)
    assert await world.shelf("east", "A") == (10, 3, 0)

    answer = await act(http, created, "void")
    assert answer.json() == {"fr_id": created.fr_id, "state": "void_requested"}
    [asked] = await world.play()
    assert isinstance(asked, FrVoidRequested)
    assert (asked.reason, asked.by_hand.actor) == ("east is flooded", "ann")
    assert await world.shelf("east", "A") == (10, 3, 0), "reserved until fulfillment-push has answered"

    await world.tell(progress(created, FrVoided, FrState.VOIDED))
    [waits] = await world.play()
    assert (type(waits), waits.reason) == (OrderUnroutable, "voided_by_hand")
    assert "FR 1001 was voided by hand" in waits.detail
    assert await world.shelf("east", "A") == (10, 0, 0)

    assert (await act(http, created, "regenerate")).status_code == 200
    renewed, routed = await world.play()
    assert (renewed.fr.number, renewed.fr.predecessor) == ("1001-1", created.fr_id)
    assert (type(routed), routed.decision.by_hand.actor) == (OrderRouted, "ann")
    await world.tell(progress(created, FrVoided, FrState.VOIDED, sequence=3))
    assert await world.shelf("east", "A") == (10, 3, 0), "given back once"
    await world.is_conserved()

    done = (await http.get(f"/internal/orders/{placed.order_id}/by-hand")).json()
    assert [(row["action"], row["actor"], row["reason"]) for row in done] == [
        ("void", "ann", "east is flooded"),
        ("regenerate", "ann", "east is flooded"),
    ]


async def test_rt13_regenerating_asks_back_first_and_plans_only_what_has_not_shipped(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    created, _ = await world.place(order(("A", 5)))
    await world.tell(shipped(created, 2))
    assert (await act(http, created, "regenerate")).json()["state"] == "void_requested"
    [asked] = await world.play()
    assert isinstance(asked, FrVoidRequested)
    await world.tell(progress(created, FrVoided, FrState.VOIDED))
    renewed, _ = await world.play()
    assert [(line.sku, line.quantity) for line in renewed.fr.lines] == [("A", 3)]
    assert await world.shelf("east", "A") == (8, 3, 0)
    await world.is_conserved()


async def test_rt13_regenerating_on_a_channel_that_does_not_generate_by_itself_is_remembered(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    placed = order(("A", 1), auto_generate=False)
    await world.place(placed)
    await http.post(f"/internal/orders/{placed.order_id}/generate", json=ANN)
    created, _ = await world.play()
    await act(http, created, "regenerate")
    await world.play()
    await world.tell(progress(created, FrVoided, FrState.VOIDED))
    renewed, _ = await world.play()
    assert renewed.fr.predecessor == created.fr_id


async def test_rt13_less_is_asked_for_again_when_the_order_has_shrunk(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    placed = order(("A", 5))
    created, _ = await world.place(placed)
    await act(http, created, "void")
    await world.tell(progress(created, FrVoided, FrState.VOIDED))
    lines = (placed.lines[0].model_copy(update={"canceled": 4}),)
    await world.tell(OrderChanged(at=NOW, sequence=2, order=later(placed, version=2, lines=lines), changed=("lines",)))
    await world.play()
    await act(http, created, "regenerate")
    renewed, _ = await world.play()
    assert renewed.fr.lines[0].quantity == 1


async def test_rt13_an_admins_override_is_recorded_as_a_risk_and_an_alert_until_the_old_fr_is_closed(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    created, _ = await world.place(order(("A", 3)))
    await act(http, created, "regenerate")
    await world.tell(progress(created, FrRecallRefused, FrState.PROCESSED, recall=Recall.REFUSED))
    await world.play()
    refused = await act(http, created, "regenerate")
    assert refused.status_code == 409
    assert "refused to give FR 1001 back" in refused.json()["detail"]

    assert (await act(http, created, "regenerate", override=True)).status_code == 200
    alert, renewed, _ = await world.play()
    assert (type(alert), alert.title) == (AlertRaised, "Order 1001 may be shipped twice")
    assert renewed.fr.risk == "FR 1001 at east may still ship the same units"
    assert renewed.fr.predecessor == created.fr_id
    assert await world.shelf("east", "A") == (10, 6, 0)

    await world.tell(progress(created, FrVoided, FrState.VOIDED, sequence=3))
    assert [type(event) for event in await world.play()] == [AlertCleared]
    assert await world.shelf("east", "A") == (10, 3, 0)
    await world.is_conserved()


async def test_rt13_what_the_old_fr_ships_all_the_same_asks_the_new_one_back(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await two_sources(world, source)
    created, _ = await world.place(order(("A", 3)))
    await act(http, created, "regenerate", override=True)
    renewed = next(event for event in await world.play() if isinstance(event, FrCreated))
    await world.tell(shipped(created, 3))
    [asked, _] = await world.play()
    assert (type(asked), asked.fr_id, asked.reason) == (FrVoidRequested, renewed.fr_id, "predecessor_shipped")
    await world.is_conserved()


async def test_rt13_a_person_may_ask_again_for_what_a_source_canceled_for_good(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east", on_source_cancel="kill")])
    await world.count("east", "A", 10)
    created, _ = await world.place(order(("A", 3)))
    await world.tell(progress(created, FrCanceled, FrState.CANCELED))
    [held] = await world.play()
    assert held.reason == "source_canceled"
    await act(http, created, "regenerate")
    renewed, _ = await world.play()
    assert renewed.fr.lines[0].quantity == 3


async def test_rt13_what_cannot_be_done_says_why(world: Any, http: Any, source: Make, order: Make) -> None:
    await two_sources(world, source)
    placed = order(("A", 3))
    created, _ = await world.place(placed)
    assert (await http.post("/internal/frs/nobody/void", json=ANN)).status_code == 404
    assert (await http.post(f"/internal/frs/{created.fr_id}/void", json={"actor": "ann"})).status_code == 422
    await world.tell(shipped(created, 3))
    gone = await act(http, created, "void")
    assert (gone.status_code, gone.json()["detail"]) == (
        409, "all of FR 1001 has shipped: there is nothing left to take back"
    )  # fmt: skip
    other, _ = await world.place(order(("A", 1), number="7"))
    await world.tell(progress(other, FrVoided, FrState.VOIDED))
    assert "closed already" in (await act(http, other, "void")).json()["detail"]
    await world.play()
    assert "nothing is missing of order 7" in (await act(http, other, "regenerate")).json()["detail"]
    canceled = order(("A", 1), number="8")
    last, _ = await world.place(canceled)
    gone_order = later(canceled, version=2, state=OrderState.CANCELED)
    await world.tell(OrderCanceled(at=NOW, sequence=2, order=gone_order, reason="buyer"))
    await world.play()
    assert "order 8 is canceled" in (await act(http, last, "regenerate")).json()["detail"]
