"""Reading orders and writing fulfillments, on every platform that plays this role, against the sandbox.

A platform joins by a line in `conftest.py`. What the sandbox emulates is what the platforms' documentation says; the
one drift that this cannot catch is a platform that behaves otherwise than it says.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.shops import NotPossible
from waybill_common.retry import Family
from waybill_contracts.values import PaymentState
from waybill_platforms.errors import NotFulfillable, PlatformError
from waybill_platforms.model.fulfillments import ChannelFulfillments, FulfillmentDraft
from waybill_platforms.ports import ChannelConnection
from waybill_platforms.registry import CHANNELS

EVER = datetime(2000, 1, 1, tzinfo=UTC)


def test_every_channel_platform_that_we_have_is_in_this_suite(conforming: Any) -> None:
    assert {platform.value for platform in CHANNELS} == conforming[0]


# -- OrderReader


async def walk(channel: ChannelConnection, since: datetime, limit: int = 50) -> list[Any]:
    orders: list[Any] = []
    page = None
    while True:
        found = await channel.reader.list_changed(since, page, limit)
        assert found.problems == ()
        orders += found.orders
        page = found.next
        if page is None:
            return orders


@pytest.mark.parametrize("limit", [7, 50])
async def test_every_order_is_listed_once_in_the_order_of_its_change(
    stage: Any, channel: ChannelConnection, limit: int
) -> None:
    orders = await walk(channel, EVER, limit)
    assert Counter(order.number for order in orders) == Counter(o.name for o in stage.shop.judged())
    assert [order.updated_at for order in orders] == sorted(order.updated_at for order in orders)


async def test_an_order_has_every_line_with_its_quantities(stage: Any, channel: ChannelConnection) -> None:
    truth = {o.name: [(li.sku, li.ordered) for li in o.lines] for o in stage.shop.judged()}
    for order in await walk(channel, EVER):
        assert [(line.sku, line.quantity) for line in order.lines] == truth[order.number]
        assert len({line.line_id for line in order.lines}) == len(order.lines)


async def test_a_long_order_is_read_to_its_last_line(stage: Any, channel: ChannelConnection) -> None:
    placed = stage.place(*((f"SKU-{n}", n % 5 + 1) for n in range(230)))
    order = await channel.reader.find_by_number(placed)
    assert order is not None
    assert [line.quantity for line in order.lines] == [n % 5 + 1 for n in range(230)]
    listed = next(one for one in await walk(channel, EVER) if one.id == order.id)
    assert listed == order


SECOND_READS = {"shopify": "acme:order", "woocommerce": "willow:refunds"}
"""What is asked for one order of a list alone; Magento's and the emulated BigCommerce's lists have orders whole."""


async def test_an_order_whose_own_lists_cannot_be_read_hides_no_other(stage: Any, channel: ChannelConnection) -> None:
    match = SECOND_READS.get(stage.shop.connection("")["platform"]) or pytest.skip("the list has its orders whole")
    stage.place(*((f"SKU-{n}", 1) for n in range(150)))
    stage.misbehave("wrong_type", match, count=2)  # refunds are first asked of a whole page at once
    orders: list[Any] = []
    problems: list[str] = []
    page = None
    while True:
        found = await channel.reader.list_changed(EVER, page)
        orders, problems, page = [*orders, *found.orders], [*problems, *found.problems], found.next
        if page is None:
            break
    named = {order.number for order in orders}
    missing = [order.name for order in stage.shop.judged() if order.name not in named]
    assert 1 <= len(missing) == len(problems) <= 2
    assert all(any(name.lstrip("#") in problem for problem in problems) for name in missing)


async def test_only_what_changed_since_is_listed_whatever_its_status(stage: Any, channel: ChannelConnection) -> None:
    order = stage.place(("SKU-100", 1))
    listed = (await channel.reader.find_by_number(order)) or pytest.fail("not found")
    stage.act(order, "cancel")
    again = await walk(channel, listed.updated_at)
    mine = next(one for one in again if one.id == listed.id)
    assert (mine.canceled, mine.fulfillment) == (True, "canceled")
    assert await walk(channel, datetime.now(UTC) + timedelta(hours=1)) == []


async def test_an_order_read_alone_is_the_order_in_the_list(channel: ChannelConnection) -> None:
    for listed in (await walk(channel, EVER))[:10]:
        assert await channel.reader.get_order(listed.id) == listed
        assert await channel.reader.find_by_number(listed.number) == listed


async def test_in10_a_suspicion_of_fraud_is_told_until_it_is_cleared(stage: Any, channel: ChannelConnection) -> None:
    placed = stage.place(("SKU-100", 1))
    assert (await channel.reader.find_by_number(placed)).fraud_risk == ""  # type: ignore[union-attr]  # it is there
    try:
        stage.act(placed, "suspect")
    except NotPossible:
        pytest.skip("the platform tells no suspicion of fraud")
    suspected = await channel.reader.find_by_number(placed)
    assert suspected is not None
    assert suspected.fraud_risk
    assert next(one for one in await walk(channel, EVER) if one.id == suspected.id) == suspected
    stage.act(placed, "clear")
    cleared = await channel.reader.get_order(suspected.id)
    assert cleared is not None
    assert (cleared.fraud_risk, cleared.payment) == ("", PaymentState.PAID)


async def test_an_order_that_is_not_there_is_none(stage: Any, channel: ChannelConnection) -> None:
    known = (await walk(channel, EVER))[0]
    nowhere = known.id[:-3] + "999999"
    assert await channel.reader.get_order(nowhere) is None
    assert await channel.writer.read(nowhere) is None
    assert await channel.reader.find_by_number("#no-such-order") is None


# -- FulfillmentWriter


async def shown(channel: ChannelConnection, number: str) -> tuple[Any, ChannelFulfillments]:
    found = await channel.reader.find_by_number(number)
    assert found is not None
    state = await channel.writer.read(found.id)
    assert state is not None
    return found, state


def draft(order: Any, *quantities: int, numbers: tuple[str, ...] = ("1Z1",)) -> FulfillmentDraft:
    lines = tuple((line.line_id, n) for line, n in zip(order.lines, quantities, strict=True) if n)
    return FulfillmentDraft(order.id, lines, "UPS", numbers, f"https://track.example/{numbers[0]}")


async def test_a_fulfillment_stands_there_with_lines_carrier_numbers_and_link(
    stage: Any, channel: ChannelConnection
) -> None:
    order, state = await shown(channel, stage.place(("SKU-100", 3), ("SKU-100", 2), ("SKU-101", 1)))
    assert dict(state.remaining) == {line.line_id: line.quantity for line in order.lines}
    wanted = draft(order, 2, 2, 0)
    (call,) = channel.writer.calls_for(state, wanted)
    made = await channel.writer.create(call)
    after = await channel.writer.read(order.id)
    assert after is not None
    (record,) = after.fulfillments
    assert record == made
    assert (record.status, sorted(record.lines)) == ("success", sorted(wanted.lines))
    assert (record.carrier, record.tracking_numbers) == ("UPS", ("1Z1",))
    assert record.tracking_urls == ("https://track.example/1Z1",)
    assert [after.remaining.get(line.line_id, 0) for line in order.lines] == [1, 0, 1]
    assert after.fulfillment == "partial"
    assert after.showing(wanted.lines, wanted.tracking_numbers) == (record,)


async def test_several_numbers_in_one_fulfillment(stage: Any, channel: ChannelConnection) -> None:
    if not channel.features.several_numbers:
        pytest.skip("declared: one number a fulfillment")
    order, state = await shown(channel, stage.place(("SKU-100", 2)))
    (call,) = channel.writer.calls_for(state, draft(order, 2, numbers=("1Z1", "1Z2")))
    await channel.writer.create(call)
    _, after = await shown(channel, order.number)
    assert after.fulfillments[0].tracking_numbers == ("1Z1", "1Z2")
    assert after.fulfillment == "fulfilled"


async def test_an_order_at_two_locations_is_fulfilled_by_as_many_calls(stage: Any, channel: ChannelConnection) -> None:
    split = stage.of_kind("two_locations").name
    order, state = await shown(channel, split)
    wanted = FulfillmentDraft(order.id, tuple(state.remaining.items()), "UPS", ("1Z1",), "https://t.example/1Z1")
    calls = channel.writer.calls_for(state, wanted)
    assert len(calls) == 2
    for call in calls:
        await channel.writer.create(call)
    _, after = await shown(channel, split)
    assert dict(after.remaining) == {}
    assert sorted(line for record in after.fulfillments for line in record.lines) == sorted(wanted.lines)


async def test_more_than_is_open_is_never_sent(stage: Any, channel: ChannelConnection) -> None:
    placed = stage.place(("SKU-100", 2))
    order, state = await shown(channel, placed)
    with pytest.raises(NotFulfillable):
        channel.writer.calls_for(state, draft(order, 3))
    if "on_hold" not in stage.shop.kinds:
        return
    stage.act(placed, "hold")
    _, held = await shown(channel, placed)
    with pytest.raises(NotFulfillable):
        channel.writer.calls_for(held, draft(order, 1))


async def test_what_the_channel_refuses_is_refused_and_leaves_nothing(stage: Any, channel: ChannelConnection) -> None:
    placed = stage.place(("SKU-100", 2))
    order, state = await shown(channel, placed)
    (call,) = channel.writer.calls_for(state, draft(order, 2))
    await channel.writer.create(call)
    with pytest.raises(PlatformError) as raised:
        await channel.writer.create(call)  # by a stale state: the pieces are gone
    assert (raised.value.family, raised.value.outcome) == (Family.REFUSED, "none")
    _, after = await shown(channel, placed)
    assert len(after.fulfillments) == 1


async def test_details_are_corrected_in_place(stage: Any, channel: ChannelConnection) -> None:
    if not channel.features.updates_tracking:
        pytest.skip("declared: withdraw and create instead")
    order, state = await shown(channel, stage.place(("SKU-100", 2)))
    made = await channel.writer.create(channel.writer.calls_for(state, draft(order, 2))[0])
    corrected = await channel.writer.update_tracking(
        made.id, carrier="FedEx", tracking_numbers=("77",), tracking_url="https://t.example/77"
    )
    _, after = await shown(channel, order.number)
    assert after.fulfillments == (corrected,)
    assert (corrected.id, corrected.carrier, corrected.tracking_numbers) == (made.id, "FedEx", ("77",))
    assert corrected.tracking_urls == ("https://t.example/77",)


@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_withdrawn_fulfillment_opens_its_pieces_again(
    stage: Any, channel: ChannelConnection, pieces: int
) -> None:
    if not channel.features.cancels_fulfillments:
        pytest.skip("declared: cannot cancel")
    placed = stage.place(("SKU-100", 2))
    order, state = await shown(channel, placed)
    made = await channel.writer.create(channel.writer.calls_for(state, draft(order, pieces))[0])
    await channel.writer.cancel(made.id)
    _, after = await shown(channel, placed)
    shown_still = [] if channel.features.forgets_canceled else [(made.id, "canceled")]
    assert [(record.id, record.status) for record in after.fulfillments] == shown_still
    assert sum(after.remaining.values()) == 2
    again = await channel.writer.create(channel.writer.calls_for(after, draft(order, 2, numbers=("1Z2",)))[0])
    assert again.status == "success"
    assert channel.notices() == ()  # the order's status follows, where it does not by itself


async def test_a_channels_failures_have_their_family_cause_and_outcome(
    stage: Any, channel: ChannelConnection, failure: Any
) -> None:
    kind, params, family, cause, outcome = failure
    placed = stage.place(("SKU-100", 2))
    order, state = await shown(channel, placed)
    wanted = draft(order, 2)
    (call,) = channel.writer.calls_for(state, wanted)
    stage.misbehave(kind, stage.row.creates, **params)
    with pytest.raises(PlatformError) as raised:
        await channel.writer.create(call)
    assert (raised.value.family, raised.value.cause, raised.value.outcome) == (family, cause, outcome)
    stage.misbehave(kind, **params)
    with pytest.raises(PlatformError) as raised:
        await channel.reader.list_changed(EVER)
    assert (raised.value.family, raised.value.outcome) == (family, "none")
    _, after = await shown(channel, placed)
    landed = after.showing(wanted.lines, wanted.tracking_numbers)
    assert len(landed) == (1 if kind in {"lost", "cut"} else 0)  # what was done is found by reading back
