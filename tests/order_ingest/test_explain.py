"""IN-15: "why is my order not here?" is answered live, with the reason and the fix; asking changes nothing."""

from datetime import timedelta
from typing import Any

import pytest
from ingest_samples import START, channel, configured, line, order, sighting

from order_ingest.calls import Calls
from order_ingest.explain_order import ExplainOrder
from order_ingest.import_file import NoSuchChannel
from waybill_common.alerts import Alerts
from waybill_common.clock import ManualClock
from waybill_common.retry import Family
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.values import PaymentState
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.orders import ChannelOrder


@pytest.fixture
async def explain(house: Any, shelf: Any) -> ExplainOrder:
    async def open_reader(_: ChannelConfigured) -> Any:
        return shelf

    await house.configure(configured(channel("web", "events")))
    clock = ManualClock(START + timedelta(days=1))
    return ExplainOrder(
        Calls(house.pool, house.health, Alerts(None), clock, house.telemetry, house.rulebook, open_reader)
    )


async def test_in15_an_order_that_the_filter_leaves_out_names_the_filter_also_before_it_was_pulled(
    house: Any, shelf: Any, explain: ExplainOrder
) -> None:
    shelf.orders.append(order("o1", payment=PaymentState.PENDING, raw_status="PENDING/UNFULFILLED"))

    before = await explain.explain("shop", "o1")
    assert await house.rows() == []
    await house.see(sighting(shelf.orders[0]))
    after = await explain.explain("shop", "#o1")

    for said in (before, after):
        assert (said["answer"], said["reason"].split(":")[0]) == ("excluded", "payment_pending")
        assert "import.payment" in said["fix"]
        assert said["at_channel"]["status"] == "PENDING/UNFULFILLED"


async def test_in15_an_order_before_the_channels_start_is_told_how_to_come_in(
    shelf: Any, explain: ExplainOrder
) -> None:
    shelf.orders.append(order("o1", placed_at=START - timedelta(days=30)))

    said = await explain.explain("shop", "#o1")

    assert (said["answer"], said["reason"].split(":")[0]) == ("excluded", "before_start")
    assert "channels pull shop --since" in said["fix"]


async def test_in15_an_unmapped_sku_is_named_with_its_mapping(house: Any, shelf: Any, explain: ExplainOrder) -> None:
    shelf.orders.append(order("o1", lines=(line(sku="NEW"),)))
    await house.see(sighting(shelf.orders[0]))

    said = await explain.explain("shop", "#o1")

    assert (said["answer"], said["reason"]) == ("held", "unmapped_sku (NEW)")
    assert "map 'NEW' in skus.map of channel shop" in said["fix"]


async def test_in15_an_order_with_many_unmapped_skus_is_told_in_short(
    house: Any, shelf: Any, explain: ExplainOrder
) -> None:
    shelf.orders.append(order("o1", lines=tuple(line(f"l{n}", sku=f"NEW-{n}") for n in range(8))))
    before = await explain.explain("shop", "#o1")
    await house.see(sighting(shelf.orders[0]))

    said = await explain.explain("shop", "#o1")

    assert said["reason"] == "unmapped_sku (NEW-0, NEW-1, NEW-2 and 5 more)"
    assert said["fix"].endswith(" (and 7 more like it)")
    assert said["reason"] in before["reason"]


