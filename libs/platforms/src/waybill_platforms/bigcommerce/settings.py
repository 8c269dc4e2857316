"""Which store, with which API account, and the secrets by which its webhooks are known."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

VERSIONS = ("/v2", "/v3")


class BigCommerceSettings(BaseModel):
    """One store. `url` is the API path of an API account without its version: `…/stores/HASH`."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(pattern=r"^https?://")
    access_token: SecretStr = Field(min_length=1)
    client_secret: SecretStr | None = Field(default=None, description="signs webhooks (Standard Webhooks)")
    webhook_secret: SecretStr | None = Field(default=None, description="our own, which hooks send back in a header")

    @property
    def store_hash(self) -> str:
        """The store's permanent id, when the url is BigCommerce's own; else empty."""
        _, stores, after = self.url.partition("/stores/")
        return after.partition("/")[0] if stores else ""

    @classmethod
    def of(cls, connection: str, url: str | None, credentials: Mapping[str, str]) -> Self:
        """Raises ValueError naming what is missing."""
        token = credentials.get("access_token", "")
        if not token:
            raise ValueError(
                f"{connection}: credentials.access_token is missing: set the access token of a store-level API account"
            )
        root = (url or "").rstrip("/")
        for version in VERSIONS:  # people paste the API path as the control panel shows it, `…/v3/`
            root = root.removesuffix(version)
        client, own = credentials.get("client_secret"), credentials.get("webhook_secret")
        return cls(
            url=root,
            access_token=SecretStr(token),
            client_secret=SecretStr(client) if client else None,
            webhook_secret=SecretStr(own) if own else None,
        )
