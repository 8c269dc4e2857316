"""Defects planted one at a time where they could be made: the books of `play.py` find each. (FP-1, FP-6, RT-6, RT-13)

A play that could not fail would prove nothing. Each defect is one that somebody could write; the play goes on, round
after round, until the books disagree. `test_with_router.py` plays the same without a defect.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from tests.fulfillment_push.play import STEPS, Play
from tests.router.conftest import World

from fulfillment_push import answers, progress, recall, receive
from fulfillment_push.facts import tell
from fulfillment_push.fr import Fr
from fulfillment_push.request import canceled_lines
from router import decide, reserve, route_orders, take_progress, unwanted
from router.ledger import Allocation
from waybill_contracts.fulfillment_submitted import FrCanceled, FrState
from waybill_platforms.model.requests import CancelAnswer, Submitted

ROUNDS = 20
"""Within so many rounds of one play a planted defect must be found; most are in the first two."""


Plant = pytest.MonkeyPatch


def canceled_parts_are_told_in_total(plant: Plant) -> None:
    def note(fr: Fr, submitted: Submitted) -> None:
        lines = canceled_lines(fr.request, submitted)
        now = {(line["line_id"], line["sku"]): line["quantity"] for line in lines}
        if now != fr.canceled_total:
            fr.canceled, fr.canceled_total = lines, now
            tell(fr, FrCanceled)

    plant.setattr(progress, "note_canceled", note)
    plant.setattr(answers, "note_canceled", note)


def a_canceled_part_counts_each_time_it_is_told(plant: Plant) -> None:
    apply = take_progress._apply
    plant.setattr(take_progress, "_apply", lambda *given, killed, fresh: apply(*given, killed=killed, fresh=True))


def a_void_gives_no_stock_back(plant: Plant) -> None:
    plant.setattr(take_progress, "ENDED", (FrState.CANCELED,))


def what_is_asked_back_is_planned_at_once(plant: Plant) -> None:
    missing = decide.missing

    def hasty(case: Any) -> Any:
        for fr in case.frs:
            fr.wish = "overridden" if fr.state == "void_requested" else fr.wish
        return missing(case)

    plant.setattr(decide, "missing", hasty)


def a_reservation_counts_twice(plant: Plant) -> None:
    def twice(*given: Any) -> Any:
        return {key: 2 * units for key, units in reserve.asks_of(*given).items()}

    plant.setattr(route_orders, "reserve", _with(reserve.reserve, asks_of=twice))


def nothing_is_reserved(plant: Plant) -> None:
    plant.setattr(route_orders, "reserve", _with(reserve.reserve, asks_of=lambda *_: {}))


def the_fence_is_open(plant: Plant) -> None:
    plant.setattr(receive, "fence", lambda *_: None)


def a_refused_recall_counts_as_given_back(plant: Plant) -> None:
    answered = recall.answered
    plant.setattr(
        recall, "answered", lambda fr, answer: answered(fr, CancelAnswer("accepted") if answer.result else answer)
    )


def a_shipment_counts_each_time_it_is_told(plant: Plant) -> None:
    async def nothing(*_: Any) -> dict[str, Any]:
        return {}

    plant.setattr(take_progress, "_booked", nothing)


def what_the_source_canceled_stays_free(plant: Plant) -> None:
    release = take_progress.Moves.release
    plant.setattr(
        take_progress.Moves,
        "release",
        lambda moves, allocation, units, *, source_canceled=False, killed=False: release(moves, allocation, units),
    )


def a_parcel_that_does_not_count_counts(plant: Plant) -> None:
    plant.setattr(Allocation, "served", property(lambda self: self.shipped))


def a_replacement_ships_beside_what_left_after_all(plant: Plant) -> None:
    excess = unwanted._excess

    def blind(case: Any, leaving: set[str]) -> Any:
        return excess(replace(case, frs=[fr for fr in case.frs if fr.state != "closed"]), leaving)

    plant.setattr(unwanted, "_excess", blind)


def _with(function: Any, **names: Any) -> Any:
    """The function with other values for some of its module's names."""
    return type(function)(function.__code__, {**function.__globals__, **names}, function.__name__)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "defect",
    [
        canceled_parts_are_told_in_total, a_canceled_part_counts_each_time_it_is_told, a_void_gives_no_stock_back,
        what_is_asked_back_is_planned_at_once, a_reservation_counts_twice, nothing_is_reserved, the_fence_is_open,
        a_refused_recall_counts_as_given_back, a_shipment_counts_each_time_it_is_told,
        what_the_source_canceled_stays_free, a_parcel_that_does_not_count_counts,
        a_replacement_ships_beside_what_left_after_all,
    ],
    ids=lambda defect: defect.__name__,
)  # fmt: skip
async def test_the_books_find_that(stage: Any, kit: Any, router: World, defect: Any) -> None:
    play = await Play.begin(router, stage, kit, 0)
    with pytest.MonkeyPatch.context() as plant:
        defect(plant)
        with pytest.raises((AssertionError, asyncpg.IntegrityConstraintViolationError)):
            await rounds(play)


async def rounds(play: Play) -> None:
    for _ in range(ROUNDS):
        await play.round(STEPS)
