"""Every topic, spelled once (DESIGN section 3). `docs/topics.md` is generated from this table."""

from dataclasses import dataclass

ORDER_INGEST = "order-ingest"
ROUTER = "router"
FULFILLMENT_PUSH = "fulfillment-push"
SHIPMENT_POLLER = "shipment-poller"
CONSOLE = "console"
UPSTREAM = "upstream systems"
APPLYING = (ORDER_INGEST, ROUTER, FULFILLMENT_PUSH, SHIPMENT_POLLER)
"""The services that work by the configuration, and answer it."""
SERVICES = (*APPLYING, CONSOLE)

ORDERS_INBOUND = "orders.inbound"
ORDERS_IMPORTED = "orders.imported"
FR_CREATED = "fr.created"
FULFILLMENT_SUBMITTED = "fulfillment.submitted"
SHIPMENT_SYNCED = "shipment.synced"
INVENTORY_UPDATED = "inventory.updated"
EXCHANGES_RECORDED = "exchanges.recorded"
CONFIG_CHANGED = "config.changed"
ALERTS_RAISED = "alerts.raised"

ORDER_ID = "order id"
"""The key of topics whose facts are about orders."""
PARTITIONS = 4
"""Partitions of a topic unless its row says otherwise; the ceiling for replicas of one service."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the table: who writes it, under which key, and who reads it."""

    name: str
    key: str
    owner: str
    readers: tuple[str, ...]
    purpose: str
    compacted: bool = False
    retention_hours: int = 168


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic(
            ORDERS_INBOUND,
            "upstream's order number",
            UPSTREAM,
            (ORDER_INGEST,),
            "Orders that upstream systems publish",
        ),
        Topic(
            ORDERS_IMPORTED,
            ORDER_ID,
            ORDER_INGEST,
            (ROUTER, FULFILLMENT_PUSH, SHIPMENT_POLLER, CONSOLE),
            "Facts about our copy of an order",
        ),
        Topic(
            FR_CREATED,
            ORDER_ID,
            ROUTER,
            (FULFILLMENT_PUSH, SHIPMENT_POLLER, ORDER_INGEST, CONSOLE),
            "Who ships what, and what it costs",
        ),
        Topic(
            FULFILLMENT_SUBMITTED,
            ORDER_ID,
            FULFILLMENT_PUSH,
            (ROUTER, SHIPMENT_POLLER, CONSOLE),
            "What the sources answered",
        ),
        Topic(
            SHIPMENT_SYNCED,
            ORDER_ID,
            SHIPMENT_POLLER,
            (ROUTER, FULFILLMENT_PUSH, CONSOLE),
            "What was shipped, and what the channel knows of it",
        ),
        Topic(
            INVENTORY_UPDATED,
            "source:SKU",
            "sources, upstream",
            (ROUTER, ORDER_INGEST),
            "Stock counts and adjustments; order-ingest learns from them which SKUs some source knows",
        ),
        Topic(
            EXCHANGES_RECORDED,
            "connection id",
            "all that call platforms",
            (CONSOLE,),
            "Requests and responses, secrets removed",
        ),
        Topic(
            CONFIG_CHANGED,
            "entity id",
            CONSOLE,
            APPLYING,
            "Channels, sources and routing as configured",
            compacted=True,
        ),
        Topic(ALERTS_RAISED, "alert key", "all", (CONSOLE,), "Alerts, connection states, configuration receipts"),
    )
}
