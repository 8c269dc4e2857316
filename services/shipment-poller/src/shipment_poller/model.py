"""The nouns of this stage, as plain values: what a source said, what is asked of it, what the channel should show.

Pure: standard library, pydantic and contracts alone. Quantities are units of our SKU in `ShipmentLine`, and pieces of
the channel's line in `Wanted` (a kit's piece is several units).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from waybill_contracts.fulfillment_submitted import FrState, Outcome, Reason, Recall
from waybill_contracts.values import ByHand, FulfillmentRequest, ShipmentLine, UtcTime, Value


class SaidStatus(StrEnum):
    """A source's word about one shipment; what we don't know is told, never guessed."""

    SHIPPED = "shipped"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


class SaidLine(Value):
    """One line as the source wrote it. `line_ref` is what we sent with the request; the SKU is the source's."""

    line_ref: str | None = None
    sku: str = ""
    quantity: int


class Said(Value):
    """One shipment as its source last described it; stored raw, judged again whenever something around it changes."""

    id: str
    reference: str = ""
    platform_id: str = ""
    status: SaidStatus
    lines: tuple[SaidLine, ...] = ()
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()
    tracking_url: str | None = None
    shipped_at: UtcTime
    updated_at: UtcTime
    by_hand: ByHand | None = None
    """A person entered it, with our courier name."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What this service knows of one FR. `fr` is none while only facts without content have come."""

    fr_id: str
    order_id: str
    source: str
    state: FrState
    outcome: Outcome = Outcome.NONE
    fr: FulfillmentRequest | None = None
    recall: Recall = Recall.NONE
    stopped_for: str | None = None
    """The FR that shipped after all, and so made this one too much: the router asked it back"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one fulfillment at the channel should show. `lines`: channel line id -> pieces, all above 0."""

    lines: Mapping[str, int]
    carrier: str = ""
    numbers: tuple[str, ...] = ()
    url: str | None = None
    shipped_on: str = ""
    """The day, UTC, as YYYY-MM-DD; only some channels take it"""
    service: str = ""
    """The courier's service in the channel's words; only some channels tell it apart"""

    def as_json(self) -> dict[str, Any]:
        """For a jsonb column; `from_json` reads it back."""
        lines = {line: self.lines[line] for line in sorted(self.lines)}
        details = {"carrier": self.carrier, "numbers": list(self.numbers), "url": self.url}
        service = {"service": self.service} if self.service else {}
        return {"lines": lines, **details, "shipped_on": self.shipped_on, **service}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Wanted":
        """Reads what `as_json` wrote."""
        return cls(
            dict(stored["lines"]),
            stored["carrier"],
            tuple(stored["numbers"]),
            stored["url"],
            stored.get("shipped_on", ""),
            stored.get("service", ""),
        )

    def only(self, lines: Mapping[str, int]) -> "Wanted":
        """The same details for other lines."""
        return replace(self, lines=dict(lines))

    def same_details(self, other: "Wanted", *, day: bool = False) -> bool:
        """Carrier, service, numbers and URL agree, and the `day` where it counts; lines are not looked at."""
        ours, theirs = ((one.carrier, one.service, one.numbers, one.url) for one in (self, other))
        return ours == theirs and (not day or self.shipped_on == other.shipped_on)


@dataclass(frozen=True, slots=True)
class Shown:
    """One fulfillment as the channel shows it on a fresh read. `live` is false once canceled or failed there."""

    id: str
    live: bool
    lines: Mapping[str, int]
    carrier: str = ""
    numbers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    shipped_on: str = ""
    service: str = ""

    def as_json(self) -> dict[str, Any]:
        """For a jsonb column; `from_json` reads it back."""
        return asdict(self) | {"lines": dict(self.lines)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Shown":
        """Reads what `as_json` wrote."""
        return cls(**{**stored, "numbers": tuple(stored["numbers"]), "urls": tuple(stored["urls"])})


@dataclass(frozen=True, slots=True)
class Bound:
    """A fulfillment of the channel that belongs to one of our shipments, and what we last sent about it."""

    fulfillment_id: str
    sent: Wanted


@dataclass(frozen=True, slots=True)
class Intent:
    """A create that was announced and whose outcome is not known. Times are aware UTC."""

    intent_id: str
    content: Wanted
    ended_at: datetime
    """when the call surely had no caller any more: the end of its lease, or the moment it was given up"""
    missing_at: datetime | None = None


class ShipmentState(StrEnum):
    """Where a shipment stands with us; `lifecycle.py` has the moves."""

    WAITING_FOR_LABEL = "waiting_for_label"
    RECORDED = "recorded"
    REFUSED = "refused"
    CONFLICT = "conflict"
    WITHDRAWN = "withdrawn"


TAKEN = frozenset({ShipmentState.WAITING_FOR_LABEL, ShipmentState.RECORDED})
"""States that say: this FR did take the shipment, so a later end of the FR does not undo it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules make of one shipment. `carrier` is ours; `courier_known` is false when it is not mapped."""

    state: ShipmentState
    lines: tuple[ShipmentLine, ...] = field(default=())
    carrier: str = ""
    courier_known: bool = True
    reason: Reason | None = None
