"""The root of queries: what can be asked of a shop."""

from dataclasses import replace
from typing import Any

from sandbox.seeding.goods import CHANNEL_METHODS
from sandbox.shopify.connections import Connection, page
from sandbox.shopify.fulfillment_fields import location
from sandbox.shopify.gids import gid, number_of
from sandbox.shopify.index import READERS
from sandbox.shopify.plan import Arguments, Resolve
from sandbox.shopify.search import Search, parse
from sandbox.shopify.settings import LOCATIONS
from sandbox.shopify.times import iso
from sandbox.shopify.values import Context, Part
from sandbox.sight import Sight

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")


def _order(root: object, arguments: Arguments, context: Context) -> Any:
    order = context.shop.orders.get(number_of("Order", arguments["id"]) or 0)
    return order and context.seen(order)


def _orders(root: object, arguments: Arguments, context: Context) -> Connection:
    search = _search(arguments, context)
    now = context.shop.now()
    context.shop.index.catch_up(now)
    hidden = context.sight.hides_newer_than
    found = context.shop.index.page(arguments, search, now - hidden if hidden else None)
    if context.sight.twice:
        doubled = [(node, cursor) for node, cursor in zip(found.nodes, found.cursors, strict=True) for _ in range(2)]
        nodes, cursors = [node for node, _ in doubled], [cursor for _, cursor in doubled]
        found = Connection(nodes, cursors, found.more_after, found.more_before)
    if context.sight.forgets or context.sight.trims:
        found = _misremembered(found, context.sight)
    if context.sight.stale:
        return Connection([context.seen(o) for o in found.nodes], found.cursors, found.more_after, found.more_before)
    return found


def _misremembered(found: Connection, sight: Sight) -> Connection:
    """Whole orders or their last lines are left out; the walk goes on as if nothing were."""
    kept = [(n, c) for n, c in zip(found.nodes, found.cursors, strict=True) if n.name not in sight.forgets]
    nodes = [replace(n, lines=n.lines[:-1]) if n.name in sight.trims else n for n, _ in kept]
    return Connection(nodes, [cursor for _, cursor in kept], found.more_after, found.more_before)


def _search(arguments: Arguments, context: Context) -> Search:
    search = parse(arguments.get("query"), READERS)
    if search.text:
        context.searches.append(("orders", search.text, search.ignored))
    return search


def _orders_count(root: object, arguments: Arguments, context: Context) -> Any:
    context.shop.index.catch_up(context.shop.now())
    found, limit = context.shop.index.count(_search(arguments, context)), arguments.get("limit") or 10_000
    return {"count": min(found, limit), "precision": "EXACT" if found <= limit else "AT_LEAST"}


def _by_identifier(root: object, arguments: Arguments, context: Context) -> Any:
    wanted = arguments["identifier"]
    if wanted.get("id"):
        return _order(root, {"id": wanted["id"]}, context)
    custom = wanted.get("customId") or {}
    name = (custom.get("namespace"), custom.get("key"), custom.get("value"))
    return next((o for o in context.shop.orders.values() if any(tuple(m) == name for m in o.metafields)), None)


def fulfillment(root: object, arguments: Arguments, context: Context) -> Any:
    found = context.shop.order_of_fulfillment(number_of("Fulfillment", arguments["id"]) or 0)
    return found and Part(*found)


def _fulfillment_order(root: object, arguments: Arguments, context: Context) -> Any:
    number = number_of("FulfillmentOrder", arguments["id"]) or 0
    order = context.shop.order_of_fulfillment_order(number)
    return order and Part(order, next(part for part in order.fulfillment_orders if part.id == number))


def _node(root: object, arguments: Arguments, context: Context) -> Any:
    for find in (_order, fulfillment, _fulfillment_order):
        if (found := find(root, arguments, context)) is not None:
            return found
    return None


def _shop(root: object, arguments: Arguments, context: Context) -> Any:
    name = context.shop.name
    host = f"{name}.myshopify.example"
    return {
        "id": gid("Shop", 1),
        "name": name.title(),
        "email": f"owner@{name}.example",
        "contact_email": f"hello@{name}.example",
        "myshopify_domain": host,
        "primary_domain": {"host": host, "url": f"https://{host}", "ssl_enabled": True},
        "url": f"https://{host}",
        "currency_code": "USD",
        "iana_timezone": "America/New_York",
        "timezone_offset": "-0500",
        "timezone_offset_minutes": -300,
        "plan": {"public_display_name": "Shopify Plus", "shopify_plus": True, "partner_development": False},
        "order_number_format_prefix": "#",
        "order_number_format_suffix": "",
        "created_at": iso(1_600_000_000),
        "updated_at": iso(1_700_000_000),
    }


def _locations(root: object, arguments: Arguments, context: Context) -> Connection:
    return page(
        [location(number) for number, _ in LOCATIONS], arguments, lambda place: int(place["legacy_resource_id"])
    )


def _app(root: object, arguments: Arguments, context: Context) -> Any:
    scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in context.shop.settings.scopes]
    return {"id": gid("AppInstallation", 1), "app": {"id": gid("App", 1), "title": "Hub"}, "access_scopes": scopes}


def told_subscription(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "id": gid("WebhookSubscription", one["id"]), "format": "JSON"}


def _subscriptions(root: object, arguments: Arguments, context: Context) -> Connection:
    topics = arguments.get("topics")
    found = [one for one in context.shop.settings.subscriptions if not topics or one["topic"] in topics]
    listed = page(found, arguments, lambda one: int(one["id"]))
    return Connection(
        [told_subscription(one) for one in listed.nodes], listed.cursors, listed.more_after, listed.more_before
    )


def _variants(root: object, arguments: Arguments, context: Context) -> Connection:
    shop = context.shop
    search = parse(arguments.get("query"), {"sku": lambda v: v.sku or "", "id": lambda v: v.id})
    if search.text:
        context.searches.append(("productVariants", search.text, search.ignored))
    found = [variant for variant in shop.catalogue.variants.values() if search.test(variant)]
    return page(sorted(found, key=lambda v: v.id), arguments, lambda v: int(v.id))


def _profiles(root: object, arguments: Arguments, context: Context) -> Connection:
    names = [] if context.shop.role == "source" else [*CHANNEL_METHODS]
    methods = [{"id": gid("DeliveryMethodDefinition", n), "name": name, "active": True} for n, name in enumerate(names)]
    profile = {"id": gid("DeliveryProfile", 1), "name": "General profile", "default": True, "methods": methods}
    return page([profile], arguments, lambda one: 1)


QUERY: dict[str, Resolve] = {
    "productVariants": _variants,
    "deliveryProfiles": _profiles,
    "webhookSubscriptions": _subscriptions,
    "shop": _shop,
    "node": _node,
    "nodes": lambda root, a, c: [_node(root, {"id": one}, c) for one in a["ids"]],
    "order": _order,
    "orders": _orders,
    "ordersCount": _orders_count,
    "orderByIdentifier": _by_identifier,
    "fulfillment": fulfillment,
    "fulfillmentOrder": _fulfillment_order,
    "location": lambda root, a, c: location(number_of("Location", a.get("id")) or LOCATIONS[0][0]),
    "locations": _locations,
    "currentAppInstallation": _app,
    "publicApiVersions": lambda root, a, c: [{"handle": v, "display_name": v, "supported": True} for v in VERSIONS],
}
