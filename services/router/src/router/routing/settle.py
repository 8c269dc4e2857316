"""Who ships what, once it is decided which FRs there are: at equal cost, more units at the earlier FR.

Where items share no stock, `filling.fill` does that item by item. Where they do, one item's units decide what is left
for another: the chosen FRs alone are solved again, with this level in the number too (few FRs: it stays small).
"""

from router.routing.problems import Ground, Parts, Problem, lay_ground
from router.routing.quantities import Quantities
from router.routing.shared_stock import Found, solve_shared
from router.routing.whole_lines import WholeLines


def problem_on(ground: Ground) -> Problem:
    """The kind of problem that the group's `split_lines` asks for."""
    return Quantities(ground) if ground.group.split_lines else WholeLines(ground)


def settle(chosen: Found, ground: Ground) -> Parts:
    """The chosen plan's parts, or those of the plan of the same FRs and cost that stands before it."""
    opened = sorted({i for i, _, _ in chosen.parts})
    if len(opened) < 2:
        return chosen.parts
    again = lay_ground(ground.task, ground.group, [ground.requests[i] for i in opened], settling=True)
    found = solve_shared(problem_on(again))
    if found is None or not found.proved:
        return chosen.parts
    return [(opened[i], at, units) for i, at, units in found.parts]
