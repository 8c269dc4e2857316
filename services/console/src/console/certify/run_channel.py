"""Tries every rule at a channel, one after the other, and withdraws what was made."""

from collections.abc import AsyncIterator

from console.certify import rules_of_fulfilling, rules_of_reading
from console.certify.channel import CHANNELS, ChannelWish, Shop
from console.certify.rules import Verdict
from waybill_platforms.errors import PlatformError

BOOKS = (rules_of_reading, rules_of_fulfilling)
"""Their rules are registered by their import."""
READING = ("CON-", "LIST-", "READ-")


async def certify_channel(wish: ChannelWish) -> AsyncIterator[Verdict]:
    """One verdict a rule, reading rules first. What was made is withdrawn at the end where the platform can."""
    shop = Shop(wish, wish.open(wish.credentials))
    try:
        for rule_id in sorted(CHANNELS.checks, key=lambda name: not name.startswith(READING)):
            if not wish.only or rule_id in wish.only:
                yield await CHANNELS.tried(rule_id, shop)
    finally:
        await _withdraw(shop)
        await shop.connection.aclose()


async def _withdraw(shop: Shop) -> None:
    if shop.made is not None and not shop.withdrawn and shop.connection.features.cancels_fulfillments:
        try:
            await shop.connection.writer.cancel(shop.made.id)
        except PlatformError:
            return  # FUL-7 said so already, and what stands there is named by FUL-2
