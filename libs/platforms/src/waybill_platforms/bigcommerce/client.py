"""A BigCommerce store as a channel and as a source: one client behind all its ports."""

from datetime import timedelta

from waybill_platforms.bigcommerce import probe
from waybill_platforms.bigcommerce.catalogue import BigCommerceCatalogue
from waybill_platforms.bigcommerce.fulfillments import BigCommerceFulfillments
from waybill_platforms.bigcommerce.orders import BigCommerceOrders
from waybill_platforms.bigcommerce.probe import BigCommerceProber
from waybill_platforms.bigcommerce.requests import BigCommerceRequests
from waybill_platforms.bigcommerce.rest import Rest
from waybill_platforms.bigcommerce.settings import BigCommerceSettings
from waybill_platforms.bigcommerce.shipments import BigCommerceShipments
from waybill_platforms.bigcommerce.stock import BigCommerceStock
from waybill_platforms.bigcommerce.variants import Variants
from waybill_platforms.bigcommerce.webhooks import BigCommerceWebhooks
from waybill_platforms.http import Budget
from waybill_platforms.model.features import Features
from waybill_platforms.ports import ChannelConnection, SourceConnection

LAG = timedelta(seconds=10)
"""Whether a search shows at once what was just made is not documented: "not there" is believed this much later."""

CHANNEL = Features(
    updates_tracking=True,
    cancels_fulfillments=True,
    forgets_canceled=True,
    tells_service=True,
    find="consistent",  # shipments are read from the order itself
    index_lag=LAG,
)
SOURCE = Features(
    acknowledges=True,
    cancels=True,
    reports_shipments=True,
    find="indexed",
    index_lag=LAG,
)


def open_channel(connection: str, settings: BigCommerceSettings, budget: Budget) -> ChannelConnection:
    """Nothing is sent yet; the first call opens the HTTP client."""
    rest = Rest(connection, settings, budget)
    catalogue = BigCommerceCatalogue(rest)
    return ChannelConnection(
        connection,
        BigCommerceOrders(rest),
        BigCommerceFulfillments(rest),
        CHANNEL,
        rest.aclose,
        prober=BigCommerceProber(rest, settings, probe.CHANNEL),
        webhooks=BigCommerceWebhooks(rest, settings),
        catalogue=catalogue,
        carriers=catalogue,
    )


def open_source(connection: str, settings: BigCommerceSettings, budget: Budget) -> SourceConnection:
    """As `open_channel`, for a store that ships for others."""
    rest = Rest(connection, settings, budget)
    variants = Variants(rest)
    return SourceConnection(
        connection,
        BigCommerceRequests(rest, variants),
        BigCommerceShipments(rest),
        SOURCE,
        rest.aclose,
        prober=BigCommerceProber(rest, settings, probe.SOURCE),
        webhooks=BigCommerceWebhooks(rest, settings),
        stock=BigCommerceStock(rest, variants),
    )
