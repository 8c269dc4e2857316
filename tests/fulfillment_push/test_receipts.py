"""`fr.submitted` is sent again until shipment-poller watches the FR. (FP-5)"""

from __future__ import annotations

from typing import Any

from waybill_contracts.shipment_synced import FrWatched


async def awaited(stage: Any) -> list[tuple[str, int]]:
    found = await stage.pool.fetch("select subject, sequence from receipts_due order by 1, 2")
    return [(row["subject"], row["sequence"]) for row in found]


def watched(kit: Any, sequence: int) -> FrWatched:
    fr = kit.created()
    return FrWatched(at=fr.at, fr_id=fr.fr_id, order_id=fr.order_id, push_sequence=sequence)


async def test_fp5_what_was_sent_is_told_until_the_poller_watches_it(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    assert await awaited(stage) == [], "the router asks again by itself"
    await stage.send()
    sequence = (await stage.fr())["sequence"]
    assert await awaited(stage) == [("fr/f1", sequence)]
    await stage.deliver(watched(kit, sequence - 1))
    assert await awaited(stage) == [("fr/f1", sequence)], "an older fact was answered"
    await stage.deliver(watched(kit, sequence))
    assert await awaited(stage) == []
