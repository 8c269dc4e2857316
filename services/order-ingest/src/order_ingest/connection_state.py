"""Says when a channel stopped or resumed answering us: an event, and an alert that names the way out (IN-12, OP-11)."""

from datetime import UTC, datetime

from order_ingest.facts import message
from waybill_common import outbox
from waybill_common.breaker import StateChange
from waybill_common.db import Connection
from waybill_contracts.alerts_raised import AlertCleared, AlertRaised, ConnectionState, ConnectionStateChanged
from waybill_contracts.event import Event
from waybill_contracts.topics import ORDER_INGEST

WAYS_OUT = {
    "unauthorized": (
        "no longer lets us in",
        "apply a configuration with new credentials: pulling then resumes by itself",
    ),
    "down": ("does not answer", "it is tried again by itself, at growing distances"),
}


def connection_alert(channel: str) -> str:
    """The alert that is open while a channel does not answer us."""
    return f"{ORDER_INGEST}/connection/{channel}"


async def tell_state(conn: Connection, change: StateChange, now: datetime) -> None:
    """Appends the change of state and its alert, in the caller's transaction."""
    told: list[Event] = [
        ConnectionStateChanged(
            at=now, connection=change.connection_id, service=ORDER_INGEST, state=ConnectionState(change.state),
            detail=change.cause or "", credential_version=change.credential_version,
        )
    ]  # fmt: skip
    alert = connection_alert(change.connection_id)
    if change.state == "ok":
        told.append(AlertCleared(at=now, alert=alert))
    else:
        what, action = WAYS_OUT[change.state]
        title = f"Channel {change.connection_id} {what}"
        told.append(AlertRaised(at=now, alert=alert, title=title, detail=change.cause or "", action=action))
    await outbox.append(conn, [message(event) for event in told])


class Notices:
    """How the kernel's own alerts are spelled as events of this service."""

    def alert_raised(self, key: str, title: str, detail: str) -> outbox.Message:
        return message(AlertRaised(at=datetime.now(UTC), alert=f"{ORDER_INGEST}/{key}", title=title, detail=detail))

    def alert_cleared(self, key: str) -> outbox.Message:
        return message(AlertCleared(at=datetime.now(UTC), alert=f"{ORDER_INGEST}/{key}"))
