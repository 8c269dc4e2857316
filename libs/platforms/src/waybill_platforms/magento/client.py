"""A Magento store as a channel and as a source: one client behind all ports of a connection."""

from waybill_platforms.http import Budget
from waybill_platforms.magento.catalogue import MagentoCatalogue
from waybill_platforms.magento.fulfillments import MagentoFulfillments
from waybill_platforms.magento.orders import MagentoOrders
from waybill_platforms.magento.placing import MagentoRequests
from waybill_platforms.magento.probe import MagentoProber
from waybill_platforms.magento.rest import Rest
from waybill_platforms.magento.settings import MagentoSettings
from waybill_platforms.magento.shipments import MagentoShipments
from waybill_platforms.magento.stock import MagentoStock
from waybill_platforms.magento.tokens import MagentoTokens
from waybill_platforms.model.features import Features
from waybill_platforms.ports import ChannelConnection, SourceConnection

CHANNEL_FEATURES = Features(
    updates_tracking=True,
    cancels_fulfillments=False,  # Magento has no such thing
    several_numbers=True,
    notifies_buyer=True,
    find="consistent",
)
SOURCE_FEATURES = Features(
    acknowledges=True,  # its checkout took the order: stock, address, method and payment
    cancels=True,
    reports_shipments=True,
    lists_changed_shipments=False,  # a track that is added later does not move the shipment's time
    prepares=True,
    find="consistent",  # by the cart's id, in the table itself
)


def open_channel(connection: str, settings: MagentoSettings, budget: Budget) -> ChannelConnection:
    """Nothing is sent yet; the first call opens the HTTP client."""
    rest = Rest(connection, settings, budget)
    orders = MagentoOrders(rest)
    fulfillments = MagentoFulfillments(rest, orders, settings.source_code)
    return ChannelConnection(
        connection,
        orders,
        fulfillments,
        CHANNEL_FEATURES,
        rest.aclose,
        prober=MagentoProber(rest, settings, source=False),
        catalogue=MagentoCatalogue(rest),
        carriers=fulfillments,
        renewer=MagentoTokens(rest, settings) if settings.username else None,
    )


def open_source(connection: str, settings: MagentoSettings, budget: Budget) -> SourceConnection:
    """As `open_channel`, to ship."""
    rest = Rest(connection, settings, budget)
    requests = MagentoRequests(rest, settings)
    return SourceConnection(
        connection,
        requests,
        MagentoShipments(rest),
        SOURCE_FEATURES,
        rest.aclose,
        prober=MagentoProber(rest, settings, source=True),
        stock=MagentoStock(rest, settings.source_code),
        renewer=MagentoTokens(rest, settings) if settings.username else None,
        placer=requests,
    )
