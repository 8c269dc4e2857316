"""How the kernel's alerts are spelled as events of ours."""

from datetime import UTC, datetime

from fulfillment_push.receive import SERVICE
from waybill_common.outbox import Message
from waybill_contracts.alerts_raised import AlertCleared, AlertRaised
from waybill_contracts.envelope import encode


class EventNotices:
    """`alerts.raised` for what the kernel or the send run notices."""

    def alert_raised(self, key: str, title: str, detail: str) -> Message:
        """The event that says that something needs a look."""
        fact = AlertRaised(at=datetime.now(UTC), alert=_own(key), title=title, detail=detail)
        return Message(*encode(fact, source=SERVICE))

    def alert_cleared(self, key: str) -> Message:
        """The event that says that it is over."""
        return Message(*encode(AlertCleared(at=datetime.now(UTC), alert=_own(key)), source=SERVICE))


def _own(key: str) -> str:
    return key if key.startswith(SERVICE) else f"{SERVICE}/{key}"
