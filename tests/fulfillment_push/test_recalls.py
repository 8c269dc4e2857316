"""Void against send on one row, and asking a source to give a request back. (FP-7, RT-13)"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from fulfillment_push.by_hand import mark, recalled
from waybill_common.retry import Family
from waybill_contracts.fulfillment_submitted import FrState
from waybill_platforms.model.requests import CancelAnswer


async def sent_and_void_wanted(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    await stage.send()
    await stage.told()
    await stage.deliver(kit.void_requested())


async def test_fp7_a_sent_fr_is_asked_back_and_voided_when_the_source_agrees(stage: Any, kit: Any) -> None:
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


async def test_fp7_a_refused_recall_is_told_and_the_fr_stays_sent(stage: Any, kit: Any) -> None:
    stage.sources["east"].cancels = [CancelAnswer("refused", "Shipped at 09:58")]
    await sent_and_void_wanted(stage, kit)
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["recall"], row["waiting"]) == ("ACKNOWLEDGED", "refused", "source_progress")
    facts = dict(await stage.told("f1"))
    assert facts["fr.recall_refused"]["reason"]["message"] == "Shipped at 09:58"


async def test_fp7_a_pending_recall_is_asked_again_until_it_is_decided(stage: Any, kit: Any) -> None:
    stage.sources["east"].cancels = [CancelAnswer("pending"), kit.error(), CancelAnswer("accepted")]
    await sent_and_void_wanted(stage, kit)
    for _ in range(2):
        await stage.send()
        assert (await stage.fr())["recall"] == "requested"
        await stage.make_due()
    await stage.send()
    assert (await stage.fr())["state"] == "VOIDED"


async def test_fp7_a_source_that_has_not_answered_a_recall_within_the_hour_is_shown_as_such_and_asked_on(
    stage: Any, kit: Any
) -> None:
    stage.sources["east"].cancels = [CancelAnswer("pending")] * 3
    await sent_and_void_wanted(stage, kit)
    await stage.send()
    await stage.watch_deadlines()
    assert (await stage.fr())["recall"] == "requested"
    await stage.told()
    await stage.pass_time(3700)
    await stage.watch_deadlines()
    told = await stage.told()
    assert [(kind, fact.get("recall")) for kind, fact in told] == [
        ("fr.recall_requested", "unanswered"), ("alert.raised", None),
    ]  # fmt: skip
    assert (await stage.fr())["recall"] == "unanswered"
    stage.sources["east"].cancels = []
    await stage.make_due()
    await stage.send()
    assert (await stage.fr())["state"] == "VOIDED"
    await stage.watch_deadlines()
    assert "alert.cleared" in dict(await stage.told())


async def test_fp7_a_recall_at_a_source_without_connection_has_the_same_deadline(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of("hand", platform="manual", url=None))
    await stage.deliver(kit.created(kit.fr_of(source="hand")))
    await stage.act(["f1"], lambda fr: mark(fr, FrState.PROCESSED, who="kim", why="faxed"))
    await stage.deliver(kit.void_requested())
    await stage.send()
    assert (await stage.fr())["waiting"] == "recall_by_hand"
    await stage.pass_time(3700)
    await stage.watch_deadlines()
    assert (await stage.fr())["recall"] == "unanswered"
    await stage.act(["f1"], lambda fr: recalled(fr, given_back=True, who="kim", why="they called back"))
    assert (await stage.fr())["state"] == "VOIDED"


async def test_fp7_a_refused_recall_is_looked_at_again_what_the_source_does_later_is_seen(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.cancels = [CancelAnswer("refused", "too late")]
    await sent_and_void_wanted(stage, kit)
    await stage.send()
    assert ((await stage.fr())["recall"], (await stage.fr())["waiting"]) == ("refused", "source_progress")
    east.requests["E-f1"] = replace(east.requests["E-f1"], canceled=True)
    await stage.make_due()
    await stage.send()
    assert (await stage.fr())["state"] == "CANCELED"


async def test_fp7_a_source_without_cancellation_refuses(stage: Any, kit: Any) -> None:
    east = stage.sources["east"]
    east.features = replace(east.features, cancels=False)
    await sent_and_void_wanted(stage, kit)
    await stage.send()
    row = await stage.fr()
    assert (row["recall"], row["reason"]["code"]) == ("refused", "source_cannot_cancel")


@pytest.mark.parametrize("fault", ["sent", "lost", "refused", "nothing_done", "unauthorized"])
async def test_rt13_a_void_while_it_is_being_sent_is_decided_after_the_outcome(
    stage: Any, kit: Any, fault: str
) -> None:
    east = stage.sources["east"]
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def meets_a_void(source: Any, request: Any) -> Any:
        arrived.set()
        await go_on.wait()
        if fault == "sent":
            return source.accept(request)
        if fault == "lost":
            return kit.lost_answer(source, request)
        family = {"refused": Family.REFUSED, "unauthorized": Family.UNAUTHORIZED}.get(fault, Family.LATER)
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


async def test_rt13_a_failed_fr_is_voided_without_asking(stage: Any, kit: Any) -> None:
    stage.sources["east"].script = [kit.failing(Family.REFUSED, cause="refused")]
    await stage.deliver(kit.created())
    await stage.send()
    await stage.deliver(kit.void_requested())
    assert (await stage.fr())["state"] == "VOIDED"


async def test_fp4_a_source_whose_capabilities_are_narrowed_is_not_asked_back(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of(capabilities={"cancels": False}), version=2)
    await sent_and_void_wanted(stage, kit)
    await stage.send()
    row = await stage.fr()
    assert (row["state"], row["recall"], row["reason"]["code"]) == ("ACKNOWLEDGED", "refused", "source_cannot_cancel")
    assert not stage.sources["east"].requests["E-f1"].canceled


async def test_in13_each_change_says_how_it_ended_in_time_too_late_or_to_be_recalled(stage: Any, kit: Any) -> None:
    stage.sources["east"].cancels = [CancelAnswer("refused", "it left at nine")]
    await stage.configure(kit.source_of("later", send_every="1h"))
    await stage.deliver(kit.created(), kit.created(kit.fr_of("f2", "o2", source="later")))
    await stage.send()
    await stage.told()
    await stage.deliver(kit.void_requested(), kit.void_requested("f2", "o2"))
    told = [(kind, fact["fr_id"], fact["recall"]) for kind, fact in await stage.told()]
    assert told == [("fr.recall_requested", "f1", "requested"), ("fr.voided", "f2", "none")]
    await stage.send()
    assert [(kind, fact["recall"]) for kind, fact in await stage.told("f1")] == [("fr.recall_refused", "refused")]
