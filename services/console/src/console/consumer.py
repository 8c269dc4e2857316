"""The way in: every topic into the read model, one transaction a batch."""

from collections.abc import Sequence

from console.project.orders import project_decisions, project_excluded, project_orders, project_versions
from console.project.partners import project_partner_news
from console.project.requests import project_requests
from console.project.shipments import project_shipments
from console.project.standing import project_standings
from console.project.story import project_activities, project_alerts, project_config_receipts, project_records
from waybill_common.consuming import Record, Subscription
from waybill_common.db import Connection, Queries
from waybill_contracts import envelope, topics
from waybill_contracts.envelope import Received

TOPICS = (
    topics.ORDERS_IMPORTED,
    topics.FR_CREATED,
    topics.FULFILLMENT_SUBMITTED,
    topics.SHIPMENT_SYNCED,
    topics.EXCHANGES_RECORDED,
    topics.ALERTS_RAISED,
)

_STEPS = (
    project_orders,
    project_versions,
    project_excluded,
    project_decisions,
    project_requests,
    project_shipments,
    project_activities,
    project_records,
    project_alerts,
    project_config_receipts,
    project_standings,
)


def decode(record: Record) -> Received | None:
    return envelope.decode(record.topic, record.key, record.headers, record.value)


def subscription(q: Queries, *, tells_partners: bool = False) -> Subscription[Received]:
    """`tells_partners`: somebody is there to be told of corrections, so they are kept until he was."""
    steps = (*_STEPS, project_partner_news) if tells_partners else _STEPS

    async def handle(conn: Connection, batch: Sequence[Received]) -> None:
        for step in steps:
            await step(conn, q, batch)

    return Subscription(topics.CONSOLE, TOPICS, decode, handle)
