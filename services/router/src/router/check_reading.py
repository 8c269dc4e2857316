"""What the independent check knows of a problem: read from the sources' own settings, in its own arithmetic (RT-3).

Exact decimals. Nothing here is shared with `routing`, so that a mistake in one is found by the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from waybill_contracts.configuration import Group, SingleFr, Source


class Want(NamedTuple):
    """Units of one SKU of one line, for one of the order's addresses."""

    line: str
    sku: str
    quantity: int
    address: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """`countries[i]` is where address i is."""

    wants: tuple[Want, ...]
    countries: tuple[str, ...]
    shipping_method: str | None = None

    @property
    def units(self) -> int:
        return sum(want.quantity for want in self.wants)

    @property
    def addresses(self) -> list[int]:
        return sorted({want.address for want in self.wants})


class Shelf(NamedTuple):
    """One SKU at one source, in currency units and grams. None = not known; of `available`: nothing is counted."""

    available: int | None
    unit_cost: Decimal | None
    grams: int | None


class Offer(NamedTuple):
    """What a request can ship of a want, and the price of a unit, its shipping by weight included."""

    available: float
    each: Decimal


@dataclass(slots=True)
class Request:
    """One FR that could be opened; `offers` by the place of the want."""

    source: Source
    address: int
    fixed: Decimal
    method_mapped: bool
    offers: dict[int, Offer] = field(default_factory=dict)


def requests_of(
    asked: Asked, group: Group, sources: Mapping[str, Source], shelves: Mapping[tuple[str, str], Shelf]
) -> list[Request]:
    """By source in the group's order, then by address."""
    found = []
    for source in (sources[name] for name in group.sources if name in sources):
        for address in asked.addresses:
            request = _request(asked, source, address, shelves)
            if request is not None:
                found.append(request)
    return found


def _request(asked: Asked, source: Source, address: int, shelves: Mapping[tuple[str, str], Shelf]) -> Request | None:
    country, method = asked.countries[address], asked.shipping_method
    serves = source.serves.countries
    zone = next((zone for zone in source.costs.shipping if country in zone.zone or "*" in zone.zone), None)
    named = method is None or method in source.shipping_methods.map
    barred = method and not named and source.shipping_methods.unmapped == "hold"
    if zone is None or barred or not (serves == "all" or country in serves):
        return None
    request = Request(source, address, source.costs.fee + zone.base, named)
    for at, want in enumerate(asked.wants):
        shelf = shelves.get((source.id, want.sku), Shelf(0, None, None))
        carried = source.serves.skus == "all" or want.sku in source.serves.skus
        called = source.skus.unmapped != "hold" or want.sku in source.skus.map
        priced = shelf.unit_cost is not None and (shelf.grams is not None or not zone.per_kg)
        have = float(want.quantity) if source.stock.from_ == "untracked" else float(max(shelf.available or 0, 0))
        if want.address == address and carried and called and priced and have:
            by_weight = zone.per_kg * (shelf.grams or 0) / 1000
            request.offers[at] = Offer(have, (shelf.unit_cost or Decimal(0)) + by_weight)
    return request if request.offers else None


def names_of(group: Group) -> list[str]:
    """What counts, in the order in which it counts."""
    names = ["left_behind"] if group.partial else []
    names += [f"single_fr: {p.single_fr}" if isinstance(p, SingleFr) else p for p in group.priorities]
    return names if "lowest_cost" in names else [*names, "lowest_cost"]


class Given(NamedTuple):
    """Units that a plan takes from a source: `want` is the place of what they are for."""

    source: str
    want: int
    units: int


def levels_of(
    plan: Sequence[Given], asked: Asked, group: Group, requests: Sequence[Request]
) -> Iterator[tuple[str, Decimal]]:
    """How well a plan does in each thing that counts, from the one that counts most: less is better."""
    by_request = {(request.source.id, request.address): request for request in requests}
    opened = {(given.source, asked.wants[given.want].address) for given in plan}
    cost = sum((by_request[key].fixed for key in opened), Decimal(0))
    for given in plan:
        cost += given.units * by_request[given.source, asked.wants[given.want].address].offers[given.want].each
    for name in names_of(group):
        match name:
            case "left_behind":
                yield name, Decimal(asked.units - sum(given.units for given in plan))
            case "single_fr: preferred":
                yield name, Decimal(len(opened) > len(asked.addresses))
            case "fewest_frs":
                yield name, Decimal(len(opened))
            case "shipping_method_mapped":
                yield name, Decimal(sum(not by_request[key].method_mapped for key in opened))
            case "source_priority":
                for source in group.sources:
                    yield f"units at {source}", Decimal(-sum(g.units for g in plan if g.source == source))
            case "lowest_cost":
                yield name, cost


def unlawful(plan: Sequence[Given], asked: Asked, group: Group, requests: Sequence[Request]) -> str:
    """Why the plan may not be, in words; empty when it may."""
    by_request = {(request.source.id, request.address): request for request in requests}
    drawn: dict[tuple[str, str], int] = {}
    for given in plan:
        want = asked.wants[given.want]
        request = by_request.get((given.source, want.address))
        offer = request.offers.get(given.want) if request else None
        key = given.source, want.sku
        drawn[key] = drawn.get(key, 0) + given.units
        if offer is None:
            return f"{given.source} cannot ship {want.sku} there"
        if drawn[key] > offer.available and request is not None and request.source.stock.from_ != "untracked":
            return f"{given.source} has no {drawn[key]} × {want.sku}"
    for at, want in enumerate(asked.wants):
        units = sum(given.units for given in plan if given.want == at)
        if units > want.quantity or (units < want.quantity and not group.partial):
            return f"{units} of {want.quantity} × {want.sku} are asked for"
    return _over_a_limit(plan, asked, group)


def _over_a_limit(plan: Sequence[Given], asked: Asked, group: Group) -> str:
    opened = {(given.source, asked.wants[given.want].address) for given in plan}
    if group.max_frs is not None and len(opened) > group.max_frs:
        return f"it takes {len(opened)} FRs, the group allows {group.max_frs}"
    single = any(isinstance(p, SingleFr) and p.single_fr == "required" for p in group.priorities)
    if single and len(opened) > len({address for _, address in opened}):
        return "it takes several FRs for an address, the group wants one"
    lines = {(asked.wants[given.want].line, given.source) for given in plan}
    if not group.split_lines and len(lines) > len({line for line, _ in lines}):
        return "it splits a line between sources, the group does not"
    return ""
