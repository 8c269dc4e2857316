"""Fulfillment by hand: for any order whatever its source, once for each key, refused with the reason (SP-6)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from poller_harness import AT, Stage, channel_of, fr_of, line_of, order_of, source_of, submitted

from shipment_poller.by_hand import NotPossible
from shipment_poller.record_by_hand import Entry, record_by_hand, withdraw_by_hand
from waybill_common.refusals import Refused
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.fulfillment_submitted import FrFailed, FrProcessing, FrState, Outcome, Reason
from waybill_contracts.orders_imported import OrderImported
from waybill_contracts.shipment_synced import ShipmentRecorded
from waybill_contracts.values import ByHand, Hold, HoldReason, Order, OrderState, RequestLine

ANN = ByHand(actor="ann", reason="picked up at the desk")


def entry(key: str = "k1", lines: dict[str, int] | None = None, **given: Any) -> Entry:
    values: dict[str, Any] = {
        "key": key, "lines": lines or {}, "fr_id": None, "courier": "ups", "tracking_numbers": ("1Z1",),
        "tracking_url": None, "shipped_at": None, "who": ANN,
    }  # fmt: skip
    return Entry(**values | given)


async def _enter(stage: Stage, given: Entry, order_id: str = "o1") -> dict[str, Any]:
    return await record_by_hand(stage.pool, stage.tools, order_id, given)


async def _refusal(stage: Stage, given: Entry, order_id: str = "o1") -> NotPossible:
    with pytest.raises(NotPossible) as refused:
        await _enter(stage, given, order_id)
    return refused.value


async def _submitted(stage: Stage, order: Order | None = None, *frs: Any) -> Order:
    order = order or order_of()
    stage.shop.wanted[order.channel_order_id] = {line.line_id: line.wanted for line in order.lines}
    await stage.take(*[submitted(order, fr) for fr in frs or [fr_of(order)]])
    await stage.told()
    return order


async def test_sp_6_what_a_person_enters_is_recorded_with_their_name_and_goes_to_the_channel(stage: Stage) -> None:
    await _submitted(stage)
    answer = await _enter(stage, entry())
    assert (answer["state"], answer["source"], answer["carrier"]) == ("recorded", "east", "ups")
    recorded = (await stage.told())[0]
    assert isinstance(recorded, ShipmentRecorded)
    assert recorded.shipment.by_hand == ANN
    await stage.settle()
    [standing] = stage.shop.standing("c-o1")
    assert (standing.carrier, standing.tracking_numbers, dict(standing.lines)) == ("UPS", ("1Z1",), {"l1": 2})
    assert await stage.column("select fulfillment from orders") == ["shipped"]


async def test_sp_6_the_same_key_gives_the_same_shipment_also_at_the_same_moment(stage: Stage) -> None:
    await _submitted(stage)
    answers = await asyncio.gather(*(_enter(stage, entry(lines={"l1": 1})) for _ in range(5)))
    assert len({answer["shipment_id"] for answer in answers}) == 1
    other = await _refusal(stage, entry(lines={"l1": 2}))
    assert (other.status, other.code) == (422, "key_used_before")
    assert (await _enter(stage, entry("k2", {"l1": 1})))["shipment_id"] != answers[0]["shipment_id"]
    assert (await _refusal(stage, entry("k3", {"l1": 1}))).code == "no_live_fr"
    assert await stage.column("select count(*) from shipments") == [2]


@pytest.mark.parametrize(
    ("state", "code", "says"),
    [
        (OrderState.CANCELED, "order_canceled", "is canceled"),
        (OrderState.HELD, "order_held", "fraud_risk: ask the buyer"),
    ],
)
async def test_sp_6_held_or_canceled_orders_are_refused_with_the_reason(
    stage: Stage, state: OrderState, code: str, says: str
) -> None:
    holds = (Hold(reason=HoldReason.FRAUD_RISK, fix="ask the buyer"),) if state is OrderState.HELD else ()
    await _submitted(stage, order_of(state=state, holds=holds))
    refused = await _refusal(stage, entry())
    assert (refused.status, refused.code) == (409, code)
    assert says in str(refused)


async def test_sp_6_without_an_fr_it_says_which_manual_source_could_have_one(stage: Stage) -> None:
    await stage.take(source_of(1, id="desk", platform="manual", url=None))
    await stage.take(OrderImported(at=AT, sequence=1, order=order_of(), via="pull"))
    refused = await _refusal(stage, entry())
    assert (refused.code, refused.more) == ("no_live_fr", {"manual_sources": ["desk"]})
    assert (await _refusal(stage, entry(), "nobody")).code == "order_unknown"


def _told(kind: Any, fr: Any, state: FrState, sequence: int = 2, **more: Any) -> Any:
    outcome = {"outcome": Outcome.NONE, "order_version": 1, "router_sequence": 1}
    return kind(
        at=AT, sequence=sequence, fr_id=fr.fr_id, order_id=fr.order_id, source=fr.source, number=fr.number, state=state,
        **outcome, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "state", "code"),
    [
        ("desk", FrState.PROCESSING, "mark_first"),
        ("east", FrState.PROCESSING, "fr_is_being_sent"),
        ("east", FrState.FAILED, "mark_first"),
        ("east", FrState.UNPROCESSED, "mark_first"),
    ],
)
async def test_sp_6_an_fr_that_was_not_sent_is_marked_first_and_one_under_way_is_never_taken(
    stage: Stage, source: str, state: FrState, code: str
) -> None:
    await stage.take(source_of(1, id="desk", platform="manual", url=None))
    order = order_of()
    fr = fr_of(order, source=source)
    await stage.take(FrCreated(at=AT, sequence=1, fr_id=fr.fr_id, order_id="o1", order_version=1, fr=fr, order=order))
    if state is FrState.PROCESSING:
        await stage.take(_told(FrProcessing, fr, state))
    elif state is FrState.FAILED:
        await stage.take(_told(FrFailed, fr, state, reason=Reason(code="refused", message="no")))
    refused = await _refusal(stage, entry())
    assert refused.code == code
    if code == "mark_first":
        assert refused.more == {"fr_id": fr.fr_id}
        await stage.take(submitted(order, fr, sequence=3))
        assert (await _enter(stage, entry()))["source"] == source


async def test_sp_6_a_shipment_belongs_to_one_fr_and_says_so_where_several_could_be_meant(stage: Stage) -> None:
    order = order_of(lines=[line_of("l1", 2), line_of("l2", 1)])
    one = RequestLine(line_id="l1", sku="SKU-1", source_sku="E", quantity=2)
    two = RequestLine(line_id="l2", sku="SKU-1", source_sku="E", quantity=1)
    await _submitted(stage, order, fr_of(order, "fa", [one]), fr_of(order, "fb", [two]))
    several = await _refusal(stage, entry())
    assert several.code == "several_frs"
    assert "E-fa at east: l1: 2 × SKU-1; E-fb at east: l2: 1 × SKU-1" in str(several)
    across = await _refusal(stage, entry(lines={"l1": 2, "l2": 1}))
    assert across.code == "not_one_fr"
    assert (await _refusal(stage, entry(lines={"l9": 1}))).code == "line_unknown"
    assert (await _refusal(stage, entry(fr_id="E-fx"))).code == "fr_unknown"
    assert (await _enter(stage, entry("k1", fr_id="E-fa")))["fr_id"] == "fa"
    assert (await _enter(stage, entry("k2", {"l2": 1})))["fr_id"] == "fb"
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 2, "l2": 1}


async def test_sp_6_a_kit_is_entered_by_the_piece(stage: Stage) -> None:
    order = order_of(lines=[line_of("l1", 2, {"A": 1, "B": 2})])
    await _submitted(stage, order)
    answer = await _enter(stage, entry(lines={"l1": 1}))
    assert sorted((one["sku"], one["quantity"]) for one in answer["lines"]) == [("A", 1), ("B", 2)]
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 1}


async def test_sp_3_what_breaks_a_rule_leaves_nothing_behind_because_a_person_can_mend_it(stage: Stage) -> None:
    await _submitted(stage)
    two = await _refusal(stage, entry(tracking_numbers=("A", "B")))
    assert two.code == "too_many_tracking_numbers"
    assert "split it" in two.remedy
    assert (await _refusal(stage, entry(tracking_url="ftp://x"))).code == "tracking_url_invalid"
    assert await stage.column("select count(*) from shipments") == [0]
    assert (await _enter(stage, entry()))["state"] == "recorded"  # the key was not used up


async def test_sp_6_two_boxes_of_one_product_are_two_shipments(stage: Stage) -> None:
    await _submitted(stage)
    for number in ("A", "B"):
        await _enter(stage, entry(number, {"l1": 1}, tracking_numbers=(number,)))
    await stage.settle()
    assert sorted(one.tracking_numbers for one in stage.shop.standing("c-o1")) == [("A",), ("B",)]


async def test_sp_6_a_courier_without_a_name_at_the_channel_waits_for_one(stage: Stage) -> None:
    await _submitted(stage)
    await _enter(stage, entry(courier="bike"))
    await stage.settle()
    assert await stage.column("select reason ->> 'code' from syncs") == ["COURIER_NOT_MAPPED"]
    await stage.take(channel_of(2, couriers={"map": {"bike": "Bike Courier"}, "unmapped": "hold"}))
    await stage.settle()
    assert stage.shop.standing("c-o1")[0].carrier == "Bike Courier"


async def test_sp_5_what_was_entered_by_hand_is_taken_back_by_hand_and_by_nobody_else(stage: Stage) -> None:
    await _submitted(stage)
    shipment_id = (await _enter(stage, entry()))["shipment_id"]
    await stage.settle()
    back = await withdraw_by_hand(stage.pool, stage.tools, shipment_id, ByHand(actor="bob", reason="wrong box"))
    assert back["state"] == "withdrawn"
    await stage.settle()
    assert stage.shop.standing("c-o1") == []
    assert (await _enter(stage, entry("k2", tracking_numbers=("1Z2",))))["state"] == "recorded"
    stage.supplier.ship("s1", "E-o1", {"l1": 1})
    await stage.look()
    [theirs] = await stage.column("select shipment_id from shipments where source_shipment_id = 's1'")
    with pytest.raises(NotPossible, match="only the source takes it back"):
        await withdraw_by_hand(stage.pool, stage.tools, theirs, ANN)
    with pytest.raises(Refused, match="there is no shipment"):
        await withdraw_by_hand(stage.pool, stage.tools, "none", ANN)
