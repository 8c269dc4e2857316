"""What a source does with a request that it has: late acknowledgements and cancellations. (FP-3, FP-6)"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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


async def look(stage: Any) -> None:
    await stage.make_due()
    await stage.send()


async def test_a_late_acknowledgement_is_taken(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit)
    assert (await stage.fr())["state"] == "PROCESSED"
    await look(stage)
    assert (await stage.fr())["state"] == "PROCESSED"
    east.requests["E-f1"] = replace(east.requests["E-f1"], acknowledged=True)
    await look(stage)
    await look(stage)  # acknowledged twice is acknowledged once
    assert (await stage.fr())["state"] == "ACKNOWLEDGED"
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.acknowledged"]


async def test_parts_that_the_source_cancels_later_are_told_once_each(stage: Any, kit: Any) -> None:
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


async def test_a_request_that_rests_too_long_raises_one_alert(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit)
    await stage.pool.execute("update frs set fact_at = fact_at - interval '25 hours'")
    await look(stage)
    await look(stage)
    assert [kind for kind, _ in await stage.told()] == ["alert.raised"]
    east.requests["E-f1"] = replace(east.requests["E-f1"], acknowledged=True)
    await look(stage)
    assert [kind for kind, _ in await stage.told()] == ["fr.acknowledged", "alert.cleared"]


async def test_a_shipped_order_is_not_looked_at_any_more(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit, acknowledged=True)
    shipped = OrderShipped(
        at=kit.created().at, order_id="o1", order_version=1, fulfillment=FulfillmentStatus.SHIPPED,
        sync=SyncStatus.SYNCED,
    )  # fmt: skip
    await stage.deliver(shipped)
    await look(stage)
    row = await stage.fr()
    assert (row["state"], row["waiting"], row["due_at"], east.asked["E-f1"]) == ("ACKNOWLEDGED", None, None, 0)


async def test_a_void_meets_a_source_that_canceled_already(stage: Any, kit: Any) -> None:
    east = await sent(stage, kit, acknowledged=True)
    east.requests["E-f1"] = replace(east.requests["E-f1"], canceled=True)
    await look(stage)
    await stage.deliver(kit.void_requested())
    await stage.send()
    assert (await stage.fr())["state"] == "CANCELED"
    assert [kind for kind, _ in await stage.told("f1")] == ["fr.canceled", "fr.canceled"]


async def test_a_source_that_could_not_be_opened_for_a_while_is_looked_at_again(stage: Any, kit: Any) -> None:
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
