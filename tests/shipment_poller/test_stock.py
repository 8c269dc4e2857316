"""A source's stock is read from its platform, and the router is told what changed (RT-1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from poller_harness import Stage, later, order_of, source_of, submitted

from router.ledger import Count, Move, Shelf, count, move
from shipment_poller.poll_stock import StockWorker
from shipment_poller.stock_names import StockNames
from waybill_common.breaker import Health
from waybill_common.logs import make_log
from waybill_contracts.envelope import decode
from waybill_contracts.fulfillment_submitted import FrState
from waybill_contracts.inventory_updated import StockCounted
from waybill_platforms.model.features import Features
from waybill_platforms.model.stock import StockLevel, StockPage
from waybill_platforms.ports import SourceConnection

PLATFORM = {"from": "platform", "every": "10m"}


async def _nothing() -> None: ...


class Shelves:
    """A source that tells its levels two at a time; it is also where its connection comes from."""

    def __init__(self, *, available: bool = False, **levels: int | None) -> None:
        self.levels_now: dict[str, int | None] = {sku.replace("_", "-"): units for sku, units in levels.items()}
        self.features = Features(stock_is_available=available)
        self.faults: list[Exception] = []
        self.asked: list[tuple[tuple[str, ...], str | None]] = []
        self.problems: tuple[str, ...] = ()
        self.reads_stock = True

    async def levels(self, skus: Any, page: str | None = None) -> StockPage:
        self.asked.append((tuple(skus), page))
        start = int(page or 0)
        if start and self.faults:
            raise self.faults.pop(0)
        found = [StockLevel(sku, units) for sku, units in self.levels_now.items() if not skus or sku in skus]
        more = str(start + 2) if start + 2 < len(found) else None
        return StockPage(tuple(found[start : start + 2]), datetime.now(UTC), more, self.problems)

    def source(self, *_: Any) -> SourceConnection:
        stock = self if self.reads_stock else None
        return SourceConnection("east", None, None, self.features, _nothing, stock=stock)  # type: ignore[arg-type]


class Reading:
    """The worker over a stage, turn by turn."""

    def __init__(self, stage: Stage, shelves: Any) -> None:
        self.stage, self.shelves, self.position = stage, shelves, 0
        self.worker = StockWorker(stage.pool, stage.tools, shelves, Health(), make_log("shipment-poller", "ERROR"))

    async def turn(self) -> int:
        """What is due now."""
        begun = await self.worker.crew.turn()
        await self.worker.crew.drain()
        return begun

    async def again(self) -> None:
        await self.stage.pool.execute("update stock_turns set due_at = now()")
        assert await self.turn() == 1

    async def counts(self) -> list[StockCounted]:
        """Told since the last time."""
        found = await self.stage.pool.fetch(
            "select position, topic, key, headers, value from facts where position > $1 order by position",
            self.position,
        )
        events = []
        for row in found:
            self.position = row["position"]
            received = decode(row["topic"], row["key"].encode(), row["headers"], row["value"])
            if received is not None and isinstance(received.event, StockCounted):
                events.append(received.event)
        return events

    async def told(self) -> dict[str, int]:
        return {event.sku: event.on_hand for event in await self.counts()}


async def reading(stage: Stage, shelves: Any, **settings: Any) -> Reading:
    await stage.take(source_of(2, stock=PLATFORM, **settings))
    return Reading(stage, shelves)


async def test_rt_1_each_level_is_told_once_and_then_when_it_changes(stage: Stage) -> None:
    shelves = Shelves(A=5, B=0, C=7)
    before = datetime.now(UTC)
    east = await reading(stage, shelves)
    assert await east.turn() == 1
    counts = await east.counts()
    assert {c.sku: (c.on_hand, c.sequence) for c in counts} == {"A": (5, 1), "B": (0, 1), "C": (7, 1)}
    assert all(before <= c.counted_at <= datetime.now(UTC) and c.unit_cost is None for c in counts)
    assert await east.turn() == 0  # the next turn is in ten minutes
    [wait] = await stage.column("select extract(epoch from due_at - now()) from stock_turns")
    assert 500 < wait <= 600
    shelves.levels_now["A"] = 4
    await east.again()
    [count_of_a] = await east.counts()
    assert (count_of_a.sku, count_of_a.on_hand, count_of_a.sequence) == ("A", 4, 2)
    await east.again()
    assert await east.told() == {}


async def test_rt_1_a_level_that_stands_still_is_told_again_after_a_day(stage: Stage) -> None:
    east = await reading(stage, Shelves(A=5))
    await east.turn()
    await east.told()
    await stage.pool.execute("update stock_told set told_at = now() - interval '25 hours'")
    await east.again()
    assert await east.told() == {"A": 5}


async def test_rt_1_what_the_platform_does_not_count_is_not_told(stage: Stage) -> None:
    east = await reading(stage, Shelves(A=None, B=3))
    await east.turn()
    assert await east.told() == {"B": 3}


async def test_rt_1_a_figure_of_what_is_available_is_told_with_our_own_requests_on_the_shelf(stage: Stage) -> None:
    """Through the router's own arithmetic: what is free stays what the shop can sell, whatever has left since."""
    shelves = Shelves(available=True, E=8)
    east = await reading(stage, shelves, skus={"map": {"SKU-1": "E"}})
    await stage.take(submitted(order_of()))  # 2 of SKU-1: the shop had 10 and has 8 to sell
    await east.turn()
    [first] = await east.counts()
    shelf = Shelf("east", "SKU-1")
    move(shelf, Move(asked=2))
    count(shelf, Count(first.on_hand, first.counted_at, None, None))
    assert (shelf.on_hand, shelf.reserved, shelf.free, shelf.uncovered) == (10, 2, 8, 0)

    left = stage.supplier.ship("s1", "E-o1", {"l1": 1})
    await stage.look()  # one of the two has left; the shop still has 8 to sell, so the turn comes by itself
    move(shelf, Move(asked=-1, physical=[(left.shipped_at, -1)]))
    assert await east.turn() == 1
    [second] = await east.counts()
    count(shelf, Count(second.on_hand, second.counted_at, None, None))
    assert (second.on_hand, shelf.reserved, shelf.free) == (9, 1, 8)


