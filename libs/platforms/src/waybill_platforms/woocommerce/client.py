"""A WooCommerce store as a channel and as a source: one client (and one without the key) behind all ports."""

from dataclasses import dataclass

from waybill_platforms.http import Budget
from waybill_platforms.model.features import Features
from waybill_platforms.ports import ChannelConnection, SourceConnection
from waybill_platforms.woocommerce.api import Api
from waybill_platforms.woocommerce.carriers import WooCarriers
from waybill_platforms.woocommerce.fulfillments import WooFulfillments
from waybill_platforms.woocommerce.orders import WooOrders
from waybill_platforms.woocommerce.probing import WooProber
from waybill_platforms.woocommerce.products import Goods, WooCatalogue, WooStock
from waybill_platforms.woocommerce.reading import Reading
from waybill_platforms.woocommerce.requests import WooRequests
from waybill_platforms.woocommerce.settings import WooSettings
from waybill_platforms.woocommerce.shipments import WooShipments
from waybill_platforms.woocommerce.ways import Ways
from waybill_platforms.woocommerce.webhooks import WooWebhooks

CHANNEL = Features(
    updates_tracking=True,
    cancels_fulfillments=True,
    forgets_canceled=True,
    several_numbers=True,  # in one field with the fulfillments feature, as rows of the plugin, in the note's text
    notifies_buyer=True,
    find="consistent",  # it reads the database, no index
)
SOURCE = Features(
    acknowledges=True,
    cancels=True,
    reports_shipments=True,
    lists_changed_shipments=False,  # tracking need not move an order's date
    stock_is_available=True,  # an order that is processing has taken its pieces
    dedupes_by_reference=False,  # `submit` looks first, but the store itself takes the same order twice
    find="consistent",
)


@dataclass(frozen=True, slots=True)
class _Store:
    """What all ports of one connection share."""

    api: Api
    index: Api
    goods: Goods
    reading: Reading
    ways: Ways

    @classmethod
    def of(cls, connection: str, settings: WooSettings, budget: Budget) -> "_Store":
        api, index = Api(connection, settings, budget), Api(connection, settings, budget, anonymous=True)
        goods = Goods(api)
        reading = Reading(api, goods)
        return cls(api, index, goods, reading, Ways(api, index, reading))

    async def aclose(self) -> None:
        await self.api.aclose()
        await self.index.aclose()


def open_store(connection: str, settings: WooSettings, budget: Budget) -> ChannelConnection:
    """The channel. Nothing is sent yet; the first call opens the HTTP client."""
    store = _Store.of(connection, settings, budget)
    writer = WooFulfillments(store.api, store.reading, store.ways, settings.completes)
    return ChannelConnection(
        connection,
        WooOrders(store.reading),
        writer,
        CHANNEL,
        store.aclose,
        writer.notices,
        prober=WooProber(store.api, store.index, store.ways),
        webhooks=WooWebhooks(store.api),
        catalogue=WooCatalogue(store.api, store.goods),
        carriers=WooCarriers(store.api, store.ways),
    )


def open_supplier(connection: str, settings: WooSettings, budget: Budget) -> SourceConnection:
    """The source: a store of a supplier, or the merchant's own second one."""
    store = _Store.of(connection, settings, budget)
    requests = WooRequests(store.api, store.reading, store.goods)
    return SourceConnection(
        connection,
        requests,
        WooShipments(store.api, store.reading, requests, store.ways),
        SOURCE,
        store.aclose,
        prober=WooProber(store.api, store.index, store.ways),
        webhooks=WooWebhooks(store.api),
        stock=WooStock(store.goods),
    )
