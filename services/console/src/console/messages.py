"""The console's events as outbox messages."""

from datetime import UTC, datetime

from waybill_common.outbox import Message
from waybill_contracts import topics
from waybill_contracts.alerts_raised import AlertCleared, AlertRaised
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event


def message(event: Event) -> Message:
    return Message(*encode(event, source=topics.CONSOLE))


class Notices:
    """The kernel's alerts, as this service spells them."""

    def alert_raised(self, key: str, title: str, detail: str) -> Message:
        return message(AlertRaised(at=datetime.now(UTC), alert=f"{topics.CONSOLE}/{key}", title=title, detail=detail))

    def alert_cleared(self, key: str) -> Message:
        return message(AlertCleared(at=datetime.now(UTC), alert=f"{topics.CONSOLE}/{key}"))
