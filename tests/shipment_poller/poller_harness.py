"""The stage on a real database, with a shop and a source whose faults are scripted.

The shop keeps rules of its own (never more than is open, canceled pieces are open again); its ledger is what the tests
compare with what the source said.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import random
from typing import Any

import orjson

from shipment_poller import facts
from shipment_poller.configuration import Configurations
from shipment_poller.consumer import subscription
from shipment_poller.poll_source import PollWorker
from shipment_poller.push_worker import PushWorker
from shipment_poller.resync import Resyncs
from shipment_poller.review_orders import Tools
from waybill_common.alerts import Alerts
from waybill_common.breaker import Health
from waybill_common.clock import SystemClock
from waybill_common.db import Pool, queries, transaction
from waybill_common.logs import make_log
from waybill_common.retry import Family
from waybill_common.telemetry import Telemetry
from waybill_common.testing import DatabaseClock
from waybill_contracts.config_changed import ChannelConfigured, SourceConfigured
from waybill_contracts.configuration import Channel, Source
from waybill_contracts.envelope import Received, decode
from waybill_contracts.event import Event
from waybill_contracts.fulfillment_submitted import FrState, FrSubmitted, Outcome
from waybill_contracts.values import (
    Address,
    Component,
    Cost,
    FulfillmentRequest,
    Order,
    OrderLine,
    OrderState,
    PaymentState,
    RequestLine,
)
from waybill_platforms.errors import NotFulfillable, PlatformError
from waybill_platforms.model.features import Features
from waybill_platforms.model.fulfillments import ChannelFulfillments, CreateCall, FulfillmentDraft, FulfillmentRecord
from waybill_platforms.model.requests import OpenRequest
from waybill_platforms.model.shipments import ShipmentPage, SourceShipment, SourceShipmentLine
from waybill_platforms.ports import ChannelConnection, SourceConnection

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Fault = Callable[[], PlatformError | None]


def later(outcome: str = "none", *, retry_after: float | None = None, cause: str = "server") -> PlatformError:
    return PlatformError(
        "HTTP 503", family=Family.LATER, cause=cause, outcome=outcome, action="call", status=503,
        retry_after=retry_after,
    )  # fmt: skip


def refused(code: str = "bad_line") -> PlatformError:
    return PlatformError(
        "HTTP 422: no", family=Family.REFUSED, cause="refused", outcome="none", action="call", status=422, code=code
    )


def unauthorized() -> PlatformError:
    return PlatformError(
        "HTTP 401", family=Family.UNAUTHORIZED, cause="unauthorized", outcome="none", action="call", status=401
    )


class Died(BaseException):
    """The process is killed here."""


@dataclass
class Shop:
    """A channel. `wanted`: order -> line -> pieces; `where`: line -> location."""

    wanted: dict[str, dict[str, int]] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    made: dict[str, list[FulfillmentRecord]] = field(default_factory=dict)
    faults: list[tuple[str, Any]] = field(default_factory=list)
    """(operation, error | "lost" | "late" | "died before" | "died after"), used up in order."""
    calls: Counter[str] = field(default_factory=Counter)
    notified: list[str] = field(default_factory=list)
    features: Features = field(
        default_factory=lambda: Features(
            updates_tracking=True, cancels_fulfillments=True, several_numbers=True, call_timeout=0.05
        )
    )
    rewrites: Callable[[FulfillmentRecord], FulfillmentRecord] = lambda record: record
    canceled: set[str] = field(default_factory=set)
    takes_ship_date: bool = False
    status: Any = "unknown"
    """Of every order, as the shop itself says."""
    accepts: set[str] | None = None
    """Carriers that it takes; none: any."""
    on_made: Callable[[str], None] = lambda order_id: None
    """Called after each fulfillment that a call of ours made."""
    _late: list[CreateCall] = field(default_factory=list)

    def _fault(self, operation: str) -> Any:
        self.calls[operation] += 1
        for place, (name, fault) in enumerate(self.faults):
            if name == operation:
                del self.faults[place]
                return fault
        return None

    async def read(self, order_id: str) -> ChannelFulfillments | None:
        fault = self._fault("read")
        await asyncio.sleep(0)
        if isinstance(fault, PlatformError):
            raise fault
        if order_id not in self.wanted:
            return None
        return ChannelFulfillments(
            order_id,
            order_id in self.canceled,
            self.status,
            self.remaining(order_id),
            tuple(self.rewrites(record) for record in self.made.get(order_id, ()) if self._is_shown(record)),
            takes_ship_date=self.takes_ship_date,
        )

    def _is_shown(self, record: FulfillmentRecord) -> bool:
        return record.status != "canceled" or not self.features.forgets_canceled

    def remaining(self, order_id: str) -> dict[str, int]:
        if order_id in self.canceled:
            return dict.fromkeys(self.wanted[order_id], 0)
        left = Counter(self.wanted[order_id])
        left.subtract(self.shown(order_id))
        return dict(left)

    def shown(self, order_id: str) -> dict[str, int]:
        """Line -> pieces that stand fulfilled."""
        total: Counter[str] = Counter()
        for record in self.made.get(order_id, ()):
            if record.status == "success":
                total.update(dict(record.lines))
        return {line: count for line, count in total.items() if count}

    def standing(self, order_id: str) -> list[FulfillmentRecord]:
        return [record for record in self.made.get(order_id, ()) if record.status == "success"]

    def calls_for(self, state: ChannelFulfillments, draft: FulfillmentDraft) -> list[CreateCall]:
        groups: dict[str, list[tuple[str, int]]] = {}
        for line, count in draft.lines:
            if state.remaining.get(line, 0) < count:
                raise NotFulfillable(line, count, state.remaining.get(line, 0))
            groups.setdefault(self.where.get(line, "main"), []).append((line, count))
        return [
            CreateCall(
                draft.order_id, group, tuple(lines), draft.carrier, draft.tracking_numbers, draft.tracking_url,
                {"notify": draft.notify, "shipped_at": draft.shipped_at, "service": draft.service},
            )
            for group, lines in sorted(groups.items())
        ]  # fmt: skip

    async def create(self, call: CreateCall) -> FulfillmentRecord:
        fault = self._fault("create")
        await asyncio.sleep(0)
        if isinstance(fault, PlatformError):
            raise fault
        if fault == "died before":
            raise Died
        if fault == "late":
            self._late.append(call)
            raise later("unknown", cause="connection")
        record = self._make(call)
        if fault == "lost":
            raise later("unknown", cause="connection")
        if fault == "died after":
            raise Died
        return record

    def land(self) -> None:
        """What the shop did only after the client had given up."""
        for call in self._late:
            self._make(call)
        self._late.clear()

    def _make(self, call: CreateCall) -> FulfillmentRecord:
        left = self.remaining(call.order_id)
        for line, count in call.lines:
            if left[line] < count:
                raise refused("quantity")
            if self.where.get(line, "main") != call.group:
                raise refused("moved")
        if self.accepts is not None and call.carrier not in self.accepts:
            raise refused("COURIER_REFUSED")
        record = self.by_hand(call.order_id, dict(call.lines), call.carrier, call.tracking_numbers, call.tracking_url)
        record = self._replace(record.id, shipped_at=call.body["shipped_at"], service=call.body["service"])
        if call.body["notify"]:
            self.notified.append(record.id)
        self.on_made(call.order_id)
        return record

    def by_hand(
        self,
        order_id: str,
        lines: dict[str, int],
        carrier: str = "UPS",
        numbers: tuple[str, ...] = (),
        url: str | None = None,
    ) -> FulfillmentRecord:
        records = self.made.setdefault(order_id, [])
        number = sum(len(made) for made in self.made.values()) + 1
        record = FulfillmentRecord(
            f"ful-{number}", "success", tuple(sorted(lines.items())), carrier, numbers, (url,) if url else (), AT
        )
        records.append(record)
        return record

    async def update_tracking(
        self,
        fulfillment_id: str,
        *,
        carrier: str,
        tracking_numbers: tuple[str, ...],
        tracking_url: str | None,
        shipped_at: datetime | None = None,
        service: str = "",
        notify: bool = False,
    ) -> FulfillmentRecord:
        fault = self._fault("update")
        if isinstance(fault, PlatformError):
            raise fault
        urls = (tracking_url,) if tracking_url else ()
        day = {"shipped_at": shipped_at} if self.takes_ship_date else {}
        return self._replace(
            fulfillment_id,
            carrier=carrier,
            tracking_numbers=tracking_numbers,
            tracking_urls=urls,
            service=service,
            **day,
        )

    async def cancel(self, fulfillment_id: str) -> None:
        fault = self._fault("cancel")
        if isinstance(fault, PlatformError) and fault.outcome == "none":
            raise fault
        self._replace(fulfillment_id, status="canceled")
        if isinstance(fault, PlatformError):
            raise fault
        if fault == "died after":
            raise Died

    def _replace(self, fulfillment_id: str, **changes: Any) -> FulfillmentRecord:
        for records in self.made.values():
            for place, record in enumerate(records):
                if record.id == fulfillment_id:
                    records[place] = replace(record, **changes)
                    return records[place]
        raise refused("unknown_fulfillment")


@dataclass
class Supplier:
    """A source that lists what it shipped."""

    shipments: dict[str, SourceShipment] = field(default_factory=dict)
    faults: list[Any] = field(default_factory=list)
    asked: list[tuple[datetime | None, tuple[str, ...]]] = field(default_factory=list)
    features: Features = field(default_factory=lambda: Features(lists_changed_shipments=True, call_timeout=0.05))
    page_size: int = 100
    clock: int = 0
    unreadable: dict[str, datetime] = field(default_factory=dict)
    """Shipments that the client cannot read, with the time of their change."""
    forgets: bool = False
    """Shows nothing of what was deleted, and says of which requests it shows everything."""

    def ship(
        self,
        shipment_id: str,
        reference: str,
        lines: dict[str, int],
        numbers: Sequence[str] = ("1Z1",),
        **given: Any,
    ) -> SourceShipment:
        """Ships, or changes what was said under the same id."""
        self.clock += 1
        values: dict[str, Any] = {
            "id": shipment_id,
            "reference": reference,
            "platform_id": None,
            "status": "shipped",
            "lines": tuple(SourceShipmentLine(ref, "E", count) for ref, count in lines.items()),
            "carrier": "UPS Ground",
            "tracking_numbers": tuple(numbers),
            "tracking_url": "https://track.example/1",
            "shipped_at": AT,
            "updated_at": AT + timedelta(seconds=self.clock),
        }
        self.shipments[shipment_id] = SourceShipment(**values | given)
        return self.shipments[shipment_id]

    def take_back(self, shipment_id: str) -> None:
        self.clock += 1
        self.shipments[shipment_id] = replace(
            self.shipments[shipment_id], status="canceled", updated_at=AT + timedelta(seconds=self.clock)
        )

    async def list_shipments(
        self, since: datetime | None, open_requests: Sequence[OpenRequest] = (), page: str | None = None
    ) -> ShipmentPage:
        self.asked.append((since, tuple(one.reference for one in open_requests)))
        await asyncio.sleep(0)
        if self.faults:
            fault = self.faults.pop(0)
            if fault is not None:
                raise fault
        found = sorted(
            (one for one in self.shipments.values() if since is None or one.updated_at >= since),
            key=lambda one: (one.updated_at, one.id),
        )
        start = int(page or 0)
        end = start + self.page_size
        problems = tuple(f"shipment {one}" for one, at in self.unreadable.items() if since is None or at >= since)
        whole = tuple(one.reference for one in open_requests) if self.forgets else ()
        return ShipmentPage(tuple(found[start:end]), str(end) if end < len(found) else None, problems, whole)


async def _nothing() -> None: ...


@dataclass(repr=False)
class Stage:
    """The service's parts over a database, driven step by step."""

    pool: Pool
    shop: Shop
    supplier: Supplier
    tools: Tools
    push: PushWorker
    poll: PollWorker
    inbox: Any
    channels: Any
    sent: dict[str, int] = field(default_factory=lambda: {"position": 0})
    clock: Any = None
    """The database's clock, where the test sets it."""
    chance: float | None = None
    """What chance gives for the jitter of the next wait; none: a random number."""

    @classmethod
    def over(cls, pool: Pool, clock: DatabaseClock | None = None) -> Stage:
        """Also what a restart looks like: nothing in memory survives."""
        return cls._made(pool, Shop(), Supplier(), clock)

    @classmethod
    def _made(cls, pool: Pool, shop: Shop, supplier: Supplier, clock: DatabaseClock | None = None) -> Stage:
        named, health = queries("shipment_poller"), Health()
        log = make_log("shipment-poller", "ERROR")
        alerts, time = Alerts(facts.Notices()), clock or SystemClock()
        tools = Tools(named, Configurations(named), time, Telemetry("test"), alerts)

        class Fixed:
            def channel(self, channel: Channel, version: int) -> ChannelConnection:
                return ChannelConnection(channel.id, None, shop, shop.features, _nothing)  # type: ignore[arg-type]

            def source(self, source: Source, version: int) -> SourceConnection:
                return SourceConnection(source.id, None, supplier, supplier.features, _nothing)  # type: ignore[arg-type]

        def chance() -> float:
            return random() if made.chance is None else made.chance

        push = PushWorker(pool, tools, Fixed(), health, log, chance)
        poll = PollWorker(pool, tools, Fixed(), health, log, lambda: None)
        inbox = subscription(tools, health, ())
        made = cls(pool, shop, supplier, tools, push, poll, inbox, Fixed(), clock=clock)
        return made

    def restarted(self) -> Stage:
        fresh = Stage._made(self.pool, self.shop, self.supplier, self.clock)
        fresh.sent, fresh.chance = self.sent, self.chance
        return fresh

    async def take(self, *events: Event) -> None:
        """As one batch from Kafka."""
        batch = [Received(event, f"id-{id(event)}", "", TRACE) for event in events]
        async with transaction(self.pool) as conn:
            await self.inbox.handle(conn, batch)

    async def look(self) -> None:
        """The source's turn, now."""
        await self.pool.execute("update source_turns set due_at = now()")
        while await self.poll.crew.turn():
            await self.poll.crew.drain()

    async def tries(self) -> int:
        """What is due at the channels, once."""
        done = 0
        while begun := await self.push.crew.turn():
            done += begun
            await self.push.crew.drain()
        return done

    async def resync(self, ids: list[str] | None = None, *, channel: str | None = None) -> str:
        """Asked for by a person, and all of it begun."""
        resyncs = Resyncs(self.pool, self.tools, lambda: None)
        begun = await resyncs.begin("ann", "test", ids=ids, channel=channel, code=None)
        while await resyncs.turn():
            pass
        return str(begun["resync_id"])

    async def alerts(self) -> dict[str, str]:
        """Open alerts: key -> title."""
        return {row["key"]: row["title"] for row in await self.pool.fetch("select key, title from open_alerts")}

    async def settle(self, rounds: int = 40) -> None:
        """Lets time pass until nothing is due any more: due times and open intents come at once."""
        for _ in range(rounds):
            await self.pool.execute("update connection_health set probe_at = now()")
            await self.pool.execute("update syncs set due_at = now() where due_at is not null")
            await self.pool.execute("update push_turns set due_at = now() where due_at is not null")
            await self.pool.execute("update intents set ended_at = now() - interval '1 hour' where state = 'open'")
            await self.pool.execute(
                "update intents set missing_at = now() - interval '1 hour' "
                "where state = 'open' and missing_at is not null"
            )
            if not await self.tries():
                return
        raise AssertionError("it does not settle")

    async def told(self) -> list[Event]:
        """Events since the last time, as others read them; exchanges and receipts for configuration left out."""
        found = await self.pool.fetch(
            "select position, id, topic, key, headers, value from facts where position > $1 order by position",
            self.sent["position"],
        )
        events = []
        for row in found:
            self.sent["position"] = row["position"]
            received = decode(row["topic"], row["key"].encode(), row["headers"], row["value"])
            assert received is not None
            if row["topic"] == "shipment.synced":
                events.append(received.event)
        return events

    async def names(self) -> list[str]:
        return [type(event).__name__ for event in await self.told()]

    async def column(self, sql: str, *values: Any) -> list[Any]:
        return [row[0] for row in await self.pool.fetch(sql, *values)]


