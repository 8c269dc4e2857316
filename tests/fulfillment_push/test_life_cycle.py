"""The table of states is sound, and every rule on it is refused loudly where it does not hold. (FP-1)"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fulfillment_push import drawing
from fulfillment_push.fr import Fr
from fulfillment_push.lifecycle import FINAL, MOVES, Condition, MoveRefused, advance, wrong_with
from waybill_contracts.fulfillment_submitted import FrState, Outcome, Recall

AT = datetime(2026, 11, 22, tzinfo=UTC)
EVERY = [(state, to) for state in FrState for to in FrState]


def an_fr(state: FrState, **given: object) -> Fr:
    return Fr("f1", "o1", AT, number="E-1", state=state, **given)  # type: ignore[arg-type]


def test_fp1_every_state_is_known_can_be_reached_and_can_end() -> None:
    assert wrong_with(MOVES) == []


def test_only_canceled_and_voided_are_final() -> None:
    assert {FrState.CANCELED, FrState.VOIDED} == FINAL


@pytest.mark.parametrize(("state", "to"), [pair for pair in EVERY if pair[1] not in MOVES[pair[0]]])
def test_a_move_that_is_not_in_the_table_is_refused_and_changes_nothing(state: FrState, to: FrState) -> None:
    fr = an_fr(state, recall=Recall.ACCEPTED)
    with pytest.raises(MoveRefused, match="E-1"):
        advance(fr, to, who="test", why="test", by_hand=True)
    assert (fr.state, fr.moves) == (state, [])


@pytest.mark.parametrize(("state", "to"), [pair for pair in EVERY if pair[1] in MOVES[pair[0]]])
def test_a_move_of_the_table_leaves_a_line_of_history(state: FrState, to: FrState) -> None:
    fr = an_fr(state, recall=Recall.ACCEPTED, attempts=2)
    advance(fr, to, who="kim", why="asked", by_hand=True)
    [move] = fr.moves
    assert (move.from_state, move.to_state, move.who, move.why, move.at, move.attempt) == (
        state, to, "kim", "asked", AT, 2,
    )  # fmt: skip


@pytest.mark.parametrize("outcome", [Outcome.IN_FLIGHT, Outcome.UNKNOWN])
def test_an_fr_with_an_open_intent_cannot_be_voided(outcome: Outcome) -> None:
    with pytest.raises(MoveRefused, match="unknown outcome"):
        advance(an_fr(FrState.PROCESSING, outcome=outcome), FrState.VOIDED, who="test", why="test")


@pytest.mark.parametrize("recall", [Recall.NONE, Recall.REQUESTED, Recall.REFUSED, Recall.UNANSWERED])
@pytest.mark.parametrize("state", [FrState.PROCESSED, FrState.ACKNOWLEDGED])
def test_a_sent_fr_is_voided_only_when_the_source_gave_it_back(state: FrState, recall: Recall) -> None:
    with pytest.raises(MoveRefused, match="gave it back"):
        advance(an_fr(state, recall=recall), FrState.VOIDED, who="test", why="test")


@pytest.mark.parametrize("state", [FrState.UNPROCESSED, FrState.FAILED])
@pytest.mark.parametrize("to", [FrState.PROCESSED, FrState.ACKNOWLEDGED])
def test_only_a_person_marks_what_was_not_sent(state: FrState, to: FrState) -> None:
    with pytest.raises(MoveRefused, match="person"):
        advance(an_fr(state), to, who="test", why="test")


PAGE = Path(__file__).parents[2] / "docs/mechanisms/sending-requests.md"


def test_fp1_the_page_shows_the_table_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert drawing.drawn(page) == page, "run `make docs`"
    for state, following in MOVES.items():
        for to in following:
            assert f"    {state.value} --> {to.value}" in page


def test_fp1_a_page_that_says_otherwise_is_found_and_mended(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        PAGE.read_text(encoding="utf-8").replace("| `VOIDED` | – |", "| `VOIDED` | `PROCESSING` |"), "utf-8"
    )
    assert drawing.main(str(page), "--check") == 1
    assert drawing.main(str(page)) == 0
    assert drawing.main(str(page), "--check") == 0
    with pytest.raises(ValueError, match="no place"):
        drawing.drawn("a page without marks")


def test_fp1_the_check_of_the_table_finds_unreachable_states_and_unknown_targets() -> None:
    assert wrong_with(MOVES) == []
    cut_off = {state: {to: how for to, how in to_.items() if to is not FrState.FAILED} for state, to_ in MOVES.items()}
    assert wrong_with(cut_off) == ["FAILED cannot be reached"]
    nowhere: Any = MOVES | {FrState.FAILED: {"LOST": Condition.ALWAYS}}
    assert wrong_with(nowhere) == ["FAILED leads to LOST, which is no state", "FAILED can never end"]
    missing = {state: to for state, to in MOVES.items() if state is not FrState.CANCELED}
    assert "CANCELED is not in the table" in wrong_with(missing)
