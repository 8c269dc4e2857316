"""IN-6, IN-7, IN-8, IN-13, IN-16: one verb, each order once, versions by content; on a real database."""

import asyncio
from dataclasses import replace
from typing import Any

from ingest_samples import channel, configured, line, order, sighting

from waybill_contracts.orders_imported import OrderChanged, OrderExcluded, OrderFact, OrderHeld, OrderImported
from waybill_contracts.values import Address, OrderState, PaymentState


async def test_in6_an_order_seen_twice_is_imported_once(house: Any) -> None:
    await house.see(sighting(order()))
    again = await house.see(sighting(order(), second=9))

    assert await house.told_names() == ["OrderImported"]
    assert again.unchanged == 1


async def test_in16_an_order_in_two_pages_of_one_batch_is_imported_once(house: Any) -> None:
    counts = await house.see(sighting(order()), sighting(order(), second=1), sighting(order("o2")))

    assert (counts.orders, counts.imported) == (2, 2)
    assert await house.told_names() == ["OrderImported", "OrderImported"]


async def test_in6_importers_at_the_same_moment_import_it_once(house: Any) -> None:
    orders = [order(f"o{i}") for i in range(20)]
    await asyncio.gather(
        *(house.see(*(sighting(o, via=via) for o in orders)) for via in ("pull", "event", "file", "api"))
    )

    assert len(await house.rows()) == 20
    assert await house.told_names() == ["OrderImported"] * 20


async def test_in6_a_newer_version_updates_and_an_older_one_changes_nothing(house: Any) -> None:
    await house.see(sighting(order(minute=1)))
    await house.see(sighting(order(minute=3, lines=(line(quantity=5),))))
    await house.see(sighting(order(minute=2, lines=(line(quantity=4),))))

    row = await house.row()
    assert (row["version"], row["body"]["lines"][0]["quantity"]) == (2, 5)
    assert await house.told_names() == ["OrderImported", "OrderChanged"]


async def test_in6_a_newer_time_without_other_content_is_remembered_but_raises_no_version(house: Any) -> None:
    await house.see(sighting(order(minute=1)))
    await house.see(sighting(order(minute=5)))
    await house.see(sighting(order(minute=3, lines=(line(quantity=9),))))  # late, and older than what we know

    row = await house.row()
    assert (row["version"], row["body"]["lines"][0]["quantity"]) == (1, 2)


async def test_in6_the_same_time_with_other_content_is_settled_by_the_later_reading(house: Any) -> None:
    early, late = order(lines=(line(quantity=3),)), order(lines=(line(quantity=4),))
    await house.see(sighting(late, second=20))
    await house.see(sighting(early, second=10))

    assert (await house.row())["body"]["lines"][0]["quantity"] == 4


async def test_in6_the_echo_of_our_own_fulfillment_raises_no_version(house: Any) -> None:
    await house.see(sighting(order(lines=(line(fulfillable=2),))))
    await house.see(sighting(order(minute=5, fulfillment="fulfilled", lines=(line(fulfillable=0),))))

    row = await house.row()
    assert (row["version"], row["sequence"], row["standing"]) == (1, 1, "imported")
    assert await house.told_names() == ["OrderImported"]


async def test_in7_an_imported_order_is_never_excluded_by_its_filter(house: Any) -> None:
    await house.see(sighting(order()))
    await house.see(sighting(order(minute=5, fulfillment="fulfilled", note="thanks")))

    assert (await house.row())["standing"] == "imported"


async def test_in7_an_excluded_order_is_told_once_and_looked_at_again_on_change(house: Any) -> None:
    await house.see(sighting(order(payment=PaymentState.PENDING)))
    await house.see(sighting(order(minute=1, payment=PaymentState.PENDING, note="please hurry")))
    await house.see(sighting(order(minute=2)))

    excluded, imported = await house.told()
    assert isinstance(excluded, OrderExcluded)
    assert excluded.reason == "payment_pending"
    assert isinstance(imported, OrderImported)
    assert (imported.order.version, imported.order.state) == (1, OrderState.IMPORTED)


async def test_in7_what_left_before_the_import_is_not_requested_and_stays_so(house: Any) -> None:
    partly = order(fulfillment="partial", lines=(line(quantity=5, fulfillable=3),))
    await house.see(sighting(partly))
    # we ship the rest: its echo must not be taken for more that had left before us
    await house.see(
        sighting(replace(order(minute=9), lines=(line(quantity=5, fulfillable=0),), fulfillment="fulfilled"))
    )

    lines = (await house.row())["body"]["lines"]
    assert (lines[0]["quantity"], lines[0]["canceled"]) == (5, 2)


