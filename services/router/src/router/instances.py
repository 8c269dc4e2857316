"""Random routing problems, from a seed: for the tests of exactness, and for the benchmarks of speed (G8, G9).

1 to 10 lines, 2 to 50 sources, stock limits, fees, base prices, prices by weight, `max_frs`, and if asked for a group's
other rules. What an order wants is in stock somewhere, mostly; prices have two decimals, weights whole grams.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

from router.routing.plan import Rulebook
from router.routing.task import Demand, Offer, Site, Task, nano
from waybill_contracts.configuration import Group, Priority, Routing, SingleFr, Source


@dataclass(frozen=True, slots=True)
class RandomProblem:
    """A task with its group, sources and stock, all that `plan_order` needs."""

    task: Task
    group: Group
    book: Rulebook
    stock: dict[tuple[str, str], Offer]


PRIORITIES: tuple[Priority, ...] = (
    SingleFr(single_fr="required"),
    SingleFr(single_fr="preferred"),
    "lowest_cost",
    "source_priority",
    "fewest_frs",
    "shipping_method_mapped",
)


def random_problem(
    seed: int,
    *,
    lines: tuple[int, int] = (1, 10),
    sources: tuple[int, int] = (2, 50),
    limited: bool = True,
    ruled: bool = False,
) -> RandomProblem:
    """The problem of this seed; the same on any machine. `ruled`: with priorities and every other rule of a group."""
    random = Random(seed)
    names = [f"s{i}" for i in range(random.randint(*sources))]
    skus = [f"K{i}" for i in range(random.randint(*lines))]
    demands = tuple(
        Demand(str(at), random.choice(skus) if random.random() < 0.1 else sku, random.choice((1, 1, 1, 2, 3, 5, 12)))
        for at, sku in enumerate(skus)
    )
    task = Task(number=f"R{seed}", countries=("US",), demands=demands)
    settings = [_source(random, name) for name in names]
    group = Group(
        id="all",
        sources=tuple(names),
        max_frs=random.choice((None, None, 1, 2, 3, 4)) if limited else None,
    )
    stock = _stock(random, names, demands)
    if ruled:
        task = replace(task, shipping_method="ground")
        settings = [_named(random, source) for source in settings]
        group = group.model_copy(update=_rules(random))
    book = Rulebook(1, Routing(groups=(group,)), {source.id: Site(source) for source in settings})
    return RandomProblem(task, group, book, stock)


def _rules(random: Random) -> dict[str, Any]:
    return {
        "priorities": tuple(random.sample(PRIORITIES, random.randint(0, 4))),
        "split_lines": random.random() < 0.6,
        "partial": random.random() < 0.4,
    }


def _named(random: Random, source: Source) -> Source:
    """Half of the sources have a name for the shipping method; some take no method without one, some lack countries."""
    methods = {
        "map": {"ground": "G"} if random.random() < 0.5 else {},
        "unmapped": random.choice(("pass", "pass", "hold")),
    }
    serves = {"countries": random.choice(("all", "all", "all", ("CA",)))}
    return Source.model_validate({**source.model_dump(by_alias=True), "shipping_methods": methods, "serves": serves})


def _source(random: Random, name: str) -> Source:
    shipping = {"zone": ["US"], "base": _cents(random, 300, 1200), "per_kg": _cents(random, 0, 400)}
    costs = {"currency": "USD", "fee": _cents(random, 0, 500), "shipping": [shipping]}
    return Source.model_validate({"id": name, "platform": "manual", "costs": costs})


def _cents(random: Random, low: int, high: int) -> str:
    return str(Decimal(random.randint(low, high)) / 100)


def _stock(random: Random, names: list[str], demands: tuple[Demand, ...]) -> dict[tuple[str, str], Offer]:
    scarcity = random.choice((0.2, 0.5, 0.8))
    stock = {}
    for sku in sorted({demand.sku for demand in demands}):
        wanted = sum(demand.quantity for demand in demands if demand.sku == sku)
        price, grams = random.randint(200, 5000), random.randint(20, 4000)
        for name in names:
            plenty = random.random() >= scarcity
            have = wanted + random.randint(0, 10) if plenty else random.randint(0, wanted)
            cost = Decimal(round(price * random.uniform(0.8, 1.25))) / 100
            stock[(name, sku)] = Offer(have, nano(cost), grams)
    return stock
