"""Free splitting: units of one SKU for one address are one item; lines with the same SKU are interchangeable."""

from collections.abc import Iterator

from router.routing.instance import Instance
from router.routing.problems import NO_LIMITS, Ground, Limits, Parts, Takes


class Quantities:
    """Items are (address, SKU)."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.requests = ground.requests
        self.items: dict[tuple[int, str], list[int]] = {}
        demands = ground.task.demands
        for at, demand in enumerate(demands):
            self.items.setdefault((demand.address, demand.sku), []).append(at)
        self.keys = list(self.items)
        self.demand = [sum(demands[at].quantity for at in ats) for ats in self.items.values()]
        skus = [sku for _, sku in self.keys]
        self.shared = len(set(skus)) < len(skus)
        self.whole: Instance | None = None

    def instance(self, limits: Limits) -> Instance:
        """The one without limits is made once: the search changes none."""
        if limits != NO_LIMITS:
            return self._instance(limits)
        if self.whole is None:
            self.whole = self._instance(limits)
        return self.whole

    def _instance(self, limits: Limits) -> Instance:
        unit: list[list[int]] = []
        cap: list[list[int]] = []
        ground, weight = self.ground, self.ground.cost_weight
        nothing = (0, 0)
        wanted = [(address, sku, need) for (address, sku), need in zip(self.keys, self.demand, strict=True)]
        for request, per_unit in zip(self.requests, ground.per_unit, strict=True):
            prices, caps = [], []
            here, offers = request.address, request.offers
            for address, sku, need in wanted:
                have, price = offers.get(sku, nothing) if address == here else nothing
                caps.append(have if have < need else need)
                prices.append(per_unit + weight * price)
            unit.append(prices)
            cap.append(caps)
        for i, j, most in limits.caps:
            cap[i][j] = min(cap[i][j], most)
        placed = tuple((i, j) for j, i in limits.placed)
        demand = list(self.demand)
        for i, j in placed:
            cap[i][j] -= 1
            demand[j] -= 1
        instance = ground.instance(demand, [ground.scales.unfilled] * len(self.keys), unit, cap)
        instance.placed = placed
        return instance

    def branches(self, limits: Limits, takes: Takes) -> Iterator[Limits] | None:
        if crowd := self.ground.crowded(takes):
            return self._without_one_of(crowd, limits)
        if not self.shared:
            return None
        taken = {(i, j): units for i, j, units in takes}
        groups: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for i, j in taken:
            groups.setdefault((self.requests[i].site.id, self.keys[j][1]), []).append((i, j))
        sums = [(tuple(members), self.ground.stock[key]) for key, members in groups.items()] + list(limits.sums)
        for members, most in sums:
            present = [member for member in members if member in taken]
            total = sum(taken[member] for member in present)
            if total > most and present:
                return self._split(limits, present, members, most, taken)
        return None

    def _without_one_of(self, crowd: tuple[int, int], limits: Limits) -> Iterator[Limits]:
        for i in crowd:
            if all(i != where for _, where in limits.placed):
                closed = tuple((i, j, 0) for j in range(len(self.keys)))
                yield Limits((*limits.caps, *closed), limits.sums, limits.banned, limits.placed)

    def _split(
        self,
        limits: Limits,
        present: list[tuple[int, int]],
        members: tuple[tuple[int, int], ...],
        most: int,
        taken: dict[tuple[int, int], int],
    ) -> Iterator[Limits]:
        """Either the largest taker takes at most `line` units, or the others take at most `most` - `line` - 1."""
        one = max(present, key=lambda member: (taken[member], member))
        others = tuple(member for member in members if member != one)
        beside = sum(taken.get(member, 0) for member in others)
        line = min(taken[one] - 1, max(0, most - beside, taken[one] * most // (taken[one] + beside)))
        placed = [(i, j) for j, i in limits.placed]
        if line >= placed.count(one):
            yield Limits((*limits.caps, (*one, line)), limits.sums, limits.banned, limits.placed)
        rest = most - line - 1
        if others and rest >= sum(placed.count(other) for other in others):
            caps = tuple((*member, rest) for member in others)
            yield Limits((*limits.caps, *caps), (*limits.sums, (others, rest)), limits.banned, limits.placed)

    def parts(self, takes: Takes) -> Parts:
        """The lines of one SKU take in their order from the sources in the group's order."""
        parts: Parts = []
        left = [demand.quantity for demand in self.ground.task.demands]
        for i, j, units in sorted(takes):
            for at in self.items[self.keys[j]]:
                take = min(units, left[at])
                if take:
                    parts.append((i, at, take))
                    left[at] -= take
                    units -= take
        return parts
