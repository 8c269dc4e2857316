"""FP-9: each action of a person is in the FR's history, with who and why; also what moves nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from fulfillment_push import by_hand
from fulfillment_push.fr import Fr
from waybill_common.retry import Family
from waybill_contracts.fulfillment_submitted import FrState
from waybill_contracts.values import ByHand

KIM: dict[str, str] = {"who": "kim", "why": "the shop asked"}
Action = Callable[[Any], Callable[[Fr], None]]


def processing(stage: Any) -> Callable[[Fr], None]:
    return lambda fr: by_hand.process(fr, stage.book.settings, **KIM)


def resending(stage: Any) -> Callable[[Fr], None]:
    return lambda fr: by_hand.resend(fr, stage.book.settings, **KIM)


def marking(to: FrState) -> Action:
    return lambda _: partial(by_hand.mark, to=to, **KIM)


def answering(*, given_back: bool) -> Action:
    return lambda _: partial(by_hand.recalled, given_back=given_back, **KIM)


async def unprocessed(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created(kit.fr_of(auto_process=False)))


async def sent(stage: Any, kit: Any) -> None:
    await stage.deliver(kit.created())
    await stage.send()


async def failed(stage: Any, kit: Any) -> None:
    stage.sources["east"].script = [kit.failing(Family.REFUSED)]
    await sent(stage, kit)


async def unknown(stage: Any, kit: Any) -> None:
    stage.sources["east"].script = [kit.failing(outcome="unknown")]
    await sent(stage, kit)


async def asked_back(stage: Any, kit: Any) -> None:
    await stage.configure(kit.source_of("hand", platform="manual", url=None))
    await stage.deliver(kit.created(kit.fr_of(source="hand")))
    await stage.act(["f1"], partial(by_hand.mark, to=FrState.PROCESSED, who="ada", why="faxed"))
    await stage.deliver(kit.void_requested())


ACTIONS: list[tuple[str, Any, Action, FrState, str]] = [
    ("process", unprocessed, processing, FrState.PROCESSING, "the shop asked"),
    ("mark processed", unprocessed, marking(FrState.PROCESSED), FrState.PROCESSED, "the shop asked"),
    ("mark acknowledged", unprocessed, marking(FrState.ACKNOWLEDGED), FrState.ACKNOWLEDGED, "the shop asked"),
    ("mark what failed", failed, marking(FrState.PROCESSED), FrState.PROCESSED, "the shop asked"),
    ("resend what failed", failed, resending, FrState.PROCESSING, "the shop asked"),
    (
        "resend what nobody knew of", unknown, resending, FrState.PROCESSING,
        "not at the source, so it is sent again: the shop asked",
    ),
    ("mark what nobody knew of", unknown, marking(FrState.PROCESSED), FrState.PROCESSED, "the shop asked"),
    ("given back", asked_back, answering(given_back=True), FrState.VOIDED, "given back: the shop asked"),
    ("not given back", asked_back, answering(given_back=False), FrState.PROCESSED, "not given back: the shop asked"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "action", "state", "why"), [a[1:] for a in ACTIONS], ids=[a[0] for a in ACTIONS])
async def test_fp9_each_action_leaves_who_and_why(
    stage: Any, kit: Any, before: Any, action: Action, state: FrState, why: str
) -> None:
    await before(stage, kit)
    [result] = await stage.act(["f1"], action(stage))
    assert result["refused"] is None
    newest = await newest_line(stage)
    assert (newest["to_state"], newest["who"], newest["why"]) == (state.value, "kim", why)


@pytest.mark.parametrize(
    ("before", "state", "why"),
    [
        (unprocessed, FrState.VOIDED, "the shop asked"),
        (failed, FrState.VOIDED, "the shop asked"),
        (sent, FrState.ACKNOWLEDGED, "wanted back: the shop asked"),
        (unknown, FrState.PROCESSING, "wanted back: the shop asked"),
    ],
)
async def test_fp9_a_void_by_hand_leaves_who_and_why_also_when_it_waits_for_an_answer(
    stage: Any, kit: Any, before: Any, state: FrState, why: str
) -> None:
    await before(stage, kit)
    person = ByHand(actor="kim", reason="the shop asked")
    await stage.deliver(kit.void_requested().model_copy(update={"by_hand": person, "reason": person.reason}))
    newest = await newest_line(stage)
    assert (newest["to_state"], newest["who"], newest["why"]) == (state.value, "kim", why)


@pytest.mark.parametrize(
    ("before", "action"),
    [(sent, processing), (sent, resending), (unprocessed, resending), (sent, answering(given_back=True))],
)
async def test_fp9_what_is_refused_leaves_nothing(stage: Any, kit: Any, before: Any, action: Action) -> None:
    await before(stage, kit)
    lines = await stage.history()
    [result] = await stage.act(["f1"], action(stage))
    assert result["refused"]
    assert await stage.history() == lines


async def newest_line(stage: Any) -> Any:
    return await stage.pool.fetchrow("select * from fr_history where fr_id = 'f1' order by id desc limit 1")
