"""The life cycle of an FR as one literal table (FP-1), and the only function that moves along it.

`MOVES[state][next]` says under which condition the move is possible; what is not in the table is refused loudly.
Each move leaves a line of history: who, why, when, at which attempt.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from fulfillment_push.fr import Fr, Move
from waybill_common.refusals import Refused
from waybill_contracts.fulfillment_submitted import FrShipping, FrState, Recall


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


def wrong_with(moves: Mapping[FrState, Mapping[FrState, Condition]]) -> list[str]:
    """What a table of moves gets wrong: unknown or missing states, ones that are never reached or never end."""
    wrong = [f"{state} is not in the table" for state in FrState if state not in moves]
    wrong += [f"{a} leads to {b}, which is no state" for a, to in moves.items() for b in to if b not in set(FrState)]
    reached = _closure({FrState.UNPROCESSED}, lambda state: moves.get(state, {}))
    wrong += [f"{state} cannot be reached" for state in moves if state not in reached]
    back = {state: [before for before, to in moves.items() if state in to] for state in FrState}
    ends = _closure({state for state, to in moves.items() if not to}, lambda state: back[state])
    wrong += [f"{state} can never end" for state in moves if state not in ends]
    return wrong


def _closure(start: set[FrState], following: Callable[[FrState], Iterable[FrState]]) -> set[FrState]:
    found = set(start)
    while more := {to for state in found & set(FrState) for to in following(state)} - found:
        found |= more
    return found


class MoveRefused(Refused):
    """The life cycle has no such move; the text names the FR and its state, the remedy what would have to hold."""


def advance(fr: Fr, to: FrState, *, who: str, why: str, by_hand: bool = False) -> None:
    """Moves `fr` to `to` and notes it; raises MoveRefused and changes nothing when the table does not have the move."""
    condition = MOVES[fr.state].get(to)
    if condition is None:
        raise MoveRefused(f"FR {fr.number or fr.fr_id} is {fr.state} and cannot become {to}", _instead(fr.state))
    if not _holds(condition, fr, by_hand=by_hand):
        reason = f"FR {fr.number or fr.fr_id} is {fr.state} and may become {to} only with: {condition}"
        raise MoveRefused(reason, _MEETS[condition])
    fr.moves.append(Move(fr.state, to, who, why, fr.now, fr.attempts))
    fr.state = to
    if to in SENT:
        fr.sent_at = fr.sent_at or fr.now
    if to in FINAL and fr.shipping is FrShipping.AWAITING:
        fr.shipping = FrShipping.CANCELED


def note(fr: Fr, *, who: str, why: str) -> None:
    """A person's word that moves nothing yet: a line of history all the same (FP-9)."""
    fr.moves.append(Move(fr.state, fr.state, who, why, fr.now, fr.attempts))


def _instead(state: FrState) -> str:
    possible = ", ".join(MOVES[state])
    return f"it may become {possible}" if possible else "it is final: regenerate it to have its units asked for again"


_MEETS: dict[Condition, str] = {
    Condition.ALWAYS: "try again",
    Condition.BY_HAND: "mark it: `waybill frs mark`",
    Condition.NO_OPEN_INTENT: "wait until it was read back at its source whether the request arrived, then try again",
    Condition.RECALL_ACCEPTED: "void it, so that its source is asked to give it back",
}
"""How each condition comes to hold."""


def _holds(condition: Condition, fr: Fr, *, by_hand: bool) -> bool:
    if condition is Condition.BY_HAND:
        return by_hand
    if condition is Condition.NO_OPEN_INTENT:
        return not fr.open_intent
    if condition is Condition.RECALL_ACCEPTED:
        return fr.recall is Recall.ACCEPTED
    return True
