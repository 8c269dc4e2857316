"""From a source's word to what the channel shows: the ordinary way, and what may come twice or late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from poller_harness import AT, Stage, channel_of, fr_of, later, line_of, order_of, refused, source_of, submitted

from waybill_contracts.envelope import event_id
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.fulfillment_submitted import FrState, FrVoided, Outcome
from waybill_contracts.orders_imported import OrderChanged
from waybill_contracts.shipment_synced import (
    FrWatched,
    OrderShipped,
    ShipmentRefused,
    ShipmentSynced,
    ShipmentSyncFailed,
)
from waybill_contracts.values import FulfillmentStatus, RequestLine, SyncStatus


async def _submit(stage: Stage, order=None, **given):
    order = order or order_of()
    stage.shop.wanted[order.channel_order_id] = {line.line_id: line.wanted for line in order.lines if not line.service}
    await stage.take(submitted(order, **given))
    return order


async def test_a_submitted_fr_is_watched_and_each_duplicate_is_answered_again(stage: Stage) -> None:
    event = submitted(order_of())
    await stage.take(event, event)
    await stage.take(event)
    found = await stage.told()
    assert [type(one) for one in found] == [FrWatched, FrWatched]
    assert {one.push_sequence for one in found} == {2}
    assert await stage.column("select state from watches") == ["PROCESSED"]


async def test_a_duplicate_that_comes_after_newer_progress_gets_the_receipt_it_had(stage: Stage) -> None:
    """Another id would tell the watching twice in the time line, and differently after a rebuild."""
    event = submitted(order_of())
    await stage.take(event)
    await stage.take(submitted(order_of(), sequence=event.sequence + 1))
    await stage.take(event)
    receipts = [one for one in await stage.told() if isinstance(one, FrWatched)]
    assert [one.push_sequence for one in receipts] == [event.sequence, event.sequence + 1, event.sequence]
    assert event_id("shipment-poller", receipts[0]) == event_id("shipment-poller", receipts[2])


async def test_sp_2_sp_10_a_shipment_ends_synced_with_the_order_shipped(stage: Stage) -> None:
    order = await _submit(stage)
    await stage.told()
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    assert await stage.names() == ["ShipmentRecorded", "OrderShipped"]
    await stage.tries()
    [synced] = await stage.told()
    assert isinstance(synced, ShipmentSynced)
    assert (synced.fulfillment, synced.sync, synced.attempts) == (FulfillmentStatus.SHIPPED, SyncStatus.SYNCED, 1)
    assert (synced.shipment.carrier, synced.shipment.source_carrier) == ("ups", "UPS Ground")
    [record] = stage.shop.standing(order.channel_order_id)
    assert (record.carrier, record.tracking_numbers, record.tracking_urls) == (
        "UPS",
        ("1Z1",),
        ("https://track.example/1",),
    )
    assert dict(record.lines) == {"l1": 2}
    assert stage.shop.calls == {"read": 2, "create": 1}


async def test_seen_twice_and_polled_again_it_is_told_and_pushed_once(stage: Stage) -> None:
    order = await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    await stage.look()
    await stage.settle()
    await stage.look()
    await stage.settle()
    assert (await stage.names()).count("ShipmentRecorded") == 1
    assert stage.shop.calls["create"] == 1
    assert len(stage.shop.standing(order.channel_order_id)) == 1


async def test_sp_4_a_part_shipped_leaves_the_order_partial_and_polled_until_the_rest_comes(stage: Stage) -> None:
    await _submit(stage)
    await stage.told()
    stage.supplier.ship("s1", "E-o1", {"l1": 1}, ["A"])
    await stage.look()
    await stage.settle()
    found = await stage.told()
    assert [one.fulfillment for one in found] == [FulfillmentStatus.PARTIAL] * 2
    assert await stage.column("select shipped_at from watches") == [None]
    stage.supplier.ship("s2", "E-o1", {"l1": 1}, ["B"])
    await stage.look()
    await stage.settle()
    found = await stage.told()
    assert sum(isinstance(one, OrderShipped) for one in found) == 1
    assert stage.shop.shown("c-o1") == {"l1": 2}
    assert (await stage.column("select shipped_at from watches"))[0] is not None


async def test_repeated_skus_are_told_apart_by_line(stage: Stage) -> None:
    order = order_of(lines=[line_of("l1", 1), line_of("l2", 2)])
    await _submit(stage, order)
    stage.supplier.ship("s1", "E-o1", {"l2": 2}, ["A"])
    await stage.look()
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l2": 2}


async def test_in_9_a_kit_is_fulfilled_as_whole_pieces_when_all_components_have_left(stage: Stage) -> None:
    order = order_of(lines=[line_of("l1", 2, {"A": 1, "B": 2})])
    await _submit(stage, order)
    await stage.told()
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["A"])  # the kit's first component: reference l1
    await stage.look()
    await stage.settle()
    assert stage.shop.calls["create"] == 0
    assert await stage.names() == ["ShipmentRecorded"]
    stage.supplier.ship("s2", "E-o1", {"l1#2": 3}, ["B"])
    await stage.look()
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 1}
    stage.supplier.ship("s3", "E-o1", {"l1#2": 1}, ["C"])
    await stage.look()
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 2}
    assert await stage.column("select fulfillment from orders") == ["shipped"]


async def test_sp_1_an_early_shipment_is_kept_and_taken_when_its_fr_is_submitted(stage: Stage) -> None:
    order = order_of()
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(
        FrCreated(at=AT, sequence=1, fr_id="f-o1", order_id="o1", order_version=1, fr=fr_of(order), order=order)
    )
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    assert await stage.names() == []
    assert await stage.column("select source_shipment_id from early_shipments") == ["s1"]
    await stage.take(submitted(order))
    assert await stage.names() == ["ShipmentRecorded", "OrderShipped", "FrWatched"]
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 2}
    assert await stage.column("select count(*) from early_shipments") == [0]


async def test_sp_1_an_early_one_that_names_the_sources_own_id_alone_is_kept_and_taken_too(stage: Stage) -> None:
    """Not every platform gives our reference back with the shipment."""
    stage.supplier.ship("s1", "", {"l1": 2}, platform_id="p-f-o1")
    await stage.take(source_of(1))
    await stage.pool.execute("insert into source_turns (source) values ('east') on conflict do nothing")
    await stage.look()
    assert await stage.column("select platform_id from early_shipments") == ["p-f-o1"]
    await _submit(stage)
    assert "ShipmentRecorded" in await stage.names()
    assert await stage.column("select count(*) from early_shipments") == [0]


async def test_a_shipment_for_an_fr_of_unknown_outcome_proves_that_it_was_sent(stage: Stage) -> None:
    await _submit(stage, state=FrState.PROCESSING, outcome=Outcome.UNKNOWN)
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    assert "ShipmentRecorded" in await stage.names()


async def test_a_shipment_for_a_voided_fr_is_a_conflict_for_a_person(stage: Stage) -> None:
    await _submit(stage)
    voided = FrVoided(
        at=AT, sequence=3, fr_id="f-o1", order_id="o1", source="east", number="E-o1", state=FrState.VOIDED,
        order_version=1, router_sequence=2,
    )  # fmt: skip
    await stage.take(voided)
    await stage.told()
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    await stage.settle()
    assert await stage.names() == ["ShipmentConflicted"]
    assert stage.shop.calls == {}
    alerts = await stage.column("select convert_from(value, 'UTF8') from facts where topic = 'alerts.raised'")
    alert = alerts[-1]
    assert "shipment_conflict" in alert
    assert "decide" in alert


async def test_a_void_before_its_submission_is_a_tombstone(stage: Stage) -> None:
    voided = FrVoided(
        at=AT, sequence=3, fr_id="f-o1", order_id="o1", source="east", number="E-o1", state=FrState.VOIDED,
        order_version=1, router_sequence=2,
    )  # fmt: skip
    await stage.take(voided)
    await _submit(stage, sequence=2)
    assert await stage.column("select state from watches") == ["VOIDED"]
    assert [one.push_sequence for one in await stage.told()] == [2]


async def test_sp_3_without_a_tracking_number_it_waits_for_its_label(stage: Stage) -> None:
    await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, [])
    await stage.look()
    await stage.settle()
    assert await stage.column("select state from shipments") == ["waiting_for_label"]
    assert stage.shop.calls == {}
    assert await stage.column("select sync from orders") == ["pending"]
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z9"])
    await stage.look()
    await stage.settle()
    assert stage.shop.standing("c-o1")[0].tracking_numbers == ("1Z9",)


async def test_sp_15_suppressed_tracking_is_neither_asked_for_nor_sent(stage: Stage) -> None:
    await stage.take(source_of(2, suppress_tracking=True))
    await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 1}, [])
    stage.supplier.ship("s2", "E-o1", {"l1": 1}, ["1Z9", "1Z8"])
    await stage.look()
    await stage.settle()
    assert [record.tracking_numbers for record in stage.shop.standing("c-o1")] == [(), ()]
    assert await stage.column("select sync from orders") == ["synced"]


async def test_sp_3_more_than_asked_is_refused_and_taken_once_the_other_is_withdrawn(stage: Stage) -> None:
    await _submit(stage)
    await stage.told()
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["A"])
    stage.supplier.ship("s2", "E-o1", {"l1": 1}, ["B"])
    await stage.look()
    await stage.settle()
    [refusal] = [one for one in await stage.told() if isinstance(one, ShipmentRefused)]
    assert refusal.reason.code == "more_than_asked"
    assert refusal.reason.action
    assert stage.shop.shown("c-o1") == {"l1": 2}
    stage.supplier.take_back("s1")
    await stage.look()
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 1}
    assert await stage.names() == [
        "ShipmentWithdrawn", "ShipmentRecorded", "ShipmentWithdrawn", "ShipmentSynced",
    ]  # fmt: skip


async def test_sp_7_a_missing_courier_stops_before_any_call_and_the_mended_map_sends_all(stage: Stage) -> None:
    for number in range(3):
        await _submit(stage, order_of(f"o{number}"))
        stage.supplier.ship(f"s{number}", f"E-o{number}", {"l1": 2}, carrier="DHL")
    await stage.take(source_of(2, couriers={"map": {}, "unmapped": "pass"}))
    await stage.look()
    await stage.settle()
    failures = [one for one in await stage.told() if isinstance(one, ShipmentSyncFailed)]
    assert [one.reason.code for one in failures] == ["COURIER_NOT_MAPPED"] * 3
    assert "'DHL'" in failures[0].reason.message
    assert "/channels/shop/mappings/couriers" in failures[0].reason.action
    assert stage.shop.calls["create"] == 0
    await stage.take(channel_of(2, couriers={"map": {"DHL": "DHL Express"}, "unmapped": "hold"}))
    await stage.settle()
    assert {stage.shop.standing(f"c-o{n}")[0].carrier for n in range(3)} == {"DHL Express"}
    assert await stage.column("select distinct sync from orders") == ["synced"]


async def test_sp_7_a_courier_unknown_at_the_source_is_mended_there(stage: Stage) -> None:
    await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, carrier="Snail")
    await stage.look()
    await stage.settle()
    [failure] = [one for one in await stage.told() if isinstance(one, ShipmentSyncFailed)]
    assert "sources[east].couriers" in failure.reason.action
    await stage.take(source_of(2, couriers={"map": {"Snail": "ups"}, "unmapped": "hold"}))
    await stage.settle()
    assert stage.shop.standing("c-o1")[0].carrier == "UPS"


async def test_sp_12_one_orders_failure_holds_no_other_up_and_a_resync_sends_it(stage: Stage) -> None:
    for number in range(3):
        await _submit(stage, order_of(f"o{number}"))
        stage.supplier.ship(f"s{number}", f"E-o{number}", {"l1": 2})
    stage.shop.faults.append(("create", refused()))
    await stage.look()
    await stage.settle()
    assert sorted(await stage.column("select sync from orders")) == ["failed", "synced", "synced"]
    [failure] = [one for one in await stage.told() if isinstance(one, ShipmentSyncFailed)]
    assert (failure.reason.code, failure.attempts) == ("bad_line", 1)
    await stage.resync(await stage.column("select shipment_id from syncs where state = 'failed'"))
    await stage.settle()
    assert await stage.column("select distinct sync from orders") == ["synced"]


async def test_sp_16_the_buyer_is_told_once_where_the_channel_says_so(stage: Stage) -> None:
    await stage.take(channel_of(2, notify_buyer=True))
    stage.shop.where = {"l1": "north", "l2": "south"}
    await _submit(stage, order_of(lines=[line_of("l1", 1), line_of("l2", 1)]))
    stage.supplier.ship("s1", "E-o1", {"l1": 1, "l2": 1})
    await stage.look()
    await stage.settle()
    assert len(stage.shop.standing("c-o1")) == 2
    assert len(stage.shop.notified) == 1


async def test_sp_16_a_call_that_had_no_effect_does_not_use_up_the_buyers_message(stage: Stage) -> None:
    await stage.take(channel_of(2, notify_buyer=True))
    await _submit(stage)
    stage.shop.faults += [("create", later()), ("create", refused("moved"))]
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    await stage.settle()
    assert (stage.shop.calls["create"], stage.shop.notified) == (2, [])
    await stage.resync()
    await stage.settle()
    assert len(stage.shop.notified) == len(stage.shop.standing("c-o1")) == 1


async def test_sp_16_a_lost_answer_and_a_number_made_anew_do_not_tell_the_buyer_twice(stage: Stage) -> None:
    stage.shop.features = replace(stage.shop.features, updates_tracking=False)
    await stage.take(channel_of(2, notify_buyer=True))
    await _submit(stage.restarted())
    stage.shop.faults.append(("create", "lost"))
    for number in ("A", "B"):
        stage.supplier.ship("s1", "E-o1", {"l1": 2}, [number])
        await stage.look()
        await stage.settle()
    assert [one.tracking_numbers for one in stage.shop.standing("c-o1")] == [("B",)]
    assert len(stage.shop.notified) == 1


async def test_sp_16_a_shipment_made_anew_by_its_source_tells_the_buyer_of_no_piece_twice(stage: Stage) -> None:
    await stage.take(channel_of(2, notify_buyer=True))
    await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 1}, ["A"])
    await stage.look()
    await stage.settle()
    stage.supplier.take_back("s1")
    stage.supplier.ship("s2", "E-o1", {"l1": 1}, ["B"])
    stage.supplier.ship("s3", "E-o1", {"l1": 1}, ["C"])
    await stage.look()
    await stage.settle()
    assert sorted(one.tracking_numbers for one in stage.shop.standing("c-o1")) == [("B",), ("C",)]
    assert len(stage.shop.notified) == 2, "of the two pieces, whichever of the three labels they left under"


async def test_in_7_a_fulfillment_that_we_wrote_is_never_read_back_as_a_sources_shipment(stage: Stage) -> None:
    await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    await stage.settle()
    await stage.told()
    # the same shop is a source as well, and lists the fulfillment that we made there
    await stage.take(source_of(2, url="https://SHOP.example/"))
    [record] = stage.shop.standing("c-o1")
    stage.supplier.ship(record.id, "E-o1", {"l1": 2})
    await stage.look()
    assert await stage.names() == []
    assert await stage.column("select count(*) from early_shipments") == [0]


async def test_sp_4_a_cancellation_of_the_rest_completes_the_order(stage: Stage) -> None:
    order = await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 1})
    await stage.look()
    await stage.settle()
    await stage.told()
    less = order.model_copy(update={"sequence": 2, "version": 2, "lines": (line_of("l1", 2, canceled=1),)})
    await stage.take(OrderChanged(at=AT, sequence=2, order=less, changed=("lines",)))
    [shipped] = await stage.told()
    assert isinstance(shipped, OrderShipped)
    assert (shipped.order_version, shipped.fulfillment) == (2, FulfillmentStatus.SHIPPED)


async def test_two_sources_of_one_order_are_synced_as_they_come(stage: Stage) -> None:
    order = order_of()
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(source_of().model_copy(update={"source": source_of(id="west").source}))
    for source, fr_id in (("east", "fe"), ("west", "fw")):
        asked = [RequestLine(line_id="l1", sku="SKU-1", source_sku="E", quantity=1)]
        await stage.take(submitted(order, fr_of(order, fr_id, asked, source=source)))
    stage.supplier.ship("s1", "E-fe", {"l1": 1}, ["A"])
    await stage.look()
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 1}
    assert await stage.column("select fulfillment from orders") == ["partial"]


async def test_two_shipments_pushed_in_one_try_are_planned_one_after_the_other(stage: Stage, monkeypatch) -> None:
    """What the first one takes at the channel is no longer there for the second one, though both follow one read."""
    order = await _submit(stage)
    seen = []
    plain = stage.shop.calls_for
    monkeypatch.setattr(
        stage.shop, "calls_for", lambda at, draft: (seen.append(dict(at.remaining)), plain(at, draft))[1]
    )
    stage.supplier.ship("s1", "E-o1", {"l1": 1}, ["A"])
    stage.supplier.ship("s2", "E-o1", {"l1": 1}, ["B"])
    await stage.look()
    await stage.tries()
    assert seen == [{"l1": 2}, {"l1": 1}]
    assert stage.shop.shown(order.channel_order_id) == {"l1": 2}


async def test_a_channel_without_a_platform_has_nothing_to_be_told(stage: Stage, monkeypatch) -> None:
    monkeypatch.setattr(stage.push._channels, "channel", lambda channel, version: None, raising=False)
    await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    await stage.settle()
    assert await stage.column("select fulfillment || ' ' || sync from orders") == ["shipped not_needed"]
    assert stage.shop.calls == {}


async def test_a_shipment_waits_for_its_channels_configuration(stage: Stage) -> None:
    await stage.pool.execute("delete from config_entities where entity = 'channel/shop'")
    await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    await stage.tries()
    assert await stage.column("select state from syncs") == ["pending"]
    await stage.take(channel_of(3))
    await stage.tries()
    assert await stage.column("select state from syncs") == ["synced"]


async def test_a_shipment_that_cannot_be_read_is_asked_for_until_it_can(stage: Stage) -> None:
    for number in (1, 2):
        await stage.take(submitted(order_of(f"o{number}")))
    stage.supplier.unreadable = {"s-1": AT}
    await stage.look()
    stage.supplier.ship("s-2", "E-o2", {"l1": 2}, updated_at=AT + timedelta(hours=1))
    await stage.look()
    assert await stage.column("select source_shipment_id from shipments") == ["s-2"]
    assert await stage.column("select key from open_alerts") == ["unreadable_shipments/east"]

    stage.supplier.unreadable = {}
    stage.supplier.ship("s-1", "E-o1", {"l1": 2}, updated_at=AT)
    await stage.look()
    assert len(await stage.column("select 1 from shipments")) == 2
    assert await stage.column("select key from open_alerts") == []


async def test_a_shipment_that_cannot_be_stored_holds_up_no_other_and_is_asked_for_again(stage: Stage) -> None:
    for number in (1, 2):
        await stage.take(submitted(order_of(f"o{number}")))
    kept = await stage.column("select fr from watches where fr_id = 'f-o1'")
    await stage.pool.execute("update watches set fr = '{}' where fr_id = 'f-o1'")
    stage.supplier.ship("s-1", "E-o1", {"l1": 2}, updated_at=AT)
    stage.supplier.ship("s-2", "E-o2", {"l1": 2}, updated_at=AT + timedelta(hours=1))
    await stage.look()
    assert await stage.column("select source_shipment_id from shipments") == ["s-2"]
    assert await stage.column("select key from open_alerts") == ["unreadable_shipments/east"]

    await stage.pool.execute("update watches set fr = $1 where fr_id = 'f-o1'", *kept)
    await stage.look()
    assert len(await stage.column("select 1 from shipments")) == 2
    assert await stage.column("select key from open_alerts") == []


async def test_sp_1_a_source_is_polled_now_whether_or_not_its_turn_is_under_way(stage: Stage) -> None:
    await stage.take(submitted(order_of()))
    assert await stage.tools.queries.poll_now(stage.pool, source="east") == "east"
    assert await stage.column("select due_at <= now() and not wanted_again from source_turns") == [True]
    await stage.pool.execute("update source_turns set lease_until = now() + interval '1 minute'")
    await stage.tools.queries.poll_now(stage.pool, source="east")
    assert await stage.column("select wanted_again from source_turns") == [True]
