"""Which names a configured entity makes ours, for `unmapped: pass` (IN-9; pure)."""

from typing import NamedTuple

from order_ingest.rules import ANY_SKU
from waybill_contracts.configuration import Channel, Source

SKU = "sku"
METHOD = "method"


class Name(NamedTuple):
    """A SKU or a shipping method of ours, and who says so."""

    kind: str
    name: str
    origin: str


def names_of_source(source: Source) -> list[Name]:
    """SKUs that it maps or lists, and methods that it maps; any SKU where it takes everything unseen."""
    origin = f"source/{source.id}"
    skus = set(source.skus.map)
    if not isinstance(source.serves.skus, str):
        skus.update(source.serves.skus)
    elif source.skus.unmapped == "pass" and source.stock.from_ == "untracked":
        skus.add(ANY_SKU)
    return [
        *(Name(SKU, sku, origin) for sku in sorted(skus)),
        *(Name(METHOD, method, origin) for method in sorted(source.shipping_methods.map)),
    ]


def names_of_channel(channel: Channel) -> list[Name]:
    """The methods that its mapping ends in."""
    return [
        Name(METHOD, method, f"channel/{channel.id}") for method in sorted(set(channel.shipping_methods.map.values()))
    ]


def name_in_stock(source: str, sku: str) -> Name:
    """A source that counts a SKU knows it."""
    return Name(SKU, sku, f"stock/{source}")
