"""Which store, with which credentials, and the few choices that Magento asks a program to make."""

from collections.abc import Mapping, Set
from typing import Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr

STORE = "default"
PAYMENT_METHOD = "purchaseorder"
_OAUTH = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_SIGN_IN = ("username", "password")


class MagentoSettings(BaseModel):
    """One store. `url` is its origin, or the API root itself (with `/rest/CODE` in it)."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(pattern=r"^https?://")
    access_token: SecretStr = SecretStr("")
    consumer_key: SecretStr = SecretStr("")
    consumer_secret: SecretStr = SecretStr("")
    access_token_secret: SecretStr = SecretStr("")
    username: str = ""
    password: SecretStr = SecretStr("")
    store: str = Field(default=STORE, pattern=r"^[A-Za-z0-9_]+$", description="store view whose prices and mails count")
    source_code: str = Field(default="", description="multi-source shops: where shipments are debited, stock is read")
    payment_method: str = Field(default=PAYMENT_METHOD, description="code of the method that pays orders we place")
    email: str = Field(default="", description="used where a request has no buyer's e-mail; the shop writes to it")

    @property
    def root(self) -> str:
        """The API root, up to and with `/V1`."""
        url = httpx.URL(self.url.rstrip("/").removesuffix("/V1"))
        is_root = "rest" in url.path.split("/") or url.host.endswith(".api.commerce.adobe.com")
        return f"{url}/V1" if is_root else f"{str(url).rstrip('/')}/rest/{self.store}/V1"

    @property
    def origin(self) -> str:
        """What stands before `/rest`."""
        return self.root.partition("/rest/")[0]

    @property
    def signs(self) -> bool:
        """OAuth 1.0a: all four secrets are there."""
        return bool(self.consumer_key.get_secret_value())

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be told on."""
        every = (self.access_token, self.consumer_key, self.consumer_secret, self.access_token_secret, self.password)
        return tuple(text for one in every if (text := one.get_secret_value()))

    @classmethod
    def of(cls, connection: str, url: str | None, credentials: Mapping[str, str]) -> Self:
        """Raises ValueError naming what is missing."""
        given = {name: credentials[name] for name in cls.model_fields if name != "url" and credentials.get(name)}
        unknown = sorted(set(credentials) - set(cls.model_fields))
        if unknown:
            raise ValueError(f"{connection}: credentials.{unknown[0]} is unknown; there are {', '.join(_names(cls))}")
        if refusal := _unusable(given.keys()):
            raise ValueError(f"{connection}: {refusal}")
        return cls.model_validate({"url": url or "", **given})


def _unusable(given: Set[str]) -> str:
    """Why these credentials are none of the three ways to sign in; empty when they are one."""
    signing = [name for name in _OAUTH if name != "access_token" and name in given]
    signing_in = [name for name in _SIGN_IN if name in given]
    if signing and signing_in:
        return (
            f"credentials.{signing_in[0]} and credentials.{signing[0]} are two ways to sign in, and only one is used: "
            f"keep {', '.join(_OAUTH)} of the integration, or {' and '.join(_SIGN_IN)} of an admin"
        )
    wanted = [name for name in _OAUTH if name not in given]
    if wanted and signing:
        return f"credentials.{wanted[0]} is missing: OAuth signing takes {', '.join(_OAUTH)}"
    if len(signing_in) == 1:
        missing = next(name for name in _SIGN_IN if name not in given)
        return f"credentials.{missing} is missing: an admin signs in with {' and '.join(_SIGN_IN)}"
    if "access_token" not in given and not signing_in:
        return (
            f"credentials.access_token is missing: give the integration's access token alone, or {', '.join(_OAUTH)}, "
            f"or {' and '.join(_SIGN_IN)} of an admin"
        )
    return ""


def _names(settings: type[BaseModel]) -> list[str]:
    return [name for name in settings.model_fields if name != "url"]
