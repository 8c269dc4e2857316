"""Everything one sandbox holds: the shop, the sources, the goods and stock, faults; built fresh or from disk."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.seeding import stock
from sandbox.seeding.goods import Good, goods
from sandbox.seeding.orders import CYCLE, KINDS, Maker, scarce_turn
from sandbox.seeding.stock import SOURCES, Level
from sandbox.shopify import shop as shops
from sandbox.shopify.shop import Shop
from sandbox.sources import source as sources
from sandbox.sources.source import Source

FIRST_ID = 5_000_000_000
SHOP = "acme"
MOST_SCARCE = 500
BUCKET_SECONDS = 20
_SHOP_SETTINGS = TypeAdapter(shops.Settings)
_SOURCE_SETTINGS = TypeAdapter(sources.Settings)
_GOODS = TypeAdapter(list[Good])
_LEVELS = TypeAdapter(list[Level])


@dataclass(frozen=True, slots=True)
class Wish:
    """What to hold when nothing is on disk yet."""

    orders: int = 300
    seed: int = 1
    ship_after: float = 2.0
    restore_rate: float = 1_000.0
    """Points a second that the shop gives back; its bucket holds 20 times that. Benchmarks ask for plenty."""


class World:
    def __init__(self, directory: Path, wish: Wish, now: Callable[[], float] = time.time) -> None:
        self.journal = Journal(directory, now)
        self.faults = Faults()
        self._last_id = FIRST_ID
        self.shops = {SHOP: Shop(SHOP, self.journal, self.new_id, now)}
        self.sources = {name: Source(name, self.journal, self._may_box, now) for name in SOURCES}
        self.goods: list[Good] = []
        self.levels: list[Level] = []
        self.wish = wish
        self.wake = asyncio.Event()
        if not self._restored():
            self._seed()
        self.maker = Maker(self.shop, self.goods, self.wish.seed)
        self._catalogue = {(name, good.source_sku(name)) for name in SOURCES for good in self.goods}

    @property
    def shop(self) -> Shop:
        return self.shops[SHOP]

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def sells(self, source: str, sku: str) -> bool:
        return (source, sku) in self._catalogue

    def close(self) -> None:
        self.journal.close()

    async def run_sources(self) -> None:
        """Ships what is due, for as long as it is not cancelled."""
        while True:
            now = time.time()
            made = sum(source.ship_due(now) for source in self.sources.values())
            if made:
                self.journal.flush()
            due = min((d for source in self.sources.values() if (d := source.next_due()) is not None), default=now + 60)
            self.wake.clear()
            try:
                await asyncio.wait_for(self.wake.wait(), max(due - time.time(), 0.005))
            except TimeoutError:
                continue

    def _may_box(self, order_number: str) -> bool:
        """A shipment of an order that stands at two locations becomes two fulfillments: one number each is safe."""
        order = self.shop.order_named(order_number)
        return order is None or len({part.location_id for part in order.fulfillment_orders}) <= 1

    def _seed(self) -> None:
        wish = self.wish
        scarce = sum(1 for number in range(wish.orders) if KINDS.get(number % CYCLE) == "scarce")
        self.goods = goods(min(max((scarce + 1) // 2, 1), MOST_SCARCE))
        for _ in Maker(self.shop, self.goods, wish.seed).seeded(wish.orders):
            pass
        ours = {good.channel_sku: good.sku for good in self.goods}
        self.levels = stock.levels(self.goods, stock.demand(self.shop.orders.values(), ours))
        self.journal.save("goods", "goods", self.goods)
        self.journal.save("levels", "levels", self.levels)
        self.journal.save("wish", "wish", self.wish)
        for source in self.sources.values():
            source.settings.ship_after = wish.ship_after
            source.configure(source.settings)
        self.shop.settings.restore_rate = wish.restore_rate
        self.shop.settings.maximum = wish.restore_rate * BUCKET_SECONDS
        self.shop.configure(self.shop.settings)
        self.journal.note("seeded", orders=wish.orders, seed=wish.seed, large_orders=scarce_turn(wish.orders))
        self.journal.flush()

    def _restored(self) -> bool:
        found = False
        for kind, key, document in self.journal.documents():
            found = True
            self._restore(kind, key, document)
        if found:
            self._last_id = max(self._last_id, *self.shop.ids(), *self._request_ids())
            for entry in map(orjson.loads, self.journal.entries):
                if entry["event"] == "request_conflict":
                    self.sources[entry["source"]].conflicts.append(entry["reference"])
        return found

    def _restore(self, kind: str, key: str, document: Any) -> None:
        if kind == "order":
            self.shops[key.partition("/")[0]].restore(document)
        elif kind == "request":
            self.sources[document["source"]].restore_request(document)
        elif kind == "shipment":
            self.sources[document["source"]].restore_shipment(document)
        elif kind == "shop":
            self.shops[key].configured(_SHOP_SETTINGS.validate_python(document))
        elif kind == "source":
            self.sources[key].settings = _SOURCE_SETTINGS.validate_python(document)
        elif kind == "goods":
            self.goods = _GOODS.validate_python(document)
        elif kind == "levels":
            self.levels = _LEVELS.validate_python(document)
        elif kind == "wish":
            self.wish = TypeAdapter(Wish).validate_python(document)

    def _request_ids(self) -> list[int]:
        return [int(request.id[4:]) for source in self.sources.values() for request in source.requests.values()] or [0]
