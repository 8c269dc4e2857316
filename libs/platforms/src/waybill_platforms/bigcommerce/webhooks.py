"""Understands what BigCommerce posts to us, and makes it post.

Two proofs: the signature of Standard Webhooks (HMAC-SHA256 over id, time and raw body with the API account's client
secret), and our own secret in a header that the hook was registered with, which hooks older than signatures send too.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from time import time
from typing import Any

import orjson
from pydantic import ValidationError

from waybill_common.retry import Family
from waybill_platforms.bigcommerce import wire
from waybill_platforms.bigcommerce.rest import MOST, Rest, listed, read_as
from waybill_platforms.bigcommerce.settings import BigCommerceSettings
from waybill_platforms.errors import PlatformError, SignatureRefused
from waybill_platforms.model.deliveries import Delivery, DeliveryKind, Registered

LOG_TYPE = "register_webhooks"
OWN_HEADER = "X-Waybill-Secret"
TOLERANCE = 300.0
"""Seconds that a delivery's time may differ from ours (Standard Webhooks' recommendation)."""
SCOPES = (
    "store/order/created",
    "store/order/updated",
    "store/order/archived",
    "store/shipment/created",
    "store/shipment/updated",
    "store/shipment/deleted",
    "store/app/uninstalled",
)
"""A change of status is an update as well, so `store/order/statusUpdated` would only say it twice."""
KINDS: Mapping[str, DeliveryKind] = {
    "store/order/created": "order",
    "store/order/updated": "order",
    "store/order/statusUpdated": "order",
    "store/order/archived": "order",
    "store/order/refund/created": "order",
    "store/shipment/created": "fulfillment",
    "store/shipment/updated": "fulfillment",
    "store/shipment/deleted": "fulfillment",
    "store/product/inventory/updated": "stock",
    "store/sku/inventory/updated": "stock",
    "store/app/uninstalled": "uninstalled",
}


class BigCommerceWebhooks:
    """The `WebhookReader` of one store."""

    def __init__(self, rest: Rest, settings: BigCommerceSettings, now: Callable[[], float] = time) -> None:
        self._rest = rest
        self._client_secret = settings.client_secret
        self._own_secret = settings.webhook_secret
        self._now = now

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Raises SignatureRefused; a body that is none of BigCommerce's is refused as well."""
        given = {name.lower(): value for name, value in headers.items()}
        self._prove(given, body)
        try:
            callback = wire.Callback.model_validate(orjson.loads(body))
        except (orjson.JSONDecodeError, ValidationError):
            raise SignatureRefused("the body is no callback of BigCommerce: scope or data is missing") from None
        data = callback.data
        order_id = data.orderId if callback.scope.startswith("store/shipment/") else data.id
        kind = KINDS.get(callback.scope, "other")
        about_order = kind in ("order", "fulfillment") and isinstance(order_id, (int, str))
        name = given.get("webhook-id") or callback.hash
        return Delivery(name, callback.scope, kind, str(order_id) if about_order else None)

    def _prove(self, given: Mapping[str, str], body: bytes) -> None:
        """Each proof that can be checked must be right, and at least one must be there."""
        proofs = 0
        if self._client_secret is not None and "webhook-signature" in given:
            _check_signature(given, body, self._client_secret.get_secret_value(), self._now())
            proofs += 1
        if self._own_secret is not None:
            sent = given.get(OWN_HEADER.lower(), "")
            if not hmac.compare_digest(sent.encode(), self._own_secret.get_secret_value().encode()):
                raise SignatureRefused(f"{OWN_HEADER} is not the connection's webhook_secret")
            proofs += 1
        if not proofs:
            missing = "client_secret or webhook_secret" if self._client_secret is None else "webhook-signature"
            raise SignatureRefused(f"{missing} is missing, so nothing proves who sent it")

    async def register(self, address: str) -> Registered:
        """One hook a scope; what BigCommerce switched off (after failures, or 90 quiet days) is switched on again."""
        if self._client_secret is None and self._own_secret is None:
            raise _refused("set credentials.webhook_secret (or client_secret) first: nothing else proves who posts")
        wanted = {OWN_HEADER: self._own_secret.get_secret_value()} if self._own_secret is not None else {}
        known = {hook.scope: hook for hook in await self._hooks() if hook.destination == address}
        for scope in SCOPES:
            body = {"scope": scope, "destination": address, "is_active": True, "headers": wanted}
            hook = known.get(scope)
            if hook is None:
                await self._write("POST", "/v3/hooks", body)
            elif not hook.is_active or _differs(hook.headers, wanted):
                await self._write("PUT", f"/v3/hooks/{hook.id}", body)
        return Registered(SCOPES)

    async def unregister(self, address: str) -> None:
        """Of this API account's hooks; BigCommerce shows and takes off no others."""
        for hook in await self._hooks():
            if hook.destination == address:
                await self._rest.change("DELETE", f"/v3/hooks/{hook.id}", LOG_TYPE)

    async def _hooks(self) -> list[wire.Hook]:
        found: list[wire.Hook] = []
        page, pages = 1, 1
        while page <= pages:
            answer = await self._rest.get("/v3/hooks", LOG_TYPE, {"page": page, "limit": MOST})
            read = listed(answer)
            found += [read_as(answer, wire.Hook, entry) for entry in read.data]
            page, pages = page + 1, read.meta.pagination.total_pages
        return found

    async def _write(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        answer = await self._rest.change(method, path, LOG_TYPE, body)
        made = read_as(answer, wire.HookAnswer, answer.json()).data
        if not made.is_active:
            raise answer.wrong_form(f"hook {made.id} ({made.scope}) is not active")


def _differs(shown: Mapping[str, Any] | None, wanted: Mapping[str, str]) -> bool:
    has = {name.lower(): value for name, value in (shown or {}).items()}
    return any(has.get(name.lower()) != value for name, value in wanted.items())


def _check_signature(given: Mapping[str, str], body: bytes, secret: str, now: float) -> None:
    name, moment = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not name or not moment.isdigit():
        raise SignatureRefused("webhook-id or webhook-timestamp is missing")
    if abs(now - int(moment)) > TOLERANCE:
        raise SignatureRefused(f"webhook-timestamp differs from our clock by more than {TOLERANCE:g} s")
    signed = b".".join([name.encode(), moment.encode(), body])
    right = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    for version, _, text in (one.partition(",") for one in given["webhook-signature"].split()):
        if version == "v1" and hmac.compare_digest(_decoded(text), right):
            return
    raise SignatureRefused("webhook-signature does not fit client_secret and the body")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _refused(message: str) -> PlatformError:
    return PlatformError(message, family=Family.REFUSED, cause="configuration", outcome="none", action=LOG_TYPE)
