"""OAuth 1.0a as WooCommerce checks it over plain http: one-legged, in the query, key `secret&`. Pure.

The store signs over its *configured* address: reached by another host or port, every signature is invalid. Values are
decoded once more there before they are signed, so a literal `%41` would not agree; our parameters hold no such thing.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from hmac import new as hmac
from urllib.parse import quote

Pairs = Sequence[tuple[str, str]]


def signed(method: str, address: str, params: Pairs, key: str, secret: str, nonce: str, timestamp: int) -> Pairs:
    """`params` with the OAuth ones. `address` is without a query; a query of it belongs into `params`."""
    given = [
        *params,
        ("oauth_consumer_key", key),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", str(timestamp)),
        ("oauth_version", "1.0"),
    ]
    digest = hmac(f"{secret}&".encode(), base_string(method, address, given).encode(), sha256).digest()
    return [*given, ("oauth_signature", b64encode(digest).decode())]


def base_string(method: str, address: str, params: Pairs) -> str:
    """What is signed (RFC 5849, section 3.4.1)."""
    encoded = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in params)
    normalized = "&".join(f"{name}={value}" for name, value in encoded)
    return "&".join(quote(part, safe="") for part in (method.upper(), address, normalized))
