"""Events of order-ingest as outbox messages, each in its order's trace, with the receipts that the router owes us."""

from collections.abc import Mapping
from contextvars import Context

from order_ingest.decide import Judged
from waybill_common.commands import cause
from waybill_common.outbox import Message, Receipt
from waybill_common.telemetry import Telemetry
from waybill_contracts.envelope import encode
from waybill_contracts.event import Event
from waybill_contracts.exchanges_recorded import ExchangeRecorded
from waybill_contracts.orders_imported import OrderFact, OrderImported
from waybill_contracts.topics import ORDER_INGEST
from waybill_contracts.values import OrderState


def receipt_subject(order_id: str) -> str:
    """What the router's answers about an order settle."""
    return f"order/{order_id}"


def messages(judged: Judged, traceparent: str) -> list[Message]:
    """All facts of one decision, in their order."""
    return [message(event, traceparent) for event in judged.events]


def message(event: Event, traceparent: str | None = None) -> Message:
    """One event, ready for the outbox."""
    encoded = encode(event, source=ORDER_INGEST, traceparent=traceparent, caused_by=cause())
    about = event.order_ids if isinstance(event, ExchangeRecorded) else ()
    return Message(*encoded, receipt_of(event), about)


def receipt_of(event: Event) -> Receipt | None:
    """Facts are sent again until the router has answered them; an order held from the start asks for nothing yet."""
    if not isinstance(event, OrderFact):
        return None
    if isinstance(event, OrderImported) and event.order.state is OrderState.HELD:
        return None
    return Receipt(receipt_subject(event.order.order_id), event.sequence)


def begin_trace(telemetry: Telemetry, name: str, parent: str | None, about: Mapping[str, str]) -> str:
    """The trace of an order that is seen for the first time: upstream's if it brought one, else its own.

    It never joins the trace of the batch that found it: one trace is one order.
    """
    return Context().run(_span, telemetry, name, parent, about)


def _span(telemetry: Telemetry, name: str, parent: str | None, about: Mapping[str, str]) -> str:
    with telemetry.span(name, parent=parent, kind="producer", attributes=about) as span:
        return span.traceparent
