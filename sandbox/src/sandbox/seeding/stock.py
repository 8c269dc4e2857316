"""Stock of the demonstration, made to measure: enough for every order that can go on, rarely enough in one place.

Plain goods: the east and north have a part of the demand, the west has all of it and plenty more, for every country;
shops that ship for others have a small part. Scarce goods: ordered from the home country alone, which the three
suppliers serve; together they have what is ordered and a little more, while no single one has enough for a large order.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.seeding.goods import Good
from sandbox.shops import JudgedOrder

SOURCES = ("east", "west", "north")
"""The suppliers that speak the generic HTTP contract."""
SAFETY = {"east": 1, "west": 0, "north": 0}
PLENTY = 1_000_000
_COST_PERCENT = {"east": 100, "west": 108, "north": 96}
_SHOP_COST_PERCENT, _SHOP_COST_STEP = 84, 4
"""Each good is cheapest at another of the shops, so that all of them get something to do."""


@dataclass(frozen=True, slots=True)
class Level:
    source: str
    sku: str
    on_hand: int
    unit_cost: str
    weight_g: int


def demand(orders: Iterable[JudgedOrder], sku_of: dict[str, str]) -> Counter[str]:
    """Pieces by our SKU that right handling would ship, or ship once a hold is gone."""
    wanted: Counter[str] = Counter()
    for order in orders:
        if not order.expectation.startswith("excluded"):
            for line in order.lines:
                if line.sku in sku_of:
                    wanted[sku_of[line.sku]] += line.owed
    return wanted


def levels(goods: Sequence[Good], wanted: Counter[str], shops: Sequence[str] = ()) -> list[Level]:
    """`shops` are those that ship for others."""
    made = []
    for number, good in enumerate(goods):
        share = _scarce(wanted[good.sku]) if good.scarce else _plain(wanted[good.sku], number, shops)
        for source in (*SOURCES, *shops):
            if share.get(source):
                percent = _COST_PERCENT.get(source) or _shop_percent(shops, source, number)
                cents = int(good.unit_cost.replace(".", "")) * percent // 100
                cost = f"{cents // 100}.{cents % 100:02d}"
                on_hand = share[source] + SAFETY.get(source, 0)
                made.append(Level(source, good.sku, on_hand, cost, good.weight_g))
    return made


def _shop_percent(shops: Sequence[str], shop: str, number: int) -> int:
    return _SHOP_COST_PERCENT + _SHOP_COST_STEP * ((number + shops.index(shop)) % len(shops))


def _scarce(wanted: int) -> dict[str, int]:
    """A little more than is wanted, spread evenly."""
    each, rest = divmod(wanted + 2, len(SOURCES))
    return {source: each + (place < rest) for place, source in enumerate(SOURCES)}


def _plain(wanted: int, number: int, shops: Sequence[str]) -> dict[str, int]:
    """A fifth of the goods is not kept by the east, another fifth not by the north; a shop has a tenth of it all."""
    east = 0 if number % 5 == 0 else wanted * 55 // 100
    north = 0 if number % 5 == 1 else wanted * 35 // 100
    return {"east": east, "west": PLENTY, "north": north, **dict.fromkeys(shops, wanted * 10 // 100 + 30)}
