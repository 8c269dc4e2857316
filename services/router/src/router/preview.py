"""What would be decided about an order now: for every group, the plan or what stands in its way (RT-9). Pure.

An order that would not be planned (held, waiting for a person) is previewed all the same, with that said on top.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from router.case import Case
from router.missing import Missing
from router.routing.candidates import Barrier, Candidates, find_candidates
from router.routing.draft import Draft, DraftRequest
from router.routing.plan import Answer, Rulebook, plan_in_group
from router.routing.reasons import Lack
from router.routing.task import Offer, Task, money, printed
from router.verdict import Verdict
from router.words import fix, lack_words, sentence
from waybill_contracts.configuration import Group

Stock = Mapping[tuple[str, str], Offer]
PLANNED = ("dearer", "tie_break", "not_preferred", "not_better")
"""Why a source that could ship something is not in the plan: no roadblock."""


def preview_of(verdict: Verdict, left: Missing, book: Rulebook, stock: Stock, chosen: Answer | None) -> dict[str, Any]:
    """`chosen` is the plan of the order's own group, None where nothing is missing."""
    case = verdict.case
    group = chosen.group.id if chosen and chosen.group else None
    return {
        "order_id": case.order.order_id,
        "number": case.order.number,
        "channel": case.order.channel,
        "standing": verdict.standing,
        "would_route": verdict.standing == "routed" and bool(left.task.demands),
        "stops": _stops(verdict, left),
        "missing": [_part(case, d.line_id, d.sku, d.quantity, d.address) for d in left.task.demands],
        "group": group,
        "chosen_by": _chosen_by(chosen, book) if chosen else None,
        "groups": [_group(g, left.task, book, stock, verdict, g.id == group) for g in book.routing.groups]
        if left.task.demands
        else [],
    }


def _stops(verdict: Verdict, left: Missing) -> list[dict[str, str]]:
    """What keeps the order as a whole from going on, beside its plan."""
    reasons = [(verdict.reason, verdict.detail)] if verdict.reason and not (verdict.plan and verdict.plan.lacks) else []
    if not left.task.demands and not reasons:
        reasons = [("nothing_to_ship", "")]
    return [
        {"reason": reason, "sentence": sentence(reason, detail=detail), "fix": fix(reason, detail=detail)}
        for reason, detail in reasons
    ]


def _chosen_by(chosen: Answer, book: Rulebook) -> str:
    """Which rule chose the group, in words."""
    if chosen.rule is None or not chosen.rule.startswith("rules["):
        return "no rule matches: it is the default group" if chosen.group else "no group is the default"
    at = int(chosen.rule.removeprefix("rules[").removesuffix("]"))
    when = book.routing.rules[at].when.model_dump(mode="json", exclude_defaults=True)
    terms = [f"{name} {_either(value)}" for name, value in when.items()]
    return f"rule {at + 1} matches: {' and '.join(terms) or 'it has no condition'}"


def _either(value: Any) -> str:
    return " or ".join(value) if isinstance(value, list) else str(value)


def _part(case: Case, line_id: str, sku: str, quantity: int, address: int) -> dict[str, Any]:
    line = next(line for line in case.order.lines if line.line_id == line_id)
    there = case.order.addresses[address] if address < len(case.order.addresses) else None
    return {
        "line_id": line_id,
        "sku": sku,
        "quantity": quantity,
        "title": line.title,
        "country": there.country if there else None,
    }


def _group(group: Group, task: Task, book: Rulebook, stock: Stock, verdict: Verdict, chosen: bool) -> dict[str, Any]:
    """One group's answer to what is missing."""
    if any(demand.address >= len(task.countries) for demand in task.demands):
        return {"group": group.id, "chosen": chosen, "frs": [], "candidates": [], "roadblocks": [], "unfulfilled": []}
    answer = plan_in_group(task, group, book, stock)
    found = find_candidates(task, group, book.sites, stock)
    draft = answer.draft
    numbers = verdict.numbers if chosen and draft is not None and verdict.makes_frs else []
    return {
        "group": group.id,
        "chosen": chosen,
        "currency": answer.currency,
        "cost": str(money(draft.cost)) if draft else None,
        "proved": draft is not None and answer.lower_bound == draft.cost,
        "frs": _frs(draft, numbers) if draft else [],
        "runner_up": _runner_up(draft, answer.runner_up),
        "not_in_plan": _not_in_plan(answer),
        "unfulfilled": [_lack(lack) for lack in answer.lacks],
        "candidates": _candidates(found),
        "roadblocks": _roadblocks(task, found, answer.excluded),
    }


