"""The nouns that several events share: addresses, lines, orders, requests, shipments.

Every model is frozen and ignores fields it does not know, so that yesterday's reader takes today's message.
Money is `Decimal`, written as a string beside an ISO 4217 currency; times are UTC; weights are grams;
quantities are whole pieces.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


class Value(BaseModel):
    """A frozen part of a message; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcTime = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A moment with a zone, kept in UTC and written as RFC 3339."""

Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=6)]
"""Money in the currency named beside it, at most 6 decimals, never a float."""

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2, upper case."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217, upper case."""


class PaymentState(StrEnum):
    """What the channel says about the money. Unknown values are told, never guessed (facts, rule 5)."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    UNKNOWN = "unknown"


class FulfillmentStatus(StrEnum):
    """The first axis of an order: how much of it has left (REQUIREMENTS, Words)."""

    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    SHIPPED = "shipped"
    CANCELED = "canceled"


class SyncStatus(StrEnum):
    """The second axis, per fulfillment: what the channel knows. The order shows the worst."""

    NOT_NEEDED = "not_needed"
    PENDING = "pending"
    FAILED = "failed"
    SYNCED = "synced"


class OrderState(StrEnum):
    """Where an order stands with order-ingest."""

    HELD = "held"
    IMPORTED = "imported"
    CANCELED = "canceled"


class HoldReason(StrEnum):
    """Why an order may not go on yet (IN-10); each is something that a person can act on."""

    UNMAPPED_SKU = "unmapped_sku"
    UNMAPPED_SHIPPING_METHOD = "unmapped_shipping_method"
    AWAITING_PAYMENT = "awaiting_payment"
    DUPLICATE_SUSPECTED = "duplicate_suspected"
    FRAUD_RISK = "fraud_risk"
    ON_HOLD_AT_CHANNEL = "on_hold_at_channel"
    ON_HOLD_BY_RULE = "on_hold_by_rule"
    INVALID = "invalid"
    ON_HOLD_BY_PERSON = "on_hold_by_person"


class Hold(Value):
    """One reason why an order waits, with the value that caused it and what would release it."""

    reason: HoldReason
    field: str | None = Field(default=None, description="path of the field that caused it, e.g. lines[0].sku")
    value: str | None = Field(default=None, description="the value found there, as the channel wrote it")
    fix: str = Field(description="one sentence: what a person does to release it")


class Address(Value):
    """One ship-to. Only the country is certain; everything else is as the channel wrote it."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = Field(default="", description="state or province code, as the channel wrote it")
    postal_code: str = ""
    country: Country
    phone: str = ""
    email: str = ""


class Component(Value):
    """What one piece of an order line consists of, in our SKUs (IN-9: a kit or pack is several)."""

    sku: str = Field(min_length=1)
    quantity: int = Field(ge=1, description="units of this SKU in one piece of the line")


class OrderLine(Value):
    """One line of an order. The channel's line id stays for ever; SKUs may repeat within an order."""

    line_id: str = Field(min_length=1, description="the channel's own line id")
    channel_sku: str = Field(description="the SKU as the channel wrote it, may be empty")
    title: str = ""
    quantity: int = Field(ge=0, description="pieces ordered, cancellations not subtracted")
    canceled: int = Field(default=0, ge=0, description="pieces canceled or refunded, or shipped before we imported")
    killed: int = Field(
        default=0,
        ge=0,
        description="of `canceled`: by sources alone (on_source_cancel: kill), not by the channel (FP-6)",
    )
    unit_price: Amount = Decimal(0)
    components: tuple[Component, ...] = Field(default=(), description="empty while the SKU is not mapped")
    service: bool = Field(default=False, description="not shipped (IN-9); counts as done")
    address: int = Field(default=0, ge=0, description="index into the order's addresses")

    @property
    def wanted(self) -> int:
        """Pieces still owed: ordered − canceled."""
        return max(self.quantity - self.canceled, 0)


class Order(Value):
    """The hub's own copy of an order, whole, as order-ingest knew it at `sequence`."""

    order_id: str = Field(description="ours, a UUIDv7")
    store: str
    channel: str
    channel_order_id: str = Field(description="the platform's id of the order, unique within the channel")
    number: str = Field(description="the number that buyer and merchant see")
    version: int = Field(ge=1, description="grows only with the content (DESIGN section 3)")
    sequence: int = Field(ge=1, description="grows with each fact about this order")
    state: OrderState
    holds: tuple[Hold, ...] = ()
    auto_generate: bool = True
    placed_at: UtcTime
    currency: Currency
    payment: PaymentState
    total: Amount = Decimal(0)
    email: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    channel_shipping_method: str = Field(default="", description="as the channel wrote it")
    shipping_method: str | None = Field(default=None, description="ours; none while unmapped")
    lines: tuple[OrderLine, ...] = ()


class Cost(Value):
    """The parts of one FR's landed cost. Parts are exact; only a printed total is rounded (DESIGN section 6)."""

    currency: Currency
    items: Decimal = Field(description="sum of unit cost × quantity")
    fee: Decimal = Field(description="the source's drop-ship fee")
    shipping: Decimal = Field(description="base of the zone + per_kg × grams / 1000")
    unknown: tuple[str, ...] = Field(
        default=(), description="parts that are not known and stand as 0: only where a person bypassed the rules"
    )

    @property
    def total(self) -> Decimal:
        return self.items + self.fee + self.shipping


class RequestLine(Value):
    """What one source is asked to ship of one order line."""

    line_id: str = Field(description="the channel's line id")
    sku: str = Field(description="our SKU")
    source_sku: str = Field(description="the source's name of it")
    quantity: int = Field(ge=1, description="units of the SKU")
    per_piece: int = Field(default=1, ge=1, description="units of this SKU in one piece of the order line")
    title: str = ""


class ByHand(Value):
    """A person did it: who, and why."""

    actor: str
    reason: str
    command: str | None = Field(default=None, description="id of the command by which it was asked for")


class FulfillmentRequest(Value):
    """The part of one order that one source is asked to ship, to one address."""

    fr_id: str
    order_id: str
    number: str = Field(description="unique per source, never reused; also the reference under which it is submitted")
    source: str
    channel: str
    store: str
    order_number: str
    order_version: int = Field(ge=1)
    lines: tuple[RequestLine, ...]
    ship_to: Address
    shipping_method: str | None = Field(default=None, description="ours")
    source_shipping_method: str | None = Field(default=None, description="the source's name of it")
    cost: Cost
    decision_id: str
    auto_process: bool = True
    predecessor: str | None = Field(default=None, description="fr_id of the voided FR that this one replaces")
    by_hand: ByHand | None = Field(default=None, description="a person chose source and lines; no rule did")
    risk: str | None = Field(default=None, description="why its units may be shipped twice: an admin's decision")


class ShipmentLine(Value):
    """Units of one SKU of one order line in a shipment."""

    line_id: str
    sku: str
    quantity: int = Field(ge=1, description="units of our SKU")


class Shipment(Value):
    """What a source says it shipped (SP-2)."""

    shipment_id: str
    order_id: str
    fr_id: str
    source: str
    source_shipment_id: str = Field(description="the source's own id of it")
    lines: tuple[ShipmentLine, ...]
    carrier: str = Field(description="our courier name")
    source_carrier: str = Field(default="", description="as the source wrote it")
    tracking_numbers: tuple[str, ...] = ()
    tracking_url: str | None = Field(default=None, description="http or https, passed on unchanged")
    shipped_at: UtcTime
    by_hand: ByHand | None = Field(default=None, description="a person entered it (or took it back), not its source")
