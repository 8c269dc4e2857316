"""RT-3, G8: the plan is the optimum. HiGHS proves it on random problems; counting out proves the priorities.

`WAYBILL_ROUTING_INSTANCES` says how many random problems: 200 in every run, most of them small, since the big ones
take HiGHS half a second each; `make exact` solves 2,000 of up to 50 sources.
"""

import os
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.check import best_plan, cheapest
from router.check_reading import Asked, Given, Shelf, Want, levels_of, requests_of, unlawful
from router.instances import RandomProblem, random_problem
from router.routing.draft import Draft
from router.routing.plan import Answer, Rulebook, plan_in_group, plan_order
from router.routing.task import NANO, Demand, Offer, Site, Task, money, nano
from waybill_contracts.configuration import Group, Routing, Source

INSTANCES = int(os.environ.get("WAYBILL_ROUTING_INSTANCES", "200"))
ALL_SIZES = INSTANCES >= 2000
CHUNKS = 50


def wanted(problem: RandomProblem) -> dict[str, int]:
    units: dict[str, int] = {}
    for demand in problem.task.demands:
        units[demand.sku] = units.get(demand.sku, 0) + demand.quantity
    return units


def shelves_of(problem: RandomProblem) -> dict[tuple[str, str], Shelf]:
    return {key: Shelf(o.available, money(o.unit_cost or 0), o.weight_g) for key, o in problem.stock.items()}


def optimum(problem: RandomProblem, without: frozenset[str] | None = None) -> float | None:
    shelves = shelves_of(problem)
    sources = {name: site.source for name, site in problem.book.sites.items()}
    return cheapest(wanted(problem), "US", problem.group, sources, shelves, without=without).cost


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_rt3_the_plan_costs_what_highs_finds_and_says_that_it_is_proved(chunk: int) -> None:
    for seed in range(chunk, INSTANCES, CHUNKS):
        problem = random_problem(seed, sources=(2, 50) if ALL_SIZES or seed % 7 == 0 else (2, 12))
        answer = plan_order(problem.task, problem.book, problem.stock, runner_up=False)
        least = optimum(problem)
        if answer.draft is None:
            assert least is None, f"seed {seed}: a plan for {least} exists"
            assert answer.lacks
        else:
            assert float(money(answer.draft.cost)) == pytest.approx(least, abs=1e-3), f"seed {seed}"
            assert answer.lower_bound == answer.draft.cost
            assert_lawful(answer, problem.task, problem.stock)


@pytest.mark.parametrize("seed", range(1000, 1060))
def test_rt3_the_runner_up_is_the_best_plan_with_another_set_of_sources(seed: int) -> None:
    problem = random_problem(seed, sources=(2, 8), lines=(1, 4))
    answer = plan_order(problem.task, problem.book, problem.stock)
    if answer.draft is None:
        return
    least = optimum(problem, frozenset(answer.draft.sources))
    if answer.runner_up is None:
        assert least is None
    else:
        assert set(answer.runner_up.sources) != set(answer.draft.sources)
        assert float(money(answer.runner_up.cost)) == pytest.approx(least, abs=1e-3)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("chunk", range(20))