def _frs(draft: Draft, numbers: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [_fr(request, numbers[at] if at < len(numbers) else None) for at, request in enumerate(draft.requests)]


def _fr(request: DraftRequest, number: str | None) -> dict[str, Any]:
    return {
        "source": request.source,
        "number": number,
        "lines": [{"line_id": d.line_id, "sku": d.sku, "quantity": units} for d, units in request.lines],
        "items": str(money(request.items)),
        "fee": str(money(request.fee)),
        "shipping": str(money(request.shipping)),
        "cost": str(money(request.cost)),
    }


def _runner_up(draft: Draft | None, second: Draft | None) -> dict[str, Any] | None:
    if draft is None or second is None:
        return None
    more = second.cost - draft.cost
    return {"sources": second.sources, "cost": str(money(second.cost)), "more": str(money(more)), "frs": _frs(second)}


def _not_in_plan(answer: Answer) -> list[dict[str, Any]]:
    """Sources that could ship something and are not in the plan: what is least dear alone first."""
    left_out = [barrier for barrier in answer.excluded if barrier.reason in PLANNED]
    left_out.sort(key=lambda barrier: (barrier.alone is None, barrier.alone or 0))
    return [_left_out(barrier, answer) for barrier in left_out]


def _left_out(barrier: Barrier, answer: Answer) -> dict[str, Any]:
    detail, alone = barrier.detail, barrier.alone
    if alone is not None and answer.draft is not None:
        more = alone - answer.draft.cost
        detail = f"alone {printed(alone)} {answer.currency}, {printed(abs(more))} {'more' if more >= 0 else 'less'}"
    words = sentence(barrier.reason, source=barrier.source, detail=detail)
    cost = None if alone is None else str(money(alone))
    return {"source": barrier.source, "reason": barrier.reason, "sentence": words, "alone": cost}


def _lack(lack: Lack) -> dict[str, Any]:
    words, way_out = lack_words(lack)
    return {
        "line_id": lack.line_id,
        "sku": lack.sku,
        "quantity": lack.quantity,
        "reason": lack.reason,
        "sentence": words,
        "fix": way_out,
    }


def _candidates(found: Candidates) -> list[dict[str, Any]]:
    """Who could ship what: the price of opening an FR there, and of each unit with its share of the shipping."""
    return [
        {
            "source": request.site.id,
            "address": request.address,
            "each_fr": str(money(request.fixed)),
            "offers": [
                {"sku": sku, "free": units if request.site.tracked else None, "each": str(money(price))}
                for sku, (units, price) in request.offers.items()
            ],
        }
        for request in found.requests
    ]


def _roadblocks(task: Task, found: Candidates, excluded: list[Barrier]) -> list[dict[str, Any]]:
    """What stands in the way at each source, line by line; once for all lines where it is the same for all."""
    blocks: list[dict[str, Any]] = []
    for demand in task.demands:
        for barrier in found.roadblocks.get((demand.address, demand.sku), []):
            blocks.append(_block(barrier, demand.line_id, demand.sku))
    known = {block["source"] for block in blocks}
    blocks += [_block(b, None, "") for b in excluded if b.source not in known and b.reason not in PLANNED]
    return blocks


def _block(barrier: Barrier, line_id: str | None, sku: str) -> dict[str, Any]:
    about = {"source": barrier.source, "sku": sku, "detail": barrier.detail}
    return {
        "source": barrier.source,
        "line_id": line_id,
        "sku": sku,
        "reason": barrier.reason,
        "sentence": sentence(barrier.reason, **about),
        "fix": fix(barrier.reason, **about),
    }
