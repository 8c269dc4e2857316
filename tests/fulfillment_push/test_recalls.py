"""Void against send on one row, and asking a source to give a request back. (FP-7, RT-13)"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from waybill_common.retry import Family
from waybill_platforms.model import CancelAnswer


async def sent_and_void_wanted(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    await stage.send()
    await stage.told()
    await stage.deliver(kit.void_requested())


async def test_a_sent_fr_is_asked_back_and_voided_when_the_source_agrees(stage: Any, kit: Any) -> None:
    await sent_and_void_wanted(stage, kit)
    row = await stage.fr()
    assert (row["state"], row["recall"], row["waiting"]) == ("ACKNOWLEDGED", "requested", "recall")
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["recall"], row["due_at"]) == ("VOIDED", "accepted", None)
    told = await stage.told("f1")
    assert [(kind, fact["recall"]) for kind, fact in told] == [
        ("fr.recall_requested", "requested"), ("fr.voided", "accepted"),
    ]  # fmt: skip
    assert all(fact["router_sequence"] == 2 for _, fact in told)


async def test_a_refused_recall_is_told_and_the_fr_stays_sent(stage: Any, kit: Any) -> None:
    stage.sources["east"].cancels = [CancelAnswer("refused", "Shipped at 09:58")]
    await sent_and_void_wanted(stage, kit)
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["recall"], row["due_at"]) == ("ACKNOWLEDGED", "refused", None)
    facts = dict(await stage.told("f1"))
    assert facts["fr.recall_refused"]["reason"]["message"] == "Shipped at 09:58"


async def test_a_pending_recall_is_asked_again_until_it_is_decided(stage: Any, kit: Any) -> None:
    stage.sources["east"].cancels = [CancelAnswer("pending"), kit.error(), CancelAnswer("accepted")]
    await sent_and_void_wanted(stage, kit)
    for _ in range(2):
        await stage.send()
        assert (await stage.fr())["recall"] == "requested"
        await stage.make_due()
    await stage.send()
    assert (await stage.fr())["state"] == "VOIDED"


async def test_a_source_that_never_answers_a_recall_is_shown_as_such(stage: Any, kit: Any) -> None:
    stage.sources["east"].cancels = [CancelAnswer("pending")] * 25
    await sent_and_void_wanted(stage, kit)
    for _ in range(21):
        await stage.send()
        await stage.make_due()
    assert (await stage.fr())["recall"] == "unanswered"
    await stage.make_due()
    stage.sources["east"].cancels = []
    await stage.send()
    assert (await stage.fr())["state"] == "VOIDED"


async def test_a_source_without_cancellation_refuses(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.features = replace(east.features, cancels=False)
    await sent_and_void_wanted(stage, kit)
    await stage.send()
    row = await stage.fr()
    assert (row["recall"], row["reason"]["code"]) == ("refused", "source_cannot_cancel")


@pytest.mark.parametrize("fault", ["sent", "lost", "refused", "nothing_done"])
async def test_a_void_while_it_is_being_sent_is_decided_after_the_outcome(stage: Any, kit: Any, fault: str) -> None:
    east = stage.sources["east"]
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def meets_a_void(source: Any, request: Any) -> Any:
        arrived.set()
        await go_on.wait()
        if fault == "sent":
            return source.accept(request)
        if fault == "lost":
            return kit.lost_answer(source, request)
        family = Family.REFUSED if fault == "refused" else Family.LATER
        return kit.failing(family)(source, request)

    east.script = [meets_a_void]
    await stage.deliver(kit.created())
    run, answers = stage.worker()
    await run.turn()
    await arrived.wait()
    await stage.deliver(kit.void_requested())
    row = await stage.fr()
    assert (row["state"], row["outcome"]) == ("PROCESSING", "in_flight")
    go_on.set()
    while run.in_hand:
        await answers.turn()
        await asyncio.sleep(0.002)
    await stage.send()
    row = await stage.fr()
    asked_back = fault in ("sent", "lost")
    assert (row["state"], row["recall"]) == ("VOIDED", "accepted" if asked_back else "none")
    kinds = [kind for kind, _ in await stage.told("f1")]
    assert ("fr.recall_requested" in kinds) == asked_back
    assert kinds.count("fr.voided") == 1
    assert all(submitted.canceled for submitted in east.requests.values())


async def test_a_failed_fr_is_voided_without_asking(stage: Any, kit: Any) -> None:
    stage.sources["east"].script = [kit.failing(Family.REFUSED, cause="refused")]
    await stage.deliver(kit.created())
    await stage.send()
    await stage.deliver(kit.void_requested())
    assert (await stage.fr())["state"] == "VOIDED"
