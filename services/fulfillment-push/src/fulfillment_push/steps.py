"""What is to be done about an FR that is due. Pure: where nothing is to be called, it says what the FR waits for.

Called in the transaction that writes intents, on the row as it is under its lock: a void, a hold or a new version of
the order that was committed before wins over the send.
"""

from dataclasses import dataclass
from enum import StrEnum

from fulfillment_push.answers import begin, prepare, unknown
from fulfillment_push.fr import Fr, WaitsFor
from fulfillment_push.lifecycle import SENT
from fulfillment_push.read_back import FindRule
from fulfillment_push.recall import refused
from fulfillment_push.receive import CONFIGURATION_SECONDS, KEEPS_ITS_TIME, queue
from waybill_contracts.configuration import Platform, Source
from waybill_contracts.fulfillment_submitted import FrState, Outcome, Recall
from waybill_platforms.model.features import Features

UNREACHABLE_SECONDS = 300.0
"""A request that its source has is looked at again after this, while the source cannot be called."""


class Step(StrEnum):
    """One call to the source (to prepare takes some, none with an effect)."""

    PREPARE = "prepare"
    SEND = "send"
    READ_BACK = "read_back"
    RECALL = "recall"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A source as the send run finds it; no `features` = it cannot be called, `trouble` says why."""

    source: Source | None
    features: Features | None
    trouble: str = ""

    @property
    def cancels(self) -> bool:
        assert self.source is not None
        assert self.features is not None
        return self.features.cancels and self.source.capabilities.cancels is not False

    @property
    def can_look(self) -> bool:
        """The source acknowledges or cancels by itself, and can be asked what became of a request."""
        return self.features is not None and self.features.acknowledges and self.rule.possible

    @property
    def rule(self) -> FindRule:
        assert self.features is not None
        return FindRule(self.features.find != "none", self.features.index_lag)


def next_step(fr: Fr, other: Counterpart) -> Step | None:
    """The call to make now, its intent noted on `fr`; None when `fr` waits (or rests) instead."""
    if fr.state in SENT and fr.recall in (Recall.REQUESTED, Recall.UNANSWERED):
        return _recall(fr, other)
    if fr.state is FrState.PROCESSING:
        return _read_back(fr, other) if fr.open_intent else _send(fr, other)
    if fr.state in SENT and fr.waiting is not None and fr.waiting.code is WaitsFor.PROGRESS:
        return _look(fr, other)
    fr.rest()
    return None


def _look(fr: Fr, other: Counterpart) -> Step | None:
    if other.can_look:
        return Step.LOOK
    if other.features is None and (other.source is None or other.source.platform is not Platform.MANUAL):
        # it may come back, and may have acknowledged or canceled meanwhile
        why = other.trouble or f"source {fr.source} is not configured here"
        fr.wait_seconds(WaitsFor.PROGRESS, f"looked at again when it can be: {why}", UNREACHABLE_SECONDS)
    else:
        fr.rest()
    return None


def _send(fr: Fr, other: Counterpart) -> Step | None:
    queue(fr, {} if other.source is None else {fr.source: other.source})
    if fr.waiting is None or fr.waiting.code not in KEEPS_ITS_TIME:
        return None
    if other.features is None:
        fr.wait_seconds(WaitsFor.CONFIGURATION, other.trouble, CONFIGURATION_SECONDS)
        return None
    if fr.due_at is not None and fr.due_at > fr.now:
        return None
    if other.features.prepares and fr.handle is None:
        prepare(fr)
        return Step.PREPARE
    begin(fr)
    return Step.SEND


def _read_back(fr: Fr, other: Counterpart) -> Step | None:
    if other.features is None:
        why = other.trouble or "the source is not configured here or has no connection"
        fr.wait_seconds(WaitsFor.CONFIGURATION, why, CONFIGURATION_SECONDS)
        return None
    if fr.outcome is Outcome.IN_FLIGHT:
        # Its holder did not come back: we claimed the row, so that lease is over.
        ended = fr.lease_ended or fr.now
        unknown(fr, "the sender stopped before it stored an answer", other.rule, lease_ended=ended)
    return Step.READ_BACK if other.rule.possible else None


def _recall(fr: Fr, other: Counterpart) -> Step | None:
    if other.source is None or other.source.platform is Platform.MANUAL:
        fr.wait(WaitsFor.RECALL_BY_HAND, "ask the source to give it back, then record its answer")
        return None
    if other.features is None:
        fr.wait_seconds(WaitsFor.CONFIGURATION, other.trouble, CONFIGURATION_SECONDS)
        return None
    if not other.cancels:
        refused(fr, "source_cannot_cancel", "the source takes no cancellations")
        return None
    return Step.RECALL
