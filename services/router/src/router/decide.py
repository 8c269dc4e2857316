"""What to do about one order: confirm, ask back, plan what is missing, or wait, and for what. Pure.

The answer to `order.changed` (DESIGN section 3, the fence): each live FR is confirmed for the new version, or asked
back. Asked back are FRs for another address or shipping method, and the newest FRs with units that are not wanted any
more. What is missing (ordered − canceled − in live FRs − shipped) is planned; units of an FR that was asked back stay
with it until its source has answered.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from router.killed import NOTHING, Killed, book_killed, canceled_pieces, units_by_line
from router.ledger import Allocation
from router.routing.plan import Answer, Rulebook, plan_order
from router.routing.task import Demand, Offer, Task
from waybill_contracts.values import ByHand, FulfillmentRequest, Order, OrderState

ROUNDS = 3
"""So often a source may cancel units of a line before the line is held (on_source_cancel: fill)."""


FOR_GOOD = (
    "no_stock",
    "no_source_serves",
    "source_not_in_group",
    "single_fr_impossible",
    "max_frs_reached",
    "line_not_splittable",
)
"""Reasons for which a group with `unroutable: cancel` gives an order up."""


@dataclass(slots=True)
class LiveFr:
    """One FR of the order, whatever its state, with its allocations. `wish` is a person's (`by_hand`)."""

    fr_id: str
    source: str
    number: str
    sequence: int
    state: str
    order_version: int
    body: FulfillmentRequest
    wish: str | None = None
    allocations: list[Allocation] = field(default_factory=list)

    @property
    def open(self) -> int:
        return sum(allocation.open for allocation in self.allocations)

    @property
    def stays(self) -> bool:
        """Whether its open units count as asked for."""
        return self.state != "void_requested" and self.wish != "overridden"


@dataclass(slots=True)
class Case:
    """One due order with all that is stored about its routing."""

    order: Order
    revision: int
    answered: int
    decisions: int
    frs_made: int
    generate: bool
    standing: str
    reason: str | None
    traceparent: str | None
    asked_by: ByHand | None = None
    frs: list[LiveFr] = field(default_factory=list)
    killed: dict[str, Killed] = field(default_factory=dict)
    """By line, as it was told last."""
    told: int = 0
    """The newest version of the order that a decision answered."""

    @property
    def more_to_come(self) -> bool:
        """Whether a person wants units planned again that their FR has not given back yet."""
        return any(fr.wish == "again" and fr.state == "void_requested" for fr in self.frs)


@dataclass(slots=True)
class Verdict:
    """What is to be done. `waits_for` are the keys that wake the order again; `plan` is what FRs are made of."""

    case: Case
    standing: Literal["routed", "waiting"]
    reason: str = ""
    detail: str = ""
    confirm: list[LiveFr] = field(default_factory=list)
    ask_back: list[tuple[LiveFr, str]] = field(default_factory=list)
    task: Task | None = None
    plan: Answer | None = None
    seen: dict[tuple[str, str], Offer] = field(default_factory=dict)
    """The stock that the plan was made from: what earlier orders of the batch use is off it already (RT-12)."""
    waits_for: list[str] = field(default_factory=list)
    cancel: bool = False
    """The group has orders canceled that cannot be routed."""
    needs: dict[str, int] = field(default_factory=dict)
    """Units of the SKU of a key in `waits_for` without which nothing goes; 1 where it is not named."""
    numbers: list[str] = field(default_factory=list)
    by_hand: ByHand | None = None
    """The person who chose source and lines; None = the rules did."""
    shipping_method: str | None = None
    """Of the FRs to be made, where a person chose another one than the order's."""

    @property
    def killed(self) -> dict[str, Killed]:
        """By line, as it is now (FP-6)."""
        return killed_now(self.case)

    @property
    def makes_frs(self) -> bool:
        return self.plan is not None and self.plan.draft is not None

    @property
    def says_something(self) -> bool:
        """False when it would only repeat the last decision."""
        case = self.case
        return bool(
            case.order.sequence > case.answered
            or self.confirm
            or self.ask_back
            or self.makes_frs
            or self.killed != case.killed
            or (self.standing, self.reason or None) != (case.standing, case.reason)
        )


def decide(case: Case, book: Rulebook, stock: dict[tuple[str, str], Offer]) -> Verdict:
    """What is planned is taken off `stock`, so that the next order of the batch does not plan with it."""
    order = case.order
    if order.state is OrderState.CANCELED:
        back = [(fr, "order_canceled") for fr in case.frs if fr.state == "live" and fr.open]
        return Verdict(case, "waiting", "canceled", ask_back=back)
    if order.state is OrderState.HELD:
        return Verdict(case, "waiting", "held", "; ".join(hold.fix for hold in order.holds))
    ask_back = _wrong(case)
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


def _name_what_stays(verdict: Verdict, left: "Missing") -> None:
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


def take_off(stock: dict[tuple[str, str], Offer], answer: Answer) -> None:
    """The stock without what the plan uses; untracked sources stay as they are."""
    for request in answer.draft.requests if answer.draft else ():
        for demand, units in request.lines:
            offer = stock[(request.source, demand.sku)]
            if offer.available is not None:
                left = offer.available - units
                stock[(request.source, demand.sku)] = Offer(left, offer.unit_cost, offer.weight_g)


