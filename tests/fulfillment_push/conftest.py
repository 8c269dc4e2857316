"""The stage on a real database, with a source whose faults are scripted, and events as the other services send them."""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import random
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from tests.router.conftest import World

from fulfillment_push import by_hand
from fulfillment_push.answers_worker import AnswersWorker
from fulfillment_push.consumer import Inbox
from fulfillment_push.deadlines import Deadlines
from fulfillment_push.fr import Fr
from fulfillment_push.notices import EventNotices
from fulfillment_push.routes import Desk
from fulfillment_push.send_run import SendRun
from fulfillment_push.settle import Settler
from fulfillment_push.sources import KnownSource, SourceBook
from fulfillment_push.store import Store
from waybill_common.alerts import Alerts
from waybill_common.breaker import Health
from waybill_common.db import Pool, open_pool, rows, transaction
from waybill_common.logs import make_log
from waybill_common.metrics import Metrics
from waybill_common.migrations import migrate
from waybill_common.retry import Family, Schedule
from waybill_common.telemetry import Telemetry
from waybill_common.workers import Worker
from waybill_contracts.config_changed import SourceConfigured
from waybill_contracts.configuration import Source
from waybill_contracts.envelope import Received
from waybill_contracts.event import Event
from waybill_contracts.fr_created import FrConfirmed, FrCreated, FrVoidRequested
from waybill_contracts.fulfillment_submitted import Reason
from waybill_contracts.orders_imported import OrderChanged, OrderFact, OrderHeld, OrderReleased
from waybill_contracts.shipment_synced import ShipmentFact, ShipmentRecorded, ShipmentWithdrawn
from waybill_contracts.values import (
    Address,
    Component,
    Cost,
    FulfillmentRequest,
    FulfillmentStatus,
    Order,
    OrderLine,
    OrderState,
    PaymentState,
    RequestLine,
    Shipment,
    ShipmentLine,
    SyncStatus,
)
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.features import Features
from waybill_platforms.model.requests import CancelAnswer, SourceRequest, Submitted
from waybill_platforms.ports import SourceConnection

_CHILD = "push_child"
if _CHILD not in sys.modules:  # by name, so that a process forked for it finds it too
    sys.path.append(str(Path(__file__).parent))
    importlib.import_module(_CHILD)

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Fault = Callable[["ScriptedSource", SourceRequest], Any]


def source_of(source_id: str = "east", **given: Any) -> Source:
    settings: dict[str, Any] = {
        "id": source_id,
        "platform": "http",
        "url": "http://source.example",
        "send_every": "0s",
        "costs": {"currency": "USD", "shipping": [{"zone": ["*"], "base": "4.00"}]},
    }
    return Source.model_validate(settings | given)


def order_of(order_id: str = "o1", *, version: int = 1, sequence: int = 1, **given: Any) -> Order:
    line = OrderLine(line_id="l1", channel_sku="S", quantity=2, components=(Component(sku="SKU-1", quantity=1),))
    values: dict[str, Any] = {
        "order_id": order_id, "store": "acme", "channel": "shop", "channel_order_id": f"c-{order_id}",
        "number": f"#{order_id}", "version": version, "sequence": sequence, "state": OrderState.IMPORTED,
        "placed_at": AT, "currency": "USD", "payment": PaymentState.PAID,
        "addresses": (Address(name="Zoë", country="US"),), "shipping_method": "ground", "lines": (line,),
    }  # fmt: skip
    return Order(**values | given)


def fr_of(fr_id: str = "f1", order_id: str = "o1", **given: Any) -> FulfillmentRequest:
    line = RequestLine(line_id="l1", sku="SKU-1", source_sku="E-1", quantity=2, title="Lamp")
    values: dict[str, Any] = {
        "fr_id": fr_id, "order_id": order_id, "number": f"E-{fr_id}", "source": "east", "channel": "shop",
        "store": "acme", "order_number": f"#{order_id}", "order_version": 1, "lines": (line,),
        "ship_to": Address(name="Zoë", country="US"), "shipping_method": "ground",
        "cost": Cost(currency="USD", items=Decimal(2), fee=Decimal(0), shipping=Decimal(4)), "decision_id": "d1",
    }  # fmt: skip
    return FulfillmentRequest(**values | given)


def created(fr: FulfillmentRequest | None = None, order: Order | None = None, *, sequence: int = 1) -> FrCreated:
    fr = fr or fr_of()
    order = order or order_of(fr.order_id)
    return FrCreated(
        at=AT, sequence=sequence, fr_id=fr.fr_id, order_id=fr.order_id, order_version=order.version, fr=fr, order=order
    )


def confirmed(fr_id: str = "f1", order_id: str = "o1", *, version: int, sequence: int = 2) -> FrConfirmed:
    return FrConfirmed(at=AT, sequence=sequence, fr_id=fr_id, order_id=order_id, order_version=version)


