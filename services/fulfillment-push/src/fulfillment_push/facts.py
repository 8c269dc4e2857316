"""What fulfillment-push tells about an FR: each fact has the next sequence and everything the row says at that moment.

`restate` is the newest fact once more, with the same id: the answer to a router fact that was seen before (a receipt
that got lost). It can do so because every change that readers care about ends in a fact.
"""

from datetime import datetime
from typing import Any

from fulfillment_push.fr import Fr
from waybill_contracts.fulfillment_submitted import (
    CanceledLine,
    FrAcknowledged,
    FrCanceled,
    FrProgress,
    FrReceived,
    FrState,
    FrSubmitted,
    FrVoided,
)
from waybill_contracts.registry import EVENTS
from waybill_contracts.values import Order

_FINAL_FACT: dict[FrState, type[FrProgress]] = {FrState.VOIDED: FrVoided, FrState.CANCELED: FrCanceled}


def tell(fr: Fr, kind: type[FrProgress]) -> None:
    """Notes a new fact about `fr` as it now stands."""
    fr.sequence += 1
    fr.last_fact = kind.TYPE
    fr.fact_at = fr.now
    fr.facts.append(_build(fr, kind, fr.now))


def answer(fr: Fr) -> None:
    """The router's fact was applied. A final FR says so again in the words that free its stock."""
    tell(fr, _FINAL_FACT.get(fr.state, FrReceived))


def restate(fr: Fr) -> None:
    """The newest fact once more, under its own id. Nothing when nothing was ever told."""
    kind = EVENTS.get(fr.last_fact or "")
    if kind is not None and issubclass(kind, FrProgress):
        fr.caused_by = None  # whatever makes us say it again did not lead to it
        fr.facts.append(_build(fr, kind, fr.fact_at or fr.now))


def needs_bodies(fr: Fr) -> bool:
    """Restating this one takes the request and the order along."""
    return fr.last_fact == FrSubmitted.TYPE


def _build(fr: Fr, kind: type[FrProgress], at: datetime) -> FrProgress:
    fields: dict[str, Any] = {
        "sequence": fr.sequence,
        "at": at,
        "fr_id": fr.fr_id,
        "order_id": fr.order_id,
        "source": fr.source,
        "number": fr.number,
        "state": fr.state,
        "outcome": fr.outcome,
        "recall": fr.recall,
        "order_version": fr.order_version,
        "router_sequence": fr.router_sequence,
        "attempt": fr.attempts,
        "reason": fr.reason,
        "shipping": fr.shipping,
        "caused_by": fr.caused_by,
    }
    if kind in (FrSubmitted, FrAcknowledged):
        fields["platform_id"] = fr.platform_id or ""
    if kind is FrSubmitted:
        fields |= _bodies(fr)
    if kind is FrCanceled:
        fields["lines"] = tuple(CanceledLine(**line) for line in fr.canceled)
    return kind(**fields)


def _bodies(fr: Fr) -> dict[str, Any]:
    if fr.order is None or fr.order.body is None:
        raise ValueError(f"FR {fr.fr_id}: fr.submitted embeds the order; load the FR with it")
    return {"fr": fr.request, "order": Order.model_validate(fr.order.body)}
