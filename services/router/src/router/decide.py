"""What to do about one order: confirm, ask back, plan what is missing, or wait, and for what. Pure.

The answer to `order.changed` (DESIGN section 3, the fence): each live FR is confirmed for the new version, or asked
back. Asked back are FRs for another address or shipping method, and the newest FRs with units that are not wanted any
more. What is missing (ordered − canceled − in live FRs − shipped) is planned; units of an FR that was asked back stay
with it until its source has answered.
"""

from router.case import Case
from router.missing import Missing, missing
from router.routing.plan import Answer, Rulebook, plan_order, take_off
from router.routing.task import Offer, Task
from router.unwanted import PREDECESSOR_SHIPPED, unwanted
from router.verdict import Verdict
from waybill_contracts.values import OrderState

FOR_GOOD = (
    "no_stock",
    "no_source_serves",
    "source_not_in_group",
    "single_fr_impossible",
    "max_frs_reached",
    "line_not_splittable",
)
"""Reasons for which a group with `unroutable: cancel` gives an order up."""


def decide(case: Case, book: Rulebook, stock: dict[tuple[str, str], Offer]) -> Verdict:
    """What is planned is taken off `stock`, so that the next order of the batch does not plan with it."""
    order = case.order
    if order.state is OrderState.CANCELED:
        back = [(fr, "order_canceled") for fr in case.frs if fr.state == "live" and fr.open]
        return Verdict(case, "waiting", "canceled", ask_back=back)
    if order.state is OrderState.HELD:
        # it stops what is not sent; what would be shipped twice is asked back all the same
        twice = [(fr, reason) for fr, reason in unwanted(case) if reason == PREDECESSOR_SHIPPED]
        return Verdict(case, "waiting", "held", "; ".join(hold.fix for hold in order.holds), ask_back=twice)
    ask_back = unwanted(case)
    wrong = {fr.fr_id for fr, _ in ask_back}
    confirm = [
        fr
        for fr in case.frs
        if fr.state != "closed" and fr.order_version < order.version and fr.fr_id not in wrong
        if fr.state != "void_requested"
    ]
    left = missing(case)
    task = left.task
    verdict = Verdict(case, "routed", confirm=confirm, ask_back=ask_back, task=task)
    if task.demands and not order.auto_generate and not case.generate:
        verdict.standing, verdict.reason = "waiting", "awaiting_generate"
        verdict.detail = "the channel's auto_generate is off: generate it by hand"
    elif task.demands:
        _plan(verdict, task, book, stock)
    if verdict.standing == "routed":
        _name_what_stays(verdict, left)
    return verdict


def _name_what_stays(verdict: Verdict, left: Missing) -> None:
    """What is not asked for, although nothing stands in its way but a source's or a person's word."""
    if left.held:
        verdict.standing, verdict.reason = "waiting", "source_canceled"
        verdict.detail = f"canceled by sources, not asked for again: {', '.join(left.held)}"
    elif left.taken_back:
        numbers = ", ".join(fr.number for fr in verdict.case.frs if fr.wish == "parked" and fr.state == "closed")
        verdict.standing, verdict.reason = "waiting", "voided_by_hand"
        verdict.detail = f"FR {numbers} was voided by hand: regenerate it, or create one by hand"


def _plan(verdict: Verdict, task: Task, book: Rulebook, stock: dict[tuple[str, str], Offer]) -> None:
    if any(demand.address >= len(task.countries) for demand in task.demands):
        verdict.standing, verdict.reason, verdict.detail = "waiting", "no_address", "the order has no ship-to address"
        return
    answer = plan_order(task, book, stock)
    verdict.plan = answer
    # of every source, also outside the group: other rules may be tried on it (RT-14)
    keys = [(source, sku) for sku in dict.fromkeys(demand.sku for demand in task.demands) for source in book.sites]
    verdict.seen = {key: stock[key] for key in keys if key in stock}
    if answer.lacks:
        verdict.standing, verdict.reason, verdict.detail = "waiting", answer.reason, answer.lacks[0].detail
        for demand in task.demands:
            key = f"sku/{demand.sku}"
            verdict.needs[key] = verdict.needs.get(key, 0) + demand.quantity
        verdict.waits_for = ["config", *sorted(verdict.needs)]
        if answer.group is not None and answer.group.partial:
            verdict.needs = {}
        verdict.cancel = _to_be_canceled(verdict.case, answer)
    if answer.draft is not None:
        take_off(stock, answer)


def _to_be_canceled(case: Case, answer: Answer) -> bool:
    """Where the group says so, nothing of it is under way, and no more than goods or a limit are wanting (RT-4).

    A price, a weight or a name that somebody forgot to configure never cancels a buyer's order: that waits.
    """
    group = answer.group
    if group is None or group.unroutable != "cancel" or answer.draft is not None:
        return False
    under_way = any(a.open or a.shipped for fr in case.frs for a in fr.allocations)
    return not under_way and all(lack.reason in FOR_GOOD for lack in answer.lacks)
