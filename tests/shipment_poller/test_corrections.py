"""What changes after it was told: withdrawn, replaced, other details, other hands at the shop (SP-5, SP-10)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from poller_harness import Stage, later, order_of, source_of, submitted

from waybill_contracts.shipment_synced import ShipmentFact, ShipmentRecorded, ShipmentSynced, ShipmentWithdrawn
from waybill_contracts.values import FulfillmentStatus
from waybill_platforms.model.features import Features


async def _synced(stage: Stage, pieces: int = 2) -> None:
    order = order_of()
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(submitted(order))
    stage.supplier.ship("s1", "E-o1", {"l1": pieces}, ["1Z1"])
    await stage.look()
    await stage.settle()
    await stage.told()


async def test_sp_5_withdrawn_and_made_anew_is_canceled_there_and_created_anew(stage: Stage) -> None:
    await _synced(stage)
    stage.supplier.take_back("s1")
    stage.supplier.ship("s2", "E-o1", {"l1": 2}, ["1Z2"])
    await stage.look()
    await stage.settle()
    [standing] = stage.shop.standing("c-o1")
    assert standing.tracking_numbers == ("1Z2",)
    assert [record.status for record in stage.shop.made["c-o1"]] == ["canceled", "success"]


async def test_sp_5_withdrawn_without_a_replacement_goes_back_to_unfulfilled_and_to_the_poll(stage: Stage) -> None:
    await _synced(stage)
    stage.supplier.take_back("s1")
    await stage.look()
    [withdrawn] = await stage.told()
    assert isinstance(withdrawn, ShipmentWithdrawn)
    assert withdrawn.fulfillment is FulfillmentStatus.UNFULFILLED
    assert await stage.column("select shipped_at from watches") == [None]
    await stage.settle()
    assert stage.shop.standing("c-o1") == []
    assert await stage.column("select sync from orders") == ["not_needed"]


async def test_sp_5_changed_tracking_under_the_same_id_is_updated_in_place(stage: Stage) -> None:
    await _synced(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z9"])
    await stage.look()
    await stage.settle()
    assert stage.shop.calls["update"] == 1
    assert stage.shop.calls["create"] == 1
    assert stage.shop.standing("c-o1")[0].tracking_numbers == ("1Z9",)
    assert [type(one).__name__ for one in await stage.told()] == ["ShipmentRecorded", "ShipmentSynced"]


async def test_where_the_channel_cannot_update_it_is_withdrawn_and_created(stage: Stage) -> None:
    stage.shop.features = Features(cancels_fulfillments=True, call_timeout=0.05)
    await _synced(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z9"])
    await stage.look()
    await stage.settle()
    assert [record.status for record in stage.shop.made["c-o1"]] == ["canceled", "success"]
    assert stage.shop.standing("c-o1")[0].tracking_numbers == ("1Z9",)


async def test_a_correction_whose_second_half_fails_heals_and_is_never_both(stage: Stage) -> None:
    await _synced(stage)
    stage.supplier.take_back("s1")
    stage.supplier.ship("s2", "E-o1", {"l1": 2}, ["1Z2"])
    await stage.look()
    stage.shop.faults = [("cancel", later("unknown")), ("create", later())]
    await stage.settle()
    assert [record.tracking_numbers for record in stage.shop.standing("c-o1")] == [("1Z2",)]


async def test_changed_quantities_under_the_same_id_end_as_said(stage: Stage) -> None:
    await _synced(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 1}, ["1Z1"])
    await stage.look()
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 1}
    assert await stage.column("select fulfillment from orders") == ["partial"]


async def test_an_older_word_that_comes_late_changes_nothing(stage: Stage) -> None:
    await _synced(stage)
    old = stage.supplier.shipments["s1"]
    stage.supplier.take_back("s1")
    await stage.look()
    stage.supplier.shipments["s1"] = old
    await stage.look()
    await stage.settle()
    assert await stage.column("select state from shipments") == ["withdrawn"]
    assert stage.shop.standing("c-o1") == []


async def test_a_fulfillment_that_somebody_made_by_hand_is_adopted(stage: Stage) -> None:
    order = order_of()
    stage.shop.wanted["c-o1"] = {"l1": 2}
    stage.shop.by_hand("c-o1", {"l1": 2}, "UPS", ("1Z1",), "https://track.example/1")
    await stage.take(submitted(order))
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z1"])
    await stage.look()
    await stage.settle()
    [synced] = [one for one in await stage.told() if isinstance(one, ShipmentSynced)]
    assert synced.adopted
    assert stage.shop.calls["create"] == 0


async def test_sp_10_a_channel_that_rewrites_is_noticed_and_said(stage: Stage) -> None:
    stage.shop.rewrites = lambda record: replace(record, tracking_urls=("https://shop.example/t",), carrier="Other")
    order = order_of()
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(submitted(order))
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z1"])
    await stage.look()
    await stage.settle()
    [synced] = [one for one in await stage.told() if isinstance(one, ShipmentSynced)]
    assert synced.notes == (
        "carrier: sent 'UPS', the channel shows 'Other'",
        "tracking URL: sent https://track.example/1, the channel shows https://shop.example/t",
    )
    assert stage.shop.calls["create"] == 1


@pytest.mark.parametrize(
    ("status", "pieces", "note"),
    [
        ("fulfilled", 2, None),
        ("partial", 2, "order status: nothing is left to fulfill, the channel shows the order as partial"),
        ("unfulfilled", 1, "order status: 1 fulfillments stand, the channel shows the order as unfulfilled"),
        ("partial", 1, None),
        ("unknown", 2, None),
    ],
)
async def test_sp_10_an_order_status_there_that_does_not_follow_is_said(
    stage: Stage, status: str, pieces: int, note: str | None
) -> None:
    stage.shop.status = status
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(submitted(order_of()))
    stage.supplier.ship("s1", "E-o1", {"l1": pieces}, ["1Z1"])
    await stage.look()
    await stage.settle()
    synced = (await stage.told())[-1]
    assert isinstance(synced, ShipmentSynced)
    assert synced.notes == (() if note is None else (note,))


async def test_an_order_that_the_shop_canceled_meanwhile_says_so(stage: Stage) -> None:
    order = order_of()
    stage.shop.wanted["c-o1"] = {"l1": 2}
    stage.shop.canceled.add("c-o1")
    await stage.take(submitted(order))
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z1"])
    await stage.look()
    await stage.settle()
    failure = (await stage.told())[-1]
    assert failure.reason.code == "order_canceled_at_channel"


async def test_a_platform_that_cannot_list_by_change_is_asked_for_open_requests_and_50_swept(stage: Stage) -> None:
    stage.supplier.features = Features(lists_changed_shipments=False, call_timeout=0.05)
    await _synced(stage)
    open_order = order_of("o2")
    await stage.take(submitted(open_order))
    stage.supplier.asked.clear()
    await stage.look()
    await stage.pool.execute("update watches set shipped_at = now() - interval '31 minutes' where shipped_at <= now()")
    await stage.look()
    await stage.look()
    asked = [sorted(references) for _, references in stage.supplier.asked]
    assert asked == [["E-o2"], ["E-o1", "E-o2"], ["E-o2"]]  # the shipped one again in half an hour


FORGETFUL = Features(updates_tracking=True, cancels_fulfillments=True, forgets_canceled=True, call_timeout=0.05)


async def test_sp_5_a_shop_that_forgets_what_is_canceled_is_believed_when_the_answer_was_lost(stage: Stage) -> None:
    stage.shop.features = FORGETFUL
    await _synced(stage)
    stage.supplier.take_back("s1")
    await stage.look()
    stage.shop.faults = [("cancel", later("unknown"))]
    await stage.settle()
    assert stage.shop.standing("c-o1") == []
    assert stage.shop.calls["cancel"] == 1
    assert await stage.column("select sync from orders") == ["not_needed"]


async def test_a_replacement_follows_though_the_answer_to_the_withdrawal_was_lost(stage: Stage) -> None:
    stage.shop.features = FORGETFUL
    await _synced(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 1}, ["1Z1"])
    await stage.look()
    stage.shop.faults = [("cancel", later("unknown"))]
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 1}
    assert stage.shop.calls["cancel"] == 1


async def test_what_vanishes_from_a_forgetful_shop_without_us_is_said_and_not_made_anew(stage: Stage) -> None:
    stage.shop.features = FORGETFUL
    await _synced(stage)
    stage.shop.made["c-o1"].clear()
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z9"])
    await stage.look()
    await stage.settle()
    assert stage.shop.calls["create"] == 1
    assert await stage.column("select sync from orders") == ["failed"]


async def test_sp_5_a_source_that_forgets_what_it_deleted_is_asked_for_all_and_missed(stage: Stage) -> None:
    stage.supplier.features = Features(lists_changed_shipments=False, call_timeout=0.05)
    stage.supplier.forgets = True
    order = order_of()
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(submitted(order))
    stage.supplier.ship("77/1", "E-o1", {"l1": 1}, ["1Z1"], platform_id="77")
    await stage.look()
    await stage.settle()
    del stage.supplier.shipments["77/1"]
    stage.supplier.ship("77/2", "E-o1", {"l1": 2}, ["1Z2"], platform_id="77")
    await stage.look()
    await stage.settle()
    [standing] = stage.shop.standing("c-o1")
    assert (standing.tracking_numbers, dict(standing.lines)) == (("1Z2",), {"l1": 2})
    assert sorted(await stage.column("select state from shipments")) == ["recorded", "withdrawn"]


async def test_what_such_a_source_would_not_show_is_not_missed(stage: Stage) -> None:
    stage.supplier.features = Features(lists_changed_shipments=False, call_timeout=0.05)
    stage.supplier.forgets = True
    await _synced(stage, 1)
    del stage.supplier.shipments["s1"]  # posted under another id than those of its list
    await stage.look()
    assert await stage.column("select state from shipments") == ["recorded"]


async def test_sp_5_the_sweep_takes_50_at_most_those_first_that_wait_longest_for_their_age(stage: Stage) -> None:
    stage.supplier.features = Features(lists_changed_shipments=False, call_timeout=0.05)
    await stage.pool.execute(
        "insert into watches (fr_id, order_id, source, number, state, push_sequence, shipped_at, swept_at) "
        "select 'f' || n, 'o' || n, 'east', 'E-' || n, 'PROCESSED', 1, now() - age, now() - swept from (values "
        "(1, interval '2 hours', interval '29 minutes'), (2, interval '2 hours', interval '31 minutes'), "
        "(3, interval '3 days', interval '2 hours'), (4, interval '3 days', interval '4 hours'), "
        "(5, interval '20 days', interval '11 hours'), (6, interval '20 days', interval '30 hours'), "
        "(7, interval '31 days', interval '9 days')) as given (n, age, swept)"
    )
    await stage.look()
    assert stage.supplier.asked[-1][1] == ("E-6", "E-4", "E-2")  # 2.5, 1.33 and 1.03 times their period ago
    await stage.pool.execute(
        "update watches set swept_at = now() - interval '2 days', shipped_at = now() - interval '3 days'"
    )
    await stage.pool.execute(
        "insert into watches (fr_id, order_id, source, number, state, push_sequence, shipped_at) "
        "select 'g' || n, 'p' || n, 'east', 'G-' || n, 'PROCESSED', 1, now() - interval '40 minutes' "
        "from generate_series(1, 60) n"
    )
    asked: list[str] = []
    for _ in range(2):
        await stage.look()
        assert len(stage.supplier.asked[-1][1]) <= 50
        asked += stage.supplier.asked[-1][1]
    assert len(set(asked)) == 67


async def test_a_lost_race_between_an_early_shipment_and_its_fr_is_won_by_both(stage: Stage) -> None:
    import asyncio

    for number in range(30):
        order = order_of(f"r{number}")
        stage.shop.wanted[order.channel_order_id] = {"l1": 2}
        stage.supplier.ship(f"r{number}", f"E-r{number}", {"l1": 2}, [f"R{number}"])
        await stage.pool.execute("insert into source_turns (source) values ('east') on conflict do nothing")
        asked = len(stage.supplier.asked)
        await asyncio.gather(stage.look(), stage.take(submitted(order)))
        if len(stage.supplier.asked) == asked:  # the turn's row was locked: it comes a moment later
            await stage.look()
        del stage.supplier.shipments[f"r{number}"]  # no second list heals a lost word
    assert await stage.column("select count(*) from shipments") == [30]
    assert await stage.column("select count(*) from early_shipments") == [0]


async def test_sp_5_the_event_of_a_correction_says_what_was_corrected(stage: Stage) -> None:
    await _synced(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z9"], tracking_url="https://track.example/9")
    await stage.look()
    stage.supplier.take_back("s1")
    await stage.look()
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z9"], tracking_url="https://track.example/9")
    await stage.look()
    stage.supplier.ship("s1", "E-o1", {"l1": 1}, ["1Z9"], tracking_url="https://track.example/9")
    await stage.look()
    told = [one for one in await stage.told() if isinstance(one, ShipmentFact)]
    corrected = [getattr(one, "corrected", type(one).__name__) for one in told]
    assert corrected == [("tracking_numbers", "tracking_url"), "ShipmentWithdrawn", ("reinstated",), ("lines",)]


async def test_sp_5_a_label_that_comes_and_a_courier_that_is_mapped_correct_nothing(stage: Stage) -> None:
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(submitted(order_of()))
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, [], carrier="Snail")
    await stage.look()
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z1"], carrier="Snail")
    await stage.look()
    await stage.take(source_of(2, couriers={"map": {"Snail": "snail"}, "unmapped": "hold"}))
    told = [one for one in await stage.told() if isinstance(one, ShipmentRecorded)]
    assert [one.corrected for one in told] == [()] * len(told)
    assert told[-1].shipment.carrier == "snail"
