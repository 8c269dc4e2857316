"""The exact search: which requests to open, and what each ships, at the least objective.

A capacitated facility location problem in whole numbers: opening request i costs `fixed[i]`, each unit of item j from
it `unit[i][j]`, at most `cap[i][j]` of them, each unit of j that nobody ships `penalty[j]`. For a fixed set of requests
the items separate, and the cheapest first is optimal for each. Branch and bound therefore walks over sets alone.

Plans of one request are tried first. What opens two or more then has to be cheaper: requests that cannot be part of such
a plan are left out before the walk, by what they cost to open, and by what the spreading leaves of it.

Bound of a node: every undecided request spreads its opening price over the units that it could ship (`spread`); a
request that ships some pays at most its price, so the cheapest first on these prices never exceeds the true optimum.
All amounts must be multiples of QUANTUM: the spreading rounds down, and QUANTUM absorbs what it loses.

Promises: the optimum, proved, unless the allowance of nodes ran out (then `bound` says how far the answer may be off).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import mul

from router.routing.instance import QUANTUM, Instance
from router.routing.spread import Ladder, spread_prices, spread_rest

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

    def beats(self, bound: int) -> bool:
        """No plan of this bound or above is better."""
        return self.value is not None and bound > self.value - QUANTUM

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
        takes = fill(instance, sorted({i for i, _, _ in takes}.union(walk.must)))
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


UNDECIDED, CHOSEN, OUT = range(3)


class _Walk:
    """One depth-first walk over the sets."""

    def __init__(self, instance: Instance, out: Collection[int], best: _Best, allowance: int) -> None:
        self.instance = instance
        self.best = best
        self.allowance = allowance
        self.open = [i for i, caps in enumerate(instance.cap) if i not in out and any(map(min, caps, instance.demand))]
        self.must = sorted({i for i, _ in instance.placed})
        self.before = sum(instance.unit[i][j] for i, j in instance.placed)
        self.state = [UNDECIDED] * len(instance.fixed)
        self.spread: list[list[int]] = []
        self.ladder: Ladder = []
        self.always = 0

    def run(self) -> None:
        instance = self.instance
        orders = instance.orders
        if self.must:
            orders = self._without(orders, self.open)
            self.spread, slack = spread_prices(instance, orders)
        else:
            self.best.offer(sum(map(mul, instance.demand, instance.penalty)), [])
            self._alone()
            if instance.limit <= 1 or len(self.open) <= 1:
                return
            # With one free request all plans of one were tried just now: every other one pays the extra.
            self.always = instance.extra if instance.free == 1 else 0
            orders = self._cheap_to_open(orders)
            if len(self.open) <= 1:
                return
            self.spread, slack = spread_prices(instance, orders)
            orders = self._worth_opening(orders, slack)
            if len(self.open) <= 1:
                return
        spread_rest(instance, self.open, self.spread, slack)
        spread = self.spread
        self.ladder = [sorted([(price + spread[i][j], i) for price, i in order]) for j, order in enumerate(orders)]
        for i in self.must:
            self.state[i] = CHOSEN
        self._node(list(self.must))

    def _alone(self) -> None:
        """Every plan of one request. One that cannot ship all of it counts only while none can."""
        instance, best = self.instance, self.best
        demand, fixed, unit, cap = instance.demand, instance.fixed, instance.unit, instance.cap
        found = None
        for i in self.open:
            if cap[i] == demand:
                value = fixed[i] + sum(map(mul, demand, unit[i]))
                if best.value is None or value < best.value:
                    best.value, found = value, i
        lacking = min(instance.penalty, default=0)
        for i in self.open:
            if cap[i] != demand and not best.beats(fixed[i] + lacking):
                value = fixed[i] + sum(map(mul, cap[i], unit[i]))
                value += sum([(d - c) * p for d, c, p in zip(demand, cap[i], instance.penalty, strict=True)])
                if best.value is None or value < best.value:
                    best.value, found = value, i
        if found is not None:
            best.takes = [(found, j, units) for j, units in enumerate(cap[found]) if units]

    def _without(self, orders: Ladder, kept: list[int]) -> Ladder:
        """The ladders of the kept requests alone."""
        self.open = kept
        here = [False] * len(self.state)
        for i in kept:
            here[i] = True
        return [list(compress(order, [here[i] for _, i in order])) for order in orders]

    def _floor(self, ladder: Ladder) -> int:
        """What shipping costs at least at these prices, opening left out."""
        cap, floor = self.instance.cap, self.always
        for j, need in enumerate(self.instance.demand):
            top = self.instance.penalty[j]
            for price, i in ladder[j]:
                if price >= top or not need:
                    break
                take = cap[i][j]
                if take > need:
                    take = need
                floor += take * price
                need -= take
            floor += need * top
        return floor

    def _cheap_to_open(self, orders: Ladder) -> Ladder:
        """Leaves out what is too dear to open beside any second request."""
        orders = self._without(orders, self.open)
        fixed = self.instance.fixed
        first, second = sorted([fixed[i] for i in self.open])[:2]
        floor = self._floor(orders)
        if self.best.beats(floor + first + second):
            self.open = []
            return orders
        kept = [i for i in self.open if not self.best.beats(floor + first + fixed[i])]
        return orders if len(kept) == len(self.open) else self._without(orders, kept)

    def _worth_opening(self, orders: Ladder, slack: list[int]) -> Ladder:
        """Leaves out what would cost too much beyond the bound."""
        spread = self.spread
        ladder = [sorted([(price + spread[i][j], i) for price, i in order]) for j, order in enumerate(orders)]
        floor = self._floor(ladder)
        kept = [i for i in self.open if not self.best.beats(floor + slack[i])]
        return orders if len(kept) == len(self.open) else self._without(orders, kept)

    def _node(self, chosen: list[int]) -> None:
        best = self.best
        best.nodes += 1
        bound, takes = self._relax(chosen)
        if best.beats(bound):
            return
        if best.nodes > self.allowance:
            best.left_open.append(bound)
            return
        gap, branch = self._price(takes)
        if branch is None or gap == 0 or best.beats(bound):
            return
        if len(chosen) < self.instance.limit:
            self.state[branch] = CHOSEN
            self._node([*chosen, branch])
        self.state[branch] = OUT
        self._node(chosen)
        self.state[branch] = UNDECIDED

    def _relax(self, chosen: list[int]) -> tuple[int, Takes]:
        """The cheapest first, the opening prices of undecided requests spread over units."""
        instance, state = self.instance, self.state
        cap, unit = instance.cap, instance.unit
        bound = self.before + self.always + sum([instance.fixed[i] for i in chosen])
        if not self.always and len(chosen) > instance.free:
            bound += instance.extra
        full = len(chosen) >= instance.limit
        takes: Takes = []
        for j, need in enumerate(instance.demand):
            rungs = [] if full else [rung for rung in self.ladder[j] if not state[rung[1]]]
            if chosen:
                rungs += [(unit[i][j], i) for i in chosen if cap[i][j]]
                rungs.sort()
            top = instance.penalty[j]
            for price, i in rungs:
                if price >= top or not need:
                    break
                take = cap[i][j]
                if take > need:
                    take = need
                bound += take * price
                need -= take
                takes.append((i, j, take))
            bound += need * top
        return bound, takes

    def _price(self, takes: Takes) -> tuple[int, int | None]:
        """Offers the relaxed plan at its true price; returns the undecided request that pays least of its own."""
        instance, state = self.instance, self.state
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
        value += sum(map(mul, left, instance.penalty))
        if len(owed) > instance.free:
            value += instance.extra
        if len(owed) <= instance.limit:
            self.best.offer(value, takes)
        undecided = [(price, -i) for i, price in owed.items() if not state[i]]
        if not undecided:
            return 0, None
        gap, i = max(undecided)
        if len(owed) > instance.limit or (not self.always and instance.extra):
            gap = max(gap, 1)  # the relaxed plan is no plan, or may owe the extra: go on
        return gap, -i
