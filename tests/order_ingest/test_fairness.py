"""Backpressure: orders that arrive at once in one channel hold up no other channel, and one page of them is in memory.

`WAYBILL_FAIR_ORDERS=100000` plays the full number; `make bench ARGS="--only ARRIVE"` measures memory and waiting.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from ingest_samples import channel, configured, order

from order_ingest.app import METRICS
from order_ingest.audit_channel import AuditChannel
from order_ingest.calls import Calls
from order_ingest.live_reads import LiveReads, Wanted, want
from order_ingest.named import q
from order_ingest.page_turns import PageTurns
from order_ingest.poller import Poller
from order_ingest.pull_channel import PAGE, PullChannel
from waybill_common.alerts import Alerts
from waybill_common.clock import SystemClock
from waybill_common.ids import new_id
from waybill_common.logs import make_log
from waybill_common.metrics import Metrics
from waybill_contracts.config_changed import ChannelConfigured
from waybill_platforms.model.orders import ChannelOrder, OrderPage

ORDERS = int(os.environ.get("WAYBILL_FAIR_ORDERS", "1000"))


@dataclass
class Flood:
    """A channel in which so many orders arrived at once: they are made when asked for, a page at a time."""

    orders: int
    served: int = 0
    most_at_once: int = 0
    alive: int = 0
    last_page: asyncio.Event = field(default_factory=asyncio.Event)
    """Its last page is only given when this is set."""

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        start = int(page or 0)
        end = min(start + limit, self.orders)
        if end == self.orders:
            await self.last_page.wait()
        self.served = end
        self.most_at_once = max(self.most_at_once, end - start)
        return OrderPage(tuple(self._made(start, end)), str(end) if end < self.orders else None)

    def _made(self, start: int, end: int) -> Iterator[ChannelOrder]:
        base = order()
        for number in range(start, end):
            made = order(f"f{number}")
            yield made if number == 0 else _at(made, base.updated_at + timedelta(milliseconds=number))

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        return order(order_id)

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        return order(number.removeprefix("#"))


def _at(one: ChannelOrder, updated_at: datetime) -> ChannelOrder:
    return replace(one, updated_at=updated_at)


@dataclass
class Endless:
    """A channel that always has one more page, until the test has seen enough."""

    name: str
    begun: list[str]
    """The channels of all pages, in the order in which they were begun."""
    enough: asyncio.Event
    hangs: bool = False
    """The shop never answers."""

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        self.begun.append(self.name)
        if self.hangs:
            await self.enough.wait()
        number = int(page or 0)
        one = _at(order(f"{self.name}-{number}"), order().updated_at + timedelta(seconds=number))
        return OrderPage((one,), None if self.enough.is_set() else str(number + 1))

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        return None

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        return None


@dataclass
class Trickle:
    """A channel with one order now and then."""

    orders: list[ChannelOrder] = field(default_factory=list)

    async def list_changed(self, since: datetime, page: str | None = None, limit: int = 50) -> OrderPage:
        return OrderPage(tuple(one for one in self.orders if one.updated_at >= since), None)

    async def get_order(self, order_id: str) -> ChannelOrder | None:
        return next((one for one in self.orders if one.id == order_id), None)

    async def find_by_number(self, number: str) -> ChannelOrder | None:
        return next((one for one in self.orders if one.number == number), None)


def calls_to(house: Any, readers: dict[str, Any], opened: list[str]) -> Calls:
    async def open_reader(one: ChannelConfigured) -> Any:
        opened.append(f"{one.channel.id} is taken up")
        return readers[one.channel.id]

    return Calls(house.pool, house.health, Alerts(None), SystemClock(), house.telemetry, house.rulebook, open_reader)


def workers(
    house: Any, readers: dict[str, Any], turns: PageTurns | None = None, begun: list[str] | None = None
) -> tuple[Poller, LiveReads]:
    calls = calls_to(house, readers, [] if begun is None else begun)
    metrics, log = Metrics("test"), make_log("test", "ERROR")
    metrics.declare(METRICS)
    return Poller(calls, PullChannel(calls, log, metrics, turns=turns), log), LiveReads(calls)


async def imported(house: Any, channel_id: str) -> int:
    return int(await house.pool.fetchval("select count(*) from orders where channel = $1", channel_id))


async def test_orders_at_once_in_one_channel_hold_up_no_pull_of_another(empty_house: Any) -> None:
    """While the flood is under way, its last page held back, the other channel's orders come in turn after turn."""
    house, flood, trickle = empty_house, Flood(ORDERS), Trickle()
    await house.configure(configured(channel("flooded")), configured(channel("other", poll_every="1s")))
    poller, _ = workers(house, {"flooded": flood, "other": trickle})

    for number in range(5):
        trickle.orders.append(order(f"t{number}", minute=number))
        await house.pool.execute("update channels set due_at = now() where channel_id = 'other'")
        async with asyncio.timeout(300):
            while await imported(house, "other") <= number:
                await poller.turn()
        assert not flood.last_page.is_set()
    assert await imported(house, "flooded") < ORDERS

    flood.last_page.set()
    async with asyncio.timeout(3600):
        while await imported(house, "flooded") < ORDERS:
            await poller.turn()
    assert flood.most_at_once <= PAGE, "no more than a page of it is ever in memory"
    await poller.close()


