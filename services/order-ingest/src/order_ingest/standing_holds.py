"""Holds that do not come from the order itself: another order alike, a person; and what a person let pass (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from order_ingest.said import NOTHING, Said
from waybill_contracts.values import Hold, HoldReason


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an order beside what its channel shows."""

    said: Said = NOTHING
    twin: str | None = None
    """The number of an order alike that was here before it."""


NONE = Known()


def still_held(holds: Sequence[Hold], known: Known) -> tuple[Hold, ...]:
    """The order's own holds and these, less what a person let pass."""
    every = (*holds, *_elsewhere(known))
    return tuple(hold for hold in every if hold.reason not in known.said.waived)


def _elsewhere(known: Known) -> Iterator[Hold]:
    if known.twin is not None:
        yield Hold(
            reason=HoldReason.DUPLICATE_SUSPECTED,
            field="number",
            value=known.twin,
            fix=f"it has address and items of {known.twin}: release it if both are meant, else cancel one of them",
        )
    if known.said.hold is not None:
        word = known.said.hold
        yield Hold(
            reason=HoldReason.ON_HOLD_BY_PERSON,
            field="hold",
            value=f"{word.actor}: {word.reason}",
            fix="release it when what the person waits for is done",
        )
