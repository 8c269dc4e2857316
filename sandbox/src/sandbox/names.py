"""What one thing is called at a shop, at the merchant and at a source: the ready-made configuration's mappings, read
backwards and forwards by the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.seeding import goods as catalogue
from sandbox.seeding.goods import Good


@dataclass(frozen=True, slots=True)
class Names:
    ours_by_channel_sku: Mapping[str, str]
    ours_by_source_sku: Mapping[tuple[str, str], str]
    services: frozenset[str]
    couriers_by_source: Mapping[str, Mapping[str, str]]
    """Source -> theirs -> ours; what is not there is the same word."""
    couriers_by_shop: Mapping[str, Mapping[str, str]]
    """Shop -> ours -> theirs."""

    @classmethod
    def of(
        cls,
        goods: Sequence[Good],
        couriers_by_source: Mapping[str, Mapping[str, str]],
        couriers_by_shop: Mapping[str, Mapping[str, str]],
    ) -> "Names":
        return cls(
            ours_by_channel_sku={good.channel_sku: good.sku for good in goods},
            ours_by_source_sku={
                (name, good.source_sku(name)): good.sku for name in couriers_by_source for good in goods
            },
            services=frozenset({catalogue.GIFT_WRAP, catalogue.GIFT_CARD}),
            couriers_by_source=couriers_by_source,
            couriers_by_shop=couriers_by_shop,
        )

    def at_shop(self, shop: str, source: str, theirs: str) -> str | None:
        """The name that the shop must show for what the source wrote; None when it is mapped nowhere."""
        return self.couriers_by_shop[shop].get(self.couriers_by_source.get(source, {}).get(theirs, theirs))
