"""The shops' door: REST V1 by a table of routes, each with the API resource that it demands."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson
from aiohttp import web

from sandbox.faults import Call
from sandbox.magento import answers, auth
from sandbox.magento.answers import Asked
from sandbox.magento.errors import MANNERS, Refused, no_route, not_permitted
from sandbox.magento.shop import MagentoShop
from sandbox.serving import Answer, Server
from sandbox.sight import Sight


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: re.Pattern[str]
    operation: str
    """The sandbox's name of it, for faults and counts."""
    resource: str | None
    """None: anybody may call it."""
    answer: Callable[[Asked], Any]


def _route(method: str, path: str, operation: str, resource: str | None, answer: Callable[[Asked], Any]) -> Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(f"{pattern}$"), operation, resource, answer)


_SALES, _SHIP = "Magento_Sales::actions_view", "Magento_Sales::ship"
ROUTES = (
    _route("GET", "/orders", "orders", _SALES, answers.orders),
    _route("GET", r"/orders/{id}", "order", _SALES, answers.order),
    _route("POST", "/orders/{id}/cancel", "cancel", "Magento_Sales::cancel", answers.cancel),
    _route("POST", "/order/{id}/ship", "ship", _SHIP, answers.ship),
    _route("GET", "/shipments", "shipments", "Magento_Sales::shipment", answers.shipments),
    _route("POST", "/shipment/track", "add_track", "Magento_Sales::shipment", answers.add_track),
    _route("DELETE", "/shipment/track/{id}", "remove_track", "Magento_Sales::shipment", answers.remove_track),
    _route("GET", "/shipment/{id}", "shipment", "Magento_Sales::shipment", answers.shipment),
    _route("POST", "/shipment/{id}/comments", "add_comment", "Magento_Sales::shipment", answers.add_comment),
    _route("POST", "/shipment/{id}/emails", "email", "Magento_Sales::shipment", answers.email),
    _route("POST", "/guest-carts", "cart", None, answers.new_cart),
    _route("GET", "/guest-carts/{id}", "get_cart", None, answers.get_cart),
    _route("POST", "/guest-carts/{id}/items", "add_item", None, answers.add_item),
    _route("POST", "/guest-carts/{id}/estimate-shipping-methods", "estimate", None, answers.estimate),
    _route("POST", "/guest-carts/{id}/shipping-information", "shipping_information", None, answers.inform),
    _route("POST", "/guest-carts/{id}/payment-information", "place", None, answers.place),
    _route("GET", "/products", "products", "Magento_Catalog::products", answers.products),
    _route("GET", "/inventory/source-items", "source_items", "Magento_InventoryApi::source", answers.source_items),
    _route("GET", "/inventory/sources", "sources", "Magento_InventoryApi::source", answers.sources),
    _route("GET", "/stockItems/{id}", "stock_item", "Magento_CatalogInventory::cataloginventory", answers.stock_item),
    _route("GET", "/store/storeConfigs", "configs", "Magento_Backend::store", answers.configs),
    _route("GET", "/directory/countries/{id}", "country", None, answers.country),
    _route("POST", "/integration/admin/token", "token", None, answers.token),
)


class MagentoEndpoint:
    def __init__(self, shops: Mapping[str, MagentoShop], server: Server) -> None:
        self._shops = shops
        self._server = server

    async def rest(self, request: web.Request) -> web.StreamResponse:
        shop = self._shops.get(request.match_info["shop"])
        if shop is None:
            return web.Response(status=404, text="404 Not Found")
        body = await request.read()
        raw = request.raw_path.partition("?")[0].partition("/V1")[2]
        found = [(r, m) for r in ROUTES if r.method == request.method and (m := r.path.fullmatch(raw))]
        route, match = found[0] if found else (None, None)
        url = f"{request.scheme}://{request.host}{request.raw_path}"

        def work(sight: Sight) -> Answer:
            try:
                if route is None or match is None:
                    raise no_route()
                self._admit(shop, route, request.headers.get("Authorization", ""), request.method, url)
                given = orjson.loads(body) if body else {}
                query = list(request.query.items())
                told = route.answer(Asked(shop, _plain(match.groupdict()), query, given, sight))
                return Answer.json(200, told)
            except Refused as refused:
                return refused.answer
            except orjson.JSONDecodeError:
                return Refused(400, "Decoding error: \n%1", ["Syntax error"]).answer

        operation = route.operation if route else "no_route"
        call = Call(shop.name, operation, request.method, request.path)
        return await self._server.serve(request, call, MANNERS, work)

    def _admit(self, shop: MagentoShop, route: Route, header: str, method: str, url: str) -> None:
        if route.resource is None:
            return
        auth.check(shop.keys, header, method, url, time.time(), route.resource)
        if route.resource in shop.settings.denied:
            raise not_permitted(route.resource)
        if route.operation in {"source_items", "sources"} and not shop.settings.inventory:
            raise no_route()

    async def version(self, request: web.Request) -> web.StreamResponse:
        shop = self._shops.get(request.match_info["shop"])
        if shop is None or not shop.settings.version:
            return web.Response(status=404, text="404 Not Found")
        return web.Response(text=shop.settings.version, content_type="text/plain")


def _plain(ids: Mapping[str, str]) -> dict[str, str]:
    return {name: unquote(value) for name, value in ids.items()}
