"""The store's door: V2 and V3 under `/bigcommerce/stores/{store}`, with its token, scopes and quota."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from sandbox.bigcommerce import order_routes, store_routes
from sandbox.bigcommerce.asked import Ask, Handler
from sandbox.bigcommerce.shop import Store
from sandbox.bigcommerce.words import (
    MANNERS,
    Refused,
    forbidden,
    rate_headers,
    too_many,
    unauthorized,
    v2_error,
    v3_error,
)
from sandbox.faults import Call
from sandbox.serving import Answer, Server
from sandbox.sight import Sight

ROOT = "/bigcommerce/stores/{store}"


class BigCommerceEndpoint:
    """Serves the stores of one world."""

    def __init__(self, stores: Mapping[str, Store], server: Server) -> None:
        self._stores = stores
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route(method, f"{ROOT}{path}", self._serving(operation, scope, handler))
            for method, path, operation, scope, handler in TABLE
        ]

    def _serving(self, operation: str, scope: str, handler: Handler) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            store = self._stores.get(request.match_info["store"])
            if store is None:
                return web.Response(status=403, body=forbidden().body, content_type="application/json")
            body, v3 = await request.read(), "/v3/" in request.path
            call = Call(store.name, operation, request.method, request.path)

            def work(sight: Sight) -> Answer:
                return self._answer(store, request, call, scope, lambda: handler(Ask(store, request, body, sight)), v3)

            return await self._server.serve(request, call, MANNERS, work)

        return serve

    def _answer(
        self, store: Store, request: web.Request, call: Call, scope: str, act: Callable[[], Answer], v3: bool
    ) -> Answer:
        settings = store.settings
        if request.headers.get("X-Auth-Token", "") not in settings.tokens:
            return unauthorized()
        if not store.quota.draw():
            reset = store.quota.reset_ms()
            self._server.counts.told_to_wait(call, reset / 1000)
            return too_many(reset, settings.quota, int(settings.window * 1000))
        if scope in settings.missing_scopes:
            return forbidden() if v3 else v2_error(403, "You don't have a required scope to access the endpoint")
        if request.headers.get("Accept", "*/*") != "application/json":
            return Answer(200, b"<?xml version='1.0'?><orders/>", content_type="application/xml")
        try:
            answer = act()
        except Refused as error:
            make = v3_error if v3 else v2_error
            answer = make(error.status, error.message, error.details)
        quota = store.quota
        headers = rate_headers(quota.left, settings.quota, quota.reset_ms(), int(settings.window * 1000))
        return replace(answer, headers={**answer.headers, **headers})


TABLE: tuple[tuple[str, str, str, str, Handler], ...] = (
    ("GET", "/v2/orders", "orders", "orders", order_routes.orders),
    ("POST", "/v2/orders", "createOrder", "orders", order_routes.create_order),
    ("GET", "/v2/orders/{order}", "order", "orders", order_routes.order),
    ("PUT", "/v2/orders/{order}", "updateOrder", "orders", order_routes.update_order),
    ("GET", "/v2/orders/{order}/products", "orderProducts", "orders", order_routes.products_of),
    ("GET", "/v2/orders/{order}/shipping_addresses", "orderAddresses", "orders", order_routes.addresses_of),
    ("GET", "/v2/orders/{order}/shipments", "shipments", "orders", order_routes.shipments),
    ("POST", "/v2/orders/{order}/shipments", "createShipment", "orders", order_routes.create_shipment),
    ("GET", "/v2/orders/{order}/shipments/{shipment}", "shipment", "orders", order_routes.shipment),
    ("PUT", "/v2/orders/{order}/shipments/{shipment}", "updateShipment", "orders", order_routes.update_shipment),
    ("DELETE", "/v2/orders/{order}/shipments/{shipment}", "deleteShipment", "orders", order_routes.delete_shipment),
    ("GET", "/v2/store", "store", "information", store_routes.store),
    ("GET", "/v2/shipping/zones", "zones", "information", store_routes.zones),
    ("GET", "/v2/shipping/zones/{zone}/methods", "methods", "information", store_routes.methods),
    ("GET", "/v3/catalog/variants", "variants", "products", store_routes.variants),
    ("GET", "/v3/catalog/products", "products", "products", store_routes.products),
    ("GET", "/v3/inventory/items", "inventory", "inventory", store_routes.items),
    ("GET", "/v3/hooks", "hooks", "hooks", store_routes.hooks),
    ("POST", "/v3/hooks", "createHook", "hooks", store_routes.create_hook),
    ("PUT", "/v3/hooks/{hook}", "updateHook", "hooks", store_routes.update_hook),
    ("DELETE", "/v3/hooks/{hook}", "deleteHook", "hooks", store_routes.delete_hook),
)
"""(method, path, operation as fault rules call it, scope, handler)"""
