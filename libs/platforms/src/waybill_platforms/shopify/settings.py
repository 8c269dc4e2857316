"""Which shop, with which token, at which version of the API."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

API_VERSION = "2026-10"
"""Pinned; raised each quarter. A version that has run out is answered by another one without an error."""


class ShopifySettings(BaseModel):
    """One shop. `url` is its origin, or any address (with a path, too) behind which Shopify's API is spoken."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(pattern=r"^https?://")
    access_token: SecretStr = Field(min_length=1)

    @property
    def endpoint(self) -> str:
        """The one address of the GraphQL Admin API."""
        return f"{self.url.rstrip('/')}/admin/api/{API_VERSION}/graphql.json"

    @classmethod
    def of(cls, connection: str, url: str | None, credentials: Mapping[str, str]) -> Self:
        """Raises ValueError naming what is missing."""
        token = credentials.get("access_token", "")
        if not token:
            raise ValueError(
                f"{connection}: credentials.access_token is missing: set the Admin API token of the app (shpat_…)"
            )
        return cls(url=url or "", access_token=SecretStr(token))
