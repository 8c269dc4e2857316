"""What a source does with a request that it has: late acknowledgements and cancellations. (FP-3, FP-6)"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fulfillment_push.by_hand import mark
from waybill_contracts.fulfillment_submitted import FrState
from waybill_contracts.shipment_synced import OrderShipped
from waybill_contracts.values import FulfillmentStatus, SyncStatus


async def sent(stage: Any, kit: Any, *, acknowledged: bool = False) -> Any:
    """An FR at the source, and the source."""
    east = stage.sources["east"]
    east.acknowledge = acknowledged
    await stage.deliver(kit.created())
    await stage.send()
    await stage.told()
    return east


async def by_hand(stage: Any, fr_id: str, state: str) -> None:
    await stage.act([fr_id], lambda fr: mark(fr, FrState(state), who="kim", why="told by phone"))


async def look(stage: Any) -> None:
    await stage.make_due()
    await stage.send()


async def test_fp3_a_late_acknowledgement_is_taken(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit)
    assert (await stage.fr())["state"] == "PROCESSED"
    await look(stage)
    assert (await stage.fr())["state"] == "PROCESSED"
    east.requests["E-f1"] = replace(east.requests["E-f1"], acknowledged=True)
    await look(stage)
    await look(stage)  # acknowledged twice is acknowledged once
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.acknowledged"]


async def test_fp6_parts_that_the_source_cancels_later_are_told_once_each(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit, acknowledged=True)
    east.requests["E-f1"] = replace(east.requests["E-f1"], canceled_lines=(("l1", 1),))
    await look(stage)
    await look(stage)
    [(kind, fact)] = await stage.told("f1")
    assert (kind, fact["state"], fact["lines"]) == (
        "fr.canceled", "ACKNOWLEDGED", [{"line_id": "l1", "sku": "SKU-1", "quantity": 1}],
    )  # fmt: skip
    east.requests["E-f1"] = replace(east.requests["E-f1"], canceled_lines=(("l1", 2),))
    await look(stage)
    row = await stage.fr()
    assert (row["state"], row["due_at"]) == ("CANCELED", None)
    [(kind, fact)] = await stage.told("f1")
    assert (kind, fact["state"], fact["lines"]) == ("fr.canceled", "CANCELED", [])


async def test_fp3_requests_that_rest_too_long_are_one_alert_a_source_until_they_rest_no_more(
    stage: Any, kit: Any
) -> None:
    east = await sent(stage, kit)
    await stage.watch_deadlines()
    assert await stage.told() == []
    await stage.pass_time(25 * 3600)
    await stage.watch_deadlines()
    await stage.watch_deadlines()
    [(kind, alert)] = await stage.told()
    assert (kind, "E-f1" in alert["detail"], "east" in alert["title"]) == ("alert.raised", True, True)
    east.requests["E-f1"] = replace(east.requests["E-f1"], acknowledged=True)
    await look(stage)
    await stage.watch_deadlines()
    assert [kind for kind, _ in await stage.told()] == ["fr.acknowledged", "alert.cleared"]


async def test_fp3_a_source_that_cannot_be_asked_and_one_without_connection_are_seen_too(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.acknowledge, east.features = False, replace(east.features, find="none")
    await stage.configure(kit.source_of("hand", platform="manual", url=None))
    await stage.deliver(kit.created(), kit.created(kit.fr_of("f2", "o2", source="hand")))
    await stage.send()
    await by_hand(stage, "f2", "PROCESSED")
    await stage.told()
    await stage.pass_time(25 * 3600)
    await stage.watch_deadlines()
    told = await stage.told()
    assert {fact["title"].split()[2] for kind, fact in told if kind == "alert.raised"} == {"east", "hand"}
    await by_hand(stage, "f2", "ACKNOWLEDGED")
    await stage.watch_deadlines()
    assert [kind for kind, _ in await stage.told()] == ["fr.acknowledged", "alert.cleared"]


async def test_fp1_what_of_it_has_shipped_is_an_axis_of_its_own(stage: Any, kit: Any) -> None:
    await sent(stage, kit, acknowledged=True)
    await stage.deliver(kit.shipment("s1", 1))
    await stage.deliver(kit.shipment("s1", 1))  # told twice
    assert (await stage.fr())["shipping"] == "partial"
    await stage.deliver(kit.shipment("s2", 1))
    row = await stage.fr()
    assert (row["state"], row["shipping"], row["waiting"]) == ("ACKNOWLEDGED", "shipped", None)
    await stage.deliver(kit.shipment("s2", 1, sequence=2, withdrawn=True))
    await stage.deliver(kit.shipment("s2", 1))  # the older word, told again
    assert (await stage.fr())["shipping"] == "partial"
    told = [(kind, fact["shipping"]) for kind, fact in await stage.told("f1")]
    assert told == [(kind, how) for kind in ["fr.shipping_changed"] for how in ("partial", "shipped", "partial")]


async def test_fp1_a_part_that_is_canceled_after_the_rest_shipped_makes_it_whole(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit, acknowledged=True)
    await stage.deliver(kit.shipment("s1", 1))
    east.requests["E-f1"] = replace(east.requests["E-f1"], canceled_lines=(("l1", 1),))
    await look(stage)
    row = await stage.fr()
    assert (row["state"], row["shipping"], row["due_at"]) == ("ACKNOWLEDGED", "shipped", None)


async def test_fp6_canceled_after_a_shipment_is_a_part_and_the_rest_of_it_shipped(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit, acknowledged=True)
    await stage.deliver(kit.shipment("s1", 1))
    await stage.told()
    east.requests["E-f1"] = replace(east.requests["E-f1"], canceled=True)
    await look(stage)
    row = await stage.fr()
    assert (row["state"], row["shipping"]) == ("CANCELED", "partial")
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.canceled"]


async def test_fp6_acknowledged_after_a_cancel_stays_canceled(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit)
    east.requests["E-f1"] = replace(east.requests["E-f1"], canceled=True)
    await look(stage)
    assert ((await stage.fr())["state"], (await stage.fr())["shipping"]) == ("CANCELED", "canceled")
    await stage.told()
    east.requests["E-f1"] = replace(east.requests["E-f1"], canceled=False, acknowledged=True)
    await look(stage)
    assert ((await stage.fr())["state"], await stage.told("f1")) == ("CANCELED", [])


async def test_fp3_a_shipped_order_is_not_looked_at_any_more(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit, acknowledged=True)
    shipped = OrderShipped(
        at=kit.created().at, order_id="o1", order_version=1, fulfillment=FulfillmentStatus.SHIPPED,
        sync=SyncStatus.SYNCED,
    )  # fmt: skip
    await stage.deliver(shipped)
    await look(stage)
    row = await stage.fr()
    assert (row["state"], row["waiting"], row["due_at"], east.asked["E-f1"]) == ("ACKNOWLEDGED", None, None, 0)


async def test_fp7_a_void_meets_a_source_that_canceled_already(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit, acknowledged=True)
    east.requests["E-f1"] = replace(east.requests["E-f1"], canceled=True)
    await look(stage)
    await stage.deliver(kit.void_requested())
    await stage.send()
    assert (await stage.fr())["state"] == "CANCELED"
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.canceled", "fr.canceled"]


async def test_fp3_a_source_that_could_not_be_opened_for_a_while_is_looked_at_again(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    await stage.send()
    opened = stage.open

    async def broken(known: Any) -> Any:
        raise ValueError("its secret cannot be opened")

    stage.open = broken
    await stage.make_due()
    await stage.send()
    assert (await stage.fr())["waiting"] == "source_progress"

    stage.open = opened
    stage.sources["east"].requests["E-f1"] = replace(stage.sources["east"].requests["E-f1"], canceled=True)
    await stage.make_due()
    await stage.send()
    assert (await stage.fr())["state"] == "CANCELED"
