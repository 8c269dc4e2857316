"""A store's door: routes, permalinks, keys, JSON bodies, and the words for its failures."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from sandbox.faults import Call
from sandbox.serving import Answer, Manners, Server
from sandbox.sight import Sight
from sandbox.woocommerce import aside, routes, shelves
from sandbox.woocommerce.auth import key_of
from sandbox.woocommerce.errors import Refused, authentication, no_route
from sandbox.woocommerce.hooks import Deliveries
from sandbox.woocommerce.routes import Asked
from sandbox.woocommerce.shop import Store

Work = Callable[..., Answer]
HTML = b"<!DOCTYPE html><html><head><title>Not Found</title></head><body><h1>Not Found</h1></body></html>"


def _error(status: int, code: str, message: str) -> Answer:
    return Answer.json(status, {"code": code, "message": message, "data": {"status": status}})


MANNERS = Manners(
    unauthorized=lambda: authentication("Consumer secret is invalid.").answer,
    throttled=lambda: Answer(429, b"<html><body>Too Many Requests</body></html>", content_type="text/html"),
    internal=lambda: _error(500, "internal_server_error", "<p>There has been a critical error on this website.</p>"),
    too_many=lambda: Answer(429, b"<html><body>Too Many Requests</body></html>", content_type="text/html"),
    unavailable=lambda: _error(503, "wp_die", "Briefly unavailable for scheduled maintenance."),
)
ORDER = r"/wc/v3/orders/(\d+)"
TRACKING = r"/(?:wc-shipment-tracking/v3|wc-ast/v3|wc/v3)/orders/(\d+)/shipment-trackings"
TABLE: tuple[tuple[str, str, str, Work], ...] = (
    ("GET", r"/wc/v3/orders", "orders", routes.orders),
    ("POST", r"/wc/v3/orders", "order_create", routes.create_order),
    ("OPTIONS", r"/wc/v3/orders", "options", shelves.options),
    ("GET", ORDER, "order", routes.order),
    ("PUT", ORDER, "order_update", routes.change_order),
    ("DELETE", ORDER, "order_delete", routes.delete_order),
    ("GET", ORDER + "/refunds", "refunds", routes.refunds_of),
    ("GET", r"/wc/v3/refunds", "refunds", routes.refunds),
    ("GET", ORDER + "/fulfillments", "fulfillments", routes.fulfillments),
    ("POST", ORDER + "/fulfillments", "fulfillment_create", routes.create_fulfillment),
    ("GET", ORDER + r"/fulfillments/(\d+)", "fulfillment", routes.one_fulfillment),
    ("PUT", ORDER + r"/fulfillments/(\d+)", "fulfillment_update", routes.change_fulfillment),
    ("DELETE", ORDER + r"/fulfillments/(\d+)", "fulfillment_delete", routes.delete_fulfillment),
    ("GET", ORDER + "/notes", "notes", aside.notes),
    ("POST", ORDER + "/notes", "note_create", aside.create_note),
    ("GET", TRACKING, "trackings", aside.trackings),
    ("GET", TRACKING + "/providers", "providers", aside.providers),
    ("POST", TRACKING, "tracking_create", aside.create_tracking),
    ("DELETE", TRACKING + r"/(\w+)", "tracking_delete", aside.delete_tracking),
    ("GET", r"/wc/v3/products", "products", shelves.products),
    ("GET", r"/wc/v3/products/(\d+)/variations", "variations", shelves.variations),
    ("GET", r"/wc/v3/shipping/zones", "zones", shelves.zones),
    ("GET", r"/wc/v3/shipping/zones/(\d+)/methods", "methods", shelves.methods),
    ("GET", r"/wc/v3/webhooks", "webhooks", shelves.hooks),
    ("GET", r"/wc/v3/webhooks/(\d+)", "webhook", shelves.one_hook),
    ("PUT", r"/wc/v3/webhooks/(\d+)", "webhook_update", shelves.change_hook),
    ("DELETE", r"/wc/v3/webhooks/(\d+)", "webhook_delete", shelves.delete_hook),
    ("GET", r"/wc/v3/system_status", "system_status", shelves.status),
    ("GET", r"/", "index", shelves.index),
)


class WooEndpoint:
    """Serves the stores of one world."""

    def __init__(self, stores: Mapping[str, Store], server: Server) -> None:
        self._stores = stores
        self._server = server
        self._deliveries = {name: Deliveries(store) for name, store in stores.items()}
        self._table = [*TABLE, ("POST", r"/wc/v3/webhooks", "webhook_create", self._create_hook)]

    def _create_hook(self, asked: Asked) -> Answer:
        return shelves.create_hook(asked, self._deliveries[asked.store.name])

    async def pretty(self, request: web.Request) -> web.StreamResponse:
        """`/wp-json/…`; a store with plain permalinks has no such address."""
        store = self._stores.get(request.match_info["shop"])
        if store is None or store.settings.permalinks == "plain":
            return web.Response(status=404, body=HTML, content_type="text/html")
        return await self._serve(request, store, "/" + request.match_info.get("route", "").strip("/"))

    async def plain(self, request: web.Request) -> web.StreamResponse:
        """`/?rest_route=…`: keys are taken there from 11.1 on alone."""
        store, route = self._stores.get(request.match_info["shop"]), request.query.get("rest_route")
        if store is None or route is None:
            return web.Response(status=404 if store is None else 200, body=HTML, content_type="text/html")
        return await self._serve(request, store, "/" + route.strip("/"), plain=True)

    async def _serve(
        self, request: web.Request, store: Store, route: str, *, plain: bool = False
    ) -> web.StreamResponse:
        body = await request.read()
        method = request.headers.get("X-HTTP-Method-Override", request.method)
        operation, work, names = self._found(method, route)
        call = Call(store.name, operation, request.method, request.path)
        address = store.settings.home or f"{request.scheme}://{request.host}"
        query = dict(request.query)

        def answer(sight: Sight) -> Answer:
            try:
                if operation != "index":
                    self._admit(request, store, address + request.path, plain=plain)
                if work is None:
                    raise no_route()
                asked = Asked(store, method, query, _parsed(body), address + request.path, sight)
                return work(asked, *names)
            except Refused as refused:
                return refused.answer

        return await self._server.serve(request, call, MANNERS, answer)

    def _found(self, method: str, route: str) -> tuple[str, Work | None, tuple[str, ...]]:
        for wanted, pattern, operation, work in self._table:
            if method == wanted and (match := re.fullmatch(pattern, route)):
                return operation, work, match.groups()
        return "no_route", None, ()

    def _admit(self, request: web.Request, store: Store, address: str, *, plain: bool) -> None:
        query = dict(request.query)
        if request.method == "OPTIONS":
            return
        if plain and not store.settings.at_least(11, 1):
            query = {}  # the store looks for `wp-json/wc/` in the address, and takes nobody for known without it
        headers = request.headers if query or not plain else {}
        key_of(store.settings, store.nonces, request.method, address, headers, query)


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "rest_invalid_json", "Invalid JSON body passed.", json_error_message=str(error)) from None
