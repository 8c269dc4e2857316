"""Stock of the demonstration, made to measure: enough for every order that can go on, rarely enough in one place.

Plain goods: the east and north have a part of the demand, the west has all of it and plenty more, for every country.
Scarce goods: ordered from the home country alone, which all three serve; together they have what is ordered and a
little more, while no single one has enough for a large order.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.seeding.goods import Good
from sandbox.shopify.model import Order

SOURCES = ("east", "west", "north")
SAFETY = {"east": 1, "west": 0, "north": 0}
PLENTY = 1_000_000
_COST_PERCENT = {"east": 100, "west": 108, "north": 96}


@dataclass(frozen=True, slots=True)
class Level:
    source: str
    sku: str
    on_hand: int
    unit_cost: str
    weight_g: int


def demand(orders: Iterable[Order], sku_of: dict[str, str]) -> Counter[str]:
    """Pieces by our SKU that right handling would ship, or ship once a hold is gone."""
    wanted: Counter[str] = Counter()
    for order in orders:
        if not order.expectation.startswith("excluded"):
            for line in order.lines:
                if line.sku in sku_of and line.requires_shipping:
                    wanted[sku_of[line.sku]] += line.current_quantity
    return wanted


def levels(goods: Sequence[Good], wanted: Counter[str]) -> list[Level]:
    made = []
    for number, good in enumerate(goods):
        share = _scarce(wanted[good.sku]) if good.scarce else _plain(wanted[good.sku], number)
        for source in SOURCES:
            if share[source]:
                cents = int(good.unit_cost.replace(".", "")) * _COST_PERCENT[source] // 100
                cost = f"{cents // 100}.{cents % 100:02d}"
                made.append(Level(source, good.sku, share[source] + SAFETY[source], cost, good.weight_g))
    return made


def _scarce(wanted: int) -> dict[str, int]:
    """A little more than is wanted, spread evenly."""
    each, rest = divmod(wanted + 2, len(SOURCES))
    return {source: each + (place < rest) for place, source in enumerate(SOURCES)}


def _plain(wanted: int, number: int) -> dict[str, int]:
    """A fifth of the goods is not kept by the east, another fifth not by the north."""
    east = 0 if number % 5 == 0 else wanted * 55 // 100
    north = 0 if number % 5 == 1 else wanted * 35 // 100
    return {"east": east, "west": PLENTY, "north": north}
