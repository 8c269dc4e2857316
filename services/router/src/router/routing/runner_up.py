"""The runner-up: the best plan with another set of sources, every one of which ships at least one unit.

Such a plan either lacks a source of the chosen one, or has a source that the chosen one lacks. The first kind is found
by searching without each chosen source in turn. For the second kind, where no stock is shared between items: what
sources save together is no more than what they save one by one, and no source saves its opening price (else the chosen
plan were not the best), so the best addition is a single source, given whatever is cheaper there, or else the one unit
that costs least to move. (Where the first FR too many pays `extra`, further ones may save: the search without `extra`
finds the best of those plans, or says that none saves.) Where stock is shared, or a source has a request for each of
several addresses, one unit of each item is placed at each other source in turn.
"""

from collections.abc import Iterator
from dataclasses import replace

from router.routing.filling import fill
from router.routing.instance import Instance
from router.routing.problems import NO_LIMITS, Limits, Parts, Problem, Takes
from router.routing.search import solve
from router.routing.shared_stock import Found, solve_shared


def find_runner_up(problem: Problem, chosen: Found) -> Found | None:
    """None = every plan uses the chosen sources, and no other can be added."""
    used = {i for i, _, _ in chosen.parts}
    sources = {problem.requests[i].site.id for i in used}
    alike = not problem.shared and len({request.address for request in problem.requests}) == 1
    best = _added(problem, used, sources) if alike else _placed(problem, sources)
    for source in sorted(sources):
        out = [i for i, request in enumerate(problem.requests) if request.site.id == source]
        found = solve_shared(problem, out=out, below=best.value if best else None)
        if found is not None and found.parts:
            best = found
    return best


def _added(problem: Problem, used: set[int], sources: set[str]) -> Found | None:
    """The chosen plan with one more source; only where no stock is shared."""
    instance = problem.instance(NO_LIMITS)
    if len(used) >= instance.limit:
        return None
    if instance.extra and len(used) <= instance.free:
        many = solve(replace(instance, extra=0))
        if many.takes and many.value is not None and {i for i, _, _ in many.takes} != used:
            value = many.value + instance.extra
            return Found(value, problem.parts(many.takes), value)
    takes = fill(instance, used)
    donors = _donors(instance, takes)
    others = [
        t for t, request in enumerate(problem.requests) if request.site.id not in sources and any(instance.cap[t])
    ]
    if not others:
        return None
    best = min(others, key=lambda t: _rise(instance, donors, t))
    takes = _with(instance, takes, donors, best)
    value = _value(instance, takes)
    return Found(value, problem.parts(takes), value)


Donors = list[list[tuple[int, int, int]]]
"""For each item who ships it at what price: (price, request, units), the dearest first; request -1 is nobody."""


def _donors(instance: Instance, takes: Takes) -> Donors:
    donors: Donors = [[] for _ in instance.demand]
    left = list(instance.demand)
    for i, j, units in takes:
        donors[j].append((instance.unit[i][j], i, units))
        left[j] -= units
    for j, units in enumerate(left):
        if units:
            donors[j].append((instance.penalty[j], -1, units))
        donors[j].sort(reverse=True)
    return donors


def _rise(instance: Instance, donors: Donors, t: int) -> int:
    """What the plan's value grows by when request t takes over what is cheaper there, or else one unit."""
    prices, rise, saves = instance.unit[t], instance.fixed[t], False
    least: int | None = None
    for j, left in enumerate(instance.cap[t]):
        if not left:
            continue
        price = prices[j]
        dearest = donors[j][0][0]
        if dearest > price:
            saves = True
            for theirs, _, units in donors[j]:
                if theirs <= price or not left:
                    break
                take = units if units < left else left
                rise -= take * (theirs - price)
                left -= take
        elif least is None or price - dearest < least:
            least = price - dearest
    return rise if saves else rise + (least or 0)


def _with(instance: Instance, takes: Takes, donors: Donors, t: int) -> Takes:
    """The takes after request t has taken over each unit that is cheaper there, or else the one cheapest to move."""
    moved: dict[tuple[int, int], int] = {(i, j): units for i, j, units in takes}
    cheapest: tuple[int, int, int] | None = None
    for j, left in enumerate(instance.cap[t]):
        if not left:
            continue
        price = instance.unit[t][j]
        for theirs, i, units in donors[j]:
            if cheapest is None or price - theirs < cheapest[0]:
                cheapest = price - theirs, j, i
            if theirs > price and left:
                _move(moved, i, t, j, min(units, left))
                left -= min(units, left)
    if cheapest is not None and not any(i == t for i, _ in moved):
        _move(moved, cheapest[2], t, cheapest[1], 1)
    return [(i, j, units) for (i, j), units in moved.items() if units]


def _move(moved: dict[tuple[int, int], int], giver: int, taker: int, j: int, units: int) -> None:
    moved[(taker, j)] = moved.get((taker, j), 0) + units
    if giver >= 0:
        moved[(giver, j)] -= units


def _value(instance: Instance, takes: Takes) -> int:
    left = list(instance.demand)
    for _, j, units in takes:
        left[j] -= units
    opened = {i for i, _, _ in takes}
    return (
        sum(instance.fixed[i] for i in opened)
        + sum(units * instance.unit[i][j] for i, j, units in takes)
        + sum(units * price for units, price in zip(left, instance.penalty, strict=True))
        + (instance.extra if len(opened) > instance.free else 0)
    )


def _placed(problem: Problem, sources: set[str]) -> Found | None:
    best: Found | None = None
    for limits in _placements(problem, sources):
        found = solve_shared(problem, start=limits, below=best.value if best else None)
        if found is not None:
            best = found
    return best


def _placements(problem: Problem, sources: set[str]) -> Iterator[Limits]:
    """Each item placed at each source that the chosen plan lacks."""
    caps = problem.instance(NO_LIMITS).cap
    for i, request in enumerate(problem.requests):
        if request.site.id not in sources:
            for j, most in enumerate(caps[i]):
                if most:
                    yield Limits(placed=((j, i),))


__all__ = ["Found", "Parts", "find_runner_up"]
