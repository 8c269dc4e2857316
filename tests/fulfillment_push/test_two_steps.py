"""A source that keeps no reference: the handle of a first step without effect is stored before the step with effect.

(DESIGN section 5; FP-5: never sent twice, never lost.)
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fulfillment_push.by_hand import resend
from waybill_common.db import transaction
from waybill_common.retry import Family

LATE = 100.0


@pytest.fixture
async def shop(stage: Any, kit: Any) -> Any:
    stage.sources["east"] = kit.PlacingSource()
    return stage.sources["east"]


async def test_what_was_prepared_is_stored_and_then_placed(stage: Any, kit: Any, shop: Any) -> None:
    stored: list[str | None] = []

    def looks(*_: Any) -> None:
        stored.append("placed")

    shop.script = [looks]
    await stage.deliver(kit.created())
    run, answers = stage.worker()
    await run.turn()
    while run.in_hand:
        if not await answers.turn():
            await asyncio.sleep(0.002)
    row = await stage.fr()
    assert (row["handle"], row["state"], row["outcome"], stored) == ("cart-1", "PROCESSING", "none", [])
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["platform_id"], row["attempts"]) == ("ACKNOWLEDGED", "order-cart-1", 1)
    assert shop.made["E-f1"] == 1


async def test_a_lost_answer_is_found_by_the_handle(stage: Any, kit: Any, shop: Any) -> None:
    shop.script = [kit.lost_answer]
    await stage.deliver(kit.created())
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["platform_id"], shop.made["E-f1"]) == ("ACKNOWLEDGED", "order-cart-1", 1)


async def test_the_same_handle_is_placed_again_so_a_late_effect_is_not_doubled(stage: Any, kit: Any, shop: Any) -> None:
    shop.script = [kit.failing(outcome="unknown", cause="connection")]
    await stage.deliver(kit.created())
    await stage.send()
    await stage.make_due()
    await stage.send()
    await stage.pass_time(LATE)
    handle = next(iter(shop.prepared))
    late = shop.find_placed

    async def missed(_request: Any, handle: str) -> None:
        shop.find_placed = late
        shop.accept(shop.prepared[handle], handle)  # it lands between this look and the next send

    shop.find_placed = missed
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["handle"], list(shop.prepared)) == ("ACKNOWLEDGED", handle, [handle])
    assert shop.made["E-f1"] == 1


async def test_a_failure_to_prepare_is_tried_again_and_never_read_back(stage: Any, kit: Any, shop: Any) -> None:
    shop.preparing = [kit.error(), RuntimeError("our own bug")]
    await stage.deliver(kit.created())
    await stage.send(rest=0.05)
    row = await stage.fr()
    assert (row["state"], row["attempts"], shop.asked["E-f1"]) == ("ACKNOWLEDGED", 3, 0)


async def test_what_cannot_be_prepared_fails_with_its_reason_and_a_resend_prepares_anew(
    stage: Any, kit: Any, shop: Any
) -> None:
    shop.preparing = [kit.error(Family.REFUSED)]
    await stage.deliver(kit.created())
    await stage.send()
    assert ((await stage.fr())["state"], (await stage.fr())["handle"]) == ("FAILED", None)
    shop.script = [kit.failing(Family.REFUSED, cause="refused")]
    await _resend(stage)
    assert ((await stage.fr())["state"], (await stage.fr())["handle"]) == ("FAILED", "cart-1")
    await _resend(stage)
    assert ((await stage.fr())["state"], (await stage.fr())["handle"]) == ("ACKNOWLEDGED", "cart-2")


async def test_a_void_while_it_is_prepared_wins(stage: Any, kit: Any, shop: Any) -> None:
    async def voided_meanwhile() -> None:
        await stage.deliver(kit.void_requested())

    shop.preparing = [voided_meanwhile]
    await stage.deliver(kit.created())
    await stage.send()
    assert (await stage.fr())["state"] == "VOIDED"
    assert shop.placed == {}


async def _resend(stage: Any) -> None:
    async with transaction(stage.pool) as conn:
        [fr] = (await stage.store.load(conn, ["f1"], requests=True, orders=True)).values()
        await stage.book.refresh(conn)
        resend(fr, stage.book.settings, who="anna", why="mended")
        await stage.store.save(conn, [fr])
    await stage.send()