def void_requested(fr_id: str = "f1", order_id: str = "o1", *, sequence: int = 2) -> FrVoidRequested:
    return FrVoidRequested(
        at=AT, sequence=sequence, fr_id=fr_id, order_id=order_id, order_version=1, reason="order canceled"
    )


def shipment(
    shipment_id: str, units: int, *, fr_id: str = "f1", order_id: str = "o1", sequence: int = 1, withdrawn: bool = False
) -> ShipmentFact:
    """The poller's word about units of the FR that `fr_of` makes."""
    told = Shipment(
        shipment_id=shipment_id, order_id=order_id, fr_id=fr_id, source="east", source_shipment_id=shipment_id,
        lines=(ShipmentLine(line_id="l1", sku="SKU-1", quantity=units),), carrier="ups", shipped_at=AT,
    )  # fmt: skip
    axes: dict[str, Any] = {"fulfillment": FulfillmentStatus.PARTIAL, "sync": SyncStatus.PENDING}
    if withdrawn:
        why = Reason(code="withdrawn", message="the source took it back")
        return ShipmentWithdrawn(at=AT, sequence=sequence, shipment=told, reason=why, **axes)
    return ShipmentRecorded(at=AT, sequence=sequence, shipment=told, **axes)


def order_fact(kind: type[OrderFact], order: Order) -> OrderFact:
    extras: dict[type[OrderFact], dict[str, Any]] = {
        OrderChanged: {"changed": ("lines",)}, OrderHeld: {"added": ()}, OrderReleased: {"removed": ()},
    }  # fmt: skip
    extra = extras.get(kind, {"reason": "buyer"})
    return kind(at=AT, sequence=order.sequence, order=order, **extra)


@dataclass
class ScriptedSource:
    """A source in this process: idempotent on the reference, with a ledger, and faults taken from a script."""

    features: Features = field(
        default_factory=lambda: Features(
            acknowledges=True, cancels=True, dedupes_by_reference=True, find="consistent", call_timeout=1.0
        )
    )
    script: list[Fault] = field(default_factory=list)
    finds: list[Callable[[ScriptedSource, str], Any]] = field(default_factory=list)
    cancels: list[Any] = field(default_factory=list)
    acknowledge: bool = True
    requests: dict[str, Submitted] = field(default_factory=dict)
    ledger: Counter[str] = field(default_factory=Counter)  # submits that reached the source, by reference
    made: Counter[str] = field(default_factory=Counter)  # requests made there, by reference
    asked: Counter[str] = field(default_factory=Counter)
    side_by_side: int = 0
    most_side_by_side: int = 0
    delay: float = 0.0

    async def submit(self, request: SourceRequest) -> Submitted:
        self.side_by_side += 1
        self.most_side_by_side = max(self.most_side_by_side, self.side_by_side)
        try:
            await asyncio.sleep(self.delay)
            if self.script:
                answer = self.script.pop(0)(self, request)
                if asyncio.iscoroutine(answer):
                    answer = await answer
                if isinstance(answer, Submitted):
                    return answer
            return self.accept(request)
        finally:
            self.side_by_side -= 1

    def accept(self, request: SourceRequest) -> Submitted:
        self.ledger[request.reference] += 1
        if request.reference not in self.requests:
            self.made[request.reference] += 1
            lines = tuple((line.line_ref, line.sku, line.quantity) for line in request.lines)
            self.requests[request.reference] = Submitted(
                f"req-{request.reference}", request.reference, self.acknowledge, lines
            )
        return self.requests[request.reference]

    async def find(self, reference: str) -> Submitted | None:
        self.asked[reference] += 1
        if self.finds:
            return self.finds.pop(0)(self, reference)  # type: ignore[no-any-return]
        return self.requests.get(reference)

    async def cancel(self, platform_id: str, reference: str) -> CancelAnswer:
        answer = self.cancels.pop(0) if self.cancels else CancelAnswer("accepted")
        if isinstance(answer, Exception):
            raise answer
        if answer.result == "accepted":
            self.requests[reference] = replace(self.requests[reference], canceled=True)
        assert isinstance(answer, CancelAnswer)
        return answer

    async def aclose(self) -> None:
        pass


