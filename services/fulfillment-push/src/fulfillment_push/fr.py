"""The working copy of one FR: loaded under its row lock, decided on in memory, saved with what was told about it.

Nothing here does I/O. A decision changes the fields, `advance` moves the state, `facts.tell` notes the event; the store
writes row, history and events in one transaction.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from waybill_contracts.event import Event
from waybill_contracts.fulfillment_submitted import FrShipping, FrState, Outcome, Reason, Recall
from waybill_contracts.values import FulfillmentRequest, OrderState


class WaitsFor(StrEnum):
    """What an FR waits for; each is an event, a moment or a person (I5: nothing waits without a reason)."""

    PROCESS = "process"  # a person launches it (auto_process is off)
    MANUAL = "manual"  # the source has no connection: a person works the list
    CONFIGURATION = "not_configured"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_HELD = "order_held"
    ORDER_CANCELED = "order_canceled"
    CONFIRMATION = "awaiting_confirmation"
    RUN = "send_run"
    RETRY = "retry"
    BUDGET = "rate_budget"
    CREDENTIALS = "unauthorized"
    CONNECTION = "connection_down"
    READ_BACK = "read_back"
    PERSON = "outcome_unknown"
    RECALL = "recall"
    RECALL_BY_HAND = "recall_by_hand"
    FAILED = "failed"
    PROGRESS = "source_progress"  # sent: the source acknowledges, cancels or ships it
    OUTCOME = "outcome"  # it is being sent


NEEDS_A_PERSON = frozenset(
    {WaitsFor.PROCESS, WaitsFor.MANUAL, WaitsFor.PERSON, WaitsFor.RECALL_BY_HAND, WaitsFor.FAILED}
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One reason to wait, with what exactly in a sentence."""

    code: WaitsFor
    detail: str


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """What the fence needs of our copy of an order; `body` only where an event embeds it."""

    order_id: str
    version: int
    state: OrderState
    body: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One line of history: who moved it, why, when, at which attempt."""

    from_state: FrState | None
    to_state: FrState
    who: str
    why: str
    at: datetime
    attempt: int


@dataclass(slots=True)
class Fr:
    """One row of `frs`. `now` is the database's clock at the time of loading."""

    fr_id: str
    order_id: str
    now: datetime
    source: str = ""
    number: str = ""
    state: FrState = FrState.UNPROCESSED
    outcome: Outcome = Outcome.NONE
    recall: Recall = Recall.NONE
    shipping: FrShipping = FrShipping.AWAITING
    known: bool = False  # fr.created was applied: there is something to send
    auto_process: bool = True
    router_sequence: int = 0
    sequence: int = 0
    order_version: int = 1  # newest version of the order that it is confirmed for
    attempts: int = 0  # sends of this round
    asks: int = 0  # read-backs or recalls since the last answer that settled something
    void_reason: str | None = None  # the router wants it no more
    platform_id: str | None = None
    handle: str | None = None  # what was prepared at a source that keeps no reference of ours
    reason: Reason | None = None
    canceled: list[dict[str, Any]] = field(default_factory=list)  # units told by the newest fr.canceled
    canceled_total: dict[tuple[str, str], int] = field(default_factory=dict)  # by (line id, SKU)
    shipped_total: dict[tuple[str, str], int] = field(default_factory=dict)  # by (line id, SKU)
    last_fact: str | None = None  # type of the newest event told
    fact_at: datetime | None = None
    waiting: Waiting | None = None
    waiting_since: datetime | None = None
    due_at: datetime | None = None
    lease_token: UUID | None = None
    lease_until: datetime | None = None
    lease_ended: datetime | None = None  # when the holder of the open intent surely stopped sending
    first_missing: datetime | None = None  # first read-back that found nothing
    sent_at: datetime | None = None  # since when its source has it
    recalled_at: datetime | None = None  # since when it is asked back
    traceparent: str | None = None
    body: dict[str, Any] | None = None
    body_is_new: bool = False
    parsed: FulfillmentRequest | None = None  # `body`, read once
    order: KnownOrder | None = None
    caused_by: str | None = None  # the command that led to what is told now
    stored: tuple[Any, ...] | None = None  # the columns as loaded, to skip writing what did not change
    moves: list[Move] = field(default_factory=list)
    facts: list[Event] = field(default_factory=list)

    @property
    def request(self) -> FulfillmentRequest:
        """What the source is asked; load the FR with its request before."""
        if self.parsed is None:
            if self.body is None:
                raise ValueError(f"FR {self.fr_id}: its request was not loaded, or never arrived")
            self.parsed = FulfillmentRequest.model_validate(self.body)
        return self.parsed

    @property
    def open_intent(self) -> bool:
        """A send was begun and its outcome is not known yet."""
        return self.outcome in (Outcome.IN_FLIGHT, Outcome.UNKNOWN)

    @property
    def void_wanted(self) -> bool:
        return self.void_reason is not None

    def wait(self, code: WaitsFor, detail: str, due_at: datetime | None = None) -> None:
        """It does nothing until `due_at`, or (None) until an event or a person wakes it."""
        if self.waiting is None or self.waiting.code is not code:
            self.waiting_since = self.now
        self.waiting = Waiting(code, detail)
        self.due_at = due_at

    def wait_seconds(self, code: WaitsFor, detail: str, seconds: float) -> None:
        self.wait(code, detail, self.now + timedelta(seconds=seconds))

    def rest(self) -> None:
        """Nothing is due and nothing is waited for."""
        self.waiting = self.waiting_since = self.due_at = None

    def let_go(self) -> None:
        """The lease ends with this write."""
        self.lease_token = self.lease_until = None
