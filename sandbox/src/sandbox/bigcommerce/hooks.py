"""`/v3/hooks`: what a hook must be, and what is posted to its destination, signed the way of Standard Webhooks.

A payload is light: what it is about, and its id. The signature's key is the API account's client secret as it stands.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from sandbox.bigcommerce.model import Hook
from sandbox.bigcommerce.words import Refused

SCOPES = frozenset(
    {
        "store/order/*", "store/order/created", "store/order/updated", "store/order/archived",
        "store/order/statusUpdated", "store/order/refund/created", "store/order/message/created",
        "store/shipment/*", "store/shipment/created", "store/shipment/updated", "store/shipment/deleted",
        "store/product/inventory/updated", "store/sku/inventory/updated", "store/app/uninstalled",
    }
)  # fmt: skip


def checked(given: Any, strict: bool, known: Hook | None = None) -> dict[str, Any]:
    """The hook's fields; `strict` holds destinations to https on port 443, as the platform does."""
    if not isinstance(given, dict):
        raise Refused(400, "Input is invalid.")
    fields = {**({"scope": known.scope, "destination": known.destination} if known else {}), **given}
    errors = {name: "error.path.missing" for name in ("scope", "destination") if not fields.get(name)}
    if not errors and fields["scope"] not in SCOPES:
        errors["scope"] = "error.scope.invalid"
    if not errors and not _reachable(fields["destination"], strict):
        errors["destination"] = "error.destination.invalid"
    headers = fields.get("headers") or {}
    if not isinstance(headers, dict) or any(not isinstance(value, str) for value in headers.values()):
        errors["headers"] = "error.expected.string"
    if errors:
        raise Refused(422, "JSON data is missing or invalid", errors)
    return {**fields, "headers": headers, "is_active": bool(fields.get("is_active", True))}


def _reachable(destination: Any, strict: bool) -> bool:
    parts = urlsplit(str(destination))
    if not strict:
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    return parts.scheme == "https" and parts.port in {None, 443}


def shown(store: str, hook: Hook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "client_id": f"client-of-{store}",
        "store_hash": store,
        "scope": hook.scope,
        "destination": hook.destination,
        "headers": hook.headers or None,
        "is_active": hook.is_active,
        "created_at": hook.created_at,
        "updated_at": hook.updated_at,
    }


def wants(hook: Hook, scope: str) -> bool:
    return hook.is_active and (hook.scope == scope or (hook.scope.endswith("*") and scope.startswith(hook.scope[:-1])))


def body(store: str, scope: str, data: Mapping[str, Any], at: int) -> bytes:
    told = {"scope": scope, "store_id": "1000", "producer": f"stores/{store}", "created_at": at, "data": dict(data)}
    digest = hashlib.sha1(orjson.dumps(told), usedforsecurity=False).hexdigest()
    return orjson.dumps({**told, "hash": digest})


def headers(hook: Hook, secret: str, name: str, at: int, content: bytes) -> dict[str, str]:
    """`v1,` and the MAC over id, time and the very bytes of the body; the hook's own headers beside it."""
    mac = hmac.new(secret.encode(), f"{name}.{at}.".encode() + content, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    standard = {"webhook-id": name, "webhook-timestamp": str(at), "webhook-signature": signature}
    return {**hook.headers, **standard, "Content-Type": "application/json"}
