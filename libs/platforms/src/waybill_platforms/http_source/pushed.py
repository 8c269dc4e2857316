"""Shipments that a supplier posts to us as they happen (docs/http-source.openapi.yaml, webhooks). Pure.

Checked over the raw body: by the signature where there is one, else by the bearer token; both are of `hook_secret`.
A replayed signature is refused after 5 minutes; within them it does no harm, because a shipment said twice is one.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr, ValidationError

from waybill_platforms.errors import SignatureRefused, explain
from waybill_platforms.http_source import mapping
from waybill_platforms.http_source.wire import WireShipmentPage
from waybill_platforms.model.shipments import ShipmentPage

HEADER = "waybill-signature"
TOLERANCE = timedelta(minutes=5)


class PushedShipments:
    """The `ShipmentReceiver` of one supplier; without a `hook_secret` it takes nothing."""

    def __init__(self, secret: SecretStr | None) -> None:
        self._secret = secret

    def received(self, headers: Mapping[str, str], body: bytes, now: datetime) -> ShipmentPage:
        """Raises SignatureRefused, and ValueError where the body is no list of shipments."""
        if self._secret is None:
            raise SignatureRefused("this source has no hook_secret in its credentials, so what is posted is not taken")
        given = {name.lower(): value for name, value in headers.items()}
        if HEADER in given:
            self._signed(given[HEADER], body, now)
        else:
            self._bearer(given.get("authorization", ""))
        try:
            return mapping.shipment_page(WireShipmentPage.model_validate_json(body))
        except ValidationError as error:
            raise ValueError(explain(error)) from None

    def _signed(self, header: str, body: bytes, now: datetime) -> None:
        parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
        try:
            at = datetime.fromtimestamp(int(parts["t"]), UTC)
        except (KeyError, ValueError, OverflowError, OSError):
            raise SignatureRefused("Waybill-Signature: t is no time in seconds; write t=SECONDS,v1=HEX") from None
        if abs(now - at) > TOLERANCE:
            raise SignatureRefused("Waybill-Signature: t is more than 5 minutes off; sign each call anew")
        if not hmac.compare_digest(signature(self._key(), parts["t"], body), parts.get("v1", "").lower()):
            raise SignatureRefused("Waybill-Signature: v1 does not fit hook_secret, t and this body")

    def _bearer(self, header: str) -> None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._key()):
            raise SignatureRefused("send Waybill-Signature, or Authorization: Bearer with this source's hook_secret")

    def _key(self) -> bytes:
        return self._secret.get_secret_value().encode() if self._secret else b""


def signature(secret: bytes, at: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over `t`, a dot, and the raw body."""
    return hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
