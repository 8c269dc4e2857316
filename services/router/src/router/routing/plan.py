"""Who ships what: the plan for one order, with what proves it and what speaks against every other source.

    group by rules → candidates with roadblocks → problem in whole numbers → exact search → draft with costs
    → runner-up → why each other source is not in it → what stays unfulfilled, and why

`plan_order` is a function of its arguments: same input, same plan, on any machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from router.routing.candidates import Barrier, Candidates, find_candidates
from router.routing.draft import Draft, draft_of
from router.routing.groups import choose_group
from router.routing.problems import Ground, Problem, lay_ground
from router.routing.reasons import Lack, name_dearer, name_lacks
from router.routing.runner_up import find_runner_up
from router.routing.settle import problem_on, settle
from router.routing.shared_stock import Found, solve_shared
from router.routing.task import Offer, Site, Stock, Task
from waybill_contracts.configuration import Group, Routing


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One version of the configuration, prepared for planning; plans share it."""

    version: int
    routing: Routing
    sites: Mapping[str, Site]
    revision: int = 0
    """Of groups, rules and costs together; grows with each change of any of them."""


@dataclass(slots=True)
class Answer:
    """`draft` None = no plan: `lacks` say which units cannot go, and why. Amounts in nano-units."""

    group: Group | None
    currency: str | None = None
    rule: str | None = None
    draft: Draft | None = None
    lower_bound: int | None = None
    runner_up: Draft | None = None
    excluded: list[Barrier] = field(default_factory=list)
    lacks: list[Lack] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """The reason to wait for, when there is no draft: that of the first line that cannot go."""
        return self.lacks[0].reason if self.lacks else "nothing_to_ship"


def plan_order(task: Task, book: Rulebook, stock: Stock, *, runner_up: bool = True) -> Answer:
    """The best plan of the group that the rules choose. Never raises for what an order or the stock may look like."""
    country = task.countries[0] if task.countries else ""
    group, rule = choose_group(book.routing, country=country, channel=task.channel, tags=task.tags, value=task.value)
    if group is None:
        lacks = [
            Lack(d.line_id, d.sku, d.quantity, "not_configured", "no routing group is the default")
            for d in task.demands
        ]
        return Answer(None, lacks=lacks)
    answer = plan_in_group(task, group, book, stock, runner_up=runner_up)
    answer.rule = rule
    return answer


def plan_in_group(task: Task, group: Group, book: Rulebook, stock: Stock, *, runner_up: bool = True) -> Answer:
    """The same for a given group (preview shows each)."""
    currencies = {book.sites[name].currency for name in group.sources if name in book.sites}
    if len(currencies) > 1:
        detail = f"group {group.id!r} mixes {', '.join(sorted(currencies))}: one currency per group"
        return Answer(group, lacks=_all(task, "mixed_currencies", detail))
    answer = Answer(group, next(iter(currencies), None))
    candidates = find_candidates(task, group, book.sites, stock)
    answer.excluded = candidates.excluded
    ground = lay_ground(task, group, candidates.requests)
    problem = problem_on(ground)
    found = solve_shared(problem) if _worth_solving(task, group, candidates) else None
    if found is not None and problem.shared:
        found.parts = settle(found, ground)
    parts = found.parts if found else []
    filled = sum(units for _, _, units in parts)
    wanted = sum(demand.quantity for demand in task.demands)
    if filled < wanted:
        answer.lacks = name_lacks(task, group, book.sites, stock, candidates, parts)
        if not group.partial or not filled:
            return answer
    if found is not None and filled:
        _answer(answer, found, problem, ground, stock, wanted, runner_up=runner_up)
    return answer


def take_off(stock: dict[tuple[str, str], Offer], answer: Answer) -> None:
    """The stock without what the plan uses; untracked sources stay as they are."""
    for request in answer.draft.requests if answer.draft else ():
        for demand, units in request.lines:
            offer = stock[(request.source, demand.sku)]
            if offer.available is not None:
                left = offer.available - units
                stock[(request.source, demand.sku)] = Offer(left, offer.unit_cost, offer.weight_g)


def _all(task: Task, reason: str, detail: str) -> list[Lack]:
    return [Lack(demand.line_id, demand.sku, demand.quantity, reason, detail) for demand in task.demands]


def _answer(
    answer: Answer, found: Found, problem: Problem, ground: Ground, stock: Stock, wanted: int, *, runner_up: bool
) -> None:
    answer.draft = draft_of(found.parts, ground, stock)
    answer.lower_bound = answer.draft.cost if found.proved else _cost_in(found.bound, found.value, ground)
    if runner_up:
        second = find_runner_up(problem, found)
        complete = second is not None and sum(units for _, _, units in second.parts) == wanted
        if second is not None and (complete or ground.group.partial):
            answer.runner_up = draft_of(second.parts, ground, stock)
    answer.excluded = [*answer.excluded, *name_dearer(ground, answer.draft, found, problem)]


def _worth_solving(task: Task, group: Group, candidates: Candidates) -> bool:
    """False when some SKU falls short whatever the plan, and nothing may go in part: no search is needed to say so."""
    if group.partial:
        return bool(candidates.requests)
    wanted: dict[str, int] = {}
    for demand in task.demands:
        wanted[demand.sku] = wanted.get(demand.sku, 0) + demand.quantity
    free = dict.fromkeys(wanted, 0)
    for request in candidates.requests:
        for sku, (units, _) in request.offers.items():
            free[sku] += units
    # With several addresses a shelf may be added up twice: that only means that the search has to find out.
    return all(free[sku] >= units for sku, units in wanted.items())


def _cost_in(bound: int, value: int, ground: Ground) -> int:
    """The cost that a bound on the one number stands for; 0 when a level above cost is open still."""
    names = [level.name for level in ground.levels]
    at = names.index("lowest_cost")
    above = ground.scales.weights[at - 1] if at else ground.scales.unfilled
    return bound % above // ground.cost_weight if bound // above == value // above else 0
