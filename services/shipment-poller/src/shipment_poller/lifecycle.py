"""The life cycles of this stage as literal tables, and the one `advance` that refuses what they don't allow.

A shipment's state is judged anew whenever its source, its FR or its neighbours change, so most moves go both ways;
what is written here is what can never be: a withdrawn one does not wait for a label, a taken one never conflicts.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from shipment_poller.model import ShipmentState as S


class SyncState(StrEnum):
    """What the channel is known to show of one shipment. Stored beside the due time; the axis of SP-10."""

    NOT_NEEDED = "not_needed"
    PENDING = "pending"
    WITHDRAWING = "withdrawing"
    UPDATING = "updating"
    CREATING = "creating"
    SYNCED = "synced"
    FAILED = "failed"


SHIPMENT: Mapping[S | None, frozenset[S]] = {
    None: frozenset({S.RECORDED, S.WAITING_FOR_LABEL, S.REFUSED, S.CONFLICT, S.WITHDRAWN}),
    S.WAITING_FOR_LABEL: frozenset({S.RECORDED, S.REFUSED, S.WITHDRAWN}),
    S.RECORDED: frozenset({S.WAITING_FOR_LABEL, S.REFUSED, S.WITHDRAWN}),
    S.REFUSED: frozenset({S.RECORDED, S.WAITING_FOR_LABEL, S.WITHDRAWN, S.CONFLICT}),
    S.CONFLICT: frozenset({S.RECORDED, S.WAITING_FOR_LABEL, S.REFUSED, S.WITHDRAWN}),
    S.WITHDRAWN: frozenset({S.RECORDED, S.WAITING_FOR_LABEL, S.REFUSED, S.CONFLICT}),
}

_Y = SyncState
_WORK = frozenset({_Y.WITHDRAWING, _Y.UPDATING, _Y.CREATING, _Y.SYNCED, _Y.FAILED, _Y.NOT_NEEDED})
SYNC: Mapping[SyncState | None, frozenset[SyncState]] = {
    None: frozenset({_Y.NOT_NEEDED, _Y.PENDING}),
    _Y.NOT_NEEDED: frozenset({_Y.PENDING}),
    _Y.PENDING: _WORK,
    _Y.WITHDRAWING: _WORK | {_Y.PENDING},
    _Y.UPDATING: _WORK | {_Y.PENDING},
    _Y.CREATING: _WORK | {_Y.PENDING},
    _Y.SYNCED: frozenset({_Y.PENDING, _Y.FAILED}),  # failed: the channel shows it otherwise by now, an audit found
    _Y.FAILED: frozenset({_Y.PENDING}),
}

State = TypeVar("State", S, SyncState)


class MoveRefused(ValueError):
    """The life cycle has no such move; the text names both ends and what would be allowed."""


def advance(table: Mapping[State | None, frozenset[State]], now: State | None, to: State) -> State:
    """`to`, when the table allows it from `now` (staying is always allowed); else raises MoveRefused."""
    if now != to and to not in table[now]:
        allowed = ", ".join(sorted(table[now])) or "nothing"
        raise MoveRefused(f"{now} may not become {to}: allowed are {allowed}")
    return to
