"""The shop's own state moved meanwhile: it is read again, said what happened, and the part that still holds is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from poller_harness import AT, Stage, later, line_of, order_of, submitted

from waybill_contracts.shipment_synced import ShipmentSynced, ShipmentSyncFailed
from waybill_platforms.model.features import Features


async def _shipped(stage: Stage, lines: dict[str, int], *, numbers: list[str] | None = None) -> None:
    """An order of these lines, all of it shipped by its source, seen and not yet told to the shop."""
    order = order_of("o1", [line_of(line, count) for line, count in lines.items()])
    stage.shop.wanted["c-o1"] = dict(lines)
    await stage.take(submitted(order))
    stage.supplier.ship("s1", "E-o1", lines, numbers or ["1Z1"])
    await stage.look()
    await stage.told()


async def _end(stage: Stage) -> ShipmentSynced | ShipmentSyncFailed:
    await stage.settle()
    end = (await stage.told())[-1]
    assert isinstance(end, ShipmentSynced | ShipmentSyncFailed)
    return end


async def test_sp_9_a_line_that_was_refunded_there_is_left_out_and_said(stage: Stage) -> None:
    await _shipped(stage, {"l1": 2, "l2": 1})
    stage.shop.wanted["c-o1"]["l1"] = 1
    end = await _end(stage)
    assert isinstance(end, ShipmentSyncFailed)
    assert stage.shop.shown("c-o1") == {"l1": 1, "l2": 1}
    assert end.reason.code == "not_fulfillable"
    assert "line l1: 1 to fulfill, but 0 open" in end.reason.message
    assert "ful-1" in end.reason.message
    stage.shop.wanted["c-o1"]["l1"] = 2  # the refund was a mistake and is taken back
    await stage.resync()
    assert isinstance(await _end(stage), ShipmentSynced)
    assert stage.shop.shown("c-o1") == {"l1": 2, "l2": 1}


async def test_sp_9_a_hold_that_is_over_at_the_second_look_costs_nothing(stage: Stage) -> None:
    await _shipped(stage, {"l1": 2})
    stage.shop.wanted["c-o1"]["l1"] = 0
    await stage.tries()
    assert stage.shop.calls["create"] == 0
    stage.shop.wanted["c-o1"]["l1"] = 2
    end = await _end(stage)
    assert isinstance(end, ShipmentSynced)
    assert len(stage.shop.standing("c-o1")) == 1


async def test_sp_11_what_somebody_fulfilled_by_hand_without_a_number_takes_ours(stage: Stage) -> None:
    await _shipped(stage, {"l1": 2})
    stage.shop.by_hand("c-o1", {"l1": 2}, carrier="")
    end = await _end(stage)
    assert isinstance(end, ShipmentSynced)
    assert end.adopted
    [standing] = stage.shop.standing("c-o1")
    assert (standing.carrier, standing.tracking_numbers) == ("UPS", ("1Z1",))
    assert stage.shop.calls["create"] == 0


async def test_what_somebody_fulfilled_by_hand_with_another_number_is_left_alone_and_said(stage: Stage) -> None:
    await _shipped(stage, {"l1": 2})
    stage.shop.by_hand("c-o1", {"l1": 2}, numbers=("other",))
    end = await _end(stage)
    assert isinstance(end, ShipmentSyncFailed)
    assert end.reason.code == "not_fulfillable"
    assert [one.tracking_numbers for one in stage.shop.standing("c-o1")] == [("other",)]


async def test_an_order_canceled_there_is_said_and_nothing_of_it_is_made(stage: Stage) -> None:
    await _shipped(stage, {"l1": 2, "l2": 1})
    stage.shop.canceled.add("c-o1")
    end = await _end(stage)
    assert isinstance(end, ShipmentSyncFailed)
    assert end.reason.code == "order_canceled_at_channel"
    assert stage.shop.calls["create"] == 0


async def test_a_fulfillment_order_that_moved_between_read_and_create_is_read_again_and_made_there(
    stage: Stage,
) -> None:
    await _shipped(stage, {"l1": 2})
    real = stage.shop.create

    async def moves_first(call):
        stage.shop.create = real  # type: ignore[method-assign]
        stage.shop.where = {"l1": "another location"}
        return await real(call)

    stage.shop.create = moves_first  # type: ignore[method-assign]
    end = await _end(stage)
    assert isinstance(end, ShipmentSynced)
    assert stage.shop.calls["create"] == 2
    assert stage.shop.shown("c-o1") == {"l1": 2}
    assert len(stage.shop.standing("c-o1")) == 1


async def test_a_fulfillment_order_that_was_split_is_made_as_two_fulfillments_of_one_shipment(stage: Stage) -> None:
    await _shipped(stage, {"l1": 1, "l2": 1})
    stage.shop.where = {"l1": "north", "l2": "south"}
    end = await _end(stage)
    assert isinstance(end, ShipmentSynced)
    assert len(end.fulfillment_ids) == 2
    assert {one.tracking_numbers for one in stage.shop.standing("c-o1")} == {("1Z1",)}


@pytest.mark.parametrize("change", ["withdrawn", "another number"])
async def test_sp_5_a_channel_that_can_neither_change_nor_cancel_makes_it_a_persons_task(
    stage: Stage, change: str
) -> None:
    stage.shop.features = Features(call_timeout=0.05)  # as Magento's shipments
    await _shipped(stage, {"l1": 2})
    assert isinstance(await _end(stage), ShipmentSynced)
    if change == "withdrawn":
        stage.supplier.take_back("s1")
    else:
        stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z2"])
    await stage.look()
    end = await _end(stage)
    assert isinstance(end, ShipmentSyncFailed)
    assert end.reason.code == "correct_by_hand"
    assert ("nothing of it" if change == "withdrawn" else "1Z2") in end.reason.message
    assert len(stage.shop.standing("c-o1")) == 1
    # a person corrects it there
    if change == "withdrawn":
        stage.shop._replace("ful-1", status="canceled")
    else:
        stage.shop._replace("ful-1", tracking_numbers=("1Z2",))
    await stage.resync()
    await stage.settle()
    assert await stage.column("select state from syncs") == ["not_needed" if change == "withdrawn" else "synced"]


async def test_sp_5_never_both_and_neither_only_while_the_schedule_tries(stage: Stage) -> None:
    """The second half of a correction fails for good: the order shows it, and a resync heals it."""
    stage.shop.features = Features(cancels_fulfillments=True, call_timeout=0.05)
    await _shipped(stage, {"l1": 2})
    await _end(stage)
    stage.supplier.take_back("s1")
    stage.supplier.ship("s2", "E-o1", {"l1": 2}, ["1Z2"])
    stage.shop.faults = [("create", later()) for _ in range(4)]
    await stage.look()
    seen = 0
    for _ in range(8):
        await stage.pool.execute("update syncs set due_at = now() where due_at is not null")
        await stage.pool.execute("update push_turns set due_at = now() where due_at is not null")
        await stage.tries()
        seen = max(seen, len(stage.shop.standing("c-o1")))
    assert seen == 0
    assert await stage.column("select sync from orders") == ["failed"]
    await stage.resync()
    assert isinstance(await _end(stage), ShipmentSynced)
    [standing] = stage.shop.standing("c-o1")
    assert standing.tracking_numbers == ("1Z2",)


async def test_sp_10_a_day_of_shipping_that_the_channel_drops_is_noticed_and_said(stage: Stage) -> None:
    stage.shop.takes_ship_date = True
    stage.shop.rewrites = lambda record: replace(record, shipped_at=None)
    await _shipped(stage, {"l1": 2})
    end = await _end(stage)
    assert isinstance(end, ShipmentSynced)
    assert end.notes == ("day of shipping: sent 2026-11-22, the channel shows none",)


async def test_sp_10_a_channel_that_keeps_all_has_nothing_noted(stage: Stage) -> None:
    stage.shop.takes_ship_date = True
    await _shipped(stage, {"l1": 2})
    end = await _end(stage)
    assert isinstance(end, ShipmentSynced)
    assert end.notes == ()
    assert stage.shop.standing("c-o1")[0].shipped_at is not None


async def test_sp_5_a_corrected_day_is_told_in_place_and_read_back(stage: Stage) -> None:
    stage.shop.takes_ship_date = True
    await _shipped(stage, {"l1": 2})
    await _end(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z1"], shipped_at=AT - timedelta(days=1))
    await stage.look()
    end = await _end(stage)
    assert isinstance(end, ShipmentSynced)
    assert end.notes == ()
    [standing] = stage.shop.standing("c-o1")
    assert standing.shipped_at is not None
    assert (standing.shipped_at.date().isoformat(), stage.shop.calls["create"]) == ("2026-11-21", 1)
