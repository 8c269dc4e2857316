"""`fulfillment.submitted`: what happened between us and the source (FP-1)."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from waybill_contracts import topics
from waybill_contracts.event import Event
from waybill_contracts.values import FulfillmentRequest, Order, Value


class FrState(StrEnum):
    """The life cycle of an FR; the moves are a table in fulfillment-push."""

    UNPROCESSED = "UNPROCESSED"
    PROCESSING = "PROCESSING"
    PROCESSED = "PROCESSED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    VOIDED = "VOIDED"


class Outcome(StrEnum):
    """What we know of the last call that sent it."""

    NONE = "none"
    IN_FLIGHT = "in_flight"
    UNKNOWN = "unknown"
    KNOWN = "known"


class Recall(StrEnum):
    """Whether it was asked back from the source, and what the source said (FP-7)."""

    NONE = "none"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


class FrShipping(StrEnum):
    """How much of it has shipped: an axis of its own beside the state (FP-1)."""

    AWAITING = "awaiting"
    PARTIAL = "partial"
    SHIPPED = "shipped"
    CANCELED = "canceled"
    """Nothing of it will ship: voided, or canceled by the source."""


class Reason(Value):
    """Why, in a code for programs, a sentence for people, and what to do next."""

    code: str = Field(description="e.g. refused, additional_info_required, number_too_long, number_duplicate, server")
    message: str
    action: str = Field(default="", description="the next step, and who takes it")


class FrProgress(Event):
    """A fact of fulfillment-push about one FR."""

    TOPIC: ClassVar[str] = topics.FULFILLMENT_SUBMITTED

    fr_id: str
    order_id: str
    source: str
    number: str
    state: FrState
    outcome: Outcome = Outcome.NONE
    recall: Recall = Recall.NONE
    order_version: int = Field(ge=1, description="the newest version this FR is confirmed for")
    router_sequence: int = Field(ge=0, description="the newest fact of the router about this FR that was applied")
    attempt: int = Field(default=0, ge=0)
    reason: Reason | None = None
    shipping: FrShipping = Field(default=FrShipping.AWAITING, description="how much of it has shipped")

    @property
    def aggregate(self) -> str:
        return f"fr/{self.fr_id}"

    @property
    def key(self) -> str:
        return self.order_id


class FrReceived(FrProgress):
    """The router's fact was applied: the receipt for `fr.created` and `fr.confirmed`."""

    TYPE: ClassVar[str] = "waybill.fr.received.v1"


class FrProcessing(FrProgress):
    """It is queued for the next send run."""

    TYPE: ClassVar[str] = "waybill.fr.processing.v1"


class FrSubmitted(FrProgress):
    """The source has the request (PROCESSED, or ACKNOWLEDGED at once). All that the poller needs travels along."""

    TYPE: ClassVar[str] = "waybill.fr.submitted.v1"
    platform_id: str = Field(description="the source's id of the request; empty when set by hand")
    fr: FulfillmentRequest
    order: Order


class FrAcknowledged(FrProgress):
    """The source acknowledged a request that it had already."""

    TYPE: ClassVar[str] = "waybill.fr.acknowledged.v1"
    platform_id: str


class FrFailed(FrProgress):
    """The submission failed: `reason` says why and what to do."""

    TYPE: ClassVar[str] = "waybill.fr.failed.v1"


class FrOutcomeUnknown(FrProgress):
    """We do not know whether the source has it; it is read back, or a person decides (FP-5)."""

    TYPE: ClassVar[str] = "waybill.fr.outcome_unknown.v1"


class FrRecallRequested(FrProgress):
    """The source was asked to give it back."""

    TYPE: ClassVar[str] = "waybill.fr.recall_requested.v1"


class FrRecallRefused(FrProgress):
    """The source ships it all the same."""

    TYPE: ClassVar[str] = "waybill.fr.recall_refused.v1"


class CanceledLine(Value):
    """Units that the source will not ship."""

    line_id: str
    sku: str
    quantity: int = Field(ge=1)


class FrCanceled(FrProgress):
    """The source canceled all of it, or the named lines."""

    TYPE: ClassVar[str] = "waybill.fr.canceled.v1"
    lines: tuple[CanceledLine, ...] = Field(default=(), description="empty: all of it")


class FrVoided(FrProgress):
    """We took it back: its stock is free again."""

    TYPE: ClassVar[str] = "waybill.fr.voided.v1"


class FrShippingChanged(FrProgress):
    """More, or less, of it has shipped than before: `shipping` says how much."""

    TYPE: ClassVar[str] = "waybill.fr.shipping_changed.v1"
