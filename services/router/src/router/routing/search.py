"""The exact search: which requests to open, and what each ships, at the least objective.

A capacitated facility location problem in whole numbers: opening request i costs `fixed[i]`, each unit of item j from
it `unit[i][j]`, at most `cap[i][j]` of them, each unit of j that nobody ships `penalty[j]`. For a fixed set of requests
the items separate, and the cheapest first is optimal for each. Branch and bound therefore walks over sets alone.

Plans of one request are tried first. What opens two or more then has to be cheaper: requests that cannot be part of
such a plan are left out before the walk (`walk`), by what they cost to open, and by what the spreading leaves of it.

Promises: the optimum, proved, unless the allowance of nodes ran out (then `bound` says how far the answer may be off).
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import compress
from operator import mul

from router.routing.filling import Takes, fill, worth
from router.routing.instance import Instance
from router.routing.spread import Ladder, spread_prices, spread_rest
from router.routing.walk import CHOSEN, Best, Walk

NODES = 20_000


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


def solve(
    instance: Instance, *, out: Collection[int] = (), below: int | None = None, allowance: int = NODES
) -> Solution:
    """The best plan without the requests in `out` whose value is under `below`.

    The plan that ships nothing is a plan too (its value is the penalties).
    """
    walk = _Search(instance, out, Best(below), allowance)
    walk.run()
    best = walk.best
    takes = best.takes
    if takes is not None:
        takes = fill(instance, {i for i, _, _ in takes}.union(walk.must))
    if takes is not None and instance.placed:
        units = {(i, j): take for i, j, take in takes}
        for placed in instance.placed:
            units[placed] = units.get(placed, 0) + 1
        takes = [(i, j, take) for (i, j), take in units.items()]
    bounds = [*best.left_open] if best.value is None else [best.value, *best.left_open]
    return Solution(best.value, takes, min(bounds, default=None), best.nodes)


class _Search(Walk):
    """What comes before the walk: plans of one request, a good guess, and fewer requests."""

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
        self.node(list(self.must))

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
        """What shipping costs at least at these prices, opening left out (`relax` with nothing chosen, no takes)."""
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
        """Leaves out what would cost too much beyond the bound, after a first good guess at the best plan."""
        spread = self.spread
        self.ladder = [sorted([(price + spread[i][j], i) for price, i in order]) for j, order in enumerate(orders)]
        floor, takes = self.relax([])
        if not self.best.beats(floor):
            self._guess(takes)
        kept = [i for i in self.open if not self.best.beats(floor + slack[i])]
        return orders if len(kept) == len(self.open) else self._without(orders, kept)

    def _guess(self, takes: Takes) -> None:
        """Offers the plan of the requests that the bound ships from, without those that bear least of their price."""
        instance = self.instance
        borne: dict[int, int] = {}
        for i, j, units in takes:
            borne[i] = borne.get(i, 0) + units * self.spread[i][j]
        idle_first = sorted(borne, key=lambda i: borne[i] - instance.fixed[i])
        opened = set(borne)
        value = worth(instance, opened)
        for i in idle_first:
            less = worth(instance, opened - {i})
            if less < value or len(opened) > instance.limit:
                opened.remove(i)
                value = less
        if len(opened) <= instance.limit:
            self.best.offer(value, fill(instance, opened))
