"""The store's door: V2 and V3 under `/bigcommerce/stores/{store}`, with its token, scopes and quota."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson
from aiohttp import web

from sandbox.bigcommerce import catalogue, creating, hooks, listing, shipping, told
from sandbox.bigcommerce.model import Hook, Order
from sandbox.bigcommerce.shop import Store
from sandbox.bigcommerce.words import (
    MANNERS,
    V2_NOT_FOUND,
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
NOTHING = Answer(204, b"")


class Ask:
    """One call as a handler sees it."""

    def __init__(self, store: Store, request: web.Request, body: bytes, sight: Sight) -> None:
        self.store = store
        self.sight = sight
        self.query = dict(request.query)
        self.parts: Mapping[str, str] = request.match_info
        self.root = f"{request.scheme}://{request.host}/bigcommerce/stores/{store.name}"
        self._body = body

    def given(self) -> Any:
        try:
            return orjson.loads(self._body)
        except orjson.JSONDecodeError:
            raise Refused(400, "Input is invalid.") from None

    def number(self, name: str) -> int:
        text = self.parts[name]
        if not text.isdigit():
            raise Refused(404, V2_NOT_FOUND)
        return int(text)

    def order(self) -> Order:
        """As it is now, to be changed."""
        order = self.store.orders.get(self.number("order"))
        if order is None:
            raise Refused(404, V2_NOT_FOUND)
        return order

    def seen(self) -> Order:
        """As it is shown."""
        return self.store.as_before(self.order()) if self.sight.stale else self.order()

    def now(self) -> int:
        return int(self.store.now())


Handler = Callable[[Ask], Answer]


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


# -- orders


def _orders(ask: Ask) -> Answer:
    page, limit = listing.page_of(ask.query)
    include, as_object = listing.including(ask.query)
    newest = ask.store.now() - ask.sight.hides_newer_than
    hidden = bool(ask.sight.hides_newer_than)
    known = ask.sight.remembers(ask.store.orders.values(), lambda one: str(one.id), _without_last_line)
    seen = [one for one in known if not hidden or one.date_modified <= newest]
    found = listing.chosen(seen, ask.query)[(page - 1) * limit : page * limit]
    if not found:
        return NOTHING
    shown = [told.order(ask.root, one, include, as_object) for one in found]
    return Answer.json(200, [entry for entry in shown for _ in range(2 if ask.sight.twice else 1)])


def _without_last_line(order: Order) -> Order:
    return replace(order, lines=order.lines[:-1])


def _order(ask: Ask) -> Answer:
    include, as_object = listing.including(ask.query)
    return Answer.json(200, told.order(ask.root, ask.seen(), include, as_object))


def _create_order(ask: Ask) -> Answer:
    store = ask.store
    include, as_object = listing.including(ask.query)
    order = creating.create(ask.given(), store.next_number(), store.products, store.new_id, ask.now())
    lines = [[line.id, line.sku, line.quantity] for line in order.lines]
    store.journal.note("request_created", source=store.name, reference=order.external_order_id, lines=lines)
    store.add(order)
    return Answer.json(201, told.order(ask.root, order, include, as_object))


def _update_order(ask: Ask) -> Answer:
    order = ask.order()
    creating.update(order, ask.given(), ask.now())
    ask.store.journal.note("order_updated", shop=ask.store.name, order=str(order.id), status=order.status_id)
    ask.store.changed(order)
    return Answer.json(200, told.order(ask.root, order, (), False))


def _products_of(ask: Ask) -> Answer:
    order = ask.seen()
    return _v2_page([told.line_item(order, line) for line in order.lines], ask.query)


def _addresses_of(ask: Ask) -> Answer:
    order = ask.seen()
    return _v2_page([told.shipping_address(order, one) for one in order.addresses], ask.query)


def _v2_page(entries: list[Any], query: Mapping[str, str]) -> Answer:
    page, limit = listing.page_of(query)
    shown = entries[(page - 1) * limit : page * limit]
    return Answer.json(200, shown) if shown else NOTHING


# -- shipments


def _shipments(ask: Ask) -> Answer:
    order = ask.seen()
    return _v2_page([told.shipment(order, made) for made in order.standing], ask.query)


def _create_shipment(ask: Ask) -> Answer:
    order = ask.order()
    made = shipping.create(order, ask.given(), ask.store.new_id(), ask.now())
    ask.store.shipped("created", order, made)
    return Answer.json(201, told.shipment(order, made))


def _shipment(ask: Ask) -> Answer:
    order = ask.seen()
    return Answer.json(200, told.shipment(order, shipping.find(order, ask.number("shipment"))))


def _update_shipment(ask: Ask) -> Answer:
    order = ask.order()
    made = shipping.find(order, ask.number("shipment"))
    shipping.update(made, ask.given())
    ask.store.shipped("updated", order, made)
    return Answer.json(200, told.shipment(order, made))


def _delete_shipment(ask: Ask) -> Answer:
    """The order's status stays as it is."""
    order = ask.order()
    made = shipping.find(order, ask.number("shipment"))
    made.deleted = True
    ask.store.shipped("deleted", order, made)
    return NOTHING


