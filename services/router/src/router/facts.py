"""What the router says, as outbox messages."""

from datetime import UTC, datetime

from waybill_common.commands import cause
from waybill_common.outbox import Message, Receipt
from waybill_contracts import topics
from waybill_contracts.alerts_raised import AlertCleared, AlertRaised
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event
from waybill_contracts.fr_created import FrFact

SERVICE = topics.ROUTER


def message(event: Event, traceparent: str | None = None, caused_by: str | None = None) -> Message:
    """The event as it is sent; facts about an FR are sent again until fulfillment-push has answered them.

    `caused_by` is the command of a person whose wish is fulfilled later than it was said.
    """
    receipt = Receipt(f"fr/{event.fr_id}", event.sequence) if isinstance(event, FrFact) else None
    encoded = encode(event, source=SERVICE, traceparent=traceparent, caused_by=caused_by or cause())
    return Message(*encoded, receipt=receipt)


class Notices:
    """How the kernel's alerts are spelled as events of ours."""

    def alert_raised(self, key: str, title: str, detail: str) -> Message:
        return message(AlertRaised(at=datetime.now(UTC), alert=_own(key), title=title, detail=detail))

    def alert_cleared(self, key: str) -> Message:
        return message(AlertCleared(at=datetime.now(UTC), alert=_own(key)))


def _own(key: str) -> str:
    return key if key.startswith(f"{SERVICE}/") else f"{SERVICE}/{key}"
