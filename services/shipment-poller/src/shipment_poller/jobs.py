"""One claimed order with all that a try at its channel needs, and what came of it. Values; no I/O.

Times are the database's: `Job.now` counts on from the moment at which it was loaded.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shipment_poller.lifecycle import SyncState
from shipment_poller.model import Bound, Intent, Shown, Wanted
from waybill_common.leases import Lease
from waybill_common.retry import Family
from waybill_contracts.fulfillment_submitted import Reason
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.fulfillments import CreateCall
from waybill_platforms.recording import Exchange


@dataclass(slots=True)
class Finish:
    """How one shipment leaves the try. `due_in` none: nothing is due any more.

    `attempts` counts its failed calls of this round, `looks` its failed reads in a row.
    """

    state: SyncState
    due_in: timedelta | None = None
    attempts: int = 0
    reason: Reason | None = None
    notes: tuple[str, ...] = ()
    tried: bool = True
    looks: int = 0


@dataclass(slots=True)
class Part:
    """One shipment of the order at its channel. `content` is `wanted` in the channel's courier names."""

    shipment_id: str
    fr_id: str
    source: str
    wanted: dict[str, Any] | None
    revision: int
    state: SyncState
    attempts: int
    looks: int
    tries: int
    notified: bool
    due: bool
    bound: list[Bound] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    adopted: set[str] = field(default_factory=set)
    content: Wanted | None = None
    finish: Finish | None = None
    refused: tuple[CreateCall, PlatformError] | None = None
    """What the channel refused in this try: not sent again as it is"""

    @property
    def by_number(self) -> bool:
        return self.wanted is None or bool(self.wanted["by_number"])


@dataclass(slots=True)
class Job:
    """A claimed order. What the try did is collected here and committed with its outcome."""

    lease: Lease
    order_id: str
    channel: str
    channel_order_id: str
    traceparent: str | None
    loaded_at: datetime
    parts: list[Part]
    loaded: float = field(default_factory=time.monotonic)
    exchanges: list[Exchange] = field(default_factory=list)
    health: list[tuple[Family | None, str | None]] = field(default_factory=list)
    credential_version: int = 0
    """of the credentials that its calls are made with: newer ones may come meanwhile"""
    new_bound: dict[str, tuple[str, Wanted, bool]] = field(default_factory=dict)
    """fulfillment id -> (shipment id, what was sent, adopted)"""
    shown: dict[str, Shown] = field(default_factory=dict)
    """fulfillment id -> what a fresh read showed of it, when it was called synced"""
    unbound: list[str] = field(default_factory=list)
    closed: dict[str, str] = field(default_factory=dict)
    """intent id -> done, dropped or forgotten"""
    left_open: dict[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)
    """intent id -> (ended at, found missing at)"""
    untold: set[str] = field(default_factory=set)
    """shipments whose message to the buyer was announced, and surely not sent"""
    span: str | None = None
    rests: float = 0.0
    """seconds after which the channel's rate budget asked to come again; 0: it did not"""

    @property
    def now(self) -> datetime:
        return self.loaded_at + timedelta(seconds=time.monotonic() - self.loaded)

    @property
    def open_parts(self) -> list[Part]:
        """Due, and without an end yet."""
        return [part for part in self.parts if part.due and part.finish is None]

    def bind(self, part: Part, fulfillment_id: str, sent: Wanted, *, adopted: bool) -> None:
        """The channel's fulfillment belongs to this shipment, and shows (or was sent) this."""
        part.bound = [b for b in part.bound if b.fulfillment_id != fulfillment_id]
        part.bound.append(Bound(fulfillment_id, sent))
        if adopted:
            part.adopted.add(fulfillment_id)
        self.new_bound[fulfillment_id] = (part.shipment_id, sent, fulfillment_id in part.adopted)

    def confirm(self, part: Part, shown: Mapping[str, Shown]) -> None:
        """What the channel shows of it now is what later drift is measured by."""
        for bound in part.bound:
            self.bind(part, bound.fulfillment_id, bound.sent, adopted=bound.fulfillment_id in part.adopted)
            self.shown[bound.fulfillment_id] = shown[bound.fulfillment_id]

    def unbind(self, part: Part, fulfillment_id: str) -> None:
        """It is canceled there."""
        part.bound = [b for b in part.bound if b.fulfillment_id != fulfillment_id]
        self.new_bound.pop(fulfillment_id, None)
        self.unbound.append(fulfillment_id)

    def close(self, part: Part, intent_id: str, state: str) -> None:
        """The intent's outcome is known."""
        part.intents = [intent for intent in part.intents if intent.intent_id != intent_id]
        self.left_open.pop(intent_id, None)
        self.closed[intent_id] = state


def job_of(lease: Lease, row: Mapping[str, Any]) -> Job:
    """From the row of `pushes_to_do`."""
    parts = {one["shipment_id"]: _part(one) for one in row["syncs"] or []}
    for one in row["fulfillments"] or []:
        if one["shipment_id"] in parts:
            part = parts[one["shipment_id"]]
            part.bound.append(Bound(one["fulfillment_id"], Wanted.from_json(one["sent"])))
            if one["adopted"]:
                part.adopted.add(one["fulfillment_id"])
    for one in row["intents"] or []:
        missing = one["missing_at"]
        parts[one["shipment_id"]].intents.append(
            Intent(
                one["intent_id"],
                Wanted.from_json(one["content"]),
                datetime.fromisoformat(one["ended_at"]),
                None if missing is None else datetime.fromisoformat(missing),
            )
        )
    return Job(
        lease,
        row["order_id"],
        row["channel"],
        row["channel_order_id"],
        row["traceparent"],
        row["now"],
        list(parts.values()),
    )


def _part(one: Mapping[str, Any]) -> Part:
    return Part(
        one["shipment_id"],
        one["fr_id"],
        one["source"],
        one["wanted"],
        one["revision"],
        SyncState(one["state"]),
        one["attempts"],
        one["looks"],
        one["tries"],
        one["notified"],
        one["due"],
    )
