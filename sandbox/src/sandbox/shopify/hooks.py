"""Webhooks as the platform sends them: signed with the app's secret over the raw body, one for each subscription."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.shopify.gids import gid
from sandbox.shopify.model import Fulfillment, Order
from sandbox.shopify.times import iso
from sandbox.shops import Post


@dataclass(slots=True)
class Subscription:
    id: int
    topic: str
    """As the schema spells it: ORDERS_UPDATED; deliveries say orders/updated."""
    uri: str
    created_at: int


def told_topic(topic: str) -> str:
    """ORDERS_PARTIALLY_FULFILLED -> orders/partially_fulfilled; APP_UNINSTALLED -> app/uninstalled."""
    head, _, tail = topic.lower().partition("_")
    return f"{head}/{tail}"


def deliver(
    subscriptions: list[Subscription],
    topic: str,
    content: Mapping[str, Any],
    *,
    shop: str,
    secret: str,
    event: str,
    now: float,
    post: Callable[[Post], None],
) -> None:
    """`event` is the same for all topics of one thing that happened."""
    body = orjson.dumps(content)
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    for subscription in subscriptions:
        if subscription.topic == topic:
            headers = {
                "Content-Type": "application/json",
                "X-Shopify-Topic": told_topic(topic),
                "X-Shopify-Hmac-Sha256": signature,
                "X-Shopify-Shop-Domain": f"{shop}.myshopify.example",
                "X-Shopify-API-Version": "2026-10",
                "X-Shopify-Webhook-Id": secrets.token_hex(16),
                "X-Shopify-Event-Id": event,
                "X-Shopify-Triggered-At": iso(now) or "",
            }
            post(Post(subscription.uri, headers, body, told_topic(topic)))


def of_order(order: Order) -> dict[str, Any]:
    """The older, flat form of an order that webhooks carry; the part that hubs look at."""
    return {
        "id": order.id,
        "admin_graphql_api_id": gid("Order", order.id),
        "name": order.name,
        "email": order.email,
        "updated_at": iso(order.updated_at),
        "cancelled_at": iso(order.cancelled_at),
        "line_items": [{"id": li.id, "sku": li.sku, "quantity": li.quantity} for li in order.lines],
    }


def of_fulfillment(order: Order, made: Fulfillment) -> dict[str, Any]:
    return {
        "id": made.id,
        "admin_graphql_api_id": gid("Fulfillment", made.id),
        "order_id": order.id,
        "status": made.status.lower(),
        "tracking_company": made.company,
        "tracking_numbers": made.numbers,
        "updated_at": iso(made.updated_at),
    }
