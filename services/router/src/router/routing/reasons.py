"""Why: units that no plan can ship, and sources that the plan leaves out (RT-3, RT-7)."""

from collections.abc import Mapping
from typing import NamedTuple

from router.routing.candidates import WORST_FIRST, Barrier, Candidates, find_candidates
from router.routing.draft import Draft
from router.routing.objective import required_single
from router.routing.problems import NO_LIMITS, Ground, Parts, Problem
from router.routing.shared_stock import Found
from router.routing.task import Demand, Site, Stock, Task, amount_text
from waybill_contracts.configuration import Group

NOT_SERVED = ("does_not_serve_country", "no_shipping_zone", "does_not_serve_sku", "not_configured")


class Lack(NamedTuple):
    """Units of a line that cannot go now."""

    line_id: str
    sku: str
    quantity: int
    reason: str
    detail: str = ""
    source: str = ""
    """The source that the reason is about, where it is about one."""


def name_lacks(
    task: Task, group: Group, sites: Mapping[str, Site], stock: Stock, candidates: Candidates, parts: Parts
) -> list[Lack]:
    """Each unfilled part of a line, with its reason.

    Where a part alone may not go, the lines that do fall short are named, with what stock there is; where each line
    could go but not all together, the lines that the fullest plan leaves out.
    """
    short = _short_of_stock(task, candidates)
    if not group.partial and short:
        left = short
    else:
        left = [demand.quantity for demand in task.demands]
        for _, at, units in parts:
            left[at] -= units
    elsewhere = _outside(task, group, sites, stock)
    return [
        Lack(d.line_id, d.sku, units, *_why(d, group, candidates, elsewhere))
        for d, units in zip(task.demands, left, strict=True)
        if units
    ]


def _short_of_stock(task: Task, candidates: Candidates) -> list[int] | None:
    """Units that fall short over all sources together, taken off the later lines; None when there is enough of all."""
    have: dict[tuple[str, str], int] = {}
    served: dict[tuple[int, str], bool] = {}
    for request in candidates.requests:
        for sku, (units, _) in request.offers.items():
            have[(request.site.id, sku)] = units
            served[(request.address, sku)] = True
    free: dict[str, int] = {}
    for (_, sku), units in have.items():
        free[sku] = free.get(sku, 0) + units
    left = []
    for demand in task.demands:
        give = min(free.get(demand.sku, 0), demand.quantity) if served.get((demand.address, demand.sku)) else 0
        free[demand.sku] = free.get(demand.sku, 0) - give
        left.append(demand.quantity - give)
    return left if any(left) else None


def _why(demand: Demand, group: Group, candidates: Candidates, elsewhere: Mapping[str, str]) -> tuple[str, ...]:
    """(reason, detail), and the source where the reason is about one."""
    offers = {
        request.site.id: request.offers[demand.sku][0]
        for request in candidates.requests
        if request.address == demand.address and demand.sku in request.offers
    }
    barriers = candidates.roadblocks.get((demand.address, demand.sku), [])
    mendable = [b for b in barriers if b.reason in WORST_FIRST[:4] or b.reason.startswith(("number_", "unmapped_"))]
    if sum(offers.values()) >= demand.quantity:
        if required_single(group):
            return "single_fr_impossible", "no one source has all of it"
        if group.max_frs is not None:
            return "max_frs_reached", f"it would take more than {group.max_frs} FRs"
        if not group.split_lines and max(offers.values()) < demand.quantity:
            return "line_not_splittable", f"no one source has {demand.quantity}, and split_lines is false"
        return "no_stock", f"{demand.sku}: other lines of the order need it too"
    if mendable:
        worst = mendable[0]
        return worst.reason, f"{worst.source}: {worst.detail}", worst.source
    if demand.sku in elsewhere and not offers:
        return "source_not_in_group", f"{elsewhere[demand.sku]} has it, but is not in group {group.id!r}"
    if barriers and not offers and all(b.reason in NOT_SERVED for b in barriers):
        return "no_source_serves", "; ".join(f"{b.source}: {b.reason}" for b in barriers)
    has = ", ".join(f"{source} {units}" for source, units in offers.items()) or "none anywhere in the group"
    return "no_stock", f"{demand.sku}: {demand.quantity} wanted, free: {has}"


def _outside(task: Task, group: Group, sites: Mapping[str, Site], stock: Stock) -> dict[str, str]:
    """SKU -> a source outside the group that could ship it."""
    others = [name for name in sites if name not in group.sources]
    if not others:
        return {}
    outside = group.model_copy(update={"sources": tuple(others)})
    found: dict[str, str] = {}
    for request in find_candidates(task, outside, sites, stock).requests:
        for sku in request.offers:
            found.setdefault(sku, request.site.id)
    return found


def name_dearer(ground: Ground, draft: Draft, found: Found, problem: Problem) -> list[Barrier]:
    """Each candidate that is not in the plan; with its price where it could ship all of it alone."""
    used = set(draft.sources)
    total = draft.cost
    printed = amount_text(total)
    wanted: dict[str, int] = {}
    for demand in ground.task.demands:
        wanted[demand.sku] = wanted.get(demand.sku, 0) + demand.quantity
    named: dict[str, Barrier] = {}
    for i, request in enumerate(ground.requests):
        name = request.site.id
        if name in used or name in named:
            continue
        if ground.addresses > 1:
            named[name] = Barrier(name, "not_better", "a plan with it is not better by the group's priorities")
            continue
        offers = request.offers
        cost = request.fixed
        short = len(offers) < len(wanted)
        for sku, (have, price) in offers.items():
            short = short or have < wanted[sku]
            cost += wanted[sku] * price
        if short:
            detail = "cannot ship all of it, and a plan with it is not better by the group's priorities"
            named[name] = Barrier(name, "not_better", detail)
            continue
        dearer = cost > total
        alone = 0
        if not dearer:
            instance = problem.instance(NO_LIMITS)
            prices = zip(instance.unit[i], instance.demand, strict=True)
            alone = instance.fixed[i] + sum([price * units for price, units in prices])
        named[name] = Barrier(
            name,
            "dearer" if dearer else "tie_break" if cost == total and alone > found.value else "not_preferred",
            f"alone it costs {amount_text(cost)}, the plan {printed}",
            cost,
        )
    return list(named.values())