async def _due(house: Any, channel_id: str, due: bool) -> None:
    query = "update channels set due_at = case when $2 then now() end where channel_id = $1"
    await house.pool.execute(query, channel_id, due)


@pytest.mark.parametrize("floods", [16, 40])
async def test_a_channel_beside_floods_waits_for_one_page_of_each_at_most(empty_house: Any, floods: int) -> None:
    """Counted in pages, not in seconds: as many floods as there are turns at a time, and more."""
    house, begun, enough = empty_house, list[str](), asyncio.Event()
    readers: dict[str, Any] = {f"flood{n}": Endless(f"flood{n}", begun, enough) for n in range(floods)}
    other = Endless("other", begun, enough)
    await house.configure(*(configured(channel(name)) for name in (*readers, "other")))
    await _due(house, "other", False)
    poller, _ = workers(house, readers | {"other": other}, begun=begun)
    async with asyncio.timeout(600):
        while any(begun.count(name) < 2 for name in readers):  # the window of each is open, and goes on
            await poller.turn()

        await _due(house, "other", True)
        while "other" not in begun:
            await poller.turn()
        waited = Counter(begun[begun.index("other is taken up") : begun.index("other")])

        assert {name: pages for name, pages in waited.items() if pages > 1} == {}
        enough.set()
        while poller.busy:
            await poller.turn()
    assert await imported(house, "other") > 0


async def test_shops_that_do_not_answer_keep_no_turn_from_one_that_does(empty_house: Any) -> None:
    house, begun, enough = empty_house, list[str](), asyncio.Event()
    readers: dict[str, Any] = {f"silent{n}": Endless(f"silent{n}", begun, enough, hangs=True) for n in range(20)}
    await house.configure(*(configured(channel(name)) for name in (*readers, "other")))
    await _due(house, "other", False)
    trickle = Trickle([order("t1")])
    poller, _ = workers(house, readers | {"other": trickle}, PageTurns(2, lent_after=0.01))
    async with asyncio.timeout(600):
        while len(begun) < len(readers):
            await poller.turn()
        await _due(house, "other", True)
        while not await imported(house, "other"):
            await poller.turn()
        enough.set()
        while poller.busy:
            await poller.turn()


async def test_a_short_audit_beside_long_ones_ends_before_them(empty_house: Any) -> None:
    house, begun, enough = empty_house, list[str](), asyncio.Event()
    readers: dict[str, Any] = {f"long{n}": Endless(f"long{n}", begun, enough) for n in range(3)}
    await house.configure(*(configured(channel(name)) for name in (*readers, "short")))
    worker = AuditChannel(calls_to(house, readers | {"short": Trickle([order("t1")])}, []))

    async def ask(name: str) -> Any:
        window = {"since": None, "until": order().updated_at + timedelta(days=1)}
        asked = await q().ask_audit(
            house.pool, id=new_id(), channel=name, kind="audit", asked_by="anna", **window
        )  # fmt: skip
        return asked["audit_id"]

    async with asyncio.timeout(600):
        for name in readers:
            await ask(name)
        while any(begun.count(name) < 2 for name in readers):
            await worker.turn()
        short = await ask("short")
        while (await q().audit(house.pool, audit_id=short))["state"] != "done":
            await worker.turn()
        assert await house.pool.fetchval("select count(*) from audits where state = 'waiting'") == len(readers)
        enough.set()
        while worker.busy:
            await worker.turn()
    assert await house.pool.fetchval("select count(*) from audits where state = 'done'") == len(readers) + 1


async def test_hints_about_one_channel_hold_up_no_hint_about_another(empty_house: Any) -> None:
    """Webhooks and events that only say where to look are taken up in turns: by channel, not by age."""
    house, hints = empty_house, min(ORDERS, 10_000)
    trickle = Trickle([order("t1")])
    await house.configure(configured(channel("flooded")), configured(channel("other")))
    _, reads = workers(house, {"flooded": Flood(ORDERS), "other": trickle})
    async with house.pool.acquire() as conn:
        await want(conn, [Wanted("flooded", f"#f{n}", None, "webhook", None) for n in range(hints)])
        await want(conn, [Wanted("other", "#t1", None, "webhook", None)])

    await reads.turn()

    assert await imported(house, "other") == 1
    assert await imported(house, "flooded") < hints
