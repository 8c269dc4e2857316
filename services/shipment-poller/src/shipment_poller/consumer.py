"""The way in from Kafka: decode, and hand on. Configuration first, because the rest is judged by it."""

from collections.abc import Callable, Sequence

from shipment_poller import preflight
from shipment_poller.apply_configuration import apply_configuration
from shipment_poller.review_orders import Tools
from shipment_poller.watch_frs import watch_frs
from waybill_common.breaker import Health
from waybill_common.consuming import Record, Subscription
from waybill_common.db import Connection
from waybill_contracts import envelope, topics
from waybill_contracts.config_changed import Configured
from waybill_contracts.envelope import Received
from waybill_contracts.fr_created import FrCreated

TOPICS = (topics.ORDERS_IMPORTED, topics.FR_CREATED, topics.FULFILLMENT_SUBMITTED, topics.CONFIG_CHANGED)


def decode(record: Record) -> Received | None:
    """One event, none when its type is unknown to us; raises UnreadableEvent."""
    return envelope.decode(record.topic, record.key, record.headers, record.value)


def subscription(tools: Tools, health: Health, wake: Sequence[Callable[[], None]]) -> Subscription[Received]:
    """What this service reads; `wake` are called after each committed batch."""

    async def handle(conn: Connection, batch: Sequence[Received]) -> None:
        await tools.configurations.refresh(conn)
        await apply_configuration(conn, tools, health, [r.event for r in batch if isinstance(r.event, Configured)])
        await watch_frs(conn, tools, batch)
        await preflight.check(conn, tools, [r.event for r in batch if isinstance(r.event, FrCreated)])

    return Subscription(
        group=topics.SHIPMENT_POLLER,
        topics=TOPICS,
        decode=decode,
        handle=handle,
        on_commit=tuple(wake),
    )