async def test_in8_a_held_order_goes_on_by_itself_when_paid(house: Any) -> None:
    await house.configure(configured(channel(**{"import": {"payment": ["paid", "pending"]}}), version=2))
    await house.see(sighting(order(payment=PaymentState.PENDING)))
    await house.see(sighting(order(minute=4)))

    imported, changed, released = await house.told()
    assert [hold.reason for hold in imported.order.holds] == ["awaiting_payment"]
    assert changed.changed == ("payment",)
    assert released.order.state is OrderState.IMPORTED
    assert released.removed == imported.order.holds
    assert [e.sequence for e in (imported, changed, released)] == [1, 2, 3]
    assert released.order.sequence == 3


async def test_in8_a_void_before_sending_stops_it(house: Any) -> None:
    await house.see(sighting(order()))
    await house.see(sighting(order(minute=4, payment=PaymentState.VOIDED)))

    *_, held = await house.told()
    assert isinstance(held, OrderHeld)
    assert [hold.reason for hold in held.added] == ["awaiting_payment"]
    assert (await house.row())["standing"] == "held"


async def test_in13_edits_of_quantity_address_and_method_raise_the_version_and_name_what_changed(house: Any) -> None:
    await house.configure(
        configured(channel(shipping_methods={"map": {"Standard": "ground", "Fast": "air"}}), version=2)
    )
    await house.see(sighting(order()))
    moved = (Address(name="Zoë", line1="Elsewhere 1", country="FR"),)
    await house.see(sighting(order(minute=1, addresses=moved, shipping_method="Fast", lines=(line(quantity=1),))))

    *_, changed = await house.told()
    assert isinstance(changed, OrderChanged)
    assert set(changed.changed) == {"addresses", "channel_shipping_method", "shipping_method", "lines"}
    assert changed.order.version == 2


async def test_in13_cancel_of_one_line_of_three_leaves_the_other_two_going(house: Any) -> None:
    three = tuple(line(f"l{i}") for i in range(3))
    await house.see(sighting(order(lines=three)))
    await house.see(sighting(order(minute=1, payment=PaymentState.PARTIALLY_REFUNDED,
                                   lines=(replace(three[0], canceled=2), *three[1:]))))  # fmt: skip

    *_, changed = await house.told()
    assert isinstance(changed, OrderChanged)
    assert [one.wanted for one in changed.order.lines] == [0, 2, 2]
    assert changed.order.state is OrderState.IMPORTED


async def test_in13_a_canceled_order_is_told_once_with_its_reason(house: Any) -> None:
    await house.see(sighting(order()))
    await house.see(sighting(order(minute=1, canceled=True)))
    await house.see(sighting(order(minute=2, canceled=True, note="sorry")))

    assert await house.told_names() == ["OrderImported", "OrderCanceled"]
    assert (await house.row())["reason"] == "canceled_at_channel"


async def test_in13_what_changes_on_a_canceled_order_is_no_second_cancellation(house: Any) -> None:
    await house.see(sighting(order()))
    await house.see(sighting(order(minute=1, canceled=True)))
    await house.see(sighting(order(minute=2, canceled=True, payment=PaymentState.REFUNDED)))

    assert await house.told_names() == ["OrderImported", "OrderCanceled", "OrderChanged"]
    assert (await house.row())["standing"] == "canceled"


async def test_in13_a_cancellation_that_is_taken_back_lets_the_order_go_on(house: Any) -> None:
    await house.see(sighting(order()))
    await house.see(sighting(order(minute=1, canceled=True)))
    await house.see(sighting(order(minute=2)))

    *_, again = await house.told()
    assert isinstance(again, OrderChanged)
    assert (again.changed, again.order.state, again.order.version) == (("canceled",), OrderState.IMPORTED, 3)


async def test_in13_a_late_older_version_does_not_bring_a_canceled_order_back(house: Any) -> None:
    await house.see(sighting(order()))
    await house.see(sighting(order(minute=5, canceled=True)))
    await house.see(sighting(order(minute=3, lines=(line(quantity=7),))))

    assert (await house.row())["standing"] == "canceled"


async def test_in10_an_unmapped_line_added_later_holds_the_order_and_its_mapping_releases_it(house: Any) -> None:
    await house.see(sighting(order()))
    await house.see(sighting(order(minute=1, lines=(line(), line("l2", "NEW")))))
    assert (await house.row())["standing"] == "held"

    mapped = channel(skus={"map": {"S1": "SKU-1", "NEW": "SKU-9"}})
    await house.configure(configured(mapped, version=2))
    assert await house.heal() == 1

    assert await house.told_names() == ["OrderImported", "OrderChanged", "OrderHeld", "OrderChanged", "OrderReleased"]
    assert (await house.row())["standing"] == "imported"


