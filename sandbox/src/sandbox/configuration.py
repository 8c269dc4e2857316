"""The ready-made configuration of the product for this sandbox: store, channels, sources, mappings, routing, stock.

Written as the configuration file of `waybill apply -f`. Cannot promise that it fits a product changed since: a test of
the whole house reads it with the product's own models.
"""

from collections.abc import Sequence
from typing import Any

import yaml

from sandbox.seeding import goods as catalogue
from sandbox.seeding.goods import Good
from sandbox.seeding.stock import SAFETY, Level
from sandbox.shops import EmulatedShop
from sandbox.supply import EmulatedSource

_PRICES = {
    "east": ("1.20", [(["US"], "4.10", "0.70"), (["*"], "12.50", "2.10")]),
    "west": ("1.80", [(["US"], "4.60", "0.80"), (["CA"], "6.20", "1.10"), (["*"], "11.90", "2.40")]),
    "north": ("0.90", [(["GB", "DE", "FR", "PL", "GR"], "3.80", "0.60"), (["*"], "9.75", "1.90")]),
}
_SHOP_PRICES = ("1.10", [(["US"], "3.60", "0.65"), (["CA"], "5.90", "1.00"), (["*"], "12.00", "2.60")])
"""Source -> (fee of one FR, (zone, base, per kg) each); shops that ship for others are all alike."""

_SERVES: dict[str, Any] = {
    "east": {"countries": ["US", "CA"], "skus": "all"},
    "west": {"countries": "all", "skus": "all"},
    "north": {"countries": ["US", "GB", "DE", "FR", "PL", "GR"], "skus": "all"},
}
_SHOP_SERVES: dict[str, Any] = {"countries": ["US", "CA"], "skus": "all"}


def configuration(
    origin: str,
    channels: Sequence[EmulatedShop],
    sources: Sequence[EmulatedSource],
    goods: Sequence[Good],
    levels: Sequence[Level],
) -> dict[str, Any]:
    """`origin` is where this sandbox answers."""
    return {
        "stores": [{"id": "acme", "channels": [_channel(shop, origin, goods) for shop in channels]}],
        "sources": [_source(source, origin, goods) for source in sources],
        "routing": {
            "groups": [
                {
                    "id": "default",
                    "default": True,
                    "sources": [source.name for source in sources],
                    "priorities": [{"single_fr": "preferred"}, "lowest_cost"],
                    "split_lines": True,
                    "unroutable": "hold",
                }
            ]
        },
        "stock": [
            {
                "source": level.source,
                "sku": level.sku,
                "on_hand": level.on_hand,
                "unit_cost": level.unit_cost,
                "weight_g": level.weight_g,
            }
            for level in levels
        ],
    }


def _channel(shop: EmulatedShop, origin: str, goods: Sequence[Good]) -> dict[str, Any]:
    return {
        "id": f"{shop.name}-shop",
        **shop.connection(origin),
        "starts_at": "2000-01-01T00:00:00Z",
        "poll_every": "2s",
        "import": shop.imports(),
        "skus": {
            "map": {good.channel_sku: good.sku for good in goods},
            "unmapped": "hold",
            "services": [catalogue.GIFT_WRAP, catalogue.GIFT_CARD],
        },
        "shipping_methods": {"map": _methods(shop), "unmapped": "hold"},
        "couriers": {"map": dict(shop.couriers), "unmapped": "hold"},
    }


def _methods(shop: EmulatedShop) -> dict[str, str]:
    """A platform whose orders name methods by codes says so by `method_codes`: what buyers chose -> the code."""
    codes: dict[str, str] = getattr(shop, "method_codes", {})
    return {codes.get(title, title): ours for title, ours in catalogue.CHANNEL_METHODS.items()}


def _source(source: EmulatedSource, origin: str, goods: Sequence[Good]) -> dict[str, Any]:
    name = source.name
    fee, zones = _PRICES.get(name, _SHOP_PRICES)
    renamed = {good.sku: good.source_sku(name) for good in goods if good.source_sku(name) != good.sku}
    return {
        "id": name,
        **source.connection(origin),
        "poll_every": "2s",
        "send_every": "0s",
        "auto_process": True,
        "serves": _SERVES.get(name, _SHOP_SERVES),
        "skus": {"map": renamed, "unmapped": "pass"},
        "shipping_methods": {"map": catalogue.METHODS_BY_SOURCE.get(name, {}), "unmapped": "pass"},
        "couriers": {"map": dict(source.couriers), "unmapped": "pass"},
        "fr_number": {"from": "order_number", "prefix": f"{name[0].upper()}-", "max_length": 40, "forbid": "#"},
        "costs": {
            "currency": "USD",
            "fee": fee,
            "shipping": [{"zone": zone, "base": base, "per_kg": per_kg} for zone, base, per_kg in zones],
        },
        "stock": {"from": "feed", "safety": SAFETY.get(name, 0)},
    }


def as_yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)
