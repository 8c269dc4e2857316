"""Says when a channel stopped or resumed answering us: an event, and an alert that names the way out (IN-12, OP-11)."""

from datetime import UTC, datetime

from order_ingest.facts import message
from waybill_common import outbox
from waybill_common.breaker import StateChange
from waybill_common.db import Connection
from waybill_contracts.alerts_raised import (
    AlertCleared,
    AlertRaised,
    ConnectionState,
    ConnectionStateChanged,
    connection_told,
)
from waybill_contracts.topics import ORDER_INGEST


async def tell_state(conn: Connection, change: StateChange, now: datetime) -> None:
    """Appends the change of state and its alert, in the caller's transaction."""
    changed = ConnectionStateChanged(
        at=now, connection=change.connection_id, service=ORDER_INGEST, state=ConnectionState(change.state),
        detail=change.cause or "", credential_version=change.credential_version,
    )  # fmt: skip
    await outbox.append(conn, [message(event) for event in connection_told(changed)])


class Notices:
    """How the kernel's own alerts are spelled as events of this service."""

    def alert_raised(self, key: str, title: str, detail: str) -> outbox.Message:
        return message(AlertRaised(at=datetime.now(UTC), alert=f"{ORDER_INGEST}/{key}", title=title, detail=detail))

    def alert_cleared(self, key: str) -> outbox.Message:
        return message(AlertCleared(at=datetime.now(UTC), alert=f"{ORDER_INGEST}/{key}"))
