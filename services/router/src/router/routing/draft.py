"""A plan as people read it: one FR a source and address, with its lines and the parts of its cost."""

from dataclasses import dataclass, field

from router.routing.problems import Ground, Parts
from router.routing.task import Demand, Stock


@dataclass(slots=True)
class DraftRequest:
    """One FR. Amounts in nano-units; `lines` are (demand, units) in the order's order of lines."""

    source: str
    address: int
    fee: int
    items: int = 0
    shipping: int = 0
    lines: list[tuple[Demand, int]] = field(default_factory=list)
    unknown: tuple[str, ...] = ()
    """Parts of the cost that are not known and stand as 0: only where a person bypassed the rules."""

    @property
    def cost(self) -> int:
        return self.items + self.fee + self.shipping


@dataclass(slots=True)
class Draft:
    """The FRs in the group's order of sources."""

    requests: list[DraftRequest]

    @property
    def cost(self) -> int:
        return sum(request.cost for request in self.requests)

    @property
    def sources(self) -> list[str]:
        return list(dict.fromkeys(request.source for request in self.requests))


def draft_of(parts: Parts, ground: Ground, stock: Stock) -> Draft:
    """Prices each part at its source: shipping = base + per_kg × grams / 1000, exact."""
    drafts: dict[int, DraftRequest] = {}
    demands = ground.task.demands
    for i, at, units in sorted(parts):
        request = ground.requests[i]
        if i not in drafts:
            site = request.site
            drafts[i] = DraftRequest(site.id, request.address, site.fee, shipping=request.fixed - site.fee)
        sku = demands[at].sku
        unit_cost = stock[(request.site.id, sku)].unit_cost or 0
        drafts[i].items += units * unit_cost
        drafts[i].shipping += units * (request.offers[sku][1] - unit_cost)
        drafts[i].lines.append((demands[at], units))
    return Draft([drafts[i] for i in sorted(drafts)])
