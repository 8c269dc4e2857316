"""The ready-made configuration of the product for this sandbox: store, channel, sources, mappings, routing, stock.

Written as the configuration file of `waybill apply -f`. Cannot promise that it fits a product changed since: a test of
the whole house reads it with the product's own models.
"""

from collections.abc import Sequence
from typing import Any

import yaml

from sandbox.seeding import goods as catalogue
from sandbox.seeding.goods import Good
from sandbox.seeding.stock import SAFETY, SOURCES, Level

_PRICES = {
    "east": ("1.20", [(["US"], "4.10", "0.70"), (["*"], "12.50", "2.10")]),
    "west": ("1.80", [(["US"], "4.60", "0.80"), (["CA"], "6.20", "1.10"), (["*"], "11.90", "2.40")]),
    "north": ("0.90", [(["GB", "DE", "FR", "PL", "GR"], "3.80", "0.60"), (["*"], "9.75", "1.90")]),
}
"""Source -> (fee of one FR, (zone, base, per kg) each)."""

_SERVES: dict[str, Any] = {
    "east": {"countries": ["US", "CA"], "skus": "all"},
    "west": {"countries": "all", "skus": "all"},
    "north": {"countries": ["US", "GB", "DE", "FR", "PL", "GR"], "skus": "all"},
}
_PREFIX = {"east": "E-", "west": "W-", "north": "N-"}


def configuration(
    origin: str, shop: str, tokens: dict[str, str], goods: Sequence[Good], levels: Sequence[Level]
) -> dict[str, Any]:
    """`tokens` by connection (the shop's and each source's name); `origin` is where this sandbox answers."""
    channel = {
        "id": f"{shop}-shop",
        "platform": "shopify",
        "url": f"{origin}/shopify/{shop}",
        "credentials": {"access_token": tokens[shop]},
        "starts_at": "2000-01-01T00:00:00Z",
        "poll_every": "2s",
        "import": {
            "payment": ["paid", "authorized", "pending"],
            "fulfillment": ["unfulfilled", "partial", "on_hold"],
            "deferred": ["authorized"],
        },
        "skus": {
            "map": {good.channel_sku: good.sku for good in goods},
            "unmapped": "hold",
            "services": [catalogue.GIFT_WRAP, catalogue.GIFT_CARD],
        },
        "shipping_methods": {"map": dict(catalogue.CHANNEL_METHODS), "unmapped": "hold"},
        "couriers": {"map": dict(catalogue.CHANNEL_COURIERS), "unmapped": "hold"},
    }
    return {
        "stores": [{"id": shop, "channels": [channel]}],
        "sources": [_source(name, f"{origin}/sources/{name}", tokens[name], goods) for name in SOURCES],
        "routing": {
            "groups": [
                {
                    "id": "default",
                    "default": True,
                    "sources": list(SOURCES),
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


def _source(name: str, url: str, token: str, goods: Sequence[Good]) -> dict[str, Any]:
    fee, zones = _PRICES[name]
    renamed = {good.sku: good.source_sku(name) for good in goods if good.source_sku(name) != good.sku}
    return {
        "id": name,
        "platform": "http",
        "url": url,
        "credentials": {"token": token},
        "poll_every": "2s",
        "send_every": "0s",
        "auto_process": True,
        "serves": _SERVES[name],
        "skus": {"map": renamed, "unmapped": "pass"},
        "shipping_methods": {"map": catalogue.METHODS_BY_SOURCE[name], "unmapped": "pass"},
        "couriers": {"map": catalogue.COURIERS_BY_SOURCE[name], "unmapped": "pass"},
        "fr_number": {"from": "order_number", "prefix": _PREFIX[name], "max_length": 40, "forbid": "#"},
        "costs": {
            "currency": "USD",
            "fee": fee,
            "shipping": [{"zone": zone, "base": base, "per_kg": per_kg} for zone, base, per_kg in zones],
        },
        "stock": {"from": "feed", "safety": SAFETY[name]},
    }


def as_yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)
