"""Orders that come by every way in, at once, doubled, late, while processes die: the play, and what is true after it.

A shop is edited, pulled page by page and posts webhooks; events, files and orders by hand tell of another channel. What
a dead process did not answer is told again.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dying import Death, Process
from ingest_samples import MAPPED, START, channel, configured, line, order

from order_ingest.app import METRICS
from order_ingest.calls import Calls
from order_ingest.file_orders import Row
from order_ingest.import_file import Chunk, FileImport
from order_ingest.import_inbound import import_inbound
from order_ingest.live_reads import LiveReads, Wanted, want
from order_ingest.place_order import PlacedOrder, PlaceOrder
from order_ingest.poller import Poller
from order_ingest.pull_channel import PullChannel
from waybill_common.alerts import Alerts
from waybill_common.clock import ManualClock
from waybill_common.db import transaction
from waybill_common.logs import make_log
from waybill_common.metrics import Metrics
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.envelope import Received
from waybill_contracts.orders_inbound import OrderSubmitted, SubmittedLine
from waybill_contracts.values import Address, PaymentState
from waybill_platforms.model.orders import ChannelOrder, OrderPage

NUMBERS = ("A-1", "A-2", "A-3", "A-4", "A-5")
COLUMNS = ["number", "sku", "quantity", "country", "updated_at", "placed_at"]
NOW = START + timedelta(days=20)
TABLES = "orders, order_moves, facts, outbox, receipts_due, channels, config_entities, live_reads, placed_orders"
Step = tuple[str, str, int]
"""(way, order, minute); what is told of a minute follows from it, so two tellings of one minute are the same."""


@dataclass
class Shop:
    """A shop with a clock of its own: what is edited is the last on its list, an hour after what was edited before."""

    orders: dict[str, ChannelOrder] = field(default_factory=dict)
    edits: int = 0

    def edit(self, number: str) -> None:
        self.edits += 1
        self.orders[number] = order(number, minute=self.edits * 60, lines=(line(quantity=self.edits),))

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        """Two orders a page; the token is the last one's place, which is also the next page's first: shown twice."""
        changed = sorted((o for o in self.orders.values() if o.updated_at >= since), key=_place)
        left = [one for one in changed if page is None or _place(one) >= page]
        shown = tuple(left[:2] if page is None else left[:3])
        await asyncio.sleep(0)
        return OrderPage(shown, _place(shown[-1]) if len(left) > len(shown) else None)

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        shown = self.orders.get(order_id)
        await asyncio.sleep(0)
        return shown

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        return await self.get_order(number.removeprefix("#"))


def _place(one: ChannelOrder) -> str:
    return f"{one.updated_at:%Y-%m-%dT%H:%M:%S} {one.id}"


@dataclass
class Ways:
    """order-ingest as one process: each way in, on its own view of the database."""

    house: Any
    shop: Shop
    process: Process

    def __post_init__(self) -> None:
        async def open_reader(_: ChannelConfigured) -> Any:
            return self.shop

        h, pool = self.house, self.process
        clock, metrics, log = ManualClock(NOW), Metrics("test", METRICS), make_log("test", "CRITICAL")
        self.files = FileImport(pool, h.rulebook, h.telemetry, clock, metrics)
        self.placing = PlaceOrder(pool, h.rulebook, h.telemetry, clock)
        calls = Calls(pool, h.health, Alerts(None), clock, h.telemetry, h.rulebook, open_reader)
        self.reads = LiveReads(calls)
        self.poller = lambda: Poller(calls, PullChannel(calls, log, metrics, ()), log)

    async def edit(self, number: str, _: int) -> None:
        """Somebody edits it at the shop, or orders it."""
        self.shop.edit(number)

    async def pull(self, *_: object) -> None:
        """By a replica of its own. Time passes: whoever still held the channel has lost it."""
        await self.house.pool.execute("update channels set due_at = now(), lease_until = null where polled")
        poller = self.poller()
        while await poller.turn() or poller.busy:
            pass

    async def webhook(self, number: str, _: int) -> None:
        """It only says where to look; the shop shows what it has by then."""
        if number not in self.shop.orders:
            self.shop.edit(number)
        async with transaction(self.process) as conn:
            await want(conn, [Wanted("shop", number, number, "webhook", None)])
        await self.read_live()

    async def read_live(self) -> None:
        await self.house.pool.execute("update live_reads set due_at = now(), lease_until = null")
        await self.reads.turn()

    async def event(self, number: str, minute: int) -> None:
        async with transaction(self.process) as conn:
            await import_inbound(conn, [_received(number, minute)], self.house.rulebook, self.house.telemetry, START)

    async def file(self, number: str, minute: int) -> None:
        at = (START + timedelta(minutes=minute)).isoformat()
        cells = [number, "S1", str(minute + 1), "DE", at, START.isoformat()]
        await self.files.take(Chunk("web", {}, COLUMNS, [Row(2, cells)]))

    async def api(self, number: str, minute: int) -> None:
        placed = PlacedOrder.model_validate(
            {
                "channel": "web", "number": number, "currency": "EUR", "placed_at": START, "ship_to": {"country": "DE"},
                "updated_at": START + timedelta(minutes=minute), "lines": [{"sku": "S1", "quantity": minute + 1}],
            }
        )  # fmt: skip
        await self.placing.place(placed, f"{number}/{minute}")


def _received(number: str, minute: int) -> Received:
    event = OrderSubmitted(
        at=START + timedelta(hours=1), channel="web", number=number, placed_at=START, currency="EUR",
        payment=PaymentState.PAID, ship_to=Address(country="DE"), updated_at=START + timedelta(minutes=minute),
        lines=(SubmittedLine(sku="S1", quantity=minute + 1),),
    )  # fmt: skip
    return Received(event, f"{number}/{minute}", "erp", None)


AT_THE_SHOP, TOLD = ("edit", "pull", "webhook"), ("event", "file", "api")
WAYS = (*AT_THE_SHOP, *TOLD)


async def play(house: Any, taken: Sequence[Step], dies: Sequence[int | None], seed: int) -> None:
    """Three steps at once by one process after the other; each dies at the statement that `dies` says, if at one."""
    await house.pool.execute(f"truncate {TABLES}")
    await house.configure(configured(), configured(channel("web", "events", **MAPPED)))
    shop, lives, told = Shop(), list(dies), [step for step in taken if step[0] in TOLD]
    work = [*taken, *random.Random(seed).sample(told, len(told) // 2)]
    while work:
        group, work = work[:3], work[3:]
        ways = Ways(house, shop, Process(house.pool, lives.pop() if lives else None))
        ended = await asyncio.gather(*(getattr(ways, way)(*about) for way, *about in group), return_exceptions=True)
        for one, end in zip(group, ended, strict=True):
            if isinstance(end, Death):
                work.append(one)  # whoever told it heard no answer
            elif isinstance(end, BaseException):
                raise end
    last = Ways(house, shop, Process(house.pool))
    await last.pull()
    while await house.pool.fetchval("select count(*) from live_reads"):
        await last.read_live()
    await _newest_and_once(house, shop, told)


async def _newest_and_once(house: Any, shop: Shop, told: list[Step]) -> None:
    rows = await house.pool.fetch("select * from orders")
    found = {(r["channel"], r["number"].lstrip("#")): r["body"]["lines"][0]["quantity"] for r in rows}
    expected = {("web", number): max(m for _, n, m in told if n == number) + 1 for _, number, _ in told}
    expected |= {("shop", number): one.lines[0].quantity for number, one in shop.orders.items()}
    assert found == expected
    facts = await house.told()
    assert {fact.order.order_id for fact in facts} == {str(row["order_id"]) for row in rows}, "told of, and not here"
    for row in rows:
        mine = [fact for fact in facts if fact.order.order_id == str(row["order_id"])]
        assert [fact.sequence for fact in mine] == list(range(1, row["sequence"] + 1))
        assert [type(fact).__name__ for fact in mine].count("OrderImported") == 1
        assert sorted(fact.order.version for fact in mine) == [fact.order.version for fact in mine]
        assert mine[-1].order.lines[0].quantity == row["body"]["lines"][0]["quantity"]
