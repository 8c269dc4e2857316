"""What a store posts to us: checked over the raw body, then read as a hint. `register` is the only I/O.

WooCommerce delivers late (its cron runs with visitors), joins several changes into one, never repeats a delivery, and
switches a webhook off after more than five failures. So `register` is called again and again, and the pull counts.
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from waybill_platforms.errors import SignatureRefused
from waybill_platforms.model.deliveries import Delivery, DeliveryKind, Registered
from waybill_platforms.woocommerce import wire
from waybill_platforms.woocommerce.api import WC, Api, read_as
from waybill_platforms.woocommerce.settings import where

TOPICS = ("order.created", "order.updated", "order.deleted")
"""`order.restored` was never seen to come; notes and tracking have no topic, but an order's change follows."""
LOG_TYPE = "register_webhooks"
PORTS = frozenset({None, 80, 443, 8080})
"""To others WordPress refuses to deliver, though it takes the webhook."""
KINDS: dict[str, DeliveryKind] = {"order": "order", "product": "stock"}


class WooWebhooks:
    """The `WebhookReader` of one store."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._secret = api.settings.webhook_secret.get_secret_value()

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """The ping at creation is a form without a signature: it must be answered, and changes nothing."""
        given = {name.lower(): value for name, value in headers.items()}
        ping = _pinged(given, body)
        if ping is not None:
            return Delivery(f"ping-{ping}", "ping", "ping")
        self._check(given.get("x-wc-webhook-signature", ""), body)
        topic = given.get("x-wc-webhook-topic", "")
        return _delivery(topic, given.get("x-wc-webhook-delivery-id") or sha256(body).hexdigest(), body)

    def _check(self, signature: str, body: bytes) -> None:
        if not signature:
            raise SignatureRefused("X-WC-Webhook-Signature is missing: only WooCommerce's own deliveries are taken")
        wanted = b64encode(hmac(self._secret.encode(), body, sha256).digest())
        if not compare_digest(wanted, signature.strip().encode("utf-8", "replace")):
            raise SignatureRefused(
                "X-WC-Webhook-Signature is not made with this connection's webhook secret: register the webhooks again"
            )

    async def register(self, address: str) -> Registered:
        """Makes what is missing; what is off, or was made with another secret, is mended. The secret is never told by
        the store, so a webhook's name carries a fingerprint of it."""
        there = await self._there(address)
        on: list[str] = []
        for topic in TOPICS:
            known = next((one for one in there if one.topic == topic), None)
            body = {"name": self._name(topic), "topic": topic, "delivery_url": address, "secret": self._secret}
            if known is None:
                await self._api.send(LOG_TYPE, "POST", f"{WC}/webhooks", body=body, effect=True)
            elif known.status != "active" or known.name != body["name"]:
                mended = {"status": "active", "name": body["name"], "secret": self._secret}
                await self._api.send(LOG_TYPE, "PUT", f"{WC}/webhooks/{known.id}", body=mended, effect=True)
            on.append(topic)
        return Registered(tuple(on), _unreachable(address, self._api.settings.url))

    async def unregister(self, address: str) -> None:
        for one in await self._there(address):
            route = f"{WC}/webhooks/{one.id}"
            await self._api.send(LOG_TYPE, "DELETE", route, {"force": "true"}, effect=True)  # they have no trash

    async def _there(self, address: str) -> list[wire.Webhook]:
        found: list[wire.Webhook] = []
        page = 1
        while True:
            listed = await self._api.listed(LOG_TYPE, f"{WC}/webhooks", per_page=100, page=page, status="all")
            found += [read_as(listed.answer, wire.Webhook, row) for row in listed.rows]
            if len(listed.rows) < 100:
                return [one for one in found if one.delivery_url == address]
            page += 1

    def _name(self, topic: str) -> str:
        return f"Waybill {topic} {sha256(self._secret.encode()).hexdigest()[:8]}"


def _pinged(headers: Mapping[str, str], body: bytes) -> str | None:
    """The webhook's id, when this is a ping; a signed delivery is never one."""
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if not form or "x-wc-webhook-signature" in headers or len(body) > 100:
        return None
    fields = parse_qs(body.decode("utf-8", "replace"))
    ids = fields.get("webhook_id", [])
    return ids[0] if list(fields) == ["webhook_id"] and ids[0].isdigit() else None


def _delivery(topic: str, delivery_id: str, body: bytes) -> Delivery:
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        read = {}
    told = read if isinstance(read, dict) else {}
    resource = topic.partition(".")[0]
    if resource == "action":
        order_id = _id(told.get("arg")) if "order" in topic else None
        return Delivery(delivery_id, topic, "order" if order_id else "other", order_id)
    kind = KINDS.get(resource, "other")
    return Delivery(delivery_id, topic, kind, _id(told.get("id")) if kind == "order" else None)


def _id(value: Any) -> str | None:
    return str(value) if isinstance(value, (int, str)) and str(value).isdigit() else None


def _unreachable(address: str, store: str) -> str:
    """Why WordPress will never deliver there, though it takes the webhook. Its own host is no private one to it."""
    parts = urlsplit(address)
    if parts.port not in PORTS:
        return f"WordPress delivers webhooks to ports 80, 443 and 8080 alone, never to {address}"
    if where(parts.hostname or "") != "public" and parts.hostname != urlsplit(store).hostname:
        return f"WordPress delivers no webhooks to private addresses such as {address}"
    return ""
