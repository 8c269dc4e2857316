"""What people said about an order, beside what its channel shows: it stays whatever version comes next (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from waybill_contracts.values import HoldReason

ASKED_FOR = frozenset({"file", "api"})
"""Ways in by which a person hands an order over: when it was placed does not keep it out (IN-2)."""

WAIVABLE = frozenset({HoldReason.DUPLICATE_SUSPECTED, HoldReason.FRAUD_RISK, HoldReason.ON_HOLD_BY_RULE})
"""Holds that ask for a person's judgement: a release lasts. The others end when their cause does (IN-10)."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one person said, and why."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Killed:
    """What the router said last about units that sources canceled for good (FP-6)."""

    sequence: int
    """Of that decision: the newest counts."""
    canceled: dict[str, int]
    """By line id: its canceled pieces are at least these."""


@dataclass(frozen=True, slots=True)
class Said:
    """Stored with the order's row."""

    asked: bool = False
    """Somebody asked for this order: by file, by hand, or for the window that it lies in."""
    hold: Word | None = None
    """`on_hold_by_person` until somebody releases it."""
    waived: frozenset[HoldReason] = frozenset()
    """Holds of `WAIVABLE` that a person let pass, for good."""
    cancel: Word | None = None
    """Nothing of it is wanted any more, whatever the channel shows."""
    killed: Killed | None = None
    """Pieces that will not be asked for again, whatever the channel shows."""

    def killed_of(self, line_id: str) -> int:
        """Canceled pieces of this line that the router has told."""
        return self.killed.canceled.get(line_id, 0) if self.killed is not None else 0

    def as_json(self) -> dict[str, Any]:
        """What differs from an order that nobody said anything about."""
        return _SAID.dump_python(self, mode="json", exclude_defaults=True)  # type: ignore[no-any-return]


_SAID: TypeAdapter[Said] = TypeAdapter(Said)
NOTHING = Said()


def said_of(stored: Mapping[str, Any]) -> Said:
    """Back from the row."""
    return _SAID.validate_python(stored) if stored else NOTHING
