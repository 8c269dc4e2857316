"""Which FR a shipment that a person enters belongs to (SP-6). Pure; the order's holds are asked first.

A shipment belongs to one FR. One that is with its source takes it; one that was not sent (a manual source's, one that
waits for a person, a failed one) has to be marked first; without any the router makes a manual one. An FR that is being
sent to a connected source is never taken: it would be shipped twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shipment_poller import judgement
from shipment_poller.line_refs import references
from shipment_poller.model import SaidLine, Watched
from waybill_common.refusals import Refused
from waybill_contracts.fulfillment_submitted import FrState
from waybill_contracts.values import FulfillmentRequest, Order, OrderState

Units = Mapping[tuple[str, str], int]
"""(line id, SKU) -> units."""


class NotPossible(Refused):
    """What a person enters or asks for cannot be done: why, and what would work; the code is for programs."""


@dataclass(frozen=True, slots=True)
class Open:
    """One FR of the order that is not over: what of it has not been shipped. `manual`: its source has no connection."""

    watched: Watched
    fr: FulfillmentRequest
    left: Units
    manual: bool

    @property
    def takes(self) -> bool:
        return judgement.takes_shipments(self.watched.state, self.watched.outcome)

    @property
    def markable(self) -> bool:
        """Not with its source, and not on its way there either."""
        state = self.watched.state
        return state in (FrState.UNPROCESSED, FrState.FAILED) or (state is FrState.PROCESSING and self.manual)


def may_ship(order: Order) -> None:
    """Raises NotPossible for an order that is held or canceled, with the reason."""
    if order.state is OrderState.CANCELED:
        reason = f"order {order.number} is canceled: nothing of it may be shipped"
        raise NotPossible(
            reason, "ask for the parcel back, or fill the order again at its channel", code="order_canceled"
        )
    if order.state is OrderState.HELD:
        reasons = "; ".join(f"{hold.reason.value}: {hold.fix}" for hold in order.holds)
        reason = f"order {order.number} is held ({reasons})"
        raise NotPossible(reason, "mend that, or release the order first: `waybill orders release`", code="order_held")


def choose(order: Order, frs: Sequence[Open], asked: Mapping[str, int], fr_id: str | None) -> tuple[Open, Units]:
    """The FR and its units. `asked`: line id -> pieces; empty: all that is left of the one FR. Raises NotPossible."""
    unknown = [line for line in asked if line not in {one.line_id for one in order.lines}]
    if unknown:
        known = ", ".join(line.line_id for line in order.lines)
        reason = f"lines: order {order.number} has no line {unknown[0]!r}"
        raise NotPossible(reason, f"it has {known}", status=422, code="line_unknown")
    candidates = [one for one in frs if fr_id in (None, one.watched.fr_id, one.fr.number)]
    if fr_id is not None and not candidates:
        reason = f"fr: order {order.number} has no FR {fr_id!r} that is not over"
        raise NotPossible(reason, f"use one of {_named(frs) or '(none)'}", status=404, code="fr_unknown")
    fitting = [(one, units) for one in candidates if (units := _units(one, asked)) is not None]
    usable = [(one, units) for one, units in fitting if one.takes] or [(o, u) for o, u in fitting if o.markable]
    if len(usable) > 1 and not asked:
        reason = f"several FRs are open ({_named(frs)})"
        raise NotPossible(reason, "name lines or the FR", status=422, code="several_frs")
    if not usable:
        raise _nothing_fits(order, candidates, fitting, asked)
    chosen, units = usable[0]
    if not chosen.takes:
        reason = f"FR {chosen.fr.number} is {chosen.watched.state}"
        raise NotPossible(reason, "mark it PROCESSED first", code="mark_first", fr_id=chosen.watched.fr_id)
    return chosen, units


def _units(one: Open, asked: Mapping[str, int]) -> Units | None:
    """What the shipment takes of this FR; none when it has not that much left."""
    if not asked:
        left = {key: units for key, units in one.left.items() if units > 0}
        return left or None
    units: dict[tuple[str, str], int] = {}
    for line_id, pieces in asked.items():
        parts = [part for part in one.fr.lines if part.line_id == line_id]
        if not parts:
            return None
        for part in parts:
            units[line_id, part.sku] = pieces * part.per_piece
    return units if all(n <= one.left.get(key, 0) for key, n in units.items()) else None


def _nothing_fits(
    order: Order, frs: Sequence[Open], fitting: Sequence[tuple[Open, Units]], asked: Mapping[str, int]
) -> NotPossible:
    if fitting:
        one = fitting[0][0]
        reason = (
            f"FR {one.fr.number} is being sent to {one.watched.source}: "
            "what is shipped by hand meanwhile may be shipped twice"
        )
        return NotPossible(reason, "void it first, or wait until it is sent", code="fr_is_being_sent")
    partly = [one for one in frs if any(left > 0 and line in asked for (line, _), left in one.left.items())]
    if partly:
        reason = f"lines: no FR has all of that left ({_named(partly)})"
        return NotPossible(reason, "enter one shipment for each FR", status=422, code="not_one_fr")
    reason = f"order {order.number} has no FR that these lines could belong to"
    return NotPossible(reason, "make an FR for them first: `waybill frs create`", code="no_live_fr")


def _named(frs: Sequence[Open]) -> str:
    words = []
    for one in frs:
        left = ", ".join(f"{line}: {n} × {sku}" for (line, sku), n in one.left.items() if n > 0) or "nothing left"
        words.append(f"{one.fr.number} at {one.watched.source}: {left}")
    return "; ".join(words)


def said_lines(fr: FulfillmentRequest, units: Units) -> tuple[SaidLine, ...]:
    """In the references under which the FR was submitted."""
    left = dict(units)
    lines = []
    for ref, part in references(fr.lines).items():
        take = min(left.get((part.line_id, part.sku), 0), part.quantity)
        if take:
            left[part.line_id, part.sku] -= take
            lines.append(SaidLine(line_ref=ref, sku=part.source_sku, quantity=take))
    return tuple(lines)
