"""What a shop sells: variants with SKUs, prices and pieces on the shelf. Pure but for `take`, which changes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.seeding.goods import Good

ENDLESS = 1_000_000
NewId = Callable[[], int]


@dataclass(slots=True)
class Variant:
    id: int
    product_id: int
    product: str
    sku: str | None
    price: str
    available: int
    """Pieces that can be sold: what orders took is gone already."""
    tracked: bool = True


class Catalogue:
    def __init__(self) -> None:
        self.variants: dict[int, Variant] = {}

    def of_sku(self, sku: str) -> list[Variant]:
        """A SKU is no key here: none, one or several variants have it."""
        return [variant for variant in self.variants.values() if variant.sku == sku]

    def takes(self, pieces: Mapping[int, int]) -> int | None:
        """The variant of which there is too little; None when all of these can be taken."""
        short = (v for v, n in pieces.items() if self.variants[v].tracked and self.variants[v].available < n)
        return next(short, None)

    def take(self, pieces: Mapping[int, int]) -> None:
        """Negative pieces are given back."""
        for variant_id, quantity in pieces.items():
            if variant_id in self.variants:
                self.variants[variant_id].available -= quantity


def offered(
    goods: Sequence[Good], on_hand: Mapping[str, int], shop: str, channel: bool, new_id: NewId
) -> list[Variant]:
    """One variant for each good; a channel has two oddities more, as shops have: no SKU, and a SKU twice."""
    made = []
    for good in goods:
        sku = good.channel_sku if channel else good.source_sku(shop)
        available = ENDLESS if channel else on_hand.get(good.sku, 0)
        made.append(Variant(new_id(), new_id(), good.title, sku, good.price, available, tracked=not channel))
    if channel and made:
        made.append(Variant(new_id(), new_id(), "Sticker without a SKU", None, "1.00", ENDLESS, tracked=False))
        made.append(Variant(new_id(), new_id(), "The same again", made[0].sku, "1.00", ENDLESS, tracked=False))
    return made
