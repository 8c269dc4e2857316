"""`fr.created`: what the router decided."""

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from waybill_contracts import topics
from waybill_contracts.event import Event
from waybill_contracts.values import ByHand, Cost, Currency, FulfillmentRequest, Order, Value


class FrFact(Event):
    """A fact of the router about one FR."""

    TOPIC: ClassVar[str] = topics.FR_CREATED

    fr_id: str
    order_id: str
    order_version: int = Field(ge=1, description="the order's version that this was decided for")

    @property
    def aggregate(self) -> str:
        return f"fr/{self.fr_id}"

    @property
    def key(self) -> str:
        return self.order_id


class FrCreated(FrFact):
    """An FR exists and its stock is reserved. The order travels along for readers that missed it."""

    TYPE: ClassVar[str] = "waybill.fr.created.v1"
    fr: FulfillmentRequest
    order: Order


class FrConfirmed(FrFact):
    """The FR is still right for this version of the order (DESIGN section 3, the fence)."""

    TYPE: ClassVar[str] = "waybill.fr.confirmed.v1"


class ShippedAfterAll(Value):
    """An FR that was over, and whose units left all the same: what was made in its place is too much."""

    fr_id: str
    number: str
    source: str


class FrVoidRequested(FrFact):
    """The FR is wanted no more: push voids it if unsent, else asks the source to give it back."""

    TYPE: ClassVar[str] = "waybill.fr.void_requested.v1"
    reason: str
    by_hand: ByHand | None = Field(default=None, description="the person who wants it back; none: the order changed")
    instead: ShippedAfterAll | None = Field(
        default=None, description="with the reason `predecessor_shipped`: the FR that shipped after all"
    )


class PlannedLine(Value):
    """Units of one SKU of one line in a plan."""

    line_id: str
    sku: str
    quantity: int


class PlannedRequest(Value):
    """One FR of a plan with its cost."""

    source: str
    cost: Cost
    lines: tuple[PlannedLine, ...]
    fr_id: str | None = None
    number: str | None = None


class Plan(Value):
    """A set of FRs and what it costs together, exact."""

    cost: Decimal
    requests: tuple[PlannedRequest, ...]


class Exclusion(Value):
    """Why a source is not part of the plan."""

    source: str
    reason: str = Field(description="e.g. no_stock, does_not_serve_country, not_in_group, dearer, no_shipping_zone")
    detail: str = ""


class Unfulfilled(Value):
    """Units that no source can ship now, with the reason."""

    line_id: str
    sku: str
    quantity: int
    reason: str
    detail: str = ""
    source: str = Field(default="", description="the source that the reason is about, where it is about one")
    fix: str = Field(default="", description="what a person does about it, in words")


class Decision(Value):
    """What was solved and how well (RT-3); enough for another program to check it."""

    decision_id: str
    group: str
    config_version: int
    mode: Literal["alone", "joint"] = "alone"
    batch: str = ""
    currency: Currency | None = None
    chosen: Plan | None = None
    lower_bound: Decimal | None = None
    gap: Decimal | None = Field(default=None, description="cost − lower bound; 0 means proved")
    runner_up: Plan | None = Field(default=None, description="best plan with another set of sources")
    excluded: tuple[Exclusion, ...] = ()
    unfulfilled: tuple[Unfulfilled, ...] = ()
    rule: str | None = Field(default=None, description="what chose the group: rules[0], rules[1], ... or default")
    rules_version: int | None = Field(
        default=None, description="version of groups, rules and costs together, as the router counts them (RT-15)"
    )
    by_hand: ByHand | None = Field(default=None, description="who asked for this decision; with no group: who made it")


class KilledLine(Value):
    """Pieces of a line that are not to be asked for again, because a source canceled them (FP-6)."""

    line_id: str
    canceled: int = Field(ge=0, description="the line's canceled pieces are at least these, with the channel's own")


class TooLate(Value):
    """Units that had left before an edit or a cancellation of the order was known (IN-13)."""

    fr_id: str
    number: str
    source: str
    reason: str = Field(description="order_canceled, quantity_reduced, address_changed, shipping_method_changed")
    lines: tuple[PlannedLine, ...] = Field(description="what had left")


class OrderDecision(Event):
    """A fact of the router about an order."""

    TOPIC: ClassVar[str] = topics.FR_CREATED

    order_id: str
    order_version: int
    order_sequence: int = Field(description="the newest fact of order-ingest that this answers")
    decision: Decision
    killed: tuple[KilledLine, ...] = Field(
        default=(),
        description="what sources canceled for good (on_source_cancel: kill): totals, the newest counts",
    )
    too_late: tuple[TooLate, ...] = Field(
        default=(),
        description="what the order's newest version came too late for; told once for each version",
    )

    @property
    def aggregate(self) -> str:
        return f"routing/{self.order_id}"

    @property
    def key(self) -> str:
        return self.order_id


class OrderRouted(OrderDecision):
    """All that is wanted of the order (with `partial`: the most that can go) is in live FRs."""

    TYPE: ClassVar[str] = "waybill.order.routed.v1"


class OrderUnroutable(OrderDecision):
    """No plan is possible now; it is tried again when stock, sources or rules change (RT-7)."""

    TYPE: ClassVar[str] = "waybill.order.unroutable.v1"
    reason: str = Field(
        description="no_stock, no_source_serves, single_fr_impossible, awaiting_generate, not_configured, ..."
    )
    detail: str = ""
    cancel: bool = Field(
        default=False,
        description="the group says `unroutable: cancel`: order-ingest cancels it if it is still that one",
    )