@dataclass
class PlacingSource(ScriptedSource):
    """A source without references, that places what was prepared: a handle is placed once, and found by itself."""

    prepared: dict[str, SourceRequest] = field(default_factory=dict)
    placed: dict[str, Submitted] = field(default_factory=dict)
    preparing: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.features = replace(self.features, prepares=True, dedupes_by_reference=False)

    async def prepare(self, request: SourceRequest) -> str:
        if self.preparing:
            answer = self.preparing.pop(0)
            if asyncio.iscoroutinefunction(answer):
                await answer()
            else:
                raise answer
        handle = f"cart-{len(self.prepared) + 1}"
        self.prepared[handle] = request
        return handle

    async def place(self, request: SourceRequest, handle: str) -> Submitted:
        if handle in self.placed:
            raise PlatformError(
                "cart gone", family=Family.LATER, cause="refused", outcome="unknown", action="submit_request"
            )
        if self.script:
            self.script.pop(0)(self, request)
        return self.accept(self.prepared[handle], handle)

    def accept(self, request: SourceRequest, handle: str | None = None) -> Submitted:
        handle = handle or next(one for one, asked in self.prepared.items() if asked == request)
        self.made[request.reference] += 1
        lines = tuple(("", line.sku, line.quantity) for line in request.lines)
        self.placed[handle] = Submitted(f"order-{handle}", request.reference, self.acknowledge, lines)
        return self.placed[handle]

    async def find_placed(self, request: SourceRequest, handle: str) -> Submitted | None:
        self.asked[request.reference] += 1
        return self.placed.get(handle)


def failing(family: Family = Family.LATER, *, outcome: Any = "none", cause: Any = "server", **more: Any) -> Fault:
    """The call fails and had no effect (or nobody knows)."""

    def fault(_source: ScriptedSource, _request: SourceRequest) -> Any:
        raise PlatformError("scripted", family=family, cause=cause, outcome=outcome, action="submit_request", **more)

    return fault


def error(family: Family = Family.LATER) -> PlatformError:
    return PlatformError("scripted", family=family, cause="server", outcome="none", action="cancel_request")


def submitted(reference: str, platform_id: str = "r1") -> Submitted:
    """What the source would say of the request that `fr_of` makes."""
    return Submitted(platform_id, reference, True, (("l1", "E-1", 2),))


def lost_answer(source: ScriptedSource, request: SourceRequest) -> Any:
    """The source did the work; nobody heard of it."""
    source.accept(request)
    raise PlatformError(
        "connection closed", family=Family.LATER, cause="connection", outcome="unknown", action="submit_request"
    )


@dataclass
class Stage:
    """The service's parts without broker and loops: a test turns them by hand."""

    pool: Pool
    store: Store
    book: SourceBook
    health: Health
    inbox: Inbox
    sources: dict[str, ScriptedSource]
    hold: timedelta = timedelta(seconds=60)
    schedule: Schedule = field(default_factory=lambda: Schedule(step=0.01, jitter=0.0))
    positions: int = 0

    async def open(self, known: KnownSource) -> SourceConnection:
        scripted = self.sources[known.source.id]
        placer = scripted if isinstance(scripted, PlacingSource) else None
        return SourceConnection(known.source.id, scripted, None, scripted.features, scripted.aclose, placer=placer)  # type: ignore[arg-type]

    def worker(self, *, hold: timedelta | None = None) -> tuple[SendRun, AnswersWorker]:
        """A replica of the send run."""
        alerts = Alerts(EventNotices())
        run = SendRun(
            self.pool, self.store, self.book, self, self.health, alerts, Telemetry("push"), hold=hold or self.hold
        )
        return run, AnswersWorker(self.pool, run, Settler(self.store, self.health, alerts, self.schedule))

    @asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        """The send run as it runs in the service."""
        run, answers = self.worker()
        sending, storing = Worker("send-run", run.turn), Worker("answers", answers.turn)
        run.on_answer, answers.on_room = storing.wake, sending.wake
        stop, log, metrics = asyncio.Event(), make_log("push", "ERROR"), Metrics("push")
        tasks = [asyncio.create_task(worker.run(stop, log, metrics)) for worker in (sending, storing)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)
            await answers.drain(5.0)

    async def deliver(self, *events: Event) -> None:
        batch = [Received(event, f"id-{index}", "router", TRACE) for index, event in enumerate(events)]
        async with transaction(self.pool) as conn:
            await self.inbox.handle(conn, batch)

    async def configure(self, *sources: Source, version: int = 1, credential_version: int = 1) -> None:
        for source in sources:
            self.sources.setdefault(source.id, ScriptedSource())
        await self.deliver(
            *(
                SourceConfigured(at=AT, sequence=version, source=source, credential_version=credential_version)
                for source in sources
            )
        )

    async def send(self, *, turns: int = 100, rest: float = 0.0) -> None:
        """Turns the send run until nothing is due and nothing is in hand."""
        run, answers = self.worker()
        for _ in range(turns):
            took = await run.turn()
            while run.in_hand:
                if not await answers.turn():
                    await asyncio.sleep(0.002)
            if not took:
                if not rest:
                    return
                await asyncio.sleep(rest)

    async def act(self, fr_ids: list[str], action: Any) -> list[dict[str, Any]]:
        """What a person does, as the internal HTTP has it done."""
        return await Desk(self.pool, self.store, self.book, Alerts(EventNotices()), lambda: None).act(fr_ids, action)

    async def watch_deadlines(self) -> int:
        """One turn of the worker that says what rests or waits too long."""
        return await Deadlines(self.pool, self.store, self.book, Alerts(EventNotices())).turn()

    async def make_due(self) -> None:
        """Time passes for everything that has a due time."""
        await self.pool.execute("update frs set due_at = clock_timestamp() where due_at is not null")

    async def pass_time(self, seconds: float) -> None:
        """All stored moments move into the past: leases, due times, first read-backs, probes of what is down."""
        await self.pool.execute(
            "update connection_health set probe_at = probe_at - $1::interval", timedelta(seconds=seconds)
        )
        await self.pool.execute(
            "update frs set due_at = due_at - $1::interval, lease_until = lease_until - $1::interval, "
            "lease_ended = lease_ended - $1::interval, first_missing = first_missing - $1::interval, "
            "sent_at = sent_at - $1::interval, recalled_at = recalled_at - $1::interval",
            timedelta(seconds=seconds),
        )

    async def fr(self, fr_id: str = "f1") -> Any:
        return await self.pool.fetchrow("select * from frs where fr_id = $1", fr_id)

    async def history(self, fr_id: str = "f1") -> list[str]:
        found = await rows(self.store.q.history_of(self.pool, fr_id=fr_id))
        return [row["to_state"] for row in found]

    async def told(self, fr_id: str | None = None) -> list[tuple[str, dict[str, Any]]]:
        """Events of ours since the last look, as (short type, payload)."""
        found = await self.pool.fetch(
            "select position, headers, value from facts where position > $1 order by position", self.positions
        )
        self.positions = max([self.positions, *(row["position"] for row in found)])
        told = [
            (row["headers"]["ce_type"].removeprefix("waybill.").removesuffix(".v1"), orjson.loads(row["value"]))
            for row in found
        ]
        return [item for item in told if fr_id is None or item[1].get("fr_id") == fr_id]


