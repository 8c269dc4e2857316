"""One channel's rules, as `normalize` needs them: its settings, its start, and which names are ours.

A value without I/O. `version` grows with every change that may alter what `normalize` answers; an order remembers the
version it was judged by, which is how the healer finds those that a change may release (IN-11).
"""

from dataclasses import dataclass
from datetime import datetime

from waybill_contracts.configuration import Channel, KitPart
from waybill_contracts.values import Component, PaymentState

ANY_SKU = "*"
"""Stands among the known SKUs when a source takes every one: it serves all, passes unmapped ones, tracks no stock."""

GOES_ON = frozenset({PaymentState.PAID, PaymentState.PARTIALLY_REFUNDED})
"""Payment states with which every channel's orders go on (IN-8): what was refunded of a paid order is canceled
quantity, and the rest of it is still owed."""


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """What decides about the orders of one channel. `known_*` matter where `unmapped: pass` (IN-9),
    `own_references` are those of the FRs that we submitted to shops (IN-7)."""

    store: str
    channel: Channel
    starts_at: datetime
    version: int
    known_skus: frozenset[str] = frozenset()
    known_methods: frozenset[str] = frozenset()
    own_references: frozenset[str] = frozenset()

    def passes_payment(self, payment: PaymentState) -> bool:
        """Whether the filter lets this payment state in (IN-7); a deferred one may even go on."""
        return payment in self.channel.import_.payment or payment in self.channel.import_.deferred

    def may_go_on(self, payment: PaymentState) -> bool:
        """The payment gate (IN-8)."""
        return payment in GOES_ON or payment in self.channel.import_.deferred

    def is_service(self, channel_sku: str) -> bool:
        """Whether the channel's SKU is marked as not shipped (IN-9); `gift_*` marks all that begin so."""
        services = self.channel.skus.services
        return channel_sku in services or any(
            name.endswith("*") and channel_sku.startswith(name[:-1]) for name in services
        )

    def components(self, channel_sku: str) -> tuple[Component, ...]:
        """What one piece of this SKU consists of, in our SKUs; empty when it is not mapped."""
        mapped = self.channel.skus.map.get(channel_sku)
        if isinstance(mapped, str):
            return (Component(sku=mapped, quantity=1),)
        if mapped is not None:
            return _kit(mapped)
        if channel_sku and self.channel.skus.unmapped == "pass" and self._some_source_knows(channel_sku):
            return (Component(sku=channel_sku, quantity=1),)
        return ()

    def _some_source_knows(self, sku: str) -> bool:
        return sku in self.known_skus or ANY_SKU in self.known_skus

    def shipping_method(self, channel_method: str) -> str | None:
        """Our name of the method; none when it is not mapped."""
        mapped = self.channel.shipping_methods.map.get(channel_method)
        if mapped is not None:
            return mapped
        if self.channel.shipping_methods.unmapped == "pass" and channel_method in self.known_methods:
            return channel_method
        return None


def _kit(parts: tuple[KitPart, ...]) -> tuple[Component, ...]:
    """The parts of a kit; a SKU that is listed twice counts as one part with both quantities."""
    quantities: dict[str, int] = {}
    for part in parts:
        quantities[part.sku] = quantities.get(part.sku, 0) + part.quantity
    return tuple(Component(sku=sku, quantity=quantity) for sku, quantity in quantities.items())
