"""What a channel is told of a shipment, and what it knows of an order's shipping."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from waybill_platforms.model.orders import ChannelFulfillmentState

FulfillmentRecordStatus = Literal["success", "canceled", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class FulfillmentDraft:
    """A shipment as it shall stand at the channel. Lines are always explicit (facts: left out means everything)."""

    order_id: str
    lines: tuple[tuple[str, int], ...]
    carrier: str
    tracking_numbers: tuple[str, ...] = ()
    tracking_url: str | None = None
    notify: bool = False
    shipped_at: datetime | None = None
    """Sent where `ChannelFulfillments.takes_ship_date`; the other channels say their own."""
    service: str = ""
    """The courier's service in the channel's words, where `features.tells_service`."""


@dataclass(frozen=True, slots=True)
class FulfillmentRecord:
    """A fulfillment as the channel shows it."""

    id: str
    status: FulfillmentRecordStatus
    lines: tuple[tuple[str, int], ...]
    carrier: str
    tracking_numbers: tuple[str, ...]
    tracking_urls: tuple[str, ...]
    created_at: datetime
    raw_status: str = ""
    shipped_at: datetime | None = None
    """The day of shipping as the channel keeps it, where it takes one."""
    service: str = ""


@dataclass(frozen=True, slots=True)
class OpenPart:
    """Pieces of a line that can be fulfilled now, at one location. The ids are short-lived: read again before use."""

    group: str
    """What one create call may not cross: the location."""
    parcel: str
    """The platform's container: a fulfillment order."""
    id: str
    line_id: str
    remaining: int


@dataclass(frozen=True, slots=True)
class ChannelFulfillments:
    """What the channel knows about one order's shipping, read live."""

    order_id: str
    canceled: bool
    fulfillment: ChannelFulfillmentState
    remaining: Mapping[str, int]
    """Line id -> pieces that a fulfillment may still be made for, now."""
    fulfillments: tuple[FulfillmentRecord, ...]
    parts: tuple[OpenPart, ...] = ()
    """The platform's own handle on `remaining`, for `calls_for`."""
    blocked: Mapping[str, str] = field(default_factory=dict)
    """Line id -> why some of its pieces cannot be fulfilled now, e.g. `ON_HOLD`."""
    takes_ship_date: bool = False
    """Whether a fulfillment takes the day of shipping that we name (it is read back, because some drop it). Said with
    each read, because it depends on what the shop has installed."""

    def showing(self, lines: tuple[tuple[str, int], ...], numbers: tuple[str, ...]) -> tuple[FulfillmentRecord, ...]:
        """Records, not canceled, with these lines, quantities and tracking numbers: ours, if an answer was lost."""
        wanted = sorted(lines), sorted(numbers)
        return tuple(
            record
            for record in self.fulfillments
            if record.status != "canceled" and (sorted(record.lines), sorted(record.tracking_numbers)) == wanted
        )

    def after(self, calls: Iterable["CreateCall"]) -> "ChannelFulfillments":
        """What is open once these calls of `calls_for` are made: they take a location's parts in the parts' order.

        Several shipments planned on one read must not take the same pieces.
        """
        remaining, parts = dict(self.remaining), list(self.parts)
        for call in calls:
            for line_id, quantity in call.lines:
                remaining[line_id] = remaining.get(line_id, 0) - quantity
                left = quantity
                for place, part in enumerate(parts):
                    if (part.group, part.line_id) == (call.group, line_id):
                        taken = min(part.remaining, left)
                        parts[place], left = replace(part, remaining=part.remaining - taken), left - taken
        return replace(self, remaining=remaining, parts=tuple(part for part in parts if part.remaining))


@dataclass(frozen=True, slots=True)
class CreateCall:
    """One call that makes one fulfillment. `body` is the platform's own form of it."""

    order_id: str
    group: str
    lines: tuple[tuple[str, int], ...]
    carrier: str
    tracking_numbers: tuple[str, ...]
    tracking_url: str | None
    body: Mapping[str, object]