async def test_in11_a_new_mapping_releases_exactly_the_orders_that_waited_for_it(house: Any) -> None:
    await house.see(*(sighting(order(f"a{i}", lines=(line(sku="X"),))) for i in range(5)))
    await house.see(*(sighting(order(f"b{i}", lines=(line(sku="Y"),))) for i in range(3)))
    await house.configure(configured(channel(skus={"map": {"S1": "SKU-1", "X": "SKU-X"}}), version=2))
    judged = await house.heal()

    assert judged == 8
    assert await house.heal() == 0
    assert [row["standing"] for row in await house.rows()] == ["imported"] * 5 + ["held"] * 3


async def test_in11_an_order_that_cannot_be_judged_is_told_and_keeps_no_other_from_being_healed(house: Any) -> None:
    mended = {"map": {"S1": "SKU-1", "X": "SKU-X"}}
    other = configured(channel("zebra"))
    await house.configure(other)
    held = [order(f"a{i}", lines=(line(sku="X"),)) for i in range(3)]
    await house.see(*(sighting(one) for one in held), replace(sighting(held[0]), channel="zebra"))
    await house.pool.execute("update orders set snapshot = '{}' where channel = 'shop' and channel_order_id = 'a1'")
    await house.configure(
        configured(channel(skus=mended), version=2), configured(channel("zebra", skus=mended), version=2)
    )
    assert await house.heal() == 4

    found = await house.pool.fetch("select standing from orders order by channel, channel_order_id")
    assert [row["standing"] for row in found] == ["imported", "held", "imported", "imported"]
    assert await house.pool.fetchval("select count(*) from open_alerts") == 1
    assert await house.heal() == 0


async def test_in11_a_wider_filter_lets_excluded_orders_in_without_asking_the_channel(house: Any) -> None:
    await house.see(sighting(order(payment=PaymentState.AUTHORIZED)), sighting(order("o2", canceled=True)))
    await house.configure(configured(channel(**{"import": {"deferred": ["authorized"]}}), version=2))
    await house.heal()

    assert [row["standing"] for row in await house.rows()] == ["imported", "excluded"]


async def test_in11_a_sku_that_a_source_starts_to_count_releases_orders_that_pass_it(house: Any) -> None:
    from order_ingest.configure import learn_names
    from order_ingest.names import name_in_stock

    await house.configure(configured(channel(skus={"unmapped": "pass"}), version=2))
    await house.see(sighting(order()))
    assert (await house.row())["standing"] == "held"

    async with house.pool.acquire() as conn:
        assert await learn_names(conn, [name_in_stock("east", "S1")])
        assert not await learn_names(conn, [name_in_stock("west", "S1")])
    await house.heal()
    assert (await house.row())["body"]["lines"][0]["components"] == [{"sku": "S1", "quantity": 1}]


async def test_a_text_that_no_database_takes_is_imported_all_the_same(house: Any) -> None:
    await house.see(sighting(order(note="zero \0 and half \ud800", email="a\0b@example.org")))

    assert (await house.row())["standing"] == "imported"


async def test_every_fact_of_an_order_is_in_its_own_trace(house: Any) -> None:
    await house.see(sighting(order()), sighting(order("o2")))
    await house.see(sighting(order(minute=1, lines=(line(quantity=1),))))

    headers = [r["headers"] for r in await house.pool.fetch("select headers from facts order by position")]
    traces = [
        h["traceparent"].split("-")[1]
        for h in headers
        if "order.imported" in h["ce_type"] or "order.ch" in h["ce_type"]
    ]
    assert traces[0] == traces[2]
    assert traces[0] != traces[1]


async def test_the_router_owes_receipts_for_what_is_to_be_routed_and_for_cancellations(house: Any) -> None:
    await house.see(sighting(order("ready")), sighting(order("held", lines=(line(sku="?"),))))
    await house.see(sighting(order("ready", minute=1, canceled=True)))

    facts = [event for event in await house.told() if isinstance(event, OrderFact)]
    due = {(r["subject"], r["sequence"]) for r in await house.pool.fetch("select subject, sequence from receipts_due")}
    ready = next(e.order.order_id for e in facts if e.order.number == "#ready")
    assert due == {(f"order/{ready}", 1), (f"order/{ready}", 2)}