@pytest_asyncio.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    """The stage with one source, `east`, that sends as rows come due."""
    await migrate(database_url, "fulfillment_push", ["fulfillment_push"])
    pool = await open_pool(database_url, "fulfillment_push", size=6, name="test")
    store = Store()
    book, health = SourceBook(store.q), Health()
    made = Stage(pool, store, book, health, Inbox(store, book, health, Telemetry("push")), defaultdict(ScriptedSource))
    await made.configure(source_of())
    await made.told()
    yield made
    await pool.close()


@pytest_asyncio.fixture
async def router(database_url: str) -> AsyncIterator[World]:
    """A router on the same PostgreSQL, for plays of both."""
    await migrate(database_url, "router", ["router"])
    pool = await open_pool(database_url, "router", size=4, name="router")
    yield World(pool)
    pool.terminate()


@pytest.fixture(scope="session")
def push_processes() -> Any:
    """`with push_processes(orders) as process:` the whole service in a process of its own, killed at the end.

    Forked from a server that has imported it once: a process to the system, and quick to start.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fulfillment_push.app", "waybill_platforms.http_source.client", "uvloop"])

    @contextmanager
    def running(orders: Any) -> Iterator[Any]:
        process = context.Process(target=sys.modules[_CHILD].serve, args=(orders,))
        process.start()
        try:
            yield process
        finally:
            if process.is_alive():
                process.kill()
            process.join(10)

    return running


@pytest.fixture
def push_child() -> Any:
    return sys.modules[_CHILD]


@pytest.fixture
def dice() -> random.Random:
    return random.Random(20261122)


@pytest.fixture
def kit() -> Any:
    """The makers of events and faults, for test modules (there is no package to import them from)."""
    return _Kit


def resend(stage: Stage) -> Callable[[Fr], None]:
    """What a person does after the cause was mended."""
    return lambda fr: by_hand.resend(fr, stage.book.settings, who="kim", why="mended")


class _Kit:
    resend = staticmethod(resend)
    received = staticmethod(lambda event: Received(event, "id", "router", TRACE))
    source_of = staticmethod(source_of)
    order_of = staticmethod(order_of)
    fr_of = staticmethod(fr_of)
    created = staticmethod(created)
    confirmed = staticmethod(confirmed)
    void_requested = staticmethod(void_requested)
    shipment = staticmethod(shipment)
    order_fact = staticmethod(order_fact)
    failing = staticmethod(failing)
    error = staticmethod(error)
    submitted = staticmethod(submitted)
    lost_answer = staticmethod(lost_answer)
    ScriptedSource = ScriptedSource
    PlacingSource = PlacingSource


Events = Sequence[Event]
