"""From a plan to FRs: the source's strategies applied (RT-11), and the events that say so. Pure."""

from datetime import datetime
from typing import Any

from router.routing.draft import Draft, DraftRequest
from router.routing.plan import Answer, Rulebook
from router.routing.task import Site, money
from router.too_late import TooLate, too_late
from router.verdict import Verdict
from router.words import lack_words
from waybill_common.ids import new_id
from waybill_contracts.fr_created import (
    Decision,
    Exclusion,
    OrderDecision,
    OrderRouted,
    OrderUnroutable,
    Plan,
    PlannedLine,
    PlannedRequest,
    Unfulfilled,
)
from waybill_contracts.values import Cost, FulfillmentRequest, RequestLine


def cost_of(request: DraftRequest, currency: str) -> Cost:
    """The parts, exact."""
    return Cost(
        currency=currency,
        items=money(request.items),
        fee=money(request.fee),
        shipping=money(request.shipping),
        unknown=request.unknown,
    )


def fulfillment_request(
    verdict: Verdict, request: DraftRequest, site: Site, *, number: str, decision_id: str, currency: str
) -> FulfillmentRequest:
    """One FR of the plan, in the source's words; its predecessor is the newest closed FR that held one of its lines."""
    case = verdict.case
    order, source = case.order, site.source
    lines = {line.line_id: line for line in order.lines}
    asked = []
    for demand, units in request.lines:
        line = lines[demand.line_id]
        per_piece = sum(part.quantity for part in line.components if part.sku == demand.sku)
        asked.append(
            RequestLine(
                line_id=demand.line_id,
                sku=demand.sku,
                source_sku=source.skus.map.get(demand.sku, demand.sku),
                quantity=units,
                per_piece=max(per_piece, 1),
                title=line.title,
            )
        )
    method = verdict.shipping_method or order.shipping_method
    ids = {demand.line_id for demand, _ in request.lines}
    ended = [fr for fr in case.frs if fr.state == "closed" or fr.wish == "overridden"]
    before = [fr for fr in ended if any(a.line_id in ids for a in fr.allocations)]
    risky = next((fr for fr in reversed(before) if fr.wish == "overridden" and fr.state != "closed"), None)
    return FulfillmentRequest(
        fr_id=str(new_id()),
        order_id=order.order_id,
        number=number,
        source=site.id,
        channel=order.channel,
        store=order.store,
        order_number=order.number,
        order_version=order.version,
        lines=tuple(asked),
        ship_to=order.addresses[request.address],
        shipping_method=method,
        source_shipping_method=source.shipping_methods.map.get(method, method) if method else None,
        cost=cost_of(request, currency),
        decision_id=decision_id,
        auto_process=source.auto_process,
        predecessor=before[-1].fr_id if before else None,
        by_hand=verdict.by_hand,
        risk=f"FR {risky.number} at {risky.source} may still ship the same units" if risky else None,
    )


def decision_event(
    verdict: Verdict, book: Rulebook, *, now: datetime, decision_id: str, batch: str, frs: list[FulfillmentRequest]
) -> OrderDecision:
    """The answer to the order's newest fact. `frs` are those made of the plan, in its order."""
    case, answer = verdict.case, verdict.plan
    decision = Decision(
        decision_id=decision_id,
        group="",
        config_version=book.version,
        rules_version=book.revision,
        batch=batch,
        by_hand=verdict.by_hand or case.asked_by,
    )
    if answer is not None:
        decision = decision.model_copy(update=_planned(answer, frs))
    common = {
        "sequence": case.decisions + 1,
        "at": now,
        "order_id": case.order.order_id,
        "order_version": case.order.version,
        "order_sequence": case.order.sequence,
        "decision": decision,
        "too_late": [_too_late(one) for one in too_late(case)],
        "killed": [{"line_id": x, "canceled": one.canceled} for x, one in verdict.killed.items()],
    }
    if verdict.standing == "routed" or frs:
        return OrderRouted.model_validate(common)
    told = {"reason": verdict.reason, "detail": verdict.detail, "cancel": verdict.cancel}
    return OrderUnroutable.model_validate({**common, **told})


def _too_late(one: TooLate) -> dict[str, Any]:
    lines = [{"line_id": line_id, "sku": sku, "quantity": units} for (line_id, sku), units in one.units.items()]
    fr = one.fr
    return {"fr_id": fr.fr_id, "number": fr.number, "source": fr.source, "reason": one.reason, "lines": lines}


def _planned(answer: Answer, frs: list[FulfillmentRequest]) -> dict[str, Any]:
    """What the planner found, as fields of the decision."""
    currency = answer.currency or "XXX"
    draft, bound = answer.draft, answer.lower_bound
    return {
        "group": answer.group.id if answer.group else "",
        "rule": answer.rule,
        "currency": answer.currency,
        "chosen": plan_value(draft, currency, frs) if draft else None,
        "lower_bound": None if bound is None else money(bound),
        "gap": None if bound is None or draft is None else money(draft.cost - bound),
        "runner_up": plan_value(answer.runner_up, currency) if answer.runner_up else None,
        "excluded": tuple(Exclusion(source=b.source, reason=b.reason, detail=b.detail) for b in answer.excluded),
        "unfulfilled": tuple(
            Unfulfilled(
                line_id=x.line_id,
                sku=x.sku,
                quantity=x.quantity,
                reason=x.reason,
                detail=x.detail,
                source=x.source,
                fix=lack_words(x)[1],
            )
            for x in answer.lacks
        ),
    }


def plan_value(draft: Draft, currency: str, frs: list[FulfillmentRequest] | None = None) -> Plan:
    """The plan as it is told; with the FRs that were made of it."""
    made: list[FulfillmentRequest | None] = [*frs] if frs else [None] * len(draft.requests)
    return Plan(
        cost=money(draft.cost),
        requests=tuple(
            PlannedRequest(
                source=request.source,
                cost=cost_of(request, currency),
                lines=tuple(PlannedLine(line_id=d.line_id, sku=d.sku, quantity=units) for d, units in request.lines),
                fr_id=fr.fr_id if fr else None,
                number=fr.number if fr else None,
            )
            for request, fr in zip(draft.requests, made, strict=True)
        ),
    )
