"""A Shopify shop as a channel: one client behind both ports."""

from datetime import timedelta

from waybill_platforms.http import Budget
from waybill_platforms.model import Features
from waybill_platforms.ports import ChannelConnection
from waybill_platforms.shopify.fulfillments import ShopifyFulfillments
from waybill_platforms.shopify.graphql import Graph
from waybill_platforms.shopify.orders import ShopifyOrders
from waybill_platforms.shopify.settings import ShopifySettings

FEATURES = Features(
    updates_tracking=True,
    cancels_fulfillments=True,
    several_numbers=True,
    notifies_buyer=True,
    find="consistent",  # fulfillments are read from the order itself, not from the search index
    index_lag=timedelta(seconds=30),  # of list_changed and find_by_number, which search
)


def open_shop(connection: str, settings: ShopifySettings, budget: Budget) -> ChannelConnection:
    """Nothing is sent yet; the first call opens the HTTP client."""
    graph = Graph(connection, settings, budget)
    return ChannelConnection(
        connection, ShopifyOrders(graph), ShopifyFulfillments(graph), FEATURES, graph.aclose, graph.notices
    )
