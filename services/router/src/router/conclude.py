"""What one verdict stores and says: FRs, confirmations, requests to give back, and the decision with its inputs."""

from datetime import datetime
from typing import Any

from router.case import LiveFr
from router.facts import message
from router.recorded import inputs_of, stages_of
from router.requests import decision_event, fulfillment_request
from router.routing.plan import Rulebook
from router.store import Round
from router.unwanted import PREDECESSOR_SHIPPED, shipped_after_all
from router.verdict import Verdict
from waybill_common.ids import new_id
from waybill_contracts.fr_created import FrConfirmed, FrCreated, FrVoidRequested, ShippedAfterAll
from waybill_contracts.values import FulfillmentRequest


def conclude(
    verdict: Verdict,
    done: Round,
    book: Rulebook,
    *,
    now: datetime,
    batch: str,
    trace: str | None,
) -> None:
    """Adds it to the round; a verdict that would only repeat the last decision is stored without a word."""
    done.verdicts.append(verdict)
    if not verdict.says_something:
        return
    decision_id = str(new_id())
    order = verdict.case.order
    cause = verdict.case.asked_by.command if verdict.case.asked_by else None
    frs = _requests(verdict, book, decision_id)
    done.tracked |= {fr.source for fr in frs if book.sites[fr.source].tracked}
    done.frs += frs
    for fr in frs:
        event = FrCreated(
            at=now, fr_id=fr.fr_id, order_id=order.order_id, order_version=order.version, fr=fr, order=order
        )
        done.messages.append(message(event, trace, cause))
    _speak(verdict, done, now, trace)
    decision = decision_event(verdict, book, now=now, decision_id=decision_id, batch=batch, frs=frs)
    done.messages.append(message(decision, trace, cause))
    done.decisions.append((decision, inputs_of(verdict), stages_of(verdict, book, frs)))


def _requests(verdict: Verdict, book: Rulebook, decision_id: str) -> list[FulfillmentRequest]:
    answer = verdict.plan
    if answer is None or answer.draft is None:
        return []
    return [
        fulfillment_request(
            verdict,
            request,
            book.sites[request.source],
            number=number,
            decision_id=decision_id,
            currency=answer.currency or "XXX",
        )
        for request, number in zip(answer.draft.requests, verdict.numbers, strict=True)
    ]


def _speak(verdict: Verdict, done: Round, now: datetime, trace: str | None) -> None:
    order = verdict.case.order
    common: dict[str, Any] = {"at": now, "order_id": order.order_id, "order_version": order.version}
    for fr in verdict.confirm:
        fact = FrConfirmed(**common, fr_id=fr.fr_id, sequence=fr.sequence + 1)
        done.messages.append(message(fact, trace))
        done.spoken.append((fr, fact.sequence, fr.state, order.version))
    for fr, reason in verdict.ask_back:
        instead = _instead(verdict, fr) if reason == PREDECESSOR_SHIPPED else None
        wish = FrVoidRequested(**common, fr_id=fr.fr_id, sequence=fr.sequence + 1, reason=reason, instead=instead)
        done.messages.append(message(wish, trace))
        done.spoken.append((fr, wish.sequence, "void_requested", fr.order_version))


def _instead(verdict: Verdict, fr: LiveFr) -> ShippedAfterAll | None:
    shipped = shipped_after_all(verdict.case, fr)
    if shipped is None:
        return None
    return ShippedAfterAll(fr_id=shipped.fr_id, number=shipped.number, source=shipped.source)