async def test_rt_1_a_physical_count_is_told_as_it_is(stage: Stage) -> None:
    east = await reading(stage, Shelves(E=8), skus={"map": {"SKU-1": "E"}})
    await stage.take(submitted(order_of()))
    await east.turn()
    assert await east.told() == {"SKU-1": 8}


async def test_rt_1_what_we_asked_for_meanwhile_makes_an_equal_level_news(stage: Stage) -> None:
    """The router writes off what a source cancels: the same figure as before is not what it has by then."""
    shelves = Shelves(available=True, E=8)
    east = await reading(stage, shelves, skus={"map": {"SKU-1": "E"}})
    await east.turn()
    assert await east.told() == {"SKU-1": 8}
    order = order_of()
    await stage.take(submitted(order), submitted(order, sequence=3, state=FrState.CANCELED))
    await east.again()
    assert await east.told() == {"SKU-1": 8}
    await east.again()
    assert await east.told() == {}


@pytest.mark.parametrize(
    ("settings", "asked", "names"),
    [
        ({}, None, {"A": "A"}),
        ({"skus": {"map": {"M": "A"}}}, None, {"A": "M", "B": "B", "M": None}),
        ({"skus": {"map": {"M": "A"}, "unmapped": "hold"}}, ["A"], {"A": "M", "B": None}),
        ({"serves": {"skus": ["M", "B"]}, "skus": {"map": {"M": "A"}}}, ["A", "B"], {"A": "M", "B": "B", "C": None}),
        ({"skus": {"map": {"M": "A", "N": "A"}}}, None, {"A": None}),
    ],
)
def test_rt_1_a_level_is_told_under_our_own_name(
    settings: dict[str, Any], asked: list[str] | None, names: dict[str, str | None]
) -> None:
    read = StockNames(source_of(**settings).source)
    assert (read.asked, {theirs: read.ours(theirs) for theirs in names}) == (asked, names)


async def test_rt_1_what_cannot_be_told_is_an_alert_until_it_can(stage: Stage) -> None:
    shelves = Shelves(A=5)
    shelves.problems = ("SKU B: several variants have it; give each its own",)
    east = await reading(stage, shelves, skus={"map": {"M": "X", "N": "X"}})
    await east.turn()
    assert await stage.alerts() == {"stock/east": "2 things are wrong with the stock of east"}
    shelves.problems = ()
    await stage.take(source_of(3, stock=PLATFORM))
    await east.turn()
    assert await stage.alerts() == {}


async def test_rt_1_a_platform_without_stock_is_said_with_what_to_write_instead(stage: Stage) -> None:
    shelves = Shelves()
    shelves.reads_stock = False
    await (await reading(stage, shelves)).turn()
    [detail] = await stage.column("select detail from open_alerts")
    assert detail == "stock.from: http tells no stock; use feed or untracked"


async def test_rt_1_a_turn_that_breaks_off_keeps_what_it_told_and_comes_again(stage: Stage) -> None:
    shelves = Shelves(A=5, B=6, C=7)
    shelves.faults = [later()]
    east = await reading(stage, shelves)
    await east.turn()
    assert await east.told() == {"A": 5, "B": 6}
    assert await stage.column("select attempts from stock_turns") == [1]
    assert await stage.column("select turned_at from stock_turns") == [None]
    await east.again()
    assert await east.told() == {"C": 7}
    assert await stage.column("select attempts from stock_turns") == [0]


async def test_rt_1_a_worker_that_lost_its_lease_tells_nothing(stage: Stage) -> None:
    shelves = Shelves(A=5)
    east = await reading(stage, shelves)
    read = shelves.levels

    async def slow(skus: Any, page: str | None = None) -> StockPage:
        await stage.pool.execute("update stock_turns set lease_token = gen_random_uuid()")
        return await read(skus, page)

    shelves.levels = slow  # type: ignore[method-assign]
    await east.turn()
    assert await east.told() == {}
    assert await stage.column("select count(*) from stock_told") == [0]


async def test_rt_1_a_source_that_has_a_feed_again_is_not_read_any_more(stage: Stage) -> None:
    east = await reading(stage, Shelves(A=5))
    await stage.take(source_of(3))
    assert await east.turn() == 0
    assert await stage.column("select count(*) from stock_turns") == [0]
