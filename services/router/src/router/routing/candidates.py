"""Who could ship what, and why the others cannot: one request (source, address) each, before any choice is made.

A source without a matching zone does not serve. A missing cost or weight is a named roadblock for that SKU there, never
0; a weight is needed only where shipping is priced by weight.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from router.routing.numbers import NumberRefused, bare_number
from router.routing.task import Offer, Site, Stock, Task
from waybill_contracts.configuration import Group

PLENTY = 10**9
"""What an untracked source has of everything."""

WORST_FIRST = ("missing_cost", "missing_weight", "unmapped_sku", "canceled_by_source", "no_stock", "does_not_serve_sku")
"""Which of several roadblocks to name for a source: what a person can mend comes first."""


class Barrier(NamedTuple):
    """Why a source cannot ship something."""

    source: str
    reason: str
    detail: str = ""
    alone: int | None = None
    """What it would cost if all came from there, in nano-units; None = it cannot, or nobody worked it out."""


@dataclass(slots=True)
class Request:
    """One FR that could be opened. `offers`: SKU -> (units available, nano-units each, shipping by weight included)."""

    site: Site
    rank: int
    address: int
    fixed: int
    offers: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Candidates:
    """`roadblocks`: (address, SKU) -> what stands in the way at each source that cannot ship it there."""

    requests: list[Request] = field(default_factory=list)
    excluded: list[Barrier] = field(default_factory=list)
    roadblocks: dict[tuple[int, str], list[Barrier]] = field(default_factory=dict)


def find_candidates(task: Task, group: Group, sites: Mapping[str, Site], stock: Stock) -> Candidates:
    """The requests that this group could open for the task, in the group's order of sources."""
    found = Candidates()
    wanted: dict[int, list[str]] = {}
    for demand in task.demands:
        skus = wanted.setdefault(demand.address, [])
        if demand.sku not in skus:
            skus.append(demand.sku)
    for rank, name in enumerate(dict.fromkeys(group.sources)):
        site = sites.get(name)
        if site is None:
            found.excluded.append(Barrier(name, "not_configured", "no such source"))
            continue
        met = _consider(task, site, rank, wanted, stock, found)
        if met is not None:
            found.excluded.append(met)
    return found


def _consider(
    task: Task, site: Site, rank: int, wanted: Mapping[int, list[str]], stock: Stock, found: Candidates
) -> Barrier | None:
    """Adds the source's requests; returns what bars it when it can ship nothing at all."""
    refusal = _refusal(task, site)
    name, get = site.id, stock.get
    plain = site.any_sku and site.tracked and not task.refused  # what most are: then stock and cost alone decide
    met: list[Barrier] = []
    helpful = False
    for address, skus in wanted.items():
        country = task.countries[address]
        tariff = site.tariff(country)
        if refusal is not None or tariff is None or not site.serves_country(country):
            barrier = refusal or _barred(site, country)
            met.append(barrier)
            for sku in skus:
                found.roadblocks.setdefault((address, sku), []).append(barrier)
            continue
        offers: dict[str, tuple[int, int]] = {}
        per_gram = tariff.per_gram
        for sku in skus:
            offer = get((name, sku))
            if offer is not None and plain and (offer.available or 0) > 0 and offer.unit_cost is not None:
                if not per_gram:
                    offers[sku] = offer.available or 0, offer.unit_cost
                    continue
                if offer.weight_g is not None:
                    offers[sku] = offer.available or 0, offer.unit_cost + per_gram * offer.weight_g
                    continue
            made = _offer(task, site, sku, offer, per_gram)
            if isinstance(made, Barrier):
                met.append(made)
                found.roadblocks.setdefault((address, sku), []).append(made)
            else:
                offers[sku] = made
        if offers:
            found.requests.append(Request(site, rank, address, site.fee + tariff.base, offers))
            helpful = True
    return None if helpful else min(met, key=_badness, default=None)


def _badness(barrier: Barrier) -> int:
    return WORST_FIRST.index(barrier.reason) if barrier.reason in WORST_FIRST else -1


def _refusal(task: Task, site: Site) -> Barrier | None:
    """Why the source cannot take this order at all, whatever the address."""
    if not 0 < len(task.number) <= site.longest_number:
        barrier = _no_number(task, site)
        if barrier is not None:
            return barrier
    if site.takes_any_method or not task.shipping_method:
        return None
    if task.shipping_method not in site.source.shipping_methods.map:
        detail = f"{task.shipping_method!r} has no name there: add it to the source's shipping_methods"
        return Barrier(site.id, "unmapped_shipping_method", detail)
    return None


def _no_number(task: Task, site: Site) -> Barrier | None:
    source = site.source
    try:
        bare_number(source.fr_number, order_number=task.number, order_id=task.order_id or task.number)
    except NumberRefused as refused:
        return Barrier(site.id, refused.code, str(refused))
    return None


def _barred(site: Site, country: str) -> Barrier:
    if not site.serves_country(country):
        return Barrier(site.id, "does_not_serve_country", country)
    return Barrier(site.id, "no_shipping_zone", f"no zone names {country}")


def _offer(task: Task, site: Site, sku: str, offer: Offer | None, per_gram: int) -> tuple[int, int] | Barrier:
    """(units, nano-units each), or what stands in the way: the first that applies."""
    name = site.id
    if site.skus is not None and sku not in site.skus:
        return Barrier(name, "does_not_serve_sku", sku)
    if site.named_skus is not None and sku not in site.named_skus:
        return Barrier(name, "unmapped_sku", f"{sku} has no name there: add it to the source's skus")
    if task.refused and (name, sku) in task.refused:
        return Barrier(name, "canceled_by_source", f"the source canceled {sku} of this order")
    available = PLENTY
    if site.tracked:
        available = offer.available or 0 if offer is not None else 0
        if available <= 0:
            return Barrier(name, "no_stock", sku)
    if offer is None or offer.unit_cost is None:
        return Barrier(name, "missing_cost", f"no unit cost of {sku}: send one with its stock")
    if not per_gram:
        return available, offer.unit_cost
    if offer.weight_g is None:
        return Barrier(name, "missing_weight", f"no weight of {sku}, and shipping is priced by weight")
    return available, offer.unit_cost + per_gram * offer.weight_g
