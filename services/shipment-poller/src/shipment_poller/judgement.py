"""What the rules make of the shipments of one FR (SP-1 to SP-3, SP-15). Pure: the same words give the same verdicts.

All shipments of an FR are judged together, in the order in which they came, so that one that was refused for being too
much is taken once another is withdrawn. Rules are small functions that give their reason and the way out, or none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shipment_poller import couriers, line_refs, replacements
from shipment_poller.model import TAKEN, Said, SaidStatus, ShipmentState, Verdict, Watched
from waybill_contracts.configuration import NameMapping
from waybill_contracts.fulfillment_submitted import FrState, Outcome, Reason
from waybill_contracts.shipment_synced import Decided
from waybill_contracts.values import ShipmentLine

TAKES = frozenset({FrState.PROCESSED, FrState.ACKNOWLEDGED})
ENDED = frozenset({FrState.VOIDED, FrState.CANCELED, FrState.FAILED})


@dataclass(frozen=True, slots=True)
class Case:
    """One shipment to judge: the source's word, where it stood until now (none: new), and what a person decided."""

    said: Said
    before: ShipmentState | None = None
    decided: Decided | None = None
    shipment_id: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the source's configuration says about judging."""

    couriers: NameMapping
    suppress_tracking: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    said: Said
    lines: tuple[ShipmentLine, ...]
    left: dict[tuple[str, str], int]
    rules: Rules


def takes_shipments(state: FrState, outcome: Outcome) -> bool:
    """Whether the FR takes shipments now; one for an FR of unknown outcome proves that it was sent."""
    return state in TAKES or (state is not FrState.VOIDED and outcome is Outcome.UNKNOWN)


def early(watched: Watched) -> bool:
    """Whether the shipment came before its FR is known to be with the source: it is kept for later."""
    return watched.fr is None or not (takes_shipments(watched.state, watched.outcome) or watched.state in ENDED)


def judge(watched: Watched, cases: Sequence[Case], rules: Rules, in_its_place: Sequence[Watched] = ()) -> list[Verdict]:
    """One verdict a case, in the order given. The FR's content must be known and it must not be early.

    `in_its_place`: what was asked for instead of this FR.
    """
    assert watched.fr is not None, "an FR without content is early: keep its shipments"
    left = {(line.line_id, line.sku): 0 for line in watched.fr.lines}
    for line in watched.fr.lines:
        left[line.line_id, line.sku] += line.quantity
    verdicts = []
    for case in cases:
        verdict = _judge(watched, case, rules, left, in_its_place)
        if verdict.state in TAKEN:
            for taken in verdict.lines:
                left[taken.line_id, taken.sku] -= taken.quantity
        verdicts.append(verdict)
    return verdicts


def _judge(
    watched: Watched, case: Case, rules: Rules, left: dict[tuple[str, str], int], in_its_place: Sequence[Watched]
) -> Verdict:
    said = case.said
    ours = said.carrier if said.by_hand else couriers.mapped(rules.couriers, said.carrier)
    carrier, known = (said.carrier, False) if ours is None else (ours, True)
    assert watched.fr is not None
    lines: tuple[ShipmentLine, ...] = ()
    problem: Reason | None = None
    try:
        lines = line_refs.match(watched.fr.lines, said.lines, left)
    except line_refs.LineUnknown as unknown:
        problem = Reason(code="line_unknown", message=str(unknown), action="the source corrects its line references")
    if said.status is SaidStatus.CANCELED:
        return Verdict(ShipmentState.WITHDRAWN, lines, carrier, known, _withdrawn(said))
    if _conflicts(watched, case):
        return Verdict(ShipmentState.CONFLICT, lines, carrier, known, _conflict(watched, case, lines, in_its_place))
    candidate = _Candidate(said, lines, left, rules)
    reason = problem or next((reason for rule in RULES if (reason := rule(candidate)) is not None), None)
    if reason is not None:
        return Verdict(ShipmentState.REFUSED, lines, carrier, known, reason)
    if not said.tracking_numbers and not rules.suppress_tracking:
        return Verdict(ShipmentState.WAITING_FOR_LABEL, lines, carrier, known, _waiting(said))
    return Verdict(ShipmentState.RECORDED, lines, carrier, known)


def _conflicts(watched: Watched, case: Case) -> bool:
    """It left although its FR is over, and nobody decided that it counts. What was taken before stays taken."""
    over = case.before not in TAKEN and not takes_shipments(watched.state, watched.outcome)
    return over and not replacements.counts(case.decided)


def _conflict(watched: Watched, case: Case, lines: Sequence[ShipmentLine], in_its_place: Sequence[Watched]) -> Reason:
    if case.decided is not None:
        return replacements.set_aside(watched, case.decided)
    meant = replacements.about(in_its_place, {line.line_id for line in lines})
    return replacements.conflict(watched, meant, case.shipment_id)


def _status_known(case: _Candidate) -> Reason | None:
    if case.said.status is not SaidStatus.UNKNOWN:
        return None
    return Reason(
        code="status_unknown",
        message=f"the source gives shipment {case.said.id} a status that we don't know",
        action="look at it at the source; it is taken once its status says shipped",
    )


def _has_a_product(case: _Candidate) -> Reason | None:
    if case.lines:
        return None
    return Reason(
        code="nothing_shipped",
        message=f"shipment {case.said.id} has no line with a quantity above 0",
        action="the source names what is in it",
    )


def _not_more_than_asked(case: _Candidate) -> Reason | None:
    for line in case.lines:
        left = case.left[line.line_id, line.sku]
        if line.quantity > left:
            return Reason(
                code="more_than_asked",
                message=f"line {line.line_id}: {line.quantity} × {line.sku} shipped, {left} still asked for",
                action="the source corrects the quantity or withdraws the shipment that repeats it",
            )
    return None


def _one_number_for_one_product(case: _Candidate) -> Reason | None:
    numbers, products = len(set(case.said.tracking_numbers)), len({line.sku for line in case.lines})
    if numbers <= 1 or products > 1 or case.rules.suppress_tracking:
        return None
    return Reason(
        code="too_many_tracking_numbers",
        message=f"{numbers} tracking numbers for one product: more than one number needs more than one product",
        action="split it: one shipment for each box, each with its own number and quantity",
    )


def _url_is_a_link(case: _Candidate) -> Reason | None:
    url = case.said.tracking_url
    if not url or url.lower().startswith(("http://", "https://")):
        return None
    return Reason(
        code="tracking_url_invalid",
        message=f"tracking_url {url!r} does not start with http:// or https://",
        action="the source sends a whole link, or none",
    )


RULES: tuple[Callable[[_Candidate], Reason | None], ...] = (
    _status_known,
    _has_a_product,
    _not_more_than_asked,
    _one_number_for_one_product,
    _url_is_a_link,
)
"""The first that objects counts (SP-2, SP-3)."""


def _withdrawn(said: Said) -> Reason:
    return Reason(
        code="withdrawn_by_source",
        message=f"the source took shipment {said.id} back",
        action="none: it is canceled at the channel as well",
    )


def _waiting(said: Said) -> Reason:
    return Reason(
        code="waiting_for_label",
        message=f"shipment {said.id} has no tracking number yet",
        action="none: it is sent on when the source names one",
    )
