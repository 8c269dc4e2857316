"""IN-3 to IN-6, IN-16: whatever way versions of an order come, in any order, doubled, at once and with crashes between
statements, the newest one is what is here in the end, imported once."""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_samples import MAPPED, START, channel, configured, line, order, sighting

from order_ingest.app import METRICS
from order_ingest.calls import Calls
from order_ingest.file_orders import Row
from order_ingest.import_file import Chunk, FileImport
from order_ingest.import_inbound import import_inbound
from order_ingest.import_orders import Batch, import_orders
from order_ingest.live_reads import LiveReads, Wanted, want
from order_ingest.place_order import PlacedOrder, PlaceOrder
from waybill_common.alerts import Alerts
from waybill_common.clock import ManualClock
from waybill_common.db import transaction
from waybill_common.metrics import Metrics
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.envelope import Received
from waybill_contracts.orders_inbound import OrderSubmitted, SubmittedLine
from waybill_contracts.values import Address, PaymentState

NUMBERS = ("A-1", "A-2", "A-3")
COLUMNS = ["number", "sku", "quantity", "country", "updated_at", "placed_at"]
Version = tuple[str, int]
"""(order, minute): its content follows from these, so versions of one minute are the same."""


class Crash(Exception):
    """The process dies between two statements."""


class Dying:
    """A connection that dies at its n-th statement."""

    def __init__(self, conn: asyncpg.Connection, statements: int) -> None:
        self._conn, self._left = conn, statements

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._conn, name)
        if name not in ("execute", "executemany", "fetch", "fetchrow", "fetchval"):
            return found

        async def counted(*given: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise Crash
            return await found(*given, **named)

        return counted


def quantity(minute: int) -> int:
    return minute + 1


@dataclass
class Ways:
    """Each way in, as its own transaction."""

    house: Any
    shelf: Any

    def __post_init__(self) -> None:
        async def open_reader(_: ChannelConfigured) -> Any:
            return self.shelf

        h, self.clock = self.house, ManualClock(START + timedelta(days=1))
        self.files = FileImport(h.pool, h.rulebook, h.telemetry, self.clock, Metrics("test", METRICS))
        self.placing = PlaceOrder(h.pool, h.rulebook, h.telemetry, self.clock)
        calls = Calls(h.pool, h.health, Alerts(None), self.clock, h.telemetry, h.rulebook, open_reader)
        self.reads = LiveReads(calls)

    async def event(self, number: str, minute: int) -> None:
        async with transaction(self.house.pool) as conn:
            await import_inbound(
                conn, [self._received(number, minute)], self.house.rulebook, self.house.telemetry, START
            )

    async def file(self, number: str, minute: int) -> None:
        at = (START + timedelta(minutes=minute)).isoformat()
        cells = [number, "S1", str(quantity(minute)), "DE", at, START.isoformat()]
        await self.files.take(Chunk("web", {}, COLUMNS, [Row(2, cells)]))

    async def api(self, number: str, minute: int) -> None:
        placed = PlacedOrder.model_validate(
            {
                "channel": "web", "number": number, "currency": "EUR", "placed_at": START, "ship_to": {"country": "DE"},
                "updated_at": START + timedelta(minutes=minute),
                "lines": [{"sku": "S1", "quantity": quantity(minute)}],
            }
        )  # fmt: skip
        await self.placing.place(placed, f"{number}/{minute}")

    async def pull(self, number: str, minute: int) -> None:
        """The shop as it was then: late pages are older than what is here."""
        await self.house.see(sighting(self.shown(number, minute)))

    async def webhook(self, number: str, minute: int) -> None:
        """The shop is asked live, and shows what it has by now."""
        async with transaction(self.house.pool) as conn:
            await want(conn, [Wanted("shop", number, number, "webhook", None)])
        await self.reads.turn()

    async def crash(self, number: str, minute: int, statements: int) -> None:
        """Nothing of it stays."""
        with pytest.raises(Crash):
            await self._die(number, minute, statements)

    async def _die(self, number: str, minute: int, statements: int) -> None:
        async with transaction(self.house.pool) as conn:
            dying: Any = Dying(conn, statements)
            seen = sighting(self.shown(number, minute))
            rules = await self.house.rulebook.of(conn, [seen])
            await import_orders(dying, Batch([seen], rules, self.house.telemetry, START))
            raise Crash

    def shown(self, number: str, minute: int) -> Any:
        return order(number, minute=minute, lines=(line(quantity=quantity(minute)),))

    def _received(self, number: str, minute: int) -> Received:
        event = OrderSubmitted(
            at=START + timedelta(hours=1), channel="web", number=number, placed_at=START, currency="EUR",
            payment=PaymentState.PAID, ship_to=Address(country="DE"), updated_at=START + timedelta(minutes=minute),
            lines=(SubmittedLine(sku="S1", quantity=quantity(minute)),),
        )  # fmt: skip
        return Received(event, f"{number}/{minute}", "erp", None)


versions = st.lists(st.tuples(st.sampled_from(NUMBERS), st.integers(0, 8)), min_size=1, max_size=12)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=versions, shown=versions, seed=st.integers(0, 2**16))
async def test_in16_webhook_pull_event_file_and_api_in_any_order_end_in_the_newest_version(
    told: list[Version], shown: list[Version], seed: int, house: Any, shelf: Any
) -> None:
    tables = "orders, order_moves, facts, outbox, receipts_due, channels, config_entities, live_reads, placed_orders"
    await house.pool.execute(f"truncate {tables}")
    await house.configure(configured(), configured(channel("web", "events", **MAPPED)))
    ways, chance = Ways(house, shelf), random.Random(seed)
    shelf.orders[:] = [ways.shown(number, max(m for n, m in shown if n == number)) for number in {n for n, _ in shown}]
    work = [
        getattr(ways, chance.choice(["event", "file", "api"]))(*v) for v in [*told, *chance.sample(told, len(told))]
    ]
    work += [getattr(ways, chance.choice(["pull", "webhook"]))(*v) for v in [*shown, *chance.sample(shown, len(shown))]]
    work += [ways.crash(*version, chance.randrange(8)) for version in shown[:3]]
    chance.shuffle(work)
    for start in range(0, len(work), 4):
        await asyncio.gather(*work[start : start + 4])
    await asyncio.gather(*(ways.pull(*version) for version in shown))  # the window that reaches over all of them

    rows = await house.pool.fetch("select * from orders")
    found = {(r["channel"], r["number"].lstrip("#")): r["body"]["lines"][0]["quantity"] for r in rows}
    expected = {("web", n): max(quantity(m) for one, m in told if one == n) for n in {n for n, _ in told}}
    expected |= {("shop", n): max(quantity(m) for one, m in shown if one == n) for n in {n for n, _ in shown}}
    assert found == expected
    assert len(rows) == len(expected)
    facts = await house.told()
    for row in rows:
        mine = [fact for fact in facts if fact.order.order_id == str(row["order_id"])]
        assert [fact.sequence for fact in mine] == list(range(1, row["sequence"] + 1))
        assert [type(fact).__name__ for fact in mine].count("OrderImported") == 1
        assert mine[-1].order.lines[0].quantity == row["body"]["lines"][0]["quantity"]
