"""What this stage tells the others, as messages for the outbox. No decisions here."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shipment_poller.model import Said, ShipmentState, Verdict
from waybill_common import commands
from waybill_common.breaker import StateChange
from waybill_common.outbox import Message
from waybill_contracts import envelope, topics
from waybill_contracts.alerts_raised import (
    AlertCleared,
    AlertRaised,
    ConfigApplied,
    ConnectionState,
    ConnectionStateChanged,
    connection_told,
)
from waybill_contracts.event import Event
from waybill_contracts.fulfillment_submitted import Reason
from waybill_contracts.inventory_updated import StockCounted
from waybill_contracts.shipment_synced import (
    Decided,
    FrWatched,
    OrderShipped,
    ShipmentConflicted,
    ShipmentRecorded,
    ShipmentRefused,
    ShipmentWithdrawn,
)
from waybill_contracts.values import FulfillmentStatus, Shipment, SyncStatus
from waybill_platforms.recording import Exchange

SERVICE = topics.SHIPMENT_POLLER


def message(event: Event, traceparent: str | None = None, caused_by: str | None = None) -> Message:
    """The event as an outbox row; `caused_by` is the command whose effect comes later than its transaction."""
    cause = caused_by or commands.cause()
    return Message(*envelope.encode(event, source=SERVICE, traceparent=traceparent, caused_by=cause))


def exchanges(made: Iterable[Exchange]) -> list[Message]:
    """The transaction records of calls (OP-3)."""
    return [replace(message(one.event(SERVICE)), about=one.order_ids) for one in made]


def shipment_of(shipment_id: str, order_id: str, fr_id: str, source: str, said: Said, verdict: Verdict) -> Shipment:
    """The shipment as others see it."""
    return Shipment(
        shipment_id=shipment_id,
        order_id=order_id,
        fr_id=fr_id,
        source=source,
        source_shipment_id=said.id,
        lines=verdict.lines,
        carrier=verdict.carrier,
        source_carrier=said.carrier,
        tracking_numbers=said.tracking_numbers,
        tracking_url=said.tracking_url or None,
        shipped_at=said.shipped_at,
        by_hand=said.by_hand,
    )


def shipment_in(row: Mapping[str, Any]) -> Shipment:
    """The shipment from its stored row."""
    said = Said.model_validate(row["said"])
    verdict = Verdict(ShipmentState(row["state"]), row["lines"], row["carrier"])
    return shipment_of(row["shipment_id"], row["order_id"], row["fr_id"], row["source"], said, verdict)


def judged(
    at: datetime,
    sequence: int,
    shipment: Shipment,
    verdict: Verdict,
    axes: tuple[FulfillmentStatus, SyncStatus],
    corrected: tuple[str, ...] = (),
    decided: Decided | None = None,
) -> Event:
    """The fact that belongs to a verdict."""
    told: dict[str, Any] = {
        "sequence": sequence,
        "at": at,
        "shipment": shipment,
        "fulfillment": axes[0],
        "sync": axes[1],
    }
    match verdict.state:
        case ShipmentState.REFUSED:
            return ShipmentRefused(**told, reason=_reason(verdict))
        case ShipmentState.CONFLICT:
            return ShipmentConflicted(**told, reason=_reason(verdict), decided=decided)
        case ShipmentState.WITHDRAWN:
            return ShipmentWithdrawn(**told, reason=_reason(verdict))
        case _:
            return ShipmentRecorded(**told, corrected=corrected, decided=decided)


def _reason(verdict: Verdict) -> Reason:
    assert verdict.reason is not None, f"{verdict.state} always has a reason"
    return verdict.reason


def watched(at: datetime, fr_id: str, order_id: str, push_sequence: int) -> Event:
    """The receipt for the `fr.submitted` of this sequence: asked again, it is the same answer with the same id."""
    return FrWatched(at=at, sequence=max(push_sequence, 1), fr_id=fr_id, order_id=order_id, push_sequence=push_sequence)


def shipped(at: datetime, order_id: str, order_version: int, completion: int, sync: SyncStatus) -> Event:
    """The order is complete; once for each completion."""
    return OrderShipped(
        at=at,
        sequence=completion,
        order_id=order_id,
        order_version=order_version,
        fulfillment=FulfillmentStatus.SHIPPED,
        sync=sync,
    )


def applied(at: datetime, entity: str, version: int) -> Event:
    """This service works by this version now."""
    return ConfigApplied(at=at, sequence=max(version, 1), service=SERVICE, entity=entity, version=version)


def counted(at: datetime, source: str, sku: str, on_hand: int, sequence: int, counted_at: datetime) -> Event:
    """A level as the source's platform told it; what is known of cost and weight stays as it is."""
    return StockCounted(sequence=sequence, at=at, source=source, sku=sku, on_hand=on_hand, counted_at=counted_at)


def connection_changed(at: datetime, change: StateChange) -> tuple[Event, ...]:
    """A connection stopped or resumed answering us, and its alert."""
    changed = ConnectionStateChanged(
        at=at,
        connection=change.connection_id,
        service=SERVICE,
        state=ConnectionState(change.state),
        detail=change.cause or "",
        credential_version=change.credential_version,
    )
    return connection_told(changed)


def conflict_alert(at: datetime, shipment: Shipment, reason: Reason) -> Event:
    """Somebody has to decide about a shipment that should not be."""
    return AlertRaised(
        at=at,
        alert=f"{SERVICE}/shipment_conflict/{shipment.shipment_id}",
        title=f"{shipment.source} shipped {shipment.source_shipment_id}, but {reason.message}",
        detail=f"order {shipment.order_id}, FR {shipment.fr_id}",
        action=reason.action,
    )


def conflict_over(at: datetime, shipment_id: str) -> Event:
    """It was taken back, or taken after all."""
    return AlertCleared(at=at, alert=f"{SERVICE}/shipment_conflict/{shipment_id}")


def early_alert(at: datetime, source: str, source_shipment_id: str, reference: str) -> Event:
    """A shipment waited for its FR until the deadline."""
    return AlertRaised(
        at=at,
        alert=f"{SERVICE}/early_shipment/{source}/{source_shipment_id}",
        title=f"{source} shipped {source_shipment_id} for {reference!r}, which is no request that it has from us",
        detail="it is kept, and applied as soon as the request is known to be sent",
        action="check the reference at the source; resend or mark the request, or let the source withdraw the shipment",
    )


class Notices:
    """How the kernel's alerts read as events."""

    def alert_raised(self, key: str, title: str, detail: str) -> Message:
        """Raised once while it is open."""
        at = datetime.now(UTC)
        return message(AlertRaised(at=at, alert=f"{SERVICE}/{key}", title=title, detail=detail))

    def alert_cleared(self, key: str) -> Message:
        """It is over."""
        return message(AlertCleared(at=datetime.now(UTC), alert=f"{SERVICE}/{key}"))
