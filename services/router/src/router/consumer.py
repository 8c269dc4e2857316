"""The doorway: a batch of events becomes rows, moves of stock and due orders, in one transaction.

Locks are taken in the order that the migration states: orders, rulebook, SKUs, stock, allocations.
"""

from collections.abc import Sequence

from router.ledger import Moves
from router.rulebooks import Rulebooks, take_config
from router.take_back import alert_key
from router.take_orders import take_orders
from router.take_progress import load_accounts, store_shipments, take_push_facts, take_shipments
from router.take_stock import take_stock
from waybill_common.alerts import Alerts
from waybill_common.consuming import Record
from waybill_common.db import Connection, Queries, rows
from waybill_common.outbox import Receipt, settle
from waybill_common.telemetry import Telemetry
from waybill_contracts import topics
from waybill_contracts.config_changed import Configured
from waybill_contracts.envelope import Received
from waybill_contracts.envelope import decode as decode_event
from waybill_contracts.fulfillment_submitted import FrProgress
from waybill_contracts.inventory_updated import StockFact
from waybill_contracts.orders_imported import OrderFact
from waybill_contracts.shipment_synced import ShipmentFact

TOPICS = (
    topics.ORDERS_IMPORTED,
    topics.CONFIG_CHANGED,
    topics.INVENTORY_UPDATED,
    topics.FULFILLMENT_SUBMITTED,
    topics.SHIPMENT_SYNCED,
)
UPSTREAM = frozenset({topics.INVENTORY_UPDATED})
_FOR_US = (OrderFact, Configured, StockFact, FrProgress, ShipmentFact)


def decode(record: Record) -> Received | None:
    """The event in a record, None when it is not for us; a ValueError makes it a dead letter."""
    received = decode_event(record.topic, record.key, record.headers, record.value)
    return received if received is not None and isinstance(received.event, _FOR_US) else None


class Inbox:
    """Takes batches in; each event counts once, however often it is delivered."""

    def __init__(self, queries: Queries, books: Rulebooks, alerts: Alerts, telemetry: Telemetry) -> None:
        self._q = queries
        self._books = books
        self._alerts = alerts
        self._telemetry = telemetry

    async def handle(self, conn: Connection, batch: Sequence[Received]) -> None:
        """One transaction, a handful of statements, for up to some hundred events."""
        q = self._q
        events = [received.event for received in batch]
        pushed = [event for event in events if isinstance(event, FrProgress)]
        shipped = [event for event in events if isinstance(event, ShipmentFact)]
        await settle(conn, [Receipt(f"fr/{event.fr_id}", event.router_sequence) for event in pushed])
        told = {event.order.order_id for event in events if isinstance(event, OrderFact)}
        told |= {event.order_id for event in pushed} | {event.shipment.order_id for event in shipped}
        if told:
            await rows(q.lock_orders(conn, order_ids=sorted(told)))
        await take_config(conn, q, [event for event in events if isinstance(event, Configured)])
        await take_orders(conn, q, self._telemetry, batch)
        moves = Moves()
        fr_ids = {event.fr_id for event in pushed} | {event.shipment.fr_id for event in shipped}
        accounts = await load_accounts(conn, q, sorted(fr_ids))
        concerned: set[str] = set()
        booked: list[ShipmentFact] = []
        if accounts:
            _, book = await self._books.current(conn)
            sources = {name: site.source for name, site in book.sites.items()}
            concerned |= await take_push_facts(conn, q, pushed, accounts, sources, moves)
            for account in accounts.values():
                if account.wish == "overridden" and account.state == "closed":
                    await self._alerts.cleared(conn, alert_key(account.fr_id))
            more, booked = await take_shipments(conn, q, shipped, accounts, moves)
            concerned |= more
        if concerned:
            await q.touch_orders(conn, order_ids=sorted(concerned))
        stock = [event for event in events if isinstance(event, StockFact)]
        if stock or moves.shelves or moves.allocations:
            await take_stock(conn, q, self._alerts, stock, moves)
            await store_shipments(conn, q, booked, accounts)
