"""What an edit or a cancellation comes too late for: units that had left before it was known (IN-13). Pure.

Told once, by the decision that answers the order's new version. What is with its source and has not left is no part of
it: that is asked back, and its source's answer says whether it was in time.
"""

from collections import Counter
from dataclasses import dataclass

from router.case import Case, LiveFr
from router.missing import wanted
from waybill_contracts.values import OrderState

Units = dict[tuple[str, str], int]
"""By (line, SKU)."""


@dataclass(frozen=True, slots=True)
class TooLate:
    """Units of one FR that the order's new version does not want, or not so."""

    fr: LiveFr
    reason: str
    units: Units


def too_late(case: Case) -> list[TooLate]:
    """Nothing for a version that was told before. Newest FRs first, as when FRs are asked back."""
    if case.order.version <= case.told:
        return []
    found: list[TooLate] = []
    surplus = _surplus(case)
    for fr in reversed(case.frs):
        left = {(a.line_id, a.sku): a.shipped for a in fr.allocations if a.shipped}
        if not left or fr.body.order_version >= case.order.version:
            continue
        reason = _other(case, fr, left)
        if reason:
            found.append(TooLate(fr, reason, left))
            continue
        beyond = {key: min(units, surplus[key]) for key, units in left.items() if surplus[key] > 0}
        surplus.subtract(beyond)
        if beyond:
            found.append(TooLate(fr, "quantity_reduced", beyond))
    return found


def _other(case: Case, fr: LiveFr, left: Units) -> str:
    """Why all of it should not have left like this; empty when that is not so."""
    order = case.order
    if order.state is OrderState.CANCELED:
        return "order_canceled"
    homes = {line.line_id: line.address for line in order.lines}
    for line_id, _ in left:
        home = homes.get(line_id)
        if home is not None and home < len(order.addresses) and order.addresses[home] != fr.body.ship_to:
            return "address_changed"
    if fr.body.by_hand is None and fr.body.shipping_method != order.shipping_method:
        return "shipping_method_changed"
    return ""


def _surplus(case: Case) -> Counter[tuple[str, str]]:
    """Units that have left beyond what is wanted."""
    surplus = Counter({key: -units for key, units in wanted(case).items()})
    for fr in case.frs:
        surplus.update({(a.line_id, a.sku): a.served for a in fr.allocations})
    return surplus
