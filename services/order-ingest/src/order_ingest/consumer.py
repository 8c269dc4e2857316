"""The doorway for events: which ones are for us, and which verb each goes to."""

from collections.abc import Sequence
from dataclasses import dataclass

from order_ingest.act_on_order import ActOnOrder
from order_ingest.configure import apply_configuration, learn_names
from order_ingest.import_inbound import import_inbound
from order_ingest.names import name_in_stock
from order_ingest.receipts import note_own_references, settle_orders
from order_ingest.rulebook import Rulebook
from waybill_common.breaker import Health
from waybill_common.clock import Clock
from waybill_common.consuming import Record
from waybill_common.db import Connection
from waybill_common.telemetry import Telemetry
from waybill_contracts import topics
from waybill_contracts.config_changed import Configured
from waybill_contracts.envelope import Received, decode
from waybill_contracts.fr_created import FrCreated, OrderDecision, OrderUnroutable
from waybill_contracts.inventory_updated import StockAdjusted, StockCounted
from waybill_contracts.orders_inbound import OrderSubmitted

TOPICS = (topics.CONFIG_CHANGED, topics.ORDERS_INBOUND, topics.FR_CREATED, topics.INVENTORY_UPDATED)
UPSTREAM = frozenset({topics.ORDERS_INBOUND, topics.INVENTORY_UPDATED})
WANTED = (Configured, OrderSubmitted, OrderDecision, FrCreated, StockCounted, StockAdjusted)


def read(record: Record) -> Received | None:
    """The event in a record; None when it is not for us. Raises UnreadableEvent."""
    received = decode(record.topic, record.key, record.headers, record.value)
    return received if received is not None and isinstance(received.event, WANTED) else None


@dataclass
class Doorway:
    """Hands each batch on: configuration first, so that an order never meets rules older than its neighbours'."""

    rulebook: Rulebook
    health: Health
    telemetry: Telemetry
    clock: Clock
    act: ActOnOrder
    news: bool = False
    """Something came that gives the workers work; cleared by whoever wakes them."""

    async def handle(self, conn: Connection, batch: Sequence[Received]) -> None:
        """All events of a batch, in the caller's transaction."""
        now = self.clock.now()
        configured = [r for r in batch if isinstance(r.event, Configured)]
        if configured:
            self.news |= bool(await apply_configuration(conn, configured, self.health, now))
        stock = [r.event for r in batch if isinstance(r.event, StockCounted | StockAdjusted)]
        self.news |= await learn_names(conn, sorted({name_in_stock(event.source, event.sku) for event in stock}))
        await note_own_references(conn, [r.event for r in batch if isinstance(r.event, FrCreated)])
        await settle_orders(conn, [r.event for r in batch if isinstance(r.event, OrderDecision)])
        given_up = [r.event for r in batch if isinstance(r.event, OrderUnroutable) and r.event.cancel]
        for decision in sorted(given_up, key=lambda event: event.order_id):
            await self.act.cancel_unroutable(conn, decision)
        killed = [r.event for r in batch if isinstance(r.event, OrderDecision) and r.event.killed]
        for told in sorted(killed, key=lambda event: (event.order_id, event.sequence)):
            await self.act.cancel_killed(conn, told)
        inbound = [r for r in batch if isinstance(r.event, OrderSubmitted)]
        if inbound:
            self.news |= bool(await import_inbound(conn, inbound, self.rulebook, self.telemetry, now))