def killed_now(case: Case) -> dict[str, Killed]:
    """What sources canceled for good, by line, up to now. A line that once had some stays named, with 0 at last."""
    if not case.killed and not any(a.killed for fr in case.frs for a in fr.allocations):
        return {}
    killed = units_by_line((a, a.killed) for fr in case.frs if fr.wish != "again" for a in fr.allocations)
    asked = units_by_line(
        (a, a.shipped + (0 if fr.wish == "overridden" else a.open)) for fr in case.frs for a in fr.allocations
    )
    none = Counter[str]()
    booked = {
        line.line_id: book_killed(
            line, case.killed.get(line.line_id, NOTHING), killed.get(line.line_id, none), asked.get(line.line_id, none)
        )
        for line in case.order.lines
        if not line.service
    }
    news = {line_id: one for line_id, one in booked.items() if one != NOTHING or line_id in case.killed}
    return {**case.killed, **news}


def wanted(case: Case) -> dict[tuple[str, str], int]:
    """Units by (line, SKU): pieces still owed × units a piece; services do not ship."""
    killed = killed_now(case)
    units: dict[tuple[str, str], int] = {}
    for line in case.order.lines:
        pieces = line.quantity - canceled_pieces(line, killed.get(line.line_id, NOTHING))
        if not line.service and pieces > 0:
            for part in line.components:
                key = (line.line_id, part.sku)
                units[key] = units.get(key, 0) + pieces * part.quantity
    return units


def _wrong(case: Case) -> list[tuple[LiveFr, str]]:
    """Live FRs that are wanted no more, each with the reason."""
    order = case.order
    addresses = {line.line_id: line.address for line in order.lines}
    found: list[tuple[LiveFr, str]] = []
    live = [fr for fr in case.frs if fr.state == "live" and fr.open]
    for fr in live:
        homes = {addresses.get(line.line_id) for line in fr.body.lines}
        if any(
            home is None or home >= len(order.addresses) or order.addresses[home] != fr.body.ship_to for home in homes
        ):
            found.append((fr, "address_changed" if None not in homes else "line_removed"))
        elif fr.body.by_hand is None and fr.body.shipping_method != order.shipping_method:
            found.append((fr, "shipping_method_changed"))
    leaving = {fr.fr_id for fr, _ in found}
    excess = _excess(case, leaving)
    for fr in reversed(live):
        if fr.fr_id not in leaving and any(excess.get((a.line_id, a.sku), 0) > 0 and a.open for a in fr.allocations):
            found.append((fr, "quantity_reduced"))
            for a in fr.allocations:
                excess[(a.line_id, a.sku)] = excess.get((a.line_id, a.sku), 0) - a.open
    return found


def not_asked_for(case: Case) -> dict[tuple[str, str], int]:
    """Units by (line, SKU) that are in no live FR and have not shipped, whatever the reason."""
    left = wanted(case)
    for fr in case.frs:
        for a in fr.allocations:
            open_ = 0 if fr.wish == "overridden" else a.open
            left[(a.line_id, a.sku)] = left.get((a.line_id, a.sku), 0) - a.shipped - open_
    return {key: units for key, units in left.items() if units > 0}


def _excess(case: Case, leaving: set[str]) -> dict[tuple[str, str], int]:
    """Units in FRs beyond what is wanted, those not counted that were asked back already."""
    excess = {key: -units for key, units in wanted(case).items()}
    for fr in case.frs:
        stays = fr.stays and fr.fr_id not in leaving
        for a in fr.allocations:
            key = (a.line_id, a.sku)
            excess[key] = excess.get(key, 0) + a.shipped + (a.open if stays else 0)
    return excess


@dataclass(slots=True)
class Missing:
    """Ordered − canceled − in live FRs − shipped, and what of that is not asked for now."""

    task: Task
    held: list[str]
    """Lines that sources canceled too often, or for good, which the order does not show yet."""
    taken_back: dict[tuple[str, str], int]
    """Units by (line, SKU) that a person took back and nobody has asked for again."""


def missing(case: Case) -> Missing:
    """What to plan now."""
    order = case.order
    covered: dict[tuple[str, str], int] = {}
    parked: dict[tuple[str, str], int] = {}
    rounds: dict[tuple[str, str], int] = {}
    refused: set[tuple[str, str]] = set()
    for fr in case.frs:
        for a in fr.allocations:
            key = (a.line_id, a.sku)
            # an admin had an overridden FR's units planned again although it may still ship them
            open_ = 0 if fr.wish == "overridden" else a.open
            covered[key] = covered.get(key, 0) + a.shipped + open_
            parked[key] = parked.get(key, 0) + (a.released - a.killed if fr.wish == "parked" else 0)
            if a.source_canceled and fr.wish != "again":
                rounds[key] = rounds.get(key, 0) + 1
                if a.source_canceled > a.killed:
                    refused.add((a.source, a.sku))  # whatever a later count says, until a person says otherwise (FP-6)
    addresses = {line.line_id: line.address for line in order.lines}
    demands, held, taken_back = [], [], {}
    for key, units in wanted(case).items():
        line_id, sku = key
        left = units - covered.get(key, 0)
        stays = min(left, parked.get(key, 0))
        if stays > 0:
            taken_back[key] = stays
            left -= stays
        if left > 0 and rounds.get(key, 0) >= ROUNDS:
            held.append(line_id)
        elif left > 0:
            demands.append(Demand(line_id, sku, left, addresses[line_id]))
    killed = killed_now(case)
    held += [x.line_id for x in order.lines if canceled_pieces(x, killed.get(x.line_id, NOTHING)) > x.canceled]
    task = Task(
        number=order.number,
        countries=tuple(address.country for address in order.addresses),
        demands=tuple(demands),
        order_id=order.order_id,
        channel=order.channel,
        tags=order.tags,
        value=order.total,
        shipping_method=order.shipping_method,
        refused=frozenset(refused),
    )
    return Missing(task, list(dict.fromkeys(held)), taken_back)
