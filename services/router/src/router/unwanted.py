"""FRs that are wanted no more, each with the reason for which it is asked back. Pure.

Because the order changed, or because the FR in whose place it was made was over, and shipped all the same.
"""

from router.case import Case, LiveFr
from router.missing import wanted

PREDECESSOR_SHIPPED = "predecessor_shipped"
"""What it was made in the place of left after all: one of the two is too much."""


def unwanted(case: Case) -> list[tuple[LiveFr, str]]:
    """Live FRs that are wanted no more, each with the reason."""
    order = case.order
    addresses = {line.line_id: line.address for line in order.lines}
    found: list[tuple[LiveFr, str]] = []
    live = [fr for fr in case.frs if fr.state == "live" and fr.open]
    for fr in live:
        homes = {addresses.get(line.line_id) for line in fr.body.lines}
        if any(
            home is None or home >= len(order.addresses) or order.addresses[home] != fr.body.ship_to for home in homes
        ):
            found.append((fr, "address_changed" if None not in homes else "line_removed"))
        elif fr.body.by_hand is None and fr.body.shipping_method != order.shipping_method:
            found.append((fr, "shipping_method_changed"))
    leaving = {fr.fr_id for fr, _ in found}
    excess = _excess(case, leaving)
    for fr in reversed(live):
        if fr.fr_id not in leaving and any(excess.get((a.line_id, a.sku), 0) > 0 and a.open for a in fr.allocations):
            found.append((fr, "quantity_reduced" if shipped_after_all(case, fr) is None else PREDECESSOR_SHIPPED))
            for a in fr.allocations:
                excess[(a.line_id, a.sku)] = excess.get((a.line_id, a.sku), 0) - a.open
    return found


def shipped_after_all(case: Case, fr: LiveFr) -> LiveFr | None:
    """The FR that was over, shipped all the same, and so makes `fr` too much; none where the order asks for less."""
    if case.order.version > case.told:
        return None
    ours = {(a.line_id, a.sku) for a in fr.allocations if a.open}
    over = [one for one in case.frs if one is not fr and (one.state == "closed" or one.wish == "overridden")]
    return next(
        (one for one in reversed(over) if any(a.served and (a.line_id, a.sku) in ours for a in one.allocations)), None
    )


def _excess(case: Case, leaving: set[str]) -> dict[tuple[str, str], int]:
    """Units in FRs beyond what is wanted, those not counted that were asked back already."""
    excess = {key: -units for key, units in wanted(case).items()}
    for fr in case.frs:
        stays = fr.stays and fr.fr_id not in leaving
        for a in fr.allocations:
            key = (a.line_id, a.sku)
            excess[key] = excess.get(key, 0) + a.served + (a.open if stays else 0)
    return excess
