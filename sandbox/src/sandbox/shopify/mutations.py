"""The root of mutations: what can be done to a shop by a program."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sandbox.shopify.creating import cancel_order, create_order
from sandbox.shopify.errors import ApiError
from sandbox.shopify.fulfilling import MAX_ARRAY, Refused, Tracking, Wanted
from sandbox.shopify.gids import gid, number_of
from sandbox.shopify.plan import Arguments, Resolve
from sandbox.shopify.queries import fulfillment, told_subscription
from sandbox.shopify.values import Context, Part


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
            errors = [{"field": refusal.field, "message": str(refusal), "code": refusal.code}]
            return {field: None, "user_errors": errors}

    return resolve


def _create(arguments: Arguments, context: Context) -> Any:
    given = arguments["fulfillment"]
    wanted = [_wanted(entry) for entry in given["lineItemsByFulfillmentOrder"]]
    return Part(*context.shop.fulfill(wanted, _tracking(given.get("trackingInfo")), bool(given.get("notifyCustomer"))))


def _cancel(arguments: Arguments, context: Context) -> Any:
    made = context.shop.cancel_fulfillment(number_of("Fulfillment", arguments["id"]) or 0)
    return fulfillment(None, {"id": gid("Fulfillment", made.id)}, context)


def _update_tracking(arguments: Arguments, context: Context) -> Any:
    number = number_of("Fulfillment", arguments["fulfillmentId"]) or 0
    made = context.shop.update_tracking(number, _tracking(arguments["trackingInfoInput"]))
    return fulfillment(None, {"id": gid("Fulfillment", made.id)}, context)


def _create_order(arguments: Arguments, context: Context) -> Any:
    if "write_orders" not in context.shop.settings.scopes:
        text = "Access denied for orderCreate field. Required access: `write_orders` access scope."
        raise ApiError(text, "ACCESS_DENIED")
    return create_order(context.shop, arguments["order"], arguments.get("options") or {})


def _cancel_order(root: object, arguments: Arguments, context: Context) -> Any:
    """Its errors come under a name of their own; the work is a job, which is done at once here."""
    order = context.shop.orders.get(number_of("Order", arguments["orderId"]) or 0)
    try:
        if order is None:
            raise Refused(["orderId"], "Order does not exist", "NOT_FOUND")
        cancel_order(context.shop, order, arguments["restock"])
    except Refused as refusal:
        error = {"field": refusal.field, "message": str(refusal), "code": refusal.code}
        return {"job": None, "order_cancel_user_errors": [error], "user_errors": [error]}
    job = {"id": gid("Job", 1), "done": order.cancelled_at is not None}
    return {"job": job, "order_cancel_user_errors": [], "user_errors": []}


def _subscribe(arguments: Arguments, context: Context) -> Any:
    shop, topic = context.shop, arguments["topic"]
    uri = str(arguments["webhookSubscription"].get("uri") or "")
    if not urlsplit(uri).netloc:
        raise Refused(["webhookSubscription", "callbackUrl"], "Address is invalid")
    if any((one["topic"], one["uri"]) == (topic, uri) for one in shop.settings.subscriptions):
        raise Refused(["webhookSubscription", "callbackUrl"], "Address for this topic has already been taken")
    made = {"id": shop.new_id(), "topic": topic, "uri": uri, "created_at": int(shop.now())}
    shop.configure({"subscriptions": [*shop.settings.subscriptions, made]})
    return told_subscription(made)


def _unsubscribe(arguments: Arguments, context: Context) -> Any:
    shop, number = context.shop, number_of("WebhookSubscription", arguments["id"])
    left = [one for one in shop.settings.subscriptions if one["id"] != number]
    if len(left) == len(shop.settings.subscriptions):
        raise Refused(["id"], "Webhook subscription does not exist")
    shop.configure({"subscriptions": left})
    return arguments["id"]


MUTATION: dict[str, Resolve] = {
    "fulfillmentCreate": _payload("fulfillment", _create),
    "fulfillmentCancel": _payload("fulfillment", _cancel),
    "fulfillmentTrackingInfoUpdate": _payload("fulfillment", _update_tracking),
    "orderCreate": _payload("order", _create_order),
    "orderCancel": _cancel_order,
    "webhookSubscriptionCreate": _payload("webhook_subscription", _subscribe),
    "webhookSubscriptionDelete": _payload("deleted_webhook_subscription_id", _unsubscribe),
}
