"""The doorway: a batch of events becomes rows, answers and due times in one transaction. No platform is called here."""

from collections.abc import Sequence

from fulfillment_push.facts import needs_bodies, tell
from fulfillment_push.fr import Fr
from fulfillment_push.lifecycle import SENT
from fulfillment_push.prove import shipped
from fulfillment_push.receive import queue, receive
from fulfillment_push.shipping import count
from fulfillment_push.sources import SourceBook, take_in
from fulfillment_push.store import Store
from waybill_common.breaker import Health
from waybill_common.consuming import Record
from waybill_common.db import Connection
from waybill_common.outbox import Receipt, append, settle
from waybill_common.telemetry import Telemetry
from waybill_contracts import topics, tracing
from waybill_contracts.config_changed import Configured
from waybill_contracts.envelope import Received
from waybill_contracts.envelope import decode as decode_event
from waybill_contracts.fr_created import FrConfirmed, FrCreated, FrFact, FrVoidRequested
from waybill_contracts.fulfillment_submitted import FrShipping, FrShippingChanged, Recall
from waybill_contracts.orders_imported import OrderFact
from waybill_contracts.shipment_synced import (
    FrWatched,
    OrderShipped,
    ShipmentConflicted,
    ShipmentFact,
    ShipmentRecorded,
    ShipmentWithdrawn,
)

TOPICS = (topics.FR_CREATED, topics.ORDERS_IMPORTED, topics.CONFIG_CHANGED, topics.SHIPMENT_SYNCED)
_SHIPMENTS = (ShipmentRecorded, ShipmentConflicted, ShipmentWithdrawn)
_FOR_US = (FrCreated, FrConfirmed, FrVoidRequested, OrderFact, Configured, FrWatched, OrderShipped, *_SHIPMENTS)


def decode(record: Record) -> Received | None:
    """The event in a record, None when it is not for us; a ValueError makes it a dead letter."""
    received = decode_event(record.topic, record.key, record.headers, record.value)
    return received if received is not None and isinstance(received.event, _FOR_US) else None


class Inbox:
    """Takes batches in; each event is applied once, whatever is delivered how often."""

    def __init__(self, store: Store, book: SourceBook, health: Health, telemetry: Telemetry) -> None:
        self._store = store
        self._book = book
        self._health = health
        self._telemetry = telemetry

    async def handle(self, conn: Connection, batch: Sequence[Received]) -> None:
        """One transaction, a handful of statements, for up to some hundred events."""
        events = [received.event for received in batch]
        configured = [event for event in events if isinstance(event, Configured)]
        if configured:
            await append(conn, await take_in(conn, self._store.q, self._health, configured))
        await settle(conn, [Receipt(f"fr/{e.fr_id}", e.push_sequence) for e in events if isinstance(e, FrWatched)])
        shipped_orders = [event.order_id for event in events if isinstance(event, OrderShipped)]
        if shipped_orders:
            await self._store.q.rest_shipped(conn, order_ids=shipped_orders)
        orders = [event.order for event in events if isinstance(event, OrderFact | FrCreated)]
        changed = await self._store.newer_orders(conn, orders)
        await self._apply(conn, batch, changed)

    async def _apply(self, conn: Connection, batch: Sequence[Received], changed_orders: Sequence[str]) -> None:
        facts = [received for received in batch if isinstance(received.event, FrFact)]
        shipments = [received.event for received in batch if isinstance(received.event, _SHIPMENTS)]
        first_heard: dict[str, tuple[str, str, str | None]] = {}
        for received in facts:
            if isinstance(received.event, FrFact):
                fact = received.event
                first_heard.setdefault(fact.fr_id, (fact.fr_id, fact.order_id, self._trace(received)))
        await self._store.make_known(conn, list(first_heard.values()))
        concerned = {*first_heard, *(event.shipment.fr_id for event in shipments)}
        concerned.update(await self._store.frs_of_orders(conn, changed_orders))
        frs = await self._store.load(conn, concerned)
        await self._embody(conn, frs, {event.shipment.fr_id for event in shipments} | _seen_before(frs, facts))
        if frs:
            await self._book.refresh(conn)
        for received in facts:
            if isinstance(received.event, FrFact):
                receive(frs[received.event.fr_id], received.event)
        for event in shipments:
            if event.shipment.fr_id in frs and isinstance(event, ShipmentRecorded):
                shipped(frs[event.shipment.fr_id], event.shipment)
        await self._count_shipped(conn, frs, shipments)
        for fr in frs.values():
            queue(fr, self._book.settings)
        await self._store.save(conn, frs.values())

    async def _count_shipped(self, conn: Connection, frs: dict[str, Fr], told: Sequence[ShipmentFact]) -> None:
        """The second axis: the sum over all shipments of an FR, whatever is told how often."""
        for fr_id, units in (await self._store.shipped(conn, told)).items():
            fr = frs.get(fr_id)
            if fr is None or not fr.known:
                continue
            before = fr.shipping
            count(fr, units)
            if fr.shipping is FrShipping.SHIPPED and fr.state in SENT and fr.recall is not Recall.REQUESTED:
                fr.rest()
            if fr.shipping is not before:
                tell(fr, FrShippingChanged)

    def _trace(self, received: Received) -> str | None:
        """What happens to the FR later hangs below its arrival here."""
        if not isinstance(received.event, FrCreated):
            return received.traceparent
        about = {
            tracing.ORDER_ID: received.event.order_id,
            tracing.FR_ID: received.event.fr_id,
            tracing.FR_NUMBER: received.event.fr.number,
            tracing.SOURCE: received.event.fr.source,
        }
        parent = received.traceparent
        with self._telemetry.span("fr.received", parent=parent, kind="consumer", attributes=about) as span:
            return span.traceparent

    async def _embody(self, conn: Connection, frs: dict[str, Fr], wanted: set[str]) -> None:
        """Request and order are read only where a fact embeds them."""
        ids = [fr_id for fr_id in wanted if fr_id in frs]
        for fr_id, full in (await self._store.load(conn, ids, requests=True, orders=True)).items():
            frs[fr_id] = full


def _seen_before(frs: dict[str, Fr], facts: Sequence[Received]) -> set[str]:
    """FRs whose newest fact, with bodies, may have to be told again."""
    return {
        received.event.fr_id
        for received in facts
        if isinstance(received.event, FrFact) and needs_bodies(frs[received.event.fr_id])
    }
