"""OAuth 1.0a as Magento checks it: HMAC-SHA256 over method, address and parameters (RFC 5849, section 3.4). Pure.

Query parameters belong to the signature, brackets and all; a JSON body does not.
"""

import hashlib
import hmac
from base64 import b64encode
from urllib.parse import parse_qsl, quote

import httpx

from waybill_platforms.magento.settings import MagentoSettings


def authorization(settings: MagentoSettings, method: str, url: httpx.URL, nonce: str, timestamp: int) -> str:
    """The `Authorization` header of one call; `nonce` may never repeat, `timestamp` is in seconds."""
    oauth = {
        "oauth_consumer_key": settings.consumer_key.get_secret_value(),
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(timestamp),
        "oauth_token": settings.access_token.get_secret_value(),
        "oauth_version": "1.0",
    }
    key = f"{_enc(settings.consumer_secret.get_secret_value())}&{_enc(settings.access_token_secret.get_secret_value())}"
    digest = hmac.new(key.encode(), base_string(method, url, oauth).encode(), hashlib.sha256).digest()
    signed = {**oauth, "oauth_signature": b64encode(digest).decode()}
    return "OAuth " + ", ".join(f'{name}="{_enc(value)}"' for name, value in signed.items())


def base_string(method: str, url: httpx.URL, oauth: dict[str, str]) -> str:
    """What is signed: every parameter of query and header, encoded, sorted, encoded again."""
    query = parse_qsl(url.query.decode(), keep_blank_values=True)
    pairs = sorted((_enc(name), _enc(value)) for name, value in [*query, *oauth.items()])
    bare = str(url.copy_with(query=None, fragment=None))
    return "&".join((method.upper(), _enc(bare), _enc("&".join(f"{name}={value}" for name, value in pairs))))


def _enc(text: str) -> str:
    """RFC 3986: everything but letters, digits and -._~"""
    return quote(text, safe="-._~")
