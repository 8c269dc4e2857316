"""Where an order may stand with order-ingest, and which way it may go from there: one literal table.

`excluded` orders are not here yet (IN-7); once here, an order is never excluded again. A canceled order that its
channel fills again (a line added, a cancellation taken back) goes on: the newest version of the channel decides.
"""

from enum import StrEnum

from waybill_contracts.values import OrderState


class Standing(StrEnum):
    """States of a row; the last three are those that other services see."""

    EXCLUDED = "excluded"
    HELD = "held"
    IMPORTED = "imported"
    CANCELED = "canceled"


MOVES: dict[Standing, frozenset[Standing]] = {
    Standing.EXCLUDED: frozenset({Standing.HELD, Standing.IMPORTED}),
    Standing.HELD: frozenset({Standing.IMPORTED, Standing.CANCELED}),
    Standing.IMPORTED: frozenset({Standing.HELD, Standing.CANCELED}),
    Standing.CANCELED: frozenset({Standing.HELD, Standing.IMPORTED}),
}


class MoveRefused(Exception):
    """The table of moves does not allow this one: a bug, not a property of an order."""


def advance(current: Standing, wanted: Standing) -> Standing:
    """`wanted`, if an order may stay or go there from `current`; else raises MoveRefused."""
    if wanted is not current and wanted not in MOVES[current]:
        allowed = ", ".join(sorted(MOVES[current]))
        raise MoveRefused(f"an order cannot go from {current} to {wanted}: allowed are {allowed}")
    return wanted


def public(standing: Standing) -> OrderState:
    """The state as other services see it; an excluded order has none."""
    return OrderState(standing.value)
