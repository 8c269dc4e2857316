"""Who calls: an integration by OAuth 1.0a (HMAC-SHA256), by its token as bearer where that is allowed, or an admin.

Everything wrong looks alike: a 401. The signature is computed here from the call as it came, by RFC 5849.
"""

import hashlib
import hmac
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

from sandbox.magento.errors import Refused, not_permitted

CLOCK = 300
SIGNATURE_INVALID = "The signature is invalid. Verify and try again."


@dataclass(slots=True)
class Keys:
    """What one shop accepts."""

    consumer_key: str
    consumer_secret: str
    token_secret: str
    tokens: list[str]
    bearer: bool = True
    """`oauth/consumer/enable_integration_as_bearer`: off since 2.4.4 unless somebody turns it on."""
    admin_tokens: list[str] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)


def check(keys: Keys, header: str, method: str, url: str, now: float, resource: str) -> None:
    """Raises `Refused` when the caller may not have `resource`."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        if rest in keys.admin_tokens or (keys.bearer and rest in keys.tokens):
            return
        raise not_permitted(resource)
    if scheme.lower() != "oauth":
        raise not_permitted(resource)
    pairs = [part.strip().partition("=") for part in rest.split(",")]
    given = {unquote(name): unquote(value.strip('"')) for name, _, value in pairs}
    _signed(keys, given, method, url, now, resource)


def _signed(keys: Keys, given: dict[str, str], method: str, url: str, now: float, resource: str) -> None:
    if given.get("oauth_signature_method") != "HMAC-SHA256":
        raise Refused(400, "oauth_problem=signature_method_rejected")
    if abs(now - float(given.get("oauth_timestamp", 0))) > CLOCK:
        raise Refused(400, "oauth_problem=timestamp_refused")
    if given.get("oauth_nonce", "") in keys.nonces:
        raise Refused(401, "The nonce is already being used by the consumer with an ID of %1.", [1])
    keys.nonces.add(given.get("oauth_nonce", ""))
    if given.get("oauth_consumer_key") != keys.consumer_key or given.get("oauth_token") not in keys.tokens:
        raise not_permitted(resource)
    address, _, query = url.partition("?")
    pairs = [*parse_qsl(query, keep_blank_values=True), *given.items()]
    encoded = sorted((_enc(name), _enc(value)) for name, value in pairs if name not in {"oauth_signature", "realm"})
    text = "&".join([method, _enc(address), _enc("&".join(f"{name}={value}" for name, value in encoded))])
    key = f"{_enc(keys.consumer_secret)}&{_enc(keys.token_secret)}"
    wanted = b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
    if not hmac.compare_digest(wanted, given.get("oauth_signature", "")):
        raise Refused(401, SIGNATURE_INVALID)


def _enc(text: str) -> str:
    return quote(text, safe="-._~")
