"""Everything one sandbox holds: shops, sources, the goods and stock, faults; built fresh or from disk."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.platforms import PLATFORMS
from sandbox.postman import Postman
from sandbox.seeding import stock
from sandbox.seeding.goods import Good, goods
from sandbox.seeding.orders import Maker, scarce_turn
from sandbox.seeding.stock import SOURCES, Level
from sandbox.shopify.shop import Shop
from sandbox.shops import Demo, EmulatedShop, Place, Platform, Role
from sandbox.sources.source import Source
from sandbox.supply import EmulatedSource, SourceShop
from sandbox.warehouse import Warehouse

FIRST_ID = 5_000_000_000
FIRST_SHOP = "acme"
MOST_SCARCE = 500
BUCKET_SECONDS = 20
_GOODS = TypeAdapter(list[Good])
_LEVELS = TypeAdapter(list[Level])


@dataclass(frozen=True, slots=True)
class Wish:
    """What to hold when nothing is on disk yet."""

    orders: int = 300
    seed: int = 1
    ship_after: float = 2.0
    restore_rate: float = 1_000.0
    """Points a second that the first shop gives back; its bucket holds 20 times that. Benchmarks ask for plenty."""
    shops: tuple[str, ...] = (FIRST_SHOP,)
    """Names of the emulated shops that take part, also those that play a source; "all" stands for every one."""

    def includes(self, name: str) -> bool:
        return name in self.shops or "all" in self.shops


class World:
    def __init__(self, directory: Path, wish: Wish, now: Callable[[], float] = time.time) -> None:
        self.journal = Journal(directory, now)
        self.faults = Faults()
        self.wake = asyncio.Event()
        self.postman = Postman(self.journal)
        self._now = now
        self._last_id = FIRST_ID
        self.demos = {demo.name: demo for platform in PLATFORMS for demo in platform.demos}
        self.platform_of = {demo.name: platform for platform in PLATFORMS for demo in platform.demos}
        self.shops = {name: self._open(self.platform_of[name], demo) for name, demo in self.demos.items()}
        self.sources: dict[str, EmulatedSource] = {
            name: Source(name, self.journal, self._may_box, now) for name in SOURCES
        }
        self.sources |= {demo.name: self._warehouse(demo) for demo in self.demos.values() if demo.role == "source"}
        self.goods: list[Good] = []
        self.levels: list[Level] = []
        self.wish = wish
        if not self._restored():
            self._seed()
        self._catalogue = {(name, good.source_sku(name)) for name in SOURCES for good in self.goods}

    @property
    def shop(self) -> Shop:
        """The first shop, a Shopify one: for what looks into its own model."""
        shop = self.shops[FIRST_SHOP]
        assert isinstance(shop, Shop)
        return shop

    def shops_of(self, platform: Platform) -> dict[str, EmulatedShop]:
        return {name: shop for name, shop in self.shops.items() if self.platform_of[name] is platform}

    def playing(self, role: Role) -> list[str]:
        """Names of the emulated shops that take part in this role, in the order of the platforms."""
        return [name for name, demo in self.demos.items() if demo.role == role and self.wish.includes(name)]

    @property
    def channels(self) -> list[EmulatedShop]:
        return [self.shops[name] for name in self.playing("channel")]

    @property
    def supplying(self) -> dict[str, EmulatedSource]:
        """The sources that take part."""
        return {name: self.sources[name] for name in (*SOURCES, *self.playing("source"))}

    def place_seeded(self, shop: EmulatedShop, count: int, varied: bool) -> list[str]:
        """More orders as the seeding makes them; their names."""
        start = shop.next_position()
        return [shop.seed(draft) for draft in self._maker(shop).seeded(start, count, self._now(), varied)]

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

    def _open(self, platform: Platform, demo: Demo) -> EmulatedShop:
        names = demo.name, demo.role, demo.first_number
        return platform.open(Place(*names, self.journal, self.new_id, self._now, self.wake.set, self.postman.post))

    def _warehouse(self, demo: Demo) -> Warehouse:
        shop: SourceShop = self.shops[demo.name]  # type: ignore[assignment]  # a source's demo opens one that is
        return Warehouse(shop, self.journal, now=self._now)

    def _may_box(self, order_number: str) -> bool:
        """Whether the channel of this order takes a shipment with two numbers."""
        known = [shop for shop in self.shops.values() if shop.find(order_number) is not None]
        return all(shop.may_box(order_number) for shop in known)

    def _maker(self, shop: EmulatedShop) -> Maker:
        """Each shop goes on where the one before it stopped: with the scarce goods and the house numbers."""
        shares = self._shares()
        before = list(shares)[: list(shares).index(shop.name)] if shop.name in shares else []
        return Maker(
            shop=shop.name,
            kinds=shop.kinds,
            goods=self.goods,
            seed=self.wish.seed,
            scarce_from=sum(scarce_turn(shares[name]) for name in before),
            houses_from=self.demos[shop.name].first_number - self.demos[FIRST_SHOP].first_number,
        )

    def _shares(self) -> dict[str, int]:
        """How many of the wished orders each channel gets."""
        names = self.playing("channel")
        each, rest = divmod(self.wish.orders, len(names))
        return {name: each + (place < rest) for place, name in enumerate(names)}

    def _seed(self) -> None:
        wish, shares = self.wish, self._shares()
        scarce = sum(map(scarce_turn, shares.values()))
        self.goods = goods(min(max((scarce + 1) // 2, 1), MOST_SCARCE))
        for name, count in shares.items():
            for draft in self._maker(self.shops[name]).seeded(0, count, self._now()):
                self.shops[name].seed(draft)
        ours = {good.channel_sku: good.sku for good in self.goods}
        orders = (order for shop in self.channels for order in shop.judged())
        shipping = self.playing("source")
        self.levels = stock.levels(self.goods, stock.demand(orders, ours), shipping)
        self.journal.save("goods", "goods", self.goods)
        self.journal.save("levels", "levels", self.levels)
        self.journal.save("wish", "wish", self.wish)
        for name in (*shares, *shipping):
            on_hand = {level.sku: level.on_hand for level in self.levels if level.source == name}
            self.shops[name].stock(self.goods, on_hand)
        for source in self.sources.values():
            source.configure({"ship_after": wish.ship_after})
        rate = wish.restore_rate
        self.shop.configure({"restore_rate": rate, "maximum": rate * BUCKET_SECONDS})
        self.journal.note("seeded", orders=wish.orders, seed=wish.seed, large_orders=scarce)
        self.journal.flush()

    def _restored(self) -> bool:
        found = False
        for kind, key, document in self.journal.documents():
            found = True
            self._restore(kind, key, document)
        if found:
            self._last_id = max((self._last_id, *self._ids()))
            for entry in map(orjson.loads, self.journal.entries):
                if entry["event"] == "request_conflict":
                    self.sources[entry["source"]].restore("conflict", entry["reference"])
        return found

    def _restore(self, kind: str, key: str, document: Any) -> None:
        owner = key.partition("/")[0]
        if kind in {"request", "shipment"}:
            self.sources[document["source"]].restore(kind, document)
        elif kind in {"source", "warehouse", "work"}:
            self.sources[owner].restore(kind, document)
        elif kind == "goods":
            self.goods = _GOODS.validate_python(document)
        elif kind == "levels":
            self.levels = _LEVELS.validate_python(document)
        elif kind == "wish":
            self.wish = TypeAdapter(Wish).validate_python(document)
        else:
            self.shops[owner].restore(kind, document)

    def _ids(self) -> Iterator[int]:
        for shop in self.shops.values():
            yield from shop.ids()
        for source in self.sources.values():
            yield from source.ids()
