"""A Shopify shop as a channel and as a source: one client behind all its ports."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from waybill_platforms.http import Budget
from waybill_platforms.model.features import Features
from waybill_platforms.ports import ChannelConnection, SourceConnection
from waybill_platforms.shopify import probe
from waybill_platforms.shopify.catalogue import ShopifyCatalogue
from waybill_platforms.shopify.fulfillments import ShopifyFulfillments
from waybill_platforms.shopify.graphql import Graph
from waybill_platforms.shopify.orders import ShopifyOrders
from waybill_platforms.shopify.probe import ShopifyProber
from waybill_platforms.shopify.renewal import ShopifyRenewer
from waybill_platforms.shopify.requests import ShopifyRequests
from waybill_platforms.shopify.settings import ShopifySettings
from waybill_platforms.shopify.shipments import ShopifyShipments
from waybill_platforms.shopify.stock import ShopifyStock
from waybill_platforms.shopify.webhooks import ShopifyWebhooks

INDEX_LAG = timedelta(seconds=30)
"""Of everything that searches. Shopify names no figure; some seconds are usual."""

CHANNEL = Features(
    updates_tracking=True,
    cancels_fulfillments=True,
    several_numbers=True,
    notifies_buyer=True,
    find="consistent",  # fulfillments are read from the order itself, not from the search index
    index_lag=INDEX_LAG,  # of list_changed and find_by_number
)
SOURCE = Features(
    acknowledges=True,  # an order that is made has claimed its stock
    cancels=True,
    reports_shipments=True,
    stock_is_available=True,
    find="indexed",
    index_lag=INDEX_LAG,
)


def open_channel(connection: str, settings: ShopifySettings, budget: Budget) -> ChannelConnection:
    """Nothing is sent yet; the first call opens the HTTP client."""
    graph = Graph(connection, settings, budget)
    renewer = ShopifyRenewer(connection, settings, budget) if settings.renews else None
    catalogue = ShopifyCatalogue(graph)
    return ChannelConnection(
        connection,
        ShopifyOrders(graph),
        ShopifyFulfillments(graph),
        CHANNEL,
        _closing(graph, renewer),
        graph.notices,
        prober=ShopifyProber(graph, probe.CHANNEL, signed=settings.client_secret is not None),
        webhooks=ShopifyWebhooks(graph, settings),
        catalogue=catalogue,
        carriers=catalogue,
        renewer=renewer,
    )


def open_source(connection: str, settings: ShopifySettings, budget: Budget) -> SourceConnection:
    """As `open_channel`, for a shop that ships for others."""
    graph = Graph(connection, settings, budget)
    renewer = ShopifyRenewer(connection, settings, budget) if settings.renews else None
    return SourceConnection(
        connection,
        ShopifyRequests(graph),
        ShopifyShipments(graph),
        SOURCE,
        _closing(graph, renewer),
        graph.notices,
        prober=ShopifyProber(graph, probe.SOURCE, signed=settings.client_secret is not None),
        webhooks=ShopifyWebhooks(graph, settings),
        stock=ShopifyStock(graph),
        renewer=renewer,
    )


def _closing(graph: Graph, renewer: ShopifyRenewer | None) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        await graph.aclose()
        if renewer is not None:
            await renewer.aclose()

    return close
