"""What one thing is called at the shop, at the merchant and at a source: the ready-made configuration's mappings, read
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
    channel_couriers: Mapping[str, str]

    @classmethod
    def of(cls, goods: Sequence[Good], sources: Sequence[str]) -> "Names":
        return cls(
            ours_by_channel_sku={good.channel_sku: good.sku for good in goods},
            ours_by_source_sku={(name, good.source_sku(name)): good.sku for name in sources for good in goods},
            services=frozenset({catalogue.GIFT_WRAP, catalogue.GIFT_CARD}),
            couriers_by_source=catalogue.COURIERS_BY_SOURCE,
            channel_couriers=catalogue.CHANNEL_COURIERS,
        )

    def channel_courier(self, source: str, theirs: str) -> str | None:
        """The name that the shop must show for what the source wrote; None when it is mapped nowhere."""
        return self.channel_couriers.get(self.couriers_by_source.get(source, {}).get(theirs, theirs))
