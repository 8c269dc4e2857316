"""Which platform plays which role: the one place that knows them all.

Adding a platform is a folder and a line in one or both tables. `events` and `manual` have no connection.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from waybill_contracts.configuration import Capabilities, Channel, Platform, Source
from waybill_platforms.bigcommerce import client as bigcommerce
from waybill_platforms.bigcommerce.settings import BigCommerceSettings
from waybill_platforms.errors import UnsupportedPlatform
from waybill_platforms.http import Budget
from waybill_platforms.http_source.client import open_supplier
from waybill_platforms.http_source.settings import HttpSourceSettings
from waybill_platforms.magento import client as magento
from waybill_platforms.magento.settings import MagentoSettings
from waybill_platforms.model.features import Features
from waybill_platforms.ports import ChannelConnection, SourceConnection
from waybill_platforms.shopify import client as shopify
from waybill_platforms.shopify.settings import ShopifySettings
from waybill_platforms.woocommerce.client import open_store as open_woo_store
from waybill_platforms.woocommerce.client import open_supplier as open_woo_supplier
from waybill_platforms.woocommerce.settings import WooSettings

Credentials = Mapping[str, str]


def _shopify(channel: Channel, credentials: Credentials, budget: Budget) -> ChannelConnection:
    return shopify.open_channel(channel.id, ShopifySettings.of(channel.id, channel.url, credentials), budget)


def _shopify_source(source: Source, credentials: Credentials, budget: Budget) -> SourceConnection:
    return shopify.open_source(source.id, ShopifySettings.of(source.id, source.url, credentials), budget)


def _woo_channel(channel: Channel, credentials: Credentials, budget: Budget) -> ChannelConnection:
    return open_woo_store(channel.id, WooSettings.of(channel.id, channel.url, credentials), budget)


def _woo_source(source: Source, credentials: Credentials, budget: Budget) -> SourceConnection:
    return open_woo_supplier(source.id, WooSettings.of(source.id, source.url, credentials), budget)


def _http(source: Source, credentials: Credentials, budget: Budget) -> SourceConnection:
    return open_supplier(source.id, HttpSourceSettings.of(source, credentials), budget)


def _magento_channel(channel: Channel, credentials: Credentials, budget: Budget) -> ChannelConnection:
    return magento.open_channel(channel.id, MagentoSettings.of(channel.id, channel.url, credentials), budget)


def _magento_source(source: Source, credentials: Credentials, budget: Budget) -> SourceConnection:
    return magento.open_source(source.id, MagentoSettings.of(source.id, source.url, credentials), budget)


def _bigcommerce_channel(channel: Channel, credentials: Credentials, budget: Budget) -> ChannelConnection:
    return bigcommerce.open_channel(channel.id, _bigcommerce(channel, credentials), budget)


def _bigcommerce_source(source: Source, credentials: Credentials, budget: Budget) -> SourceConnection:
    return bigcommerce.open_source(source.id, _bigcommerce(source, credentials), budget)


def _bigcommerce(configured: Channel | Source, credentials: Credentials) -> BigCommerceSettings:
    return BigCommerceSettings.of(configured.id, configured.url, credentials)


def channel_refusal(channel: Channel, credentials: Credentials) -> str | None:
    """Why this channel could not be opened, in words that name the fix; None when it could.

    Asked when a configuration is applied, so that nobody finds out from a log.
    """
    return _refusal(channel.platform, CHANNEL_SETTINGS, credentials, lambda settings: settings(channel, credentials))


def source_refusal(source: Source, credentials: Credentials) -> str | None:
    """Why this source could not be opened; None when it could."""
    return _refusal(source.platform, SOURCE_SETTINGS, credentials, lambda settings: settings(source, credentials))


def _refusal(
    platform: Platform, table: Mapping[Platform, Any], credentials: Credentials, read: Callable[[Any], object]
) -> str | None:
    if platform in UNCONNECTED:
        return None
    if platform not in table:
        return f"platform: {platform.value} is not built yet; use {_names(table)}"
    try:
        read(table[platform])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{first['loc'][0]}: {first['msg']}"
    except ValueError as error:
        return str(error)
    unknown = sorted(set(credentials) - set(CREDENTIALS[platform]))
    if unknown:  # an optional one that is misspelled would never be missed
        return f"credentials.{unknown[0]} is unknown to {platform.value}; there are {', '.join(CREDENTIALS[platform])}"
    return None


CREDENTIALS: dict[Platform, tuple[str, ...]] = {
    Platform.HTTP: ("token", "hook_secret"),
    Platform.SHOPIFY: ("access_token", "client_id", "client_secret", "previous_client_secret"),
    Platform.BIGCOMMERCE: ("access_token", "client_secret", "webhook_secret"),
    Platform.WOOCOMMERCE: ("consumer_key", "consumer_secret", "auth", "webhook_secret", "complete_orders"),
    Platform.MAGENTO: tuple(name for name in MagentoSettings.model_fields if name != "url"),
}
"""The keys that `credentials` may have."""


CHANNEL_SETTINGS: dict[Platform, Callable[[Channel, Credentials], object]] = {
    Platform.SHOPIFY: lambda channel, credentials: ShopifySettings.of(channel.id, channel.url, credentials),
    Platform.MAGENTO: lambda channel, credentials: MagentoSettings.of(channel.id, channel.url, credentials),
    Platform.WOOCOMMERCE: lambda channel, credentials: WooSettings.of(channel.id, channel.url, credentials),
    Platform.BIGCOMMERCE: _bigcommerce,
}
SOURCE_SETTINGS: dict[Platform, Callable[[Source, Credentials], object]] = {
    Platform.HTTP: HttpSourceSettings.of,
    Platform.SHOPIFY: lambda source, credentials: ShopifySettings.of(source.id, source.url, credentials),
    Platform.MAGENTO: lambda source, credentials: MagentoSettings.of(source.id, source.url, credentials),
    Platform.WOOCOMMERCE: lambda source, credentials: WooSettings.of(source.id, source.url, credentials),
    Platform.BIGCOMMERCE: _bigcommerce,
}
CHANNELS: dict[Platform, Callable[[Channel, Credentials, Budget], ChannelConnection]] = {
    Platform.SHOPIFY: _shopify,
    Platform.MAGENTO: _magento_channel,
    Platform.WOOCOMMERCE: _woo_channel,
    Platform.BIGCOMMERCE: _bigcommerce_channel,
}
SOURCES: dict[Platform, Callable[[Source, Credentials, Budget], SourceConnection]] = {
    Platform.HTTP: _http,
    Platform.SHOPIFY: _shopify_source,
    Platform.MAGENTO: _magento_source,
    Platform.WOOCOMMERCE: _woo_source,
    Platform.BIGCOMMERCE: _bigcommerce_source,
}
UNCONNECTED = frozenset({Platform.EVENTS, Platform.MANUAL})


def open_channel(channel: Channel, credentials: Credentials, *, budget: Budget) -> ChannelConnection | None:
    """The channel's connection; None for `events`, which has none. `credentials` are opened ones, not sealed text.

    Raises ValueError naming the missing setting, and UnsupportedPlatform.
    """
    if channel.platform in UNCONNECTED:
        return None
    opener = CHANNELS.get(channel.platform)
    if opener is None:
        raise UnsupportedPlatform(f"{channel.id}: {channel.platform.value} is no channel yet; use {_names(CHANNELS)}")
    return opener(channel, credentials, budget)


def open_source(source: Source, credentials: Credentials, *, budget: Budget) -> SourceConnection | None:
    """The source's connection; None for `manual`, whose list a person works. Raises as `open_channel` does."""
    if source.platform in UNCONNECTED:
        return None
    opener = SOURCES.get(source.platform)
    if opener is None:
        raise UnsupportedPlatform(f"{source.id}: {source.platform.value} is no source yet; use {_names(SOURCES)}")
    connection = opener(source, credentials, budget)
    return replace(connection, features=narrowed(connection.features, source.capabilities))


def narrowed(features: Features, capabilities: Capabilities) -> Features:
    """What the platform declares, less what the configuration denies this source (FP-4); nothing can be added."""
    return replace(
        features,
        acknowledges=features.acknowledges and capabilities.acknowledges is not False,
        cancels=features.cancels and capabilities.cancels is not False,
        reports_shipments=features.reports_shipments and capabilities.reports_shipments is not False,
        dedupes_by_reference=features.dedupes_by_reference and capabilities.dedupes_by_reference is not False,
    )


def _names(table: Mapping[Platform, object]) -> str:
    return ", ".join(sorted(platform.value for platform in table))
