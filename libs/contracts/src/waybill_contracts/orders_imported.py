"""`orders.imported`: facts about our copy of an order, each with the whole order as it then was."""

from typing import ClassVar

from pydantic import Field

from waybill_contracts import topics
from waybill_contracts.event import Event
from waybill_contracts.values import Hold, Order, UtcTime


class OrderFact(Event):
    """Any fact about an order. The whole copy travels along, so the newest one suffices for every reader."""

    TOPIC: ClassVar[str] = topics.ORDERS_IMPORTED

    order: Order
    actor: str = Field(default="", description="the person who had it happen; empty when it happened by itself")
    why: str = Field(default="", description="what that person said")

    @property
    def aggregate(self) -> str:
        return f"order/{self.order.order_id}"

    @property
    def key(self) -> str:
        return self.order.order_id


class OrderImported(OrderFact):
    """An order is here for the first time; it may be held from the start."""

    TYPE: ClassVar[str] = "waybill.order.imported.v1"
    via: str = Field(description="how it came: pull, webhook, event, file, api")


class OrderChanged(OrderFact):
    """Its content changed: the version grew (IN-13)."""

    TYPE: ClassVar[str] = "waybill.order.changed.v1"
    changed: tuple[str, ...] = Field(description="names of the parts that changed, e.g. lines, addresses")


class OrderCanceled(OrderFact):
    """Nothing of it is wanted any more."""

    TYPE: ClassVar[str] = "waybill.order.canceled.v1"
    reason: str


class OrderHeld(OrderFact):
    """It may not go on until its holds are gone (IN-10)."""

    TYPE: ClassVar[str] = "waybill.order.held.v1"
    added: tuple[Hold, ...]


class OrderReleased(OrderFact):
    """Its last hold is gone: it may go on."""

    TYPE: ClassVar[str] = "waybill.order.released.v1"
    removed: tuple[Hold, ...]


class OrderExcluded(Event):
    """An order that the channel showed and that we do not import, with the reason (IN-7). Read by the console alone."""

    TYPE: ClassVar[str] = "waybill.order.excluded.v1"
    TOPIC: ClassVar[str] = topics.ORDERS_IMPORTED

    store: str
    channel: str
    channel_order_id: str
    number: str
    reason: str = Field(
        description="before_start, payment_<state>, fulfillment_<status>, canceled, cancellation, nothing_to_ship, ours"
    )
    detail: str = ""
    placed_at: UtcTime | None = None

    @property
    def aggregate(self) -> str:
        return f"excluded/{self.channel}/{self.channel_order_id}"

    @property
    def key(self) -> str:
        return f"{self.channel}/{self.channel_order_id}"
