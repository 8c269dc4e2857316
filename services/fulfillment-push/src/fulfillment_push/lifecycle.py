"""The life cycle of an FR as one literal table (FP-1), and the only function that moves along it.

`MOVES[state][next]` says under which condition the move is possible; what is not in the table is refused loudly.
Each move leaves a line of history: who, why, when, at which attempt.
"""

from enum import StrEnum

from fulfillment_push.fr import Fr, Move
from waybill_contracts.fulfillment_submitted import FrState, Recall


class Condition(StrEnum):
    """What must hold besides the states."""

    ALWAYS = "always"
    BY_HAND = "by a person only"
    NO_OPEN_INTENT = "no send of unknown outcome"
    RECALL_ACCEPTED = "the source gave it back"


_S = FrState
_C = Condition

MOVES: dict[FrState, dict[FrState, Condition]] = {
    _S.UNPROCESSED: {
        _S.PROCESSING: _C.ALWAYS,
        _S.VOIDED: _C.ALWAYS,
        _S.PROCESSED: _C.BY_HAND,
        _S.ACKNOWLEDGED: _C.BY_HAND,
    },
    _S.PROCESSING: {
        _S.PROCESSED: _C.ALWAYS,
        _S.ACKNOWLEDGED: _C.ALWAYS,
        _S.FAILED: _C.ALWAYS,
        _S.VOIDED: _C.NO_OPEN_INTENT,
    },
    _S.PROCESSED: {
        _S.ACKNOWLEDGED: _C.ALWAYS,
        _S.FAILED: _C.ALWAYS,
        _S.CANCELED: _C.ALWAYS,
        _S.VOIDED: _C.RECALL_ACCEPTED,
    },
    _S.ACKNOWLEDGED: {
        _S.CANCELED: _C.ALWAYS,
        _S.VOIDED: _C.RECALL_ACCEPTED,
    },
    _S.FAILED: {
        _S.PROCESSING: _C.ALWAYS,
        _S.VOIDED: _C.ALWAYS,
        _S.PROCESSED: _C.BY_HAND,
        _S.ACKNOWLEDGED: _C.BY_HAND,
    },
    _S.CANCELED: {},
    _S.VOIDED: {},
}

SENT = frozenset({FrState.PROCESSED, FrState.ACKNOWLEDGED})
FINAL = frozenset(state for state, following in MOVES.items() if not following)


class MoveRefused(Exception):
    """The life cycle has no such move; the text names the FR, both states and what would have to hold."""


def advance(fr: Fr, to: FrState, *, who: str, why: str, by_hand: bool = False) -> None:
    """Moves `fr` to `to` and notes it; raises MoveRefused and changes nothing when the table does not have the move."""
    condition = MOVES[fr.state].get(to)
    if condition is None:
        possible = ", ".join(MOVES[fr.state]) or "nothing: it is final"
        raise MoveRefused(f"FR {fr.number or fr.fr_id} is {fr.state} and cannot become {to}; it may become {possible}")
    if not _holds(condition, fr, by_hand=by_hand):
        raise MoveRefused(f"FR {fr.number or fr.fr_id} is {fr.state} and may become {to} only with: {condition}")
    fr.moves.append(Move(fr.state, to, who, why, fr.now, fr.attempts))
    fr.state = to


def _holds(condition: Condition, fr: Fr, *, by_hand: bool) -> bool:
    if condition is Condition.BY_HAND:
        return by_hand
    if condition is Condition.NO_OPEN_INTENT:
        return not fr.open_intent
    if condition is Condition.RECALL_ACCEPTED:
        return fr.recall is Recall.ACCEPTED
    return True
