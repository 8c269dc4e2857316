"""Whether two orders of a channel are alike: same address, same items (IN-10; pure)."""

import hashlib

import orjson

from order_ingest.rules import ChannelRules
from waybill_contracts.values import Address
from waybill_platforms.model.orders import ChannelOrder


def alike_of(order: ChannelOrder, rules: ChannelRules) -> bytes | None:
    """Equal for orders with the same addresses and items, whatever their numbers, prices and spelling of case.

    None where that says nothing: no street (a country alone is no address), nothing ordered, or switched off.
    """
    items = sorted((line.sku.strip(), line.quantity - line.canceled) for line in order.lines)
    streets = [address for address in order.addresses if address.line1.strip()]
    if not streets or not any(pieces > 0 for _, pieces in items) or not rules.channel.duplicates.within:
        return None
    said = orjson.dumps([sorted(_address(address) for address in streets), items])
    return hashlib.blake2b(said, digest_size=16).digest()


def _address(address: Address) -> list[str]:
    parts = (address.name, address.line1, address.line2, address.city, address.postal_code, address.country)
    return [" ".join(part.casefold().split()) for part in parts]