# -- catalogue, store


def _variants(ask: Ask) -> Answer:
    found = catalogue.filtered(ask.store.products.values(), ask.query)
    return Answer.json(200, catalogue.page([catalogue.variant(one) for one in found], ask.query))


def _products(ask: Ask) -> Answer:
    found = catalogue.filtered(ask.store.products.values(), ask.query)
    with_variants = "variants" in ask.query.get("include", "").split(",")
    return Answer.json(200, catalogue.page([catalogue.shown(one, with_variants) for one in found], ask.query))


def _items(ask: Ask) -> Answer:
    found = catalogue.filtered(ask.store.products.values(), ask.query)
    return Answer.json(200, catalogue.page([catalogue.item(one) for one in found], ask.query))


def _zones(ask: Ask) -> Answer:
    return Answer.json(200, catalogue.zones())


def _methods(ask: Ask) -> Answer:
    return Answer.json(200, catalogue.methods(ask.number("zone")))


def _store(ask: Ask) -> Answer:
    store = ask.store
    zone = {"name": "America/Chicago", "raw_offset": -21600, "dst_offset": -18000, "dst_correction": True}
    about = {"id": store.name, "name": store.name, "status": store.settings.status, "currency": "USD"}
    return Answer.json(200, {**about, "timezone": zone, "plan_name": "Standard"})


# -- hooks


def _hooks(ask: Ask) -> Answer:
    found = [hooks.shown(ask.store.name, hook) for hook in ask.store.hooks.values()]
    return Answer.json(200, catalogue.page(found, ask.query))


def _create_hook(ask: Ask) -> Answer:
    return _kept(ask, None)


def _update_hook(ask: Ask) -> Answer:
    hook = ask.store.hooks.get(ask.number("hook"))
    if hook is None:
        raise Refused(404, f"Webhook with id [{ask.parts['hook']}] not found")
    return _kept(ask, hook)


def _delete_hook(ask: Ask) -> Answer:
    """The hook as it was, in a 200."""
    hook = ask.store.hooks.get(ask.number("hook"))
    if hook is None:
        raise Refused(404, f"Webhook with id [{ask.parts['hook']}] not found")
    ask.store.remove_hook(hook)
    return Answer.json(200, {"data": hooks.shown(ask.store.name, hook), "meta": {}})


def _kept(ask: Ask, known: Hook | None) -> Answer:
    fields = hooks.checked(ask.given(), ask.store.settings.strict_destinations, known)
    hook = Hook(
        id=known.id if known else ask.store.new_id(),
        scope=fields["scope"],
        destination=fields["destination"],
        is_active=fields["is_active"],
        headers=fields["headers"],
        created_at=known.created_at if known else ask.now(),
        updated_at=ask.now(),
    )
    ask.store.keep_hook(hook)
    return Answer.json(200, {"data": hooks.shown(ask.store.name, hook), "meta": {}})


TABLE: tuple[tuple[str, str, str, str, Handler], ...] = (
    ("GET", "/v2/orders", "orders", "orders", _orders),
    ("POST", "/v2/orders", "createOrder", "orders", _create_order),
    ("GET", "/v2/orders/{order}", "order", "orders", _order),
    ("PUT", "/v2/orders/{order}", "updateOrder", "orders", _update_order),
    ("GET", "/v2/orders/{order}/products", "orderProducts", "orders", _products_of),
    ("GET", "/v2/orders/{order}/shipping_addresses", "orderAddresses", "orders", _addresses_of),
    ("GET", "/v2/orders/{order}/shipments", "shipments", "orders", _shipments),
    ("POST", "/v2/orders/{order}/shipments", "createShipment", "orders", _create_shipment),
    ("GET", "/v2/orders/{order}/shipments/{shipment}", "shipment", "orders", _shipment),
    ("PUT", "/v2/orders/{order}/shipments/{shipment}", "updateShipment", "orders", _update_shipment),
    ("DELETE", "/v2/orders/{order}/shipments/{shipment}", "deleteShipment", "orders", _delete_shipment),
    ("GET", "/v2/store", "store", "information", _store),
    ("GET", "/v2/shipping/zones", "zones", "information", _zones),
    ("GET", "/v2/shipping/zones/{zone}/methods", "methods", "information", _methods),
    ("GET", "/v3/catalog/variants", "variants", "products", _variants),
    ("GET", "/v3/catalog/products", "products", "products", _products),
    ("GET", "/v3/inventory/items", "inventory", "inventory", _items),
    ("GET", "/v3/hooks", "hooks", "hooks", _hooks),
    ("POST", "/v3/hooks", "createHook", "hooks", _create_hook),
    ("PUT", "/v3/hooks/{hook}", "updateHook", "hooks", _update_hook),
    ("DELETE", "/v3/hooks/{hook}", "deleteHook", "hooks", _delete_hook),
)
"""(method, path, operation as fault rules call it, scope, handler)"""
