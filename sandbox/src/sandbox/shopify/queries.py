"""The roots: what can be asked of a shop, and what can be done to it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sandbox.shopify.connections import Connection, page
from sandbox.shopify.creating import create_order
from sandbox.shopify.fulfilling import MAX_ARRAY, Refused, Tracking, Wanted
from sandbox.shopify.fulfillment_fields import location
from sandbox.shopify.gids import gid, number_of
from sandbox.shopify.index import READERS
from sandbox.shopify.plan import Arguments, Resolve
from sandbox.shopify.search import Search, parse
from sandbox.shopify.shop import LOCATIONS
from sandbox.shopify.values import Context, Part, iso

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
SCOPES = (
    "read_orders",
    "write_orders",
    "read_all_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_locations",
)


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
    if context.sight.stale:
        return Connection([context.seen(o) for o in found.nodes], found.cursors, found.more_after, found.more_before)
    return found


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


def _fulfillment(root: object, arguments: Arguments, context: Context) -> Any:
    found = context.shop.order_of_fulfillment(number_of("Fulfillment", arguments["id"]) or 0)
    return found and Part(*found)


def _fulfillment_order(root: object, arguments: Arguments, context: Context) -> Any:
    number = number_of("FulfillmentOrder", arguments["id"]) or 0
    order = context.shop.order_of_fulfillment_order(number)
    return order and Part(order, next(part for part in order.fulfillment_orders if part.id == number))


def _node(root: object, arguments: Arguments, context: Context) -> Any:
    for find in (_order, _fulfillment, _fulfillment_order):
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
    scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in SCOPES]
    return {"id": gid("AppInstallation", 1), "app": {"id": gid("App", 1), "title": "Hub"}, "access_scopes": scopes}


def _tracking(given: Arguments | None) -> Tracking:
    given = given or {}
    if given.get("number") is not None and given.get("numbers"):
        raise Refused(["fulfillment", "trackingInfo"], "Provide either number or numbers, not both.")
    numbers = given.get("numbers") or ([given["number"]] if given.get("number") else [])
    urls = given.get("urls") or ([given["url"]] if given.get("url") else [])
    for url in urls:
        if not (urlsplit(str(url)).scheme in {"http", "https"} and urlsplit(str(url)).netloc):
            raise Refused(["fulfillment", "trackingInfo", "url"], "Tracking URL is invalid.")
    return Tracking(given.get("company"), tuple(numbers), tuple(map(str, urls)))


def _wanted(entry: Arguments) -> Wanted:
    parts = entry.get("fulfillmentOrderLineItems") or []
    if len(parts) > MAX_ARRAY:
        raise Refused(["fulfillment"], f"The input array size of {len(parts)} is over {MAX_ARRAY}.")
    numbers = tuple((number_of("FulfillmentOrderLineItem", part["id"]) or 0, part["quantity"]) for part in parts)
    return Wanted(number_of("FulfillmentOrder", entry["fulfillmentOrderId"]) or 0, numbers)


def _payload(field: str, act: Callable[[Arguments, Context], Any]) -> Resolve:
    """A mutation: what it made, or `userErrors`."""

    def resolve(root: object, arguments: Arguments, context: Context) -> Any:
        try:
            return {field: act(arguments, context), "user_errors": []}
        except Refused as refusal:
            errors = [{"field": refusal.field, "message": str(refusal), "code": "INVALID"}]
            return {field: None, "user_errors": errors}

    return resolve


def _create(arguments: Arguments, context: Context) -> Any:
    given = arguments["fulfillment"]
    wanted = [_wanted(entry) for entry in given["lineItemsByFulfillmentOrder"]]
    return Part(*context.shop.fulfill(wanted, _tracking(given.get("trackingInfo")), bool(given.get("notifyCustomer"))))


def _cancel(arguments: Arguments, context: Context) -> Any:
    made = context.shop.cancel_fulfillment(number_of("Fulfillment", arguments["id"]) or 0)
    return _fulfillment(None, {"id": gid("Fulfillment", made.id)}, context)


def _update_tracking(arguments: Arguments, context: Context) -> Any:
    number = number_of("Fulfillment", arguments["fulfillmentId"]) or 0
    made = context.shop.update_tracking(number, _tracking(arguments["trackingInfoInput"]))
    return _fulfillment(None, {"id": gid("Fulfillment", made.id)}, context)


QUERY: dict[str, Resolve] = {
    "shop": _shop,
    "node": _node,
    "nodes": lambda root, a, c: [_node(root, {"id": one}, c) for one in a["ids"]],
    "order": _order,
    "orders": _orders,
    "ordersCount": _orders_count,
    "orderByIdentifier": _by_identifier,
    "fulfillment": _fulfillment,
    "fulfillmentOrder": _fulfillment_order,
    "location": lambda root, a, c: location(number_of("Location", a.get("id")) or LOCATIONS[0][0]),
    "locations": _locations,
    "currentAppInstallation": _app,
    "publicApiVersions": lambda root, a, c: [{"handle": v, "display_name": v, "supported": True} for v in VERSIONS],
}
MUTATION: dict[str, Resolve] = {
    "fulfillmentCreate": _payload("fulfillment", _create),
    "fulfillmentCancel": _payload("fulfillment", _cancel),
    "fulfillmentTrackingInfoUpdate": _payload("fulfillment", _update_tracking),
    "orderCreate": _payload("order", lambda a, c: create_order(c.shop, a["order"])),
}