def channel_of(sequence: int = 1, credential_version: int = 1, **given: Any) -> ChannelConfigured:
    settings: dict[str, Any] = {
        "id": "shop", "platform": "shopify", "url": "https://shop.example",
        "couriers": {"map": {"ups": "UPS"}, "unmapped": "hold"},
    }  # fmt: skip
    channel = Channel.model_validate(settings | given)
    return ChannelConfigured(
        at=AT, sequence=sequence, store="acme", channel=channel, starts_at=AT, credential_version=credential_version
    )


def source_of(sequence: int = 1, **given: Any) -> SourceConfigured:
    settings: dict[str, Any] = {
        "id": "east", "platform": "http", "url": "https://east.example",
        "couriers": {"map": {"UPS Ground": "ups"}, "unmapped": "hold"},
        "costs": {"currency": "USD", "shipping": [{"zone": ["*"], "base": "4.00"}]},
    }  # fmt: skip
    return SourceConfigured(at=AT, sequence=sequence, source=Source.model_validate(settings | given))


def line_of(line_id: str, quantity: int, components: dict[str, int] | None = None, **given: Any) -> OrderLine:
    made_of = components or {"SKU-1": 1}
    parts = tuple(Component(sku=sku, quantity=count) for sku, count in made_of.items())
    return OrderLine(line_id=line_id, channel_sku="S", quantity=quantity, components=parts, **given)


