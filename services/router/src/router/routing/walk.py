"""The walk over sets of requests: branch and bound, depth first. `search` prepares it.

Bound of a node: every undecided request spreads its opening price over the units that it could ship (`spread`); a
request that ships some pays at most its price, so the cheapest first on these prices never exceeds the true optimum.
All amounts must be multiples of QUANTUM: the spreading rounds down, and QUANTUM absorbs what it loses.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from operator import mul

from router.routing.filling import Takes
from router.routing.instance import QUANTUM, Instance
from router.routing.spread import Ladder

UNDECIDED, CHOSEN, OUT = range(3)


@dataclass(slots=True)
class Best:
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


class Walk:
    """One walk. `ladder` holds what units cost with the opening prices spread over them."""

    def __init__(self, instance: Instance, out: Collection[int], best: Best, allowance: int) -> None:
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

    def node(self, chosen: list[int]) -> None:
        best = self.best
        best.nodes += 1
        bound, takes = self.relax(chosen)
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
            self.node([*chosen, branch])
        self.state[branch] = OUT
        self.node(chosen)
        self.state[branch] = UNDECIDED

    def relax(self, chosen: list[int]) -> tuple[int, Takes]:
        """The cheapest first, the opening prices of undecided requests spread over units."""
        instance, state = self.instance, self.state
        cap, unit = instance.cap, instance.unit
        bound = self.before + self.always + sum([instance.fixed[i] for i in chosen])
        if not self.always and len(chosen) > instance.free:
            bound += instance.extra
        full = len(chosen) >= instance.limit
        takes: Takes = []
        for j, need in enumerate(instance.demand):
            paid = sorted([(unit[i][j], i) for i in chosen if cap[i][j]], reverse=True)
            rungs, top = self.ladder[j], instance.penalty[j]
            at, end = 0, 0 if full else len(rungs)
            while need:
                while at < end and state[rungs[at][1]]:
                    at += 1
                if paid and (at == end or paid[-1] <= rungs[at]):
                    price, i = paid.pop()
                elif at < end:
                    price, i = rungs[at]
                    at += 1
                else:
                    break
                if price >= top:
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
