"""The exact search: which requests to open, and what each ships, at the least objective.

A capacitated facility location problem in whole numbers: opening request i costs `fixed[i]`, each unit of item j from
it `unit[i][j]`, at most `cap[i][j]` of them, each unit of j that nobody ships `penalty[j]`. For a fixed set of requests
the items separate, and the cheapest first is optimal for each. Branch and bound therefore walks over sets alone.

Bound of a node: every undecided request spreads its opening price over the units that it could ship (`spread`); a
request that ships some pays at most its price, so the cheapest first on these prices never exceeds the true optimum.
All amounts must be multiples of QUANTUM: the spreading rounds down, and QUANTUM absorbs what it loses.

Promises: the optimum, proved, unless the allowance of nodes ran out (then `bound` says how far the answer may be off).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from router.routing.instance import QUANTUM, Instance
from router.routing.spread import spread_prices

NODES = 20_000

Takes = list[tuple[int, int, int]]


@dataclass(slots=True)
class Solution:
    """`takes` are (request, item, units); None = no plan is under `below`. No plan at all is under `bound`."""

    value: int | None
    takes: Takes | None
    bound: int | None
    nodes: int

    @property
    def proved(self) -> bool:
        return self.value is None or self.bound is None or self.bound >= self.value


@dataclass(slots=True)
class _Best:
    """The incumbent: starts at `below`, a value that an answer must beat."""

    value: int | None
    takes: Takes | None = None
    nodes: int = 0
    left_open: list[int] = field(default_factory=list)

    def offer(self, value: int, takes: Takes) -> None:
        if self.value is None or value < self.value:
            self.value, self.takes = value, takes


def solve(
    instance: Instance, *, out: Collection[int] = (), below: int | None = None, allowance: int = NODES
) -> Solution:
    """The best plan without the requests in `out` whose value is under `below`.

    The plan that ships nothing is a plan too (its value is the penalties).
    """
    walk = _Walk(instance, out, _Best(below), allowance)
    walk.run()
    best = walk.best
    takes = best.takes
    if takes is not None:
        takes = fill(instance, sorted({i for i, _, _ in takes} | walk.must))
    if takes is not None and instance.placed:
        units = {(i, j): take for i, j, take in takes}
        for placed in instance.placed:
            units[placed] = units.get(placed, 0) + 1
        takes = [(i, j, take) for (i, j), take in units.items()]
    bounds = [*best.left_open] if best.value is None else [best.value, *best.left_open]
    return Solution(best.value, takes, min(bounds, default=None), best.nodes)


def fill(instance: Instance, opened: Sequence[int]) -> Takes:
    """The cheapest way to ship from these requests (in ascending order); at equal prices the earlier one ships more."""
    takes: Takes = []
    cap, unit = instance.cap, instance.unit
    for j, need in enumerate(instance.demand):
        for price, i in sorted([(unit[i][j], i) for i in opened if cap[i][j]]):
            if not need or price >= instance.penalty[j]:
                break
            take = min(cap[i][j], need)
            need -= take
            takes.append((i, j, take))
    return takes


class _Walk:
    """One depth-first walk over the sets."""

    def __init__(self, instance: Instance, out: Collection[int], best: _Best, allowance: int) -> None:
        self.instance = instance
        self.best = best
        self.allowance = allowance
        self.items = range(len(instance.demand))
        self.reach = [sum(map(min, caps, instance.demand)) for caps in instance.cap]
        self.open = [i for i, units in enumerate(self.reach) if units and i not in out]
        self.must = frozenset(i for i, _ in instance.placed)
        self.before = sum(instance.unit[i][j] for i, j in instance.placed)
        self.spread: list[list[int]] = []
        self.ladder: list[list[tuple[int, int]]] = []
        self.always = 0

    def run(self) -> None:
        instance = self.instance
        if not self.must:
            self.best.offer(sum(d * p for d, p in zip(instance.demand, instance.penalty, strict=True)), [])
            for i in self.open:
                self._alone(i)
            if instance.limit <= 1 or len(self.open) <= 1:
                return
            # With one free request all plans of one were tried just now: every other one pays the extra.
            self.always = instance.extra if instance.free == 1 else 0
        self.spread = spread_prices(instance, self.open)
        self.ladder = [
            sorted((instance.unit[i][j] + self.spread[i][j], i) for i in self.open if instance.cap[i][j])
            for j in self.items
        ]
        self._node(self.must, frozenset())

    def _alone(self, i: int) -> None:
        instance = self.instance
        caps, units = instance.cap[i], instance.unit[i]
        value = instance.fixed[i]
        takes = []
        for j in self.items:
            take = min(caps[j], instance.demand[j])
            value += take * units[j] + (instance.demand[j] - take) * instance.penalty[j]
            if take:
                takes.append((i, j, take))
        self.best.offer(value, takes)

    def _node(self, chosen: frozenset[int], out: frozenset[int]) -> None:
        best = self.best
        best.nodes += 1
        bound, takes = self._relax(chosen, out)
        if best.value is not None and bound > best.value - QUANTUM:
            return
        if best.nodes > self.allowance:
            best.left_open.append(bound)
            return
        gap, branch = self._price(chosen, takes)
        if branch is None or gap == 0 or (best.value is not None and bound > best.value - QUANTUM):
            return
        if len(chosen) < self.instance.limit:
            self._node(chosen | {branch}, out)
        self._node(chosen, out | {branch})

    def _relax(self, chosen: frozenset[int], out: frozenset[int]) -> tuple[int, Takes]:
        """The cheapest first, the opening prices of undecided requests spread over units."""
        instance = self.instance
        cap, unit, demand = instance.cap, instance.unit, instance.demand
        bound = self.before + self.always + sum(instance.fixed[i] for i in chosen)
        if not self.always and len(chosen) > instance.free:
            bound += instance.extra
        full = len(chosen) >= instance.limit
        takes: Takes = []
        for j in self.items:
            need = demand[j]
            paid = sorted((unit[i][j], i) for i in chosen if cap[i][j])
            rungs = iter(()) if full else iter(self.ladder[j])
            rung = next(rungs, None)
            at = 0
            while need:
                while rung is not None and (rung[1] in out or rung[1] in chosen):
                    rung = next(rungs, None)
                if at < len(paid) and (rung is None or paid[at] <= rung):
                    price, i = paid[at]
                    at += 1
                elif rung is not None:
                    price, i = rung
                    rung = next(rungs, None)
                else:
                    bound += need * instance.penalty[j]
                    break
                if price >= instance.penalty[j]:
                    bound += need * instance.penalty[j]
                    break
                take = min(cap[i][j], need)
                bound += take * price
                need -= take
                takes.append((i, j, take))
        return bound, takes

    def _price(self, chosen: frozenset[int], takes: Takes) -> tuple[int, int | None]:
        """Offers the relaxed plan at its true price; returns the undecided request that pays least of its own."""
        instance = self.instance
        owed = {i: instance.fixed[i] for i in self.must}
        value = self.before + sum(owed.values())
        left = list(instance.demand)
        for i, j, take in takes:
            value += take * instance.unit[i][j]
            left[j] -= take
            if i not in owed:
                owed[i] = instance.fixed[i]
                value += instance.fixed[i]
            owed[i] -= take * self.spread[i][j]
        value += sum(units * price for units, price in zip(left, instance.penalty, strict=True) if units)
        if len(owed) > instance.free:
            value += instance.extra
        if len(owed) <= instance.limit:
            self.best.offer(value, takes)
        undecided = [(price, -i) for i, price in owed.items() if i not in chosen]
        if not undecided:
            return 0, None
        gap, i = max(undecided)
        if len(owed) > instance.limit or (not self.always and instance.extra):
            gap = max(gap, 1)  # the relaxed plan is no plan, or may owe the extra: go on
        return gap, -i
