"""V3's lists of variants, products and inventory items, and V2's shipping zones. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sandbox.bigcommerce.model import Product
from sandbox.bigcommerce.words import Refused
from sandbox.seeding.goods import CHANNEL_METHODS, UNMAPPED_METHOD

DEFAULT_LIMIT, MOST = 50, 250
ZONES: Mapping[int, tuple[str, Sequence[str]]] = {
    1: ("United States", (*CHANNEL_METHODS, UNMAPPED_METHOD)),
    2: ("Rest of the world", tuple(CHANNEL_METHODS)),
}
_FILTERS: Mapping[str, Callable[[Product], str]] = {
    "id": lambda product: str(product.id),
    "sku": lambda product: product.sku,
    "product_id": lambda product: str(product.id),
    "variant_id": lambda product: str(product.variant_id),
}


def filtered(products: Iterable[Product], query: Mapping[str, str]) -> list[Product]:
    """By `sku=`, `sku:in=` and the like; letter case does not count in SKUs."""
    tests = []
    for name, value in query.items():
        field, _, operator = name.partition(":")
        if field in _FILTERS and operator in {"", "in"}:
            values = value.split(",") if operator else [value]
            tests.append((_FILTERS[field], frozenset(one.strip().casefold() for one in values)))
    return [one for one in products if all(read(one).casefold() in values for read, values in tests)]


def page(entries: Sequence[Any], query: Mapping[str, str]) -> dict[str, Any]:
    """V3: a page past the end is an empty list with its pagination."""
    try:
        number, limit = int(query.get("page", 1)), int(query.get("limit", DEFAULT_LIMIT))
    except ValueError:
        raise Refused(422, "The filter(s): page, limit are not valid numbers.") from None
    if not 1 <= limit <= MOST or number < 1:
        raise Refused(422, f"The filter(s): limit must be between 1 and {MOST}.")
    shown = entries[(number - 1) * limit : number * limit]
    pages = max(-(-len(entries) // limit), 1)
    pagination = {"total": len(entries), "count": len(shown), "per_page": limit, "current_page": number,
                  "total_pages": pages, "links": {"current": f"?page={number}&limit={limit}"}}  # fmt: skip
    return {"data": list(shown), "meta": {"pagination": pagination}}


def variant(product: Product) -> dict[str, Any]:
    return {
        "id": product.variant_id,
        "product_id": product.id,
        "sku": product.sku,
        "sku_id": None,
        "option_values": [],
        "inventory_level": product.on_hand,
    }


def shown(product: Product, with_variants: bool) -> dict[str, Any]:
    told = {"id": product.id, "name": product.name, "sku": product.sku, "price": float(product.price)}
    return {**told, "variants": [variant(product)]} if with_variants else told


def item(product: Product) -> dict[str, Any]:
    identity = {"sku": product.sku, "variant_id": product.variant_id, "product_id": product.id, "sku_id": None}
    located = {"location_id": 1, "location_code": "BC-LOCATION-1", "location_name": "Default location",
               "available_to_sell": product.on_hand, "total_inventory_onhand": product.on_hand,
               "location_enabled": True, "settings": {"safety_stock": 0, "is_in_stock": True}}  # fmt: skip
    return {"identity": identity, "locations": [located]}


def zones() -> list[dict[str, Any]]:
    return [{"id": number, "name": name, "type": "country", "enabled": True} for number, (name, _) in ZONES.items()]


def methods(zone: int) -> list[dict[str, Any]]:
    if zone not in ZONES:
        raise Refused(404, "The requested resource was not found.")
    return [{"id": zone * 100 + place, "name": name, "type": "perorder", "enabled": True}
            for place, name in enumerate(ZONES[zone][1])]  # fmt: skip
