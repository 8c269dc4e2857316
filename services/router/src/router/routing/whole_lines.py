"""split_lines: false. A line is one item and goes to one source whole; with `partial`, as much of it as is there."""

from collections.abc import Iterator

from router.routing.instance import Instance
from router.routing.problems import Ground, Limits, Parts, Takes


class WholeLines:
    """Items are lines, with all their SKUs (a kit has several)."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.requests = ground.requests
        demands = ground.task.demands
        lines: dict[str, list[int]] = {}
        for at, demand in enumerate(demands):
            lines.setdefault(demand.line_id, []).append(at)
        self.lines = list(lines.values())
        skus = [sku for ats in self.lines for sku in {demands[at].sku for at in ats}]
        self.shared = len(set(skus)) < len(skus)
        self.fills: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def instance(self, limits: Limits) -> Instance:
        ground = self.ground
        stock = dict(ground.stock)
        self.fills = {}
        n, m = len(self.requests), len(self.lines)
        unit = [[0] * m for _ in range(n)]
        cap = [[0] * m for _ in range(n)]
        for item, i in limits.placed:
            fill = self._fill(i, item, stock)
            if fill is not None:
                self._price(i, item, fill, unit, cap)
                for at, units in fill:
                    stock[(self.requests[i].site.id, ground.task.demands[at].sku)] -= units
        placed = {item for item, _ in limits.placed}
        for item in range(m):
            if item in placed:
                continue
            for i, request in enumerate(self.requests):
                if (item, request.site.id) not in limits.banned:
                    fill = self._fill(i, item, stock)
                    if fill is not None:
                        self._price(i, item, fill, unit, cap)
        wanted = [sum(ground.task.demands[at].quantity for at in ats) for ats in self.lines]
        # A placed line is left out only where it has no room: it weighs more than all others together.
        more = [sum(wanted) if item in placed else 0 for item in range(m)]
        penalty = [ground.scales.unfilled * (w + x) for w, x in zip(wanted, more, strict=True)]
        return ground.instance([1] * m, penalty, unit, cap)

    def _fill(self, i: int, item: int, stock: dict[tuple[str, str], int]) -> list[tuple[int, int]] | None:
        """(demand, units) of the line from this request out of `stock`; None when it cannot take the line."""
        request = self.requests[i]
        fill: list[tuple[int, int]] = []
        left: dict[str, int] = {}
        for at in self.lines[item]:
            demand = self.ground.task.demands[at]
            if demand.address != request.address:
                return None
            have = (
                left.setdefault(demand.sku, stock[(request.site.id, demand.sku)]) if demand.sku in request.offers else 0
            )
            units = min(have, demand.quantity)
            if units < demand.quantity and not self.ground.group.partial:
                return None
            if units:
                left[demand.sku] -= units
                fill.append((at, units))
        return fill or None

    def _price(
        self, i: int, item: int, fill: list[tuple[int, int]], unit: list[list[int]], cap: list[list[int]]
    ) -> None:
        ground, demands = self.ground, self.ground.task.demands
        wanted = sum(demands[at].quantity for at in self.lines[item])
        missing = wanted - sum(units for _, units in fill)
        price = sum(units * ground.unit(i, demands[at].sku) for at, units in fill)
        unit[i][item] = price + missing * ground.scales.unfilled
        cap[i][item] = 1
        self.fills[(i, item)] = fill

    def branches(self, limits: Limits, takes: Takes) -> Iterator[Limits] | None:
        placed = {item for item, _ in limits.placed}
        if placed - {item for _, item, _ in takes}:
            return iter(())  # a placed line found no room: nothing here is a plan
        if not self.shared:
            return None
        drawn: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
        for i, item, _ in takes:
            for at, units in self.fills[(i, item)]:
                key = (self.requests[i].site.id, self.ground.task.demands[at].sku)
                drawn.setdefault(key, []).append((units, item, i))
        for (source, sku), draws in drawn.items():
            if sum(units for units, _, _ in draws) > self.ground.stock[(source, sku)]:
                _, item, i = max(draw for draw in draws if draw[1] not in placed)
                return iter(
                    (
                        Limits(limits.caps, limits.sums, limits.banned, (*limits.placed, (item, i))),
                        Limits(limits.caps, limits.sums, limits.banned | {(item, source)}, limits.placed),
                    )
                )
        return None

    def parts(self, takes: Takes) -> Parts:
        return [(i, at, units) for i, item, _ in sorted(takes) for at, units in self.fills[(i, item)]]
