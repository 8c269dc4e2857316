"""`shipment.synced`: what was shipped, and what the channel knows of it."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from waybill_contracts import topics
from waybill_contracts.event import Event
from waybill_contracts.fulfillment_submitted import Reason
from waybill_contracts.values import ByHand, FulfillmentStatus, Shipment, SyncStatus, Value


class FrWatched(Event):
    """The poller watches this FR from now on: the receipt for `fr.submitted`."""

    TYPE: ClassVar[str] = "waybill.fr.watched.v1"
    TOPIC: ClassVar[str] = topics.SHIPMENT_SYNCED

    fr_id: str
    order_id: str
    push_sequence: int = Field(description="the newest fact of fulfillment-push about this FR that was applied")

    @property
    def aggregate(self) -> str:
        return f"watch/{self.fr_id}"

    @property
    def key(self) -> str:
        return self.order_id


class ShipmentFact(Event):
    """A fact about one shipment, with the order's two axes as they stand after it."""

    TOPIC: ClassVar[str] = topics.SHIPMENT_SYNCED

    shipment: Shipment
    fulfillment: FulfillmentStatus = Field(description="of the order, after this fact")
    sync: SyncStatus = Field(description="of the order (the worst of its fulfillments), after this fact")

    @property
    def aggregate(self) -> str:
        return f"shipment/{self.shipment.shipment_id}"

    @property
    def key(self) -> str:
        return self.shipment.order_id


class Choice(StrEnum):
    """What a person decides about a parcel that left although its FR was over."""

    KEEP_STOPPED = "keep_stopped"
    """It is what the buyer gets: it counts, and nothing is sent in its place"""
    SHIP_REPLACEMENT = "ship_replacement"
    """It does not count: what was in it is asked for again"""


class Decided(Value):
    """A person's decision about a shipment in conflict."""

    choice: Choice
    by: ByHand


class ShipmentRecorded(ShipmentFact):
    """A source shipped this, or changed what it said about it. Stored before anything is pushed (SP-2)."""

    TYPE: ClassVar[str] = "waybill.shipment.recorded.v1"
    corrected: tuple[str, ...] = Field(
        default=(),
        description="what its source changed about a shipment that counted before (lines, carrier, tracking_numbers, "
        "tracking_url, shipped_at), or `reinstated`: it had been taken back; empty: it is new",
    )
    decided: Decided | None = Field(
        default=None, description="its FR was over, and a person decided that it counts (`keep_stopped`)"
    )


class ShipmentRefused(ShipmentFact):
    """It breaks a rule (SP-3): listed with the way out, not pushed."""

    TYPE: ClassVar[str] = "waybill.shipment.refused.v1"
    reason: Reason


class ShipmentConflicted(ShipmentFact):
    """It belongs to an FR that should not ship (voided, canceled, failed): what was asked for in its place is stopped
    (the router asks it back), and a person decides."""

    TYPE: ClassVar[str] = "waybill.shipment.conflicted.v1"
    reason: Reason
    decided: Decided | None = Field(
        default=None, description="a person decided: its units do not count (`ship_replacement`); none: not decided yet"
    )


class ShipmentSynced(ShipmentFact):
    """The channel shows it: success answer and read-back agree (SP-10)."""

    TYPE: ClassVar[str] = "waybill.shipment.synced.v1"
    fulfillment_ids: tuple[str, ...] = Field(description="the channel's ids of the fulfillment(s)")
    attempts: int = Field(ge=1)
    adopted: bool = Field(default=False, description="found at the channel instead of created by this call")
    notes: tuple[str, ...] = Field(default=(), description="what the channel rewrote, in sentences")


class ShipmentSyncFailed(ShipmentFact):
    """It requires synchronization by a person; nothing is forgotten (SP-8)."""

    TYPE: ClassVar[str] = "waybill.shipment.sync_failed.v1"
    reason: Reason
    attempts: int = Field(ge=0)


class ShipmentWithdrawn(ShipmentFact):
    """The source took it back; it was, or will be, canceled at the channel (SP-5)."""

    TYPE: ClassVar[str] = "waybill.shipment.withdrawn.v1"
    reason: Reason


class OrderShipped(Event):
    """Complete: for every line that ships, shipped = ordered − canceled (SP-4)."""

    TYPE: ClassVar[str] = "waybill.order.shipped.v1"
    TOPIC: ClassVar[str] = topics.SHIPMENT_SYNCED

    order_id: str
    order_version: int
    fulfillment: FulfillmentStatus
    sync: SyncStatus

    @property
    def aggregate(self) -> str:
        return f"shipping/{self.order_id}"

    @property
    def key(self) -> str:
        return self.order_id