@pytest.mark.parametrize(
    ("of", "reason", "way_in"),
    [
        (order(canceled=True), "canceled", "nothing"),
        (order(lines=(line(quantity=-1),)), "cancellation", "nothing"),
        (order(placed_at=START - timedelta(days=1)), "before_start", "channels pull shop --since"),
        (order(payment=PaymentState.PENDING), "payment_pending", "import.payment"),
        (order(payment=PaymentState.REFUNDED), "payment_refunded", "import.payment"),
        (order(fulfillment="fulfilled"), "fulfillment_fulfilled", "import.fulfillment"),
        (order(lines=(line(quantity=0),)), "nothing_to_ship", "nothing"),
        (order(reference="FR-1"), "ours", "nothing"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
async def test_in15_every_exclusion_says_what_brings_the_order_in_before_and_after_it_was_pulled(
    house: Any, shelf: Any, explain: ExplainOrder, of: ChannelOrder, reason: str, way_in: str
) -> None:
    await house.pool.execute("insert into own_references (reference, fr_id) values ('FR-1', 'fr')")
    shelf.orders.append(of)
    never_pulled = await explain.explain("shop", of.number)
    await house.see(sighting(of))
    pulled = await explain.explain("shop", of.number)

    for said in (never_pulled, pulled):
        assert (said["answer"], said["reason"].split(":")[0]) == ("excluded", reason)
        assert way_in in said["fix"]


async def test_in15_a_channel_that_locked_us_out_says_so_at_once(shelf: Any, explain: ExplainOrder) -> None:
    async def refused(_: str) -> None:
        raise PlatformError(
            "401: the token is not valid", family=Family.UNAUTHORIZED, cause="unauthorized", outcome="none",
            action="get_orders",
        )  # fmt: skip

    shelf.find_by_number = refused
    first = await explain.explain("shop", "#o1")
    shelf.find_by_number = None  # a second call would break: it is not made
    again = await explain.explain("shop", "#o1")

    assert (first["answer"], again["answer"]) == ("authentication_lost", "authentication_lost")
    assert "credentials" in again["fix"]
    assert first["looked"] == "401: the token is not valid"


async def test_in15_an_order_that_is_not_due_yet_says_when_it_is(house: Any, shelf: Any, explain: ExplainOrder) -> None:
    shelf.orders.append(order("o1", minute=30, lines=(line(sku="NEW"),)))
    await house.pool.execute("update channels set due_at = '2026-11-01 03:00:00+00' where channel_id = 'shop'")

    said = await explain.explain("shop", "#o1")

    assert said["answer"] == "not_yet_due"
    assert "03:00:00" in said["reason"]
    assert "unmapped_sku" in said["reason"]
    assert "waybill channels pull shop" in said["fix"]


async def test_in15_an_order_that_every_pull_missed_is_told_to_the_audit(
    house: Any, shelf: Any, explain: ExplainOrder
) -> None:
    shelf.orders.append(order("o1"))
    await house.pool.execute(
        "update channels set cursor_at = $1, last_success_at = $1 where channel_id = 'shop'", START + timedelta(days=2)
    )

    said = await explain.explain("shop", "#o1")

    assert (said["answer"], "channels audit shop" in said["fix"]) == ("missed", True)


async def test_in15_an_order_deleted_at_the_shop_and_one_that_never_existed_are_told_apart(
    house: Any, explain: ExplainOrder
) -> None:
    await house.see(sighting(order("o1")))

    deleted = await explain.explain("shop", "#o1")
    never = await explain.explain("shop", "#o2")

    assert (deleted["answer"], deleted["at_channel"]) == ("deleted_at_channel", None)
    assert "orders cancel" in deleted["fix"]
    assert (never["answer"], never["order_id"]) == ("never_existed", None)


async def test_in15_an_imported_order_says_how_it_came(house: Any, shelf: Any, explain: ExplainOrder) -> None:
    shelf.orders.append(order("o1"))
    await house.see(sighting(shelf.orders[0], via="webhook"))

    said = await explain.explain("shop", "o1")

    assert (said["answer"], said["order_id"]) == ("imported", (await house.row())["order_id"])
    assert said["reason"].startswith("imported by webhook on ")


async def test_in15_a_channel_without_an_api_says_what_upstream_told(house: Any, explain: ExplainOrder) -> None:
    nothing = await explain.explain("web", "A-1")
    await house.pool.execute(
        'insert into dead_letters (direction, topic, partition, "offset", key, headers, reason, digest) '
        "values ('in', 'orders.inbound', 0, 1, 'A-1', '{}', 'lines: Field required', '')"
    )
    refused = await explain.explain("web", "A-1")

    assert nothing["answer"] == "not_published"
    assert (refused["answer"], "lines: Field required" in refused["reason"]) == ("refused_event", True)
    with pytest.raises(NoSuchChannel):
        await explain.explain("nowhere", "A-1")
