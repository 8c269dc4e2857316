"""Which shop, with which token, at which version of the API."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

API_VERSION = "2026-10"
"""Pinned; raised each quarter. A version that has run out is answered by another one without an error."""


SECRETS = ("client_secret", "previous_client_secret")


class ShopifySettings(BaseModel):
    """One shop. `url` is its origin, or any address (with a path, too) behind which Shopify's API is spoken."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(pattern=r"^https?://")
    access_token: SecretStr
    """Empty until it was first asked for, where the app's id and secret are given instead."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    """Signs webhooks, and with `client_id` is exchanged for access tokens."""
    previous_client_secret: SecretStr | None = None
    """Signs webhooks for up to an hour after a rotation."""

    @property
    def endpoint(self) -> str:
        """The one address of the GraphQL Admin API."""
        return f"{self.url.rstrip('/')}/admin/api/{API_VERSION}/graphql.json"

    @classmethod
    def of(cls, connection: str, url: str | None, credentials: Mapping[str, str]) -> Self:
        """Raises ValueError naming what is missing."""
        given = {name: credentials.get(name) or None for name in ("access_token", "client_id", *SECRETS)}
        if given["access_token"] is None and not (given["client_id"] and given["client_secret"]):
            raise ValueError(
                f"{connection}: credentials.access_token is missing: set the Admin API token of the app (shpat_…), "
                "or client_id and client_secret of an app of the Dev Dashboard"
            )
        secrets = {name: SecretStr(value) for name in SECRETS if (value := given[name])}
        token = SecretStr(given["access_token"] or "")
        return cls(url=url or "", access_token=token, client_id=given["client_id"], **secrets)

    @property
    def renews(self) -> bool:
        """Whether there is what a new access token is given for."""
        return self.client_id is not None and self.client_secret is not None
