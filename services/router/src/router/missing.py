"""What an order still asks for: ordered − canceled − in live FRs − shipped, unit by unit of each line's SKUs. Pure."""

from collections import Counter
from dataclasses import dataclass

from router.case import Case
from router.killed import NOTHING, Killed, book_killed, canceled_pieces, units_by_line
from router.routing.task import Demand, Task

ROUNDS = 3
"""So often a source may cancel units of a line before the line is held (on_source_cancel: fill)."""


def killed_now(case: Case) -> dict[str, Killed]:
    """What sources canceled for good, by line, up to now. A line that once had some stays named, with 0 at last."""
    if not case.killed and not any(a.killed for fr in case.frs for a in fr.allocations):
        return {}
    killed = units_by_line((a, a.killed) for fr in case.frs if fr.wish != "again" for a in fr.allocations)
    asked = units_by_line(
        (a, a.served + (0 if fr.wish == "overridden" else a.open)) for fr in case.frs for a in fr.allocations
    )
    none = Counter[str]()
    booked = {
        line.line_id: book_killed(
            line, case.killed.get(line.line_id, NOTHING), killed.get(line.line_id, none), asked.get(line.line_id, none)
        )
        for line in case.order.lines
        if not line.service
    }
    news = {line_id: one for line_id, one in booked.items() if one != NOTHING or line_id in case.killed}
    return {**case.killed, **news}


def wanted(case: Case) -> dict[tuple[str, str], int]:
    """Units by (line, SKU): pieces still owed × units a piece; services do not ship."""
    killed = killed_now(case)
    units: dict[tuple[str, str], int] = {}
    for line in case.order.lines:
        pieces = line.quantity - canceled_pieces(line, killed.get(line.line_id, NOTHING))
        if not line.service and pieces > 0:
            for part in line.components:
                key = (line.line_id, part.sku)
                units[key] = units.get(key, 0) + pieces * part.quantity
    return units


def not_asked_for(case: Case) -> dict[tuple[str, str], int]:
    """Units by (line, SKU) that are in no live FR and have not shipped, whatever the reason."""
    left = wanted(case)
    for fr in case.frs:
        for a in fr.allocations:
            open_ = 0 if fr.wish == "overridden" else a.open
            left[(a.line_id, a.sku)] = left.get((a.line_id, a.sku), 0) - a.served - open_
    return {key: units for key, units in left.items() if units > 0}


@dataclass(slots=True)
class Missing:
    """Ordered − canceled − in live FRs − shipped, and what of that is not asked for now."""

    task: Task
    held: list[str]
    """Lines that sources canceled too often, or for good, which the order does not show yet."""
    taken_back: dict[tuple[str, str], int]
    """Units by (line, SKU) that a person took back and nobody has asked for again."""


def missing(case: Case) -> Missing:
    """What to plan now."""
    order = case.order
    covered: dict[tuple[str, str], int] = {}
    parked: dict[tuple[str, str], int] = {}
    rounds: dict[tuple[str, str], int] = {}
    refused: set[tuple[str, str]] = set()
    for fr in case.frs:
        for a in fr.allocations:
            key = (a.line_id, a.sku)
            # an admin had an overridden FR's units planned again although it may still ship them
            open_ = 0 if fr.wish == "overridden" else a.open
            covered[key] = covered.get(key, 0) + a.served + open_
            parked[key] = parked.get(key, 0) + (a.released - a.killed if fr.wish == "parked" else 0)
            if a.source_canceled and fr.wish != "again":
                rounds[key] = rounds.get(key, 0) + 1
                if a.source_canceled > a.killed:
                    refused.add((a.source, a.sku))  # whatever a later count says, until a person says otherwise (FP-6)
    addresses = {line.line_id: line.address for line in order.lines}
    demands, held, taken_back = [], [], {}
    for key, units in wanted(case).items():
        line_id, sku = key
        left = units - covered.get(key, 0)
        stays = min(left, parked.get(key, 0))
        if stays > 0:
            taken_back[key] = stays
            left -= stays
        if left > 0 and rounds.get(key, 0) >= ROUNDS:
            held.append(line_id)
        elif left > 0:
            demands.append(Demand(line_id, sku, left, addresses[line_id]))
    killed = killed_now(case)
    held += [x.line_id for x in order.lines if canceled_pieces(x, killed.get(x.line_id, NOTHING)) > x.canceled]
    task = Task(
        number=order.number,
        countries=tuple(address.country for address in order.addresses),
        demands=tuple(demands),
        order_id=order.order_id,
        channel=order.channel,
        tags=order.tags,
        value=order.total,
        shipping_method=order.shipping_method,
        refused=frozenset(refused),
    )
    return Missing(task, list(dict.fromkeys(held)), taken_back)