def order_of(order_id: str = "o1", lines: Sequence[OrderLine] = (), *, sequence: int = 1, **given: Any) -> Order:
    values: dict[str, Any] = {
        "order_id": order_id, "store": "acme", "channel": "shop", "channel_order_id": f"c-{order_id}",
        "number": f"#{order_id}", "version": 1, "sequence": sequence, "state": OrderState.IMPORTED,
        "placed_at": AT, "currency": "USD", "payment": PaymentState.PAID,
        "addresses": (Address(name="Zoë", country="US"),), "lines": tuple(lines) or (line_of("l1", 2),),
    }  # fmt: skip
    return Order(**values | given)


def fr_of(order: Order, fr_id: str = "", lines: Sequence[RequestLine] = (), **given: Any) -> FulfillmentRequest:
    asked = tuple(lines) or tuple(
        RequestLine(
            line_id=line.line_id, sku=part.sku, source_sku="E", quantity=line.wanted * part.quantity,
            per_piece=part.quantity,
        )
        for line in order.lines if not line.service and line.wanted for part in line.components
    )  # fmt: skip
    values: dict[str, Any] = {
        "fr_id": fr_id or f"f-{order.order_id}", "order_id": order.order_id, "number": f"E-{fr_id or order.order_id}",
        "source": "east", "channel": "shop", "store": "acme", "order_number": order.number,
        "order_version": order.version, "lines": asked, "ship_to": Address(country="US"), "decision_id": "d1",
        "cost": Cost(currency="USD", items=Decimal(1), fee=Decimal(0), shipping=Decimal(4)),
    }  # fmt: skip
    return FulfillmentRequest(**values | given)


def submitted(order: Order, fr: FulfillmentRequest | None = None, *, sequence: int = 2, **given: Any) -> FrSubmitted:
    fr = fr or fr_of(order)
    values: dict[str, Any] = {
        "at": AT, "sequence": sequence, "fr_id": fr.fr_id, "order_id": order.order_id, "source": fr.source,
        "number": fr.number, "state": FrState.PROCESSED, "outcome": Outcome.KNOWN, "order_version": 1,
        "router_sequence": 1, "platform_id": f"p-{fr.fr_id}", "fr": fr, "order": order,
    }  # fmt: skip
    return FrSubmitted(**values | given)


def dumped(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))
