"""One whole number for everything that counts, in the order in which it counts (DESIGN section 6).

From the top: units left unfilled; the group's priorities in their order; cost; then the tie-break: fewer FRs, then FRs
that stand earlier (by source in the group's order, at one source by address; compared FR by FR), then more units at the
earlier FR. Each level weighs more than everything below it can sum up to, so comparing the numbers compares the levels
in turn. The last level is no part of the number that chooses the FRs: see `settle`.

What the priorities count: `lowest_cost` nano-units; `fewest_frs` FRs; `single_fr: preferred` 1 when there are more FRs
than addresses; `shipping_method_mapped` FRs at sources that have no name for the order's shipping method;
`source_priority` as many units as possible at the group's first source, then at its second, and so on.
`single_fr: required` and `max_frs` are limits, not levels.
"""

from dataclasses import dataclass

from router.routing.candidates import Request
from router.routing.instance import QUANTUM_BITS
from waybill_contracts.configuration import Group, SingleFr


@dataclass(slots=True)
class Level:
    """What one FR adds, what one unit from each request adds (`unit[i]` × `per_unit[i][j]`), what too many add once."""

    name: str
    fixed: list[int]
    unit: list[int]
    once: int = 0


def required_single(group: Group) -> bool:
    return any(isinstance(p, SingleFr) and p.single_fr == "required" for p in group.priorities)


def levels_of(
    group: Group, requests: list[Request], units: int, shipping_method: str | None, *, settling: bool = False
) -> list[Level]:
    """The levels from the top, cost included wherever it stands, the tie-break last: its last part when settling."""
    levels: list[Level] = []
    for priority in group.priorities:
        name = f"single_fr_{priority.single_fr}" if isinstance(priority, SingleFr) else priority
        if name == "single_fr_required" or any(level.name == name for level in levels):
            continue
        levels.append(_level(name, requests, units, shipping_method))
    if not any(level.name == "lowest_cost" for level in levels):
        levels.append(_level("lowest_cost", requests, units, shipping_method))
    levels.append(_tie_break(requests))
    if settling:
        levels.append(Level("earlier_units", [0] * len(requests), _earlier(list(range(len(requests))), units)))
    return levels


def _level(name: str, requests: list[Request], units: int, shipping_method: str | None) -> Level:
    none = [0] * len(requests)
    if name == "single_fr_preferred":
        return Level(name, none, none, once=1)
    if name == "fewest_frs":
        return Level(name, [1] * len(requests), none)
    if name == "shipping_method_mapped":
        unmapped = [
            int(shipping_method is not None and shipping_method not in r.site.source.shipping_methods.map)
            for r in requests
        ]
        return Level(name, unmapped, none)
    if name == "source_priority":
        return Level(name, none, _earlier([request.rank for request in requests], units))
    return Level("lowest_cost", [request.fixed for request in requests], none)


def _earlier(ranks: list[int], units: int) -> list[int]:
    """What a unit costs at each rank, so that `units` of them compare like lists: most at the first rank, then …"""
    places = {rank: at for at, rank in enumerate(sorted(set(ranks)))}
    top = len(places) - 1
    base = units + 1
    return [base**top - base ** (top - places[rank]) for rank in ranks]


def _tie_break(requests: list[Request]) -> Level:
    """Fewer FRs first, then earlier sources: 2^n a request, less 2^(n-1-place), so that sums compare like the lists."""
    n = len(requests)
    each = 1 << (n + 1 + n.bit_length())
    return Level("tie_break", [each - (1 << (n - 1 - place)) for place in range(n)], [0] * n)


@dataclass(slots=True)
class Scales:
    """The weight of each level in the one number, and of one unfilled unit above them all."""

    weights: list[int]
    unfilled: int

    def weight(self, levels: list[Level], name: str) -> int:
        return self.weights[next(at for at, level in enumerate(levels) if level.name == name)]


def scales_of(levels: list[Level], units: int, dearest: int, requests: int) -> Scales:
    """`dearest`: no unit costs more than this. Weights are powers of two, the lowest one a quantum."""
    weights = [0] * len(levels)
    weight = 1 << QUANTUM_BITS
    for at in range(len(levels) - 1, -1, -1):
        level = levels[at]
        weights[at] = weight
        per_unit = max(level.unit, default=0) + (dearest if level.name == "lowest_cost" else 0)
        most = sum(level.fixed) + units * per_unit + level.once
        weight <<= (most + 1).bit_length()
    return Scales(weights, weight)
