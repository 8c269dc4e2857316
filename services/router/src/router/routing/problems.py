"""What a problem is to the search: whole numbers, and which stock several of its items share.

There are two kinds: `quantities` (units may be split freely) and `whole_lines` (split_lines: false). Items that draw on
the same stock are told apart by `branches`: sub-problems that between them hold every plan and of which none repeats
the conflict.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from router.routing.candidates import Request
from router.routing.instance import Instance
from router.routing.objective import Level, Scales, levels_of, required_single, scales_of
from router.routing.task import Task
from waybill_contracts.configuration import Group

Takes = list[tuple[int, int, int]]
Parts = list[tuple[int, int, int]]
"""(request, demand, units): what a solution means for the order's demands."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sub-problem may not do beyond the whole problem's rules."""

    caps: tuple[tuple[int, int, int], ...] = ()  # (request, item, at most)
    sums: tuple[tuple[tuple[tuple[int, int], ...], int], ...] = ()  # ((request, item)…, at most together)
    banned: frozenset[tuple[int, str]] = frozenset()  # (item, source)
    placed: tuple[tuple[int, int], ...] = ()  # (item, request), in the order in which they take stock


NO_LIMITS = Limits()


class Problem(Protocol):
    """What `shared_stock.solve_shared` and the runner-up need."""

    requests: list[Request]
    shared: bool

    def instance(self, limits: Limits) -> Instance: ...

    def branches(self, limits: Limits, takes: Takes) -> Iterator[Limits] | None:
        """None when the takes fit the stock, and no address has more FRs than it may."""

    def parts(self, takes: Takes) -> Parts: ...


@dataclass
class Ground:
    """What both kinds of problem stand on."""

    task: Task
    group: Group
    requests: list[Request]
    levels: list[Level]
    scales: Scales
    fixed: list[int]
    per_unit: list[int]
    limit: int
    addresses: int
    cost_weight: int
    one_each: bool
    """At most one FR for each address, where their number alone does not say so: a part may stay behind."""

    @cached_property
    def stock(self) -> dict[tuple[str, str], int]:
        """(source, SKU) -> what is free there."""
        return {(r.site.id, sku): have for r in self.requests for sku, (have, _) in r.offers.items()}

    def unit(self, i: int, sku: str) -> int:
        return self.per_unit[i] + self.cost_weight * self.requests[i].offers[sku][1]

    def crowded(self, takes: Takes) -> tuple[int, int] | None:
        """Two requests for one address, where there may be one: every plan does without one of them."""
        if not self.one_each:
            return None
        first: dict[int, int] = {}
        for i in sorted({i for i, _, _ in takes}):
            other = first.setdefault(self.requests[i].address, i)
            if other != i:
                return other, i
        return None

    def instance(self, demand: list[int], penalty: list[int], unit: list[list[int]], cap: list[list[int]]) -> Instance:
        extra = sum(w * level.once for w, level in zip(self.scales.weights, self.levels, strict=True))
        return Instance(self.fixed, demand, penalty, unit, cap, self.limit, free=self.addresses, extra=extra)


def lay_ground(task: Task, group: Group, requests: list[Request], *, settling: bool = False) -> Ground:
    """`settling`: which FRs there are is decided, who of them ships what counts too."""
    units = sum(demand.quantity for demand in task.demands)
    levels = levels_of(group, requests, units, task.shipping_method, settling=settling)
    dearest = max([price for request in requests for _, price in request.offers.values()], default=0)
    scales = scales_of(levels, units, dearest, len(requests))
    fixed, per_unit = [0] * len(requests), [0] * len(requests)
    for weight, level in zip(scales.weights, levels, strict=True):
        if any(level.fixed):
            fixed = [sum_ + weight * one for sum_, one in zip(fixed, level.fixed, strict=True)]
        if any(level.unit):
            per_unit = [sum_ + weight * one for sum_, one in zip(per_unit, level.unit, strict=True)]
    addresses = len({demand.address for demand in task.demands})
    single = required_single(group)
    limit = min(group.max_frs or len(requests), addresses if single else len(requests))
    one_each = single and group.partial and addresses > 1
    cost_weight = scales.weight(levels, "lowest_cost")
    return Ground(task, group, requests, levels, scales, fixed, per_unit, limit, addresses or 1, cost_weight, one_each)
