"""Which store, with which key, and how the key is presented to it."""

from collections.abc import Mapping
from hashlib import sha256
from hmac import new as hmac
from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Auth = Literal["basic", "query", "oauth1"]
AUTHS: tuple[Auth, ...] = ("basic", "query", "oauth1")
_PRIVATE_NAMES = (".local", ".internal", ".test", ".localhost", ".home.arpa", ".lan")


class WooSettings(BaseModel):
    """One store. `url` is its address with the path under which WordPress answers, without `/wp-json`.

    An address that ends in `?rest_route=` is taken as it is: a store with plain permalinks (WooCommerce 11.1 on).
    """

    model_config = ConfigDict(frozen=True)

    url: str = Field(pattern=r"^https?://[^/?#]+")
    consumer_key: SecretStr
    consumer_secret: SecretStr
    auth: tuple[Auth, ...] = ("basic",)
    webhook_secret: SecretStr
    completes: bool = True
    """Whether an order of which everything has left is set `completed` (which sends WooCommerce's own mail)."""

    @property
    def plain_permalinks(self) -> bool:
        return "rest_route=" in self.url

    def address(self, route: str) -> str:
        """The address of a REST route, e.g. `/wc/v3/orders`, without parameters."""
        if self.plain_permalinks:
            return f"{self.url.partition('rest_route=')[0]}rest_route={route}"
        return f"{self.url.rstrip('/')}/wp-json{route}"

    @classmethod
    def of(cls, connection: str, url: str | None, credentials: Mapping[str, str]) -> Self:
        """Raises ValueError naming what is missing, or why the address may not be called."""
        key, secret = (_credential(connection, credentials, name) for name in ("consumer_key", "consumer_secret"))
        return cls(
            url=_checked(connection, url or ""),
            consumer_key=SecretStr(key),
            consumer_secret=SecretStr(secret),
            auth=_auth(connection, url or "", credentials.get("auth", "")),
            webhook_secret=SecretStr(credentials.get("webhook_secret") or derived(secret)),
            completes=_yes(connection, credentials.get("complete_orders", "yes")),
        )


def derived(consumer_secret: str) -> str:
    """The webhooks' secret where none is given: it can be made anew by every service, and does not tell the key."""
    return hmac(consumer_secret.encode(), b"waybill/webhooks", sha256).hexdigest()


def _credential(connection: str, credentials: Mapping[str, str], name: str) -> str:
    value = credentials.get(name, "").strip()
    if not value:
        prefix = "ck" if name == "consumer_key" else "cs"
        raise ValueError(
            f"{connection}: credentials.{name} is missing: set the one of the REST API key ({prefix}_…), made in "
            "WooCommerce > Settings > Advanced > REST API with Read/Write permission"
        )
    return value


def _checked(connection: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "http" and where(parts.hostname or "") == "public":
        raise ValueError(
            f"{connection}: url: {url!r} is plain http: the key would be readable on its way; use https:// "
            "(plain http is taken for private addresses only)"
        )
    if parts.path.rstrip("/").endswith("/wp-json") or "/wp-json/" in parts.path:
        raise ValueError(f"{connection}: url: {url!r} must end before /wp-json: give the store's address alone")
    return url


def _auth(connection: str, url: str, wanted: str) -> tuple[Auth, ...]:
    """What is sent. Over plain http WooCommerce takes OAuth 1.0a alone; on this machine Basic goes with it, since a
    server behind a local proxy that ends TLS takes that alone, and nobody can listen in between."""
    for auth in AUTHS:
        if wanted == auth:
            return (auth,)
    if wanted:
        raise ValueError(f"{connection}: credentials.auth: {wanted!r} is none of {', '.join(AUTHS)}")
    parts = urlsplit(url)
    if parts.scheme != "http":
        return ("basic",)
    return ("basic", "oauth1") if where(parts.hostname or "") == "loopback" else ("oauth1",)


def where(host: str) -> Literal["loopback", "private", "public"]:
    """Where a host name or address leads, by its form alone (no look-up)."""
    try:
        address = ip_address(host)
    except ValueError:
        if host == "localhost" or host.endswith(".localhost"):
            return "loopback"
        return "private" if host.endswith(_PRIVATE_NAMES) or "." not in host else "public"
    if address.is_loopback:
        return "loopback"
    return "private" if address.is_private or address.is_link_local else "public"


def _yes(connection: str, text: str) -> bool:
    words = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() not in words:
        raise ValueError(f"{connection}: credentials.complete_orders: {text!r} must be yes or no")
    return words[text.lower()]
