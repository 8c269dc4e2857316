"""G8, G9: the exact planner against HiGHS on the same random problems, which solves them independently.

Solving against solving: of HiGHS without building its model (which by its Python interface takes longer), of ours
without reading the configuration before and without the reasons after. Both whole ways are in the raw figures.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from benchmarks.goals import Result
from benchmarks.measure import Size, median, quantile
from router import check
from router.check import cheapest
from router.check_reading import Shelf
from router.instances import RandomProblem, random_problem
from router.routing.candidates import find_candidates
from router.routing.plan import plan_order
from router.routing.problems import lay_ground
from router.routing.settle import problem_on, settle
from router.routing.shared_stock import solve_shared
from router.routing.task import money

T = TypeVar("T")
_REPEATS = 5
"""Of ours, which is too short for the clock of CPU time to see it once."""
_CENT_TENTH = 1e-3


def run(size: Size) -> list[Result]:
    """CPU time of one problem each way, without building the problem."""
    count = size.of(450, 40)
    highs, whole_highs, ours, whole_ours, wrong, unproved = [], [], [], [], [], []
    for seed in range(count):
        problem = random_problem(seed)
        (least, theirs), whole_theirs = _timed(partial(_solver, problem), 1)
        answer, own = _timed(partial(plan_order, problem.task, problem.book, problem.stock, runner_up=False), _REPEATS)
        if theirs > 0.0:  # else there was nothing to solve: some SKU is in stock nowhere
            highs.append(theirs)
            whole_highs.append(whole_theirs)
            ours.append(_search(problem))
            whole_ours.append(own)
        cost = None if answer.draft is None else float(money(answer.draft.cost))
        if (cost is None) != (least is None) or (cost is not None and abs(cost - (least or 0.0)) > _CENT_TENTH):
            wrong.append(seed)
        elif answer.draft is not None and answer.lower_bound != answer.draft.cost:
            unproved.append(seed)
    both = {
        "instances": count,
        "solved": len(highs),
        "highs_ms": _summary(highs),
        "ours_ms": _summary(ours),
        "highs_with_building_ms": _summary(whole_highs),
        "ours_whole_decision_ms": _summary(whole_ours),
        "wrong_seeds": wrong,
        "unproved_seeds": unproved,
    }
    return [
        Result("G8", (count - len(wrong) - len(unproved)) / count, both),
        Result("G9", median(highs) / median(ours), both),
        Result("G9-p99", quantile(highs, 0.99) / quantile(ours, 0.99), both),
    ]


def _search(problem: RandomProblem) -> float:
    """Seconds of CPU of the search and of settling the tie-break, from candidates to the parts of the plan."""
    task, group = problem.task, problem.group
    ground = lay_ground(task, group, find_candidates(task, group, problem.book.sites, problem.stock).requests)

    def solve() -> None:
        asked = problem_on(ground)
        found = solve_shared(asked)
        if found is not None and asked.shared:
            settle(found, ground)

    return _timed(solve, _REPEATS)[1]


def _solver(problem: RandomProblem) -> tuple[float | None, float]:
    wanted: dict[str, int] = {}
    for demand in problem.task.demands:
        wanted[demand.sku] = wanted.get(demand.sku, 0) + demand.quantity
    shelves = {
        key: Shelf(offer.available, money(offer.unit_cost or 0), offer.weight_g) for key, offer in problem.stock.items()
    }
    sources = {name: site.source for name, site in problem.book.sites.items()}
    plain = check._solver
    solver = _SolverWithClock(plain())
    check._solver = lambda: solver
    try:
        return cheapest(wanted, "US", problem.group, sources, shelves).cost, solver.seconds
    finally:
        check._solver = plain


class _SolverWithClock:
    """HiGHS, with the CPU time of solving."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def minimize(self, goal: Any) -> None:
        began = time.process_time()
        self._model.minimize(goal)
        self.seconds += time.process_time() - began


def _timed(work: Callable[[], T], repeats: int) -> tuple[T, float]:
    began = time.process_time()
    for _ in range(repeats):
        result = work()
    return result, (time.process_time() - began) / repeats


def _summary(seconds: list[float]) -> dict[str, float]:
    shares = {"median": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}
    return {name: round(quantile(seconds, share) * 1000, 4) for name, share in shares.items()}
