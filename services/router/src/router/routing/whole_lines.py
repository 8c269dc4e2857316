"""split_lines: false. A line is one item and goes to one source whole; with `partial`, as much of it as is there.

Which lines a source ships decides who gets how much there: of each SKU, the units that are cheapest to send first.
Beside lines that are placed at a source already, another one is worth what the source's lot gains by it. Each line
alone gains at least as much as it does together with others, so these prices never exceed the true cost; they are exact
as soon as no two lines that are not placed yet compete for the same stock.
"""

from collections.abc import Iterator

from router.routing.instance import Instance
from router.routing.problems import Ground, Limits, Parts, Takes

Lot = list[tuple[int, int]]
"""(item, request) of lines that one source ships."""


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
        self.skus = [{demands[at].sku for at in ats} for ats in self.lines]
        self.wanted = [sum(demands[at].quantity for at in ats) for ats in self.lines]
        self.shared = len(set().union(*self.skus)) < sum(map(len, self.skus))

    def instance(self, limits: Limits) -> Instance:
        n, m = len(self.requests), len(self.lines)
        unit = [[0] * m for _ in range(n)]
        cap = [[0] * m for _ in range(n)]
        lots: dict[str, Lot] = {}
        for item, i in limits.placed:
            lots.setdefault(self.requests[i].site.id, []).append((item, i))
        for lot in lots.values():
            prices = self._prices(lot)
            for (item, i), price in zip(lot, prices, strict=True):
                if price is not None:
                    unit[i][item], cap[i][item] = price, 1
        placed = {item for item, _ in limits.placed}
        for i, request in enumerate(self.requests):
            for item in range(m):
                if item not in placed and (item, request.site.id) not in limits.banned:
                    price = self._beside(lots.get(request.site.id, []), item, i)
                    if price is not None:
                        unit[i][item], cap[i][item] = price, 1
        unfilled = self.ground.scales.unfilled
        # A placed line is left out only where it has no room: it weighs more than all others together.
        more = [sum(self.wanted) if item in placed else 0 for item in range(m)]
        penalty = [unfilled * (w + x) for w, x in zip(self.wanted, more, strict=True)]
        return self.ground.instance([1] * m, penalty, unit, cap)

    def _beside(self, lot: Lot, item: int, i: int) -> int | None:
        """What the line costs at request i beside the lot; None when it brings nothing there."""
        touched = [entry for entry in lot if self.skus[entry[0]] & self.skus[item]]
        after = self._prices([*touched, (item, i)])
        before = self._prices(touched) if touched else []
        if None in after or None in before:
            return None
        price = sum(filter(None, after)) - sum(filter(None, before))
        return price if price < self.wanted[item] * self.ground.scales.unfilled else None

    def _prices(self, lot: Lot) -> list[int | None]:
        """For each line of the lot what it costs, missing units included; None where it may not go in part."""
        ground, demands = self.ground, self.ground.task.demands
        shares = self._shares(lot)
        prices: list[int | None] = []
        for item, i in lot:
            filled = sum(shares.get(at, 0) for at in self.lines[item])
            if filled < self.wanted[item] and not ground.group.partial:
                prices.append(None)
                continue
            price = sum(shares[at] * ground.unit(i, demands[at].sku) for at in self.lines[item] if at in shares)
            prices.append(price + (self.wanted[item] - filled) * ground.scales.unfilled)
        return prices

    def _shares(self, lot: Lot) -> dict[int, int]:
        """Demand -> units, for the lines of one source: the units that are cheapest to send first."""
        demands = self.ground.task.demands
        asks: list[tuple[int, int, str, int]] = []
        for item, i in lot:
            request = self.requests[i]
            for at in self.lines[item]:
                sku = demands[at].sku
                if sku in request.offers and demands[at].address == request.address:
                    asks.append((self.ground.unit(i, sku), at, sku, request.offers[sku][0]))
        drawn: dict[str, int] = {}
        shares = {}
        for _, at, sku, have in sorted(asks):
            units = min(have - drawn.get(sku, 0), demands[at].quantity)
            if units > 0:
                shares[at] = units
                drawn[sku] = drawn.get(sku, 0) + units
        return shares

    def branches(self, limits: Limits, takes: Takes) -> Iterator[Limits] | None:
        placed = {item for item, _ in limits.placed}
        if placed - {item for _, item, _ in takes}:
            return iter(())  # a placed line found no room: nothing here is a plan
        if crowd := self.ground.crowded(takes):
            return self._without_one_of(crowd, limits)
        if not self.shared:
            return None
        asked: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
        for i, item, _ in takes:
            request = self.requests[i]
            for at in self.lines[item]:
                demand = self.ground.task.demands[at]
                if demand.sku in request.offers:
                    asked.setdefault((request.site.id, demand.sku), []).append((demand.quantity, item, i))
        for (source, sku), asks in asked.items():
            loose = [ask for ask in asks if ask[1] not in placed]
            rivals = len({item for _, item, _ in loose}) > 1
            if rivals and sum(units for units, _, _ in asks) > self.ground.stock[(source, sku)]:
                _, item, i = max(loose)
                return iter(
                    (
                        Limits(limits.caps, limits.sums, limits.banned, (*limits.placed, (item, i))),
                        Limits(limits.caps, limits.sums, limits.banned | {(item, source)}, limits.placed),
                    )
                )
        return None

    def _without_one_of(self, crowd: tuple[int, int], limits: Limits) -> Iterator[Limits]:
        demands = self.ground.task.demands
        for i in crowd:
            request = self.requests[i]
            if all(i != where for _, where in limits.placed):
                there = [at for at, line in enumerate(self.lines) if demands[line[0]].address == request.address]
                closed = {(item, request.site.id) for item in there}
                yield Limits(limits.caps, limits.sums, limits.banned | closed, limits.placed)

    def parts(self, takes: Takes) -> Parts:
        lots: dict[str, Lot] = {}
        for i, item, _ in sorted(takes):
            lots.setdefault(self.requests[i].site.id, []).append((item, i))
        parts: Parts = []
        for lot in lots.values():
            shares = self._shares(lot)
            parts += [(i, at, shares[at]) for item, i in lot for at in self.lines[item] if at in shares]
        return parts
