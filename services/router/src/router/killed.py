"""Units that a source canceled for good (`on_source_cancel: kill`) become canceled pieces of the order's line. Pure.

A line's canceled pieces are at least so many, so a merchant who cancels the same pieces at the channel afterwards, as
is usual, does not cancel them twice. Canceled is what cannot be completed any more: of a kit, every piece that lacks
one of its parts. Units that were not wanted anyway cancel nothing. A person who has them asked for again (RT-13), and
a source that ships them all the same, take their pieces back (FP-6).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from router.ledger import Allocation
from waybill_contracts.values import OrderLine


@dataclass(frozen=True, slots=True)
class Killed:
    """What was booked of one line: canceled pieces (the channel's own among them), and the units they come from."""

    canceled: int = 0
    units: dict[str, int] = field(default_factory=dict)


NOTHING = Killed()


def killed_of(stored: dict[str, Any]) -> dict[str, Killed]:
    """Back from the row."""
    return {line_id: Killed(**one) for line_id, one in stored.items()}


def canceled_pieces(line: OrderLine, killed: Killed) -> int:
    """What the channel canceled, or what sources did, whichever is more."""
    return max(line.canceled - line.killed, min(killed.canceled, line.quantity))


def book_killed(line: OrderLine, before: Killed, killed: Counter[str], asked: Counter[str]) -> Killed:
    """`killed`: units by SKU that are not to be asked for again; `asked`: those that are open or have shipped."""
    units = {sku: count for sku, count in sorted(killed.items()) if count > 0}
    if units == before.units:
        return before
    parts = per_pieces(line)
    more = {sku: killed[sku] - before.units.get(sku, 0) for sku in parts}
    back = max((_up(-more[sku], parts[sku]) for sku in parts), default=0)
    stays = Killed(max(before.canceled - max(back, 0), 0) if units else 0, units)
    canceled = canceled_pieces(line, stays)
    lacking = {sku: (line.quantity - canceled) * parts[sku] - asked[sku] for sku in parts}
    lost = max((_up(min(more[sku], lacking[sku]), parts[sku]) for sku in parts), default=0)
    return replace(stays, canceled=canceled + lost) if lost > 0 else stays


def _up(units: int, per_piece: int) -> int:
    return -(-units // per_piece)


def per_pieces(line: OrderLine) -> Counter[str]:
    """Units of each SKU in one piece."""
    return sum((Counter({part.sku: part.quantity}) for part in line.components), Counter[str]())


def units_by_line(allocations: Iterable[tuple[Allocation, int]]) -> dict[str, Counter[str]]:
    """Units of each SKU, line by line."""
    found: dict[str, Counter[str]] = {}
    for allocation, units in allocations:
        found.setdefault(allocation.line_id, Counter())[allocation.sku] += units
    return found