def test_rt5_every_rule_at_sizes_that_cannot_be_counted_out_is_what_highs_finds(chunk: int) -> None:
    """Level by level: what stays behind, each priority in its turn, the cost; and the same for the runner-up."""
    for seed in range(chunk, INSTANCES // 2, 20):
        problem = random_problem(seed, lines=(1, 8), sources=(2, 16), ruled=True)
        answer = plan_in_group(problem.task, problem.group, problem.book, problem.stock)
        used = frozenset(answer.draft.sources) if answer.draft else None
        assert_best(answer.draft, problem, f"seed {seed}", without=None)
        if used:
            assert_best(answer.runner_up, problem, f"runner-up of seed {seed}", without=used)


def assert_best(draft: Draft | None, problem: RandomProblem, where: str, *, without: frozenset[str] | None) -> None:
    wants = tuple(Want(d.line_id, d.sku, d.quantity) for d in problem.task.demands)
    asked = Asked(wants, problem.task.countries, problem.task.shipping_method)
    sources, shelves = {name: site.source for name, site in problem.book.sites.items()}, shelves_of(problem)
    best = best_plan(asked, problem.group, sources, shelves, without=without)
    if draft is None:
        assert not best.levels, where
        return
    places = {demand.line_id: at for at, demand in enumerate(problem.task.demands)}
    plan = [Given(r.source, places[demand.line_id], units) for r in draft.requests for demand, units in r.lines]
    requests = requests_of(asked, problem.group, sources, shelves)
    assert not unlawful(plan, asked, problem.group, requests), where
    reached = [
        (name, pytest.approx(float(value), abs=1e-3)) for name, value in levels_of(plan, asked, problem.group, requests)
    ]
    assert [tuple(level) for level in best.levels] == reached, where


def assert_lawful(answer: Answer, task: Task, stock: dict[tuple[str, str], Offer]) -> None:
    """All that is wanted, nothing beyond the stock."""
    assert answer.draft is not None
    given: dict[str, int] = {}
    drawn: dict[tuple[str, str], int] = {}
    for request in answer.draft.requests:
        for demand, units in request.lines:
            given[demand.line_id] = given.get(demand.line_id, 0) + units
            drawn[(request.source, demand.sku)] = drawn.get((request.source, demand.sku), 0) + units
    missing = {lack.line_id: lack.quantity for lack in answer.lacks}
    for demand in task.demands:
        assert given.get(demand.line_id, 0) + missing.get(demand.line_id, 0) == demand.quantity
    assert all(units <= (stock[key].available or 0) for key, units in drawn.items())


# --- every rule at once, against counting out all assignments -------------------------------------------------------

PRIORITIES = (
    {"single_fr": "required"},
    {"single_fr": "preferred"},
    "lowest_cost",
    "source_priority",
    "fewest_frs",
    "shipping_method_mapped",
)


@st.composite
def small_problems(draw: Any) -> tuple[Task, Group, Rulebook, dict[tuple[str, str], Offer]]:
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    skus = ["X", "Y"][: draw(st.integers(1, 2))]
    addresses = draw(st.sampled_from((1, 1, 2, 2)))
    demands = tuple(
        Demand(f"L{at}", draw(st.sampled_from(skus)), draw(st.integers(1, 3)), draw(st.integers(0, addresses - 1)))
        for at in range(draw(st.integers(1, 3)))
    )
    if len(demands) > 1 and demands[0].sku != demands[1].sku and draw(st.booleans()):
        kit = Demand(demands[0].line_id, demands[1].sku, demands[1].quantity, demands[0].address)
        demands = (demands[0], kit, *demands[2:])
    task = Task("1", ("US", "CA"), demands, shipping_method="ground")
    sources = []
    spread = draw(st.sampled_from((0, 1, 5)))  # the smaller, the more plans cost the same
    for name in names:
        per_kg = st.sampled_from(("1", "1", "2"))
        prices = [
            {"zone": [c], "base": str(draw(st.integers(0, spread))), "per_kg": draw(per_kg)} for c in ("US", "CA")
        ]
        mapped = {"ground": "G"} if draw(st.booleans()) else {}
        costs = {"currency": "USD", "fee": str(draw(st.integers(0, min(spread, 3)))), "shipping": prices}
        body = {"id": name, "platform": "manual", "costs": costs, "shipping_methods": {"map": mapped}}
        sources.append(Source.model_validate(body))
    stock = {
        (name, sku): Offer(
            draw(st.integers(0, 5)), draw(st.integers(1, 1 + spread)) * NANO, draw(st.sampled_from((0, 500 * spread)))
        )
        for name, sku in product(names, skus)
    }
    group = Group.model_validate(
        {
            "id": "g",
            "sources": names,
            "priorities": draw(st.lists(st.sampled_from(PRIORITIES), max_size=3, unique_by=str)),
            "max_frs": draw(st.sampled_from((None, None, 1, 2, 3))),
            "split_lines": draw(st.booleans()),
            "partial": draw(st.booleans()),
        }
    )
    return task, group, Rulebook(1, Routing(groups=(group,)), {s.id: Site(s) for s in sources}), stock


Assignment = tuple[tuple[int, ...], ...]
"""Units by demand and source."""


def lawful(task: Task, group: Group, book: Rulebook, stock: dict[tuple[str, str], Offer]) -> Iterator[Assignment]:
    names = group.sources
    rows = []
    for demand in task.demands:
        ways = [
            way
            for way in product(*(range(min(demand.quantity, stock[(n, demand.sku)].available or 0) + 1) for n in names))
            if sum(way) <= demand.quantity and (group.split_lines or sum(1 for units in way if units) <= 1)
        ]
        rows.append(ways)
    for chosen in product(*rows):
        drawn: dict[tuple[str, str], int] = {}
        for demand, way in zip(task.demands, chosen, strict=True):
            for name, units in zip(names, way, strict=True):
                drawn[(name, demand.sku)] = drawn.get((name, demand.sku), 0) + units
        givers = {(d.line_id, n) for d, way in zip(task.demands, chosen, strict=True) for n, u in enumerate(way) if u}
        whole = group.split_lines or len(givers) == len({line for line, _ in givers})
        if whole and all(units <= (stock[key].available or 0) for key, units in drawn.items()):
            frs = {(n, d.address) for d, way in zip(task.demands, chosen, strict=True) for n, u in enumerate(way) if u}
            required = any(getattr(p, "single_fr", None) == "required" for p in group.priorities)
            one_each = len(frs) == len({address for _, address in frs})
            if len(frs) <= (group.max_frs or 99) and (one_each or not required):
                yield chosen


def worth(
    chosen: Assignment, task: Task, group: Group, book: Rulebook, stock: dict[tuple[str, str], Offer]
) -> tuple[Any, ...]:
    """What counts, in the order in which it counts; lower is better."""
    names = group.sources
    frs = sorted({(n, d.address) for d, way in zip(task.demands, chosen, strict=True) for n, u in enumerate(way) if u})
    cost = 0
    for n, address in frs:
        source = book.sites[names[n]].source
        price = source.costs.shipping[address]
        cost += nano(source.costs.fee + price.base)
    for demand, way in zip(task.demands, chosen, strict=True):
        for n, units in enumerate(way):
            offer = stock[(names[n], demand.sku)]
            per_kg = int(book.sites[names[n]].source.costs.shipping[demand.address].per_kg)
            cost += units * ((offer.unit_cost or 0) + (offer.weight_g or 0) * per_kg * NANO // 1000)
    by_source = [sum(way[n] for way in chosen) for n in range(len(names))]
    homes = len({demand.address for demand in task.demands})
    keys: dict[str, Any] = {
        "lowest_cost": cost,
        "fewest_frs": len(frs),
        "source_priority": [-units for units in by_source],
        "shipping_method_mapped": sum(
            1 for n, _ in frs if "ground" not in book.sites[names[n]].source.shipping_methods.map
        ),
        "preferred": len(frs) > homes,
        "required": 0,
    }
    levels = [keys[getattr(p, "single_fr", p)] for p in group.priorities]
    every = list(product(range(len(names)), dict.fromkeys(demand.address for demand in task.demands)))
    units = dict.fromkeys(every, 0)
    for demand, way in zip(task.demands, chosen, strict=True):
        for n, given_here in enumerate(way):
            units[n, demand.address] += given_here
    earlier_frs = [not units[fr] for fr in every]
    return (-sum(map(sum, chosen)), *levels, cost, len(frs), earlier_frs, [-units[fr] for fr in every])


def read(answer: Answer | None, draft: Any, task: Task, group: Group) -> Assignment:
    units = [[0] * len(group.sources) for _ in task.demands]
    for request in draft.requests:
        for demand, most in request.lines:
            units[task.demands.index(demand)][group.sources.index(request.source)] += most
    return tuple(tuple(row) for row in units)


@settings(max_examples=int(os.environ.get("WAYBILL_ROUTING_EXAMPLES", "250")), deadline=None)
@given(small_problems())
def test_rt5_priorities_limits_addresses_kits_and_shared_stock_are_exact(
    problem: tuple[Task, Group, Rulebook, dict[tuple[str, str], Offer]],
) -> None:
    task, group, book, stock = problem
    answer = plan_in_group(task, group, book, stock)
    every = [(worth(chosen, *problem), chosen) for chosen in lawful(*problem)]
    total = sum(demand.quantity for demand in task.demands)
    allowed = [(w, chosen) for w, chosen in every if -w[0] == total or (group.partial and w[0] < 0)]
    if not allowed:
        assert answer.draft is None
        assert answer.lacks
        return
    assert answer.draft is not None
    mine = worth(read(answer, answer.draft, task, group), *problem)
    assert mine == min(w for w, _ in allowed)
    assert answer.draft.cost == mine[-4]
    used = set(answer.draft.sources)
    others = [
        w
        for w, chosen in allowed
        if {group.sources[n] for way in chosen for n, units in enumerate(way) if units} != used
    ]
    if not others:
        assert answer.runner_up is None
    else:
        assert answer.runner_up is not None
        # who of the same FRs ships what at the same cost is promised for the plan alone
        assert worth(read(answer, answer.runner_up, task, group), *problem)[:-1] == min(others)[:-1]
