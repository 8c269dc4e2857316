"""The search where several items draw on the same stock: solved as if they did not, then split where they collide.

Most orders have no such items (one address, lines that may be split): then the first solution stands.
"""

from collections.abc import Collection
from dataclasses import dataclass

from router.routing.problems import NO_LIMITS, Limits, Parts, Problem
from router.routing.search import solve

SUB_PROBLEMS = 5_000


@dataclass(slots=True)
class Found:
    """The best plan: its value, what it means for the demands, and a bound that no plan is under."""

    value: int
    parts: Parts
    bound: int

    @property
    def proved(self) -> bool:
        return self.bound >= self.value


def solve_shared(
    problem: Problem,
    *,
    out: Collection[int] = (),
    below: int | None = None,
    start: Limits | None = None,
) -> Found | None:
    """The best plan without the requests in `out`, under the value `below`; None = there is none."""
    best: Found | None = None
    stack = [(start or NO_LIMITS, 0)]
    left_open: list[int] = []
    tried = 0
    while stack:
        limits, known = stack.pop()
        ceiling = best.value if best is not None else below
        if ceiling is not None and known >= ceiling:
            continue
        if tried >= SUB_PROBLEMS:
            left_open.append(known)
            continue
        tried += 1
        solution = solve(problem.instance(limits), out=out, below=ceiling)
        if solution.bound is not None and not solution.proved:
            left_open.append(solution.bound)
        if solution.takes is None or solution.value is None:
            continue
        branches = problem.branches(limits, solution.takes)
        if branches is None:
            best = Found(solution.value, problem.parts(solution.takes), solution.value)
        else:
            stack += [(branch, solution.bound or 0) for branch in branches]
    if best is not None:
        best.bound = min([best.value, *left_open])
    return best
