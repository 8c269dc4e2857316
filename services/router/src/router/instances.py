"""Random routing problems, from a seed: for the tests of exactness, and for the benchmarks of speed (G8, G9).

1 to 10 lines, 2 to 50 sources, stock limits, fees, base prices, prices by weight, `max_frs`. What an order wants is
in stock somewhere, mostly; prices have two decimals, weights whole grams.
"""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from router.routing.plan import Rulebook
from router.routing.task import Demand, Offer, Site, Task, nano
from waybill_contracts.configuration import Group, Routing, Source


@dataclass(frozen=True, slots=True)
class RandomProblem:
    """A task with its group, sources and stock, all that `plan_order` needs."""

    task: Task
    group: Group
    book: Rulebook
    stock: dict[tuple[str, str], Offer]


def random_problem(
    seed: int, *, lines: tuple[int, int] = (1, 10), sources: tuple[int, int] = (2, 50), limited: bool = True
) -> RandomProblem:
    """The problem of this seed; the same on any machine."""
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
    book = Rulebook(1, Routing(groups=(group,)), {source.id: Site(source) for source in settings})
    return RandomProblem(task, group, book, _stock(random, names, demands))


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
