"""Understands what Shopify posts to us, and makes it post.

The signature is base64(HMAC-SHA256(raw body, client secret)). After a rotation of the secret the old one signs for up
to an hour, so both are tried while the settings have both. The facts of a delivery are in its headers.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

import orjson

from waybill_platforms.errors import SignatureRefused
from waybill_platforms.model.deliveries import Delivery, DeliveryKind, PersonToErase, Registered
from waybill_platforms.shopify import setup_documents as documents
from waybill_platforms.shopify import setup_wire as wire
from waybill_platforms.shopify.changing import change
from waybill_platforms.shopify.graphql import Graph, read_as
from waybill_platforms.shopify.settings import ShopifySettings

LOG_TYPE = "register_webhooks"
TOPICS = ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "FULFILLMENTS_CREATE", "FULFILLMENTS_UPDATE",
          "APP_UNINSTALLED")  # fmt: skip
"""ORDERS_PAID and ORDERS_FULFILLED come with ORDERS_UPDATED. Redaction requests are not subscribed to: their addresses
are set in the app's own configuration."""
KINDS: Mapping[str, DeliveryKind] = {
    "orders/create": "order",
    "orders/updated": "order",
    "orders/cancelled": "order",
    "orders/paid": "order",
    "orders/edited": "order",
    "orders/fulfilled": "order",
    "orders/partially_fulfilled": "order",
    "orders/delete": "order",
    "fulfillments/create": "fulfillment",
    "fulfillments/update": "fulfillment",
    "inventory_levels/update": "stock",
    "app/uninstalled": "uninstalled",
    "customers/redact": "redaction",
    "customers/data_request": "redaction",
    "shop/redact": "redaction",
}
REQUIRED = ("x-shopify-hmac-sha256", "x-shopify-topic", "x-shopify-shop-domain", "x-shopify-api-version",
            "x-shopify-webhook-id")  # fmt: skip


class ShopifyWebhooks:
    """The `WebhookReader` of one shop."""

    def __init__(self, graph: Graph, settings: ShopifySettings) -> None:
        self._graph = graph
        found = (settings.client_secret, settings.previous_client_secret)
        self._secrets = tuple(secret.get_secret_value().encode() for secret in found if secret is not None)

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Raises SignatureRefused for a missing header, a wrong signature, and a body that is no JSON object."""
        given = {name.lower(): value for name, value in headers.items()}
        self._prove(given, body)
        topic = given["x-shopify-topic"]
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            content = None
        if not isinstance(content, dict):
            raise SignatureRefused("the body is no JSON object")
        kind = KINDS.get(topic, "other")
        event = given.get("x-shopify-event-id")
        # One event is posted once for each subscription; its webhook id is another one each time.
        name = f"{topic}:{event}" if event else given["x-shopify-webhook-id"]
        return Delivery(name, topic, kind, _order_id(kind, content), _person(topic, content))

    def _prove(self, given: Mapping[str, str], body: bytes) -> None:
        missing = [name for name in REQUIRED if not given.get(name)]
        if missing:
            raise SignatureRefused(f"headers are missing: {', '.join(missing)}")
        if not self._secrets:
            raise SignatureRefused("credentials.client_secret is missing, so nothing proves who sent it")
        sent = given["x-shopify-hmac-sha256"].encode()
        # Both are always computed: how long it takes tells nothing of which secret was right.
        right = [hmac.compare_digest(signature(secret, body), sent) for secret in self._secrets]
        if not any(right):
            raise SignatureRefused("x-shopify-hmac-sha256 was not made with the connection's client_secret")

    async def register(self, address: str) -> Registered:
        """Subscribes what is not subscribed for this address yet. Shopify removes a subscription after 8 failures, so
        it is worth asking again from time to time."""
        on = {one.topic for one in await self._subscribed(address)}
        for topic in TOPICS:
            if topic not in on:
                subscription = {"uri": address, "format": "JSON"}
                variables = {"topic": topic, "subscription": subscription}
                await change(
                    self._graph, documents.SUBSCRIBE, variables, "webhookSubscriptionCreate", LOG_TYPE,
                    makes="webhookSubscription",
                )  # fmt: skip
                on.add(topic)
        return Registered(tuple(sorted(on)))

    async def unregister(self, address: str) -> None:
        for one in await self._subscribed(address):
            await change(
                self._graph, documents.UNSUBSCRIBE, {"id": one.id}, "webhookSubscriptionDelete", LOG_TYPE,
                makes="deletedWebhookSubscriptionId",
            )  # fmt: skip

    async def _subscribed(self, address: str) -> list[wire.Subscription]:
        found: list[wire.Subscription] = []
        after: str | None = None
        while True:
            data, answer = await self._graph.ask(documents.SUBSCRIPTIONS, {"after": after}, LOG_TYPE)
            page = read_as(answer, wire.Subscriptions, data.get("webhookSubscriptions"))
            found += [one for one in page.nodes if one.uri == address]
            after = page.pageInfo.endCursor
            if not page.pageInfo.hasNextPage:
                return found


def signature(secret: bytes, body: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest())


def _order_id(kind: DeliveryKind, content: Mapping[str, object]) -> str | None:
    """Deliveries name orders by their bare number; the API wants the global id."""
    return _global_id({"order": content.get("id"), "fulfillment": content.get("order_id")}.get(kind))


def _global_id(number: object) -> str | None:
    return f"gid://shopify/Order/{number}" if isinstance(number, int) and number > 0 else None


def _person(topic: str, content: Mapping[str, object]) -> PersonToErase | None:
    """https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance: `customer` and `orders_to_redact`."""
    if topic != "customers/redact":
        return None
    customer, orders = content.get("customer"), content.get("orders_to_redact")
    email = customer.get("email") if isinstance(customer, dict) else None
    named = [_global_id(number) for number in orders] if isinstance(orders, list) else []
    return PersonToErase(email if isinstance(email, str) else "", tuple(name for name in named if name))
