"""Who calls: a key by Basic, in the query, or by OAuth 1.0a, as WooCommerce takes them. Its own code, so that a mistake
of the caller's is seen. No `WWW-Authenticate` in any answer, and an unknown key looks like none at all."""

import base64
import hmac
import time
from collections.abc import Mapping
from hashlib import sha1, sha256
from urllib.parse import quote

from sandbox.woocommerce.errors import Refused, authentication, cannot_view
from sandbox.woocommerce.settings import Key, Settings

WINDOW = 15 * 60


class Nonces:
    """Those that were seen, so that none is taken twice."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def fresh(self, nonce: str) -> bool:
        now = time.time()
        self._seen = {one: at for one, at in self._seen.items() if now - at < WINDOW}
        if nonce in self._seen:
            return False
        self._seen[nonce] = now
        return True


def key_of(
    settings: Settings, nonces: Nonces, method: str, address: str, headers: Mapping[str, str], query: Mapping[str, str]
) -> Key:
    """The key that called, with the right to use this method; `Refused` else."""
    tls = settings.tls or headers.get("X-Forwarded-Proto") == "https"
    key = _by_tls(settings, headers, query) if tls else _by_oauth(settings, nonces, method, address, query)
    writes = method not in {"GET", "HEAD", "OPTIONS"}
    if writes and key.permissions == "read":
        raise authentication("The API key provided does not have write permissions.")
    if not writes and key.permissions == "write":
        raise authentication("The API key provided does not have read permissions.")
    if not key.may_manage:
        raise cannot_view(403)
    return key


def _by_tls(settings: Settings, headers: Mapping[str, str], query: Mapping[str, str]) -> Key:
    name, secret = query.get("consumer_key", ""), query.get("consumer_secret", "")
    header = "" if settings.drops_authorization else headers.get("Authorization", "")
    if not name and header.startswith("Basic "):
        name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    key = _known(settings, name)
    if not hmac.compare_digest(key.consumer_secret, secret):
        raise authentication("Consumer secret is invalid.")
    return key


def _known(settings: Settings, name: str) -> Key:
    key = next((key for key in settings.keys if key.consumer_key == name), None)
    if key is None:
        raise cannot_view()
    return key


def _by_oauth(settings: Settings, nonces: Nonces, method: str, address: str, query: Mapping[str, str]) -> Key:
    """Basic and the key in the query are passed over without TLS: the truth is "no TLS", the answer "wrong key"."""
    if "oauth_consumer_key" not in query:
        raise cannot_view()
    missing = [name for name in ("timestamp", "nonce", "signature", "signature_method") if f"oauth_{name}" not in query]
    if missing:
        raise Refused(401, "woocommerce_rest_authentication_error", f"Missing OAuth parameter oauth_{missing[0]}")
    key = next((one for one in settings.keys if one.consumer_key == query["oauth_consumer_key"]), None)
    if key is None:
        raise authentication("Consumer key is invalid.")
    _check_signature(method, address, query, key.consumer_secret)
    if abs(time.time() - float(query["oauth_timestamp"])) > WINDOW:
        raise authentication("Invalid timestamp.")
    if not nonces.fresh(query["oauth_nonce"]):
        raise authentication("Invalid nonce - nonce has already been used.")
    return key


def _check_signature(method: str, address: str, query: Mapping[str, str], secret: str) -> None:
    kind = {"HMAC-SHA256": sha256, "HMAC-SHA1": sha1}.get(query["oauth_signature_method"])
    if kind is None:
        raise authentication("Invalid signature - signature method is invalid.")
    pairs = sorted((_twice(name), _twice(value)) for name, value in query.items() if name != "oauth_signature")
    joined = "%26".join(f"{name}%3D{value}" for name, value in pairs)
    text = f"{method}&{quote(address, safe='')}&{joined}"
    wanted = base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), kind).digest()).decode()
    if not hmac.compare_digest(wanted, query["oauth_signature"].replace(" ", "+")):
        raise authentication("Invalid signature - provided signature does not match.")


def _twice(text: str) -> str:
    return quote(text, safe="").replace("%", "%25")
