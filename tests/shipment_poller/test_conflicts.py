"""A parcel that left although its FR was over: told with what stands in its place, decided by a person. (SP-1)

What the router makes of it is in `tests/router/test_shipped_after_all.py`; that the replacement is stopped or asked
back, with both together, in `tests/fulfillment_push/test_with_router.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from fastapi import FastAPI
from poller_harness import AT, Stage, fr_of, order_of, submitted
from pydantic import TypeAdapter

from shipment_poller.decide_conflict import decide_conflict
from waybill_common.http import answer_refusals
from waybill_contracts.event import Event
from waybill_contracts.fr_created import FrCreated, FrVoidRequested, ShippedAfterAll
from waybill_contracts.fulfillment_submitted import (
    FrCanceled,
    FrProgress,
    FrRecallRefused,
    FrRecallRequested,
    FrState,
    FrVoided,
    Recall,
)
from waybill_contracts.orders_imported import OrderCanceled
from waybill_contracts.shipment_synced import Choice, ShipmentConflicted, ShipmentRecorded
from waybill_contracts.values import ByHand, FulfillmentStatus, Order, OrderState

ANN = ByHand(actor="ann", reason="the buyer has it")
KEEP, SHIP = Choice.KEEP_STOPPED, Choice.SHIP_REPLACEMENT


def progress(kind: type[FrProgress], fr_id: str, state: FrState, sequence: int, **more: Any) -> Event:
    return kind(
        at=AT, sequence=sequence, fr_id=fr_id, order_id="o1", source="west" if fr_id == "f-2" else "east",
        number=f"E-{fr_id.removeprefix('f-')}" if fr_id == "f-o1" else f"E-{fr_id}", state=state, order_version=1,
        router_sequence=2, **more,
    )  # fmt: skip


async def alert(stage: Stage) -> dict[str, Any]:
    """The newest one about a conflict."""
    [found] = await stage.column(
        "select convert_from(value, 'UTF8') from facts where topic = 'alerts.raised' "
        "and convert_from(value, 'UTF8') like '%shipment_conflict%' order by position desc limit 1"
    )
    return TypeAdapter(dict[str, Any]).validate_python(orjson.loads(found))


async def voided(stage: Stage) -> Order:
    """An FR that was with its source, and is over."""
    order = order_of()
    stage.shop.wanted[order.channel_order_id] = {line.line_id: line.wanted for line in order.lines}
    await stage.take(submitted(order), progress(FrVoided, "f-o1", FrState.VOIDED, 3))
    return order


async def replaced(stage: Stage) -> Order:
    """Another one was made in its place."""
    order = await voided(stage)
    fr = fr_of(order, "f-2", source="west", predecessor="f-o1")
    await stage.take(FrCreated(at=AT, sequence=1, fr_id="f-2", order_id="o1", order_version=1, fr=fr, order=order))
    await stage.told()
    return order


async def conflict(stage: Stage) -> ShipmentConflicted:
    """The source of the first one ships it all the same."""
    await stage.told()
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    [told] = await stage.told()
    assert isinstance(told, ShipmentConflicted)
    return told


def asked_back() -> FrVoidRequested:
    return FrVoidRequested(
        at=AT, sequence=2, fr_id="f-2", order_id="o1", order_version=1, reason="predecessor_shipped",
        instead=ShippedAfterAll(fr_id="f-o1", number="E-o1", source="east"),
    )  # fmt: skip


STANDS: dict[str, tuple[list[Callable[[Order], Event]], str, str, str]] = {
    "not sent": ([], "replacement_unsent", "is not sent yet", "it is stopped before it is sent"),
    "stopped": (
        [lambda _: asked_back(), lambda _: progress(FrVoided, "f-2", FrState.VOIDED, 9)],
        "replacement_stopped", "was stopped", "decide",
    ),
    "canceled by its source": (
        [lambda _: asked_back(), lambda _: progress(FrCanceled, "f-2", FrState.CANCELED, 9)],
        "replacement_stopped", "was canceled by its source", "decide",
    ),
    "sent": (
        [lambda order: submitted(order, fr_of(order, "f-2", source="west"))],
        "replacement_sent", "is with its source", "asked to give it back",
    ),
    "asked back": (
        [lambda _: progress(FrRecallRequested, "f-2", FrState.PROCESSED, 9, recall=Recall.REQUESTED)],
        "replacement_sent", "which is asked to give it back", "decide",
    ),
    "not answered": (
        [lambda _: progress(FrRecallRequested, "f-2", FrState.PROCESSED, 9, recall=Recall.UNANSWERED)],
        "replacement_sent", "has not answered within the hour", "decide",
    ),
    "refused": (
        [lambda _: progress(FrRecallRefused, "f-2", FrState.ACKNOWLEDGED, 9, recall=Recall.REFUSED)],
        "replacement_ships", "ships as well: its source refused to give it back", "both are on their way",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", STANDS)
async def test_the_conflict_says_how_its_replacement_stands_and_what_to_decide(stage: Stage, how: str) -> None:
    events, code, words, step = STANDS[how]
    order = await replaced(stage)
    told = await conflict(stage)
    for event in events:
        await stage.take(event(order))
        told = next((e for e in reversed(await stage.told()) if isinstance(e, ShipmentConflicted)), told)
    assert told.reason.code == code
    assert "FR E-f-2 at west, made in its place, " in told.reason.message
    assert words in told.reason.message
    action = (await alert(stage))["action"]
    assert step in action
    assert f"waybill shipments decide {told.shipment.shipment_id} keep-stopped" in action
    assert "ship-replacement" in action
    assert stage.shop.calls == {}, "nothing is told to the channel before a person decided"


async def test_what_was_made_later_for_the_rest_is_not_taken_for_its_replacement(stage: Stage) -> None:
    """The router names the one that it stopped, and for which parcel."""
    order = await replaced(stage)
    await conflict(stage)
    rest = fr_of(order, "f-3", predecessor="f-2")
    await stage.take(
        asked_back(),
        progress(FrVoided, "f-2", FrState.VOIDED, 9),
        FrCreated(at=AT, sequence=1, fr_id="f-3", order_id="o1", order_version=1, fr=rest, order=order),
    )
    [told] = await stage.told()
    assert told.reason.code == "replacement_stopped"
    assert "E-f-3" not in told.reason.message


async def test_a_parcel_that_counts_is_shown_at_the_channel_and_completes_its_order(stage: Stage) -> None:
    order = await replaced(stage)
    told = await conflict(stage)
    answer = await decide_conflict(stage.pool, stage.tools, told.shipment.shipment_id, KEEP, ANN)
    assert (answer["state"], answer["sync"]) == ("recorded", "pending")
    recorded = (await stage.told())[0]
    assert isinstance(recorded, ShipmentRecorded)
    assert (recorded.decided.choice, recorded.decided.by, recorded.fulfillment) == (
        KEEP,
        ANN,
        FulfillmentStatus.SHIPPED,
    )
    assert "title" not in await alert(stage), "cleared"
    await stage.settle()
    assert stage.shop.shown(order.channel_order_id) == {"l1": 2}
    stage.supplier.take_back("s1")
    await stage.look()
    await stage.settle()
    assert stage.shop.shown(order.channel_order_id) == {}


async def test_one_that_does_not_count_stays_off_the_channel_whatever_its_replacement_does(stage: Stage) -> None:
    order = await replaced(stage)
    told = await conflict(stage)
    await decide_conflict(stage.pool, stage.tools, told.shipment.shipment_id, SHIP, ANN)
    [aside] = await stage.told()
    assert isinstance(aside, ShipmentConflicted)
    assert (aside.decided.choice, aside.reason.code) == (SHIP, "does_not_count")
    assert "ann decided that its replacement ships all the same: the buyer has it" in aside.reason.message
    assert "title" not in await alert(stage)
    await stage.take(submitted(order, fr_of(order, "f-2", source="west")))
    assert not [event for event in await stage.told() if isinstance(event, ShipmentConflicted)], "it is decided"
    await stage.settle()
    assert stage.shop.calls == {}
    await decide_conflict(stage.pool, stage.tools, told.shipment.shipment_id, KEEP, ANN)  # on second thoughts
    await stage.settle()
    assert stage.shop.shown(order.channel_order_id) == {"l1": 2}


async def test_deciding_again_and_hearing_old_news_change_nothing(stage: Stage) -> None:
    order = await replaced(stage)
    told = await conflict(stage)
    for choice in (SHIP, SHIP, KEEP, KEEP):
        await decide_conflict(stage.pool, stage.tools, told.shipment.shipment_id, choice, ANN)
    assert [type(one).__name__ for one in await stage.told()] == [
        "ShipmentConflicted", "ShipmentRecorded", "OrderShipped",
    ]  # fmt: skip
    old = [submitted(order), progress(FrVoided, "f-o1", FrState.VOIDED, 3), asked_back()]
    await stage.take(*old, *old)
    await stage.look()
    assert [type(one).__name__ for one in await stage.told()] == ["FrWatched"]


@pytest_asyncio.fixture
async def http(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    from fastapi import APIRouter

    from shipment_poller.by_hand_routes import by_hand_routes

    app, router = FastAPI(), APIRouter(prefix="/internal")
    by_hand_routes(router, stage.pool, stage.tools, lambda: None)
    app.include_router(router)
    answer_refusals(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://poller") as client:
        yield client


async def test_what_cannot_be_decided_says_why(stage: Stage, http: httpx.AsyncClient) -> None:
    order = await voided(stage)
    told = await conflict(stage)
    shipment = told.shipment.shipment_id

    async def decide(which: str, choice: str) -> tuple[int, str]:
        answer = await http.post(f"/internal/shipments/{which}/decide", json={**ANN.model_dump(), "choice": choice})
        return answer.status_code, str(answer.json())

    assert (await decide("nobody", "keep_stopped"))[0] == 404
    assert (await decide(shipment, "maybe"))[0] == 422
    canceled = order.model_copy(update={"sequence": 2, "version": 2, "state": OrderState.CANCELED})
    await stage.take(OrderCanceled(at=AT, sequence=2, order=canceled, reason="buyer"))
    status, words = await decide(shipment, "ship_replacement")
    assert (status, "order_canceled" in words) == (409, True)
    assert (await decide(shipment, "keep_stopped"))[0] == 200
    status, words = await decide(shipment, "ship_replacement")
    assert (status, "ann decided that this parcel counts" in words) == (409, True)
    stage.supplier.take_back("s1")
    await stage.look()
    row = await stage.column("select state from shipments")
    assert row == ["withdrawn"]
    await stage.pool.execute("update shipments set decided = null")
    status, words = await decide(shipment, "keep_stopped")
    assert (status, "is withdrawn, not in conflict" in words) == (409, True)
