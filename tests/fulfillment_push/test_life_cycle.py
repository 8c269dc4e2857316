"""The table of states is sound, and every rule on it is refused loudly where it does not hold. (FP-1)"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fulfillment_push.fr import Fr
from fulfillment_push.lifecycle import FINAL, MOVES, Condition, MoveRefused, advance
from waybill_contracts.fulfillment_submitted import FrState, Outcome, Recall

AT = datetime(2026, 11, 22, tzinfo=UTC)
EVERY = [(state, to) for state in FrState for to in FrState]


def an_fr(state: FrState, **given: object) -> Fr:
    return Fr("f1", "o1", AT, number="E-1", state=state, **given)  # type: ignore[arg-type]


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(MOVES) == set(FrState)
    reached = {FrState.UNPROCESSED}
    while more := {to for state in reached for to in MOVES[state]} - reached:
        reached |= more
    assert reached == set(FrState)


def test_only_canceled_and_voided_are_final() -> None:
    assert {FrState.CANCELED, FrState.VOIDED} == FINAL


def test_every_state_can_still_end() -> None:
    ends = set(FINAL)
    while more := {state for state, to in MOVES.items() if set(to) & ends} - ends:
        ends |= more
    assert ends == set(FrState)


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


def test_the_page_shows_the_table_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs/mechanisms/sending-requests.md").read_text(encoding="utf-8")
    for state, following in MOVES.items():
        cells = [
            f"`{to.value}`" + ("" if how is Condition.ALWAYS else f" ({how.value})") for to, how in following.items()
        ]
        assert f"| `{state.value}` | {', '.join(cells) or '–'} |" in page
