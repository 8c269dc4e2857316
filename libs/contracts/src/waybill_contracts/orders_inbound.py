"""`orders.inbound`: orders that upstream systems publish (IN-4). This schema is published for them."""

from decimal import Decimal
from typing import ClassVar

from pydantic import Field

from waybill_contracts import topics
from waybill_contracts.event import Event
from waybill_contracts.values import Address, Amount, Currency, PaymentState, UtcTime, Value


class SubmittedLine(Value):
    """One line as upstream wrote it."""

    line_id: str | None = Field(default=None, description="upstream's own line id; else the line's position from 1")
    sku: str
    title: str = ""
    quantity: int = Field(ge=0, description="pieces ordered")
    canceled: int = Field(default=0, ge=0, description="pieces of them canceled since")
    unit_price: Amount = Decimal(0)


class OrderSubmitted(Event):
    """An upstream system has an order for us. The same number with newer content is an edit (IN-6)."""

    TYPE: ClassVar[str] = "waybill.order.submitted.v1"
    TOPIC: ClassVar[str] = topics.ORDERS_INBOUND

    channel: str = Field(description="id of a configured channel")
    number: str = Field(min_length=1, description="upstream's order number, unique within the channel")
    order_ref: str | None = Field(default=None, description="upstream's order id where it differs from the number")
    placed_at: UtcTime
    updated_at: UtcTime | None = Field(default=None, description="when the content last changed; else `at`")
    currency: Currency
    payment: PaymentState
    canceled: bool = False
    email: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    shipping_method: str = ""
    fraud_risk: str = Field(default="", description="why it is not safe to ship, in upstream's words; empty: it is")
    ship_to: Address
    lines: tuple[SubmittedLine, ...] = Field(min_length=1)

    @property
    def aggregate(self) -> str:
        return f"inbound/{self.channel}/{self.order_ref or self.number}"

    @property
    def key(self) -> str:
        return self.number
