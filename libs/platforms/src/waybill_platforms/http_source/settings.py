"""Where a supplier's implementation listens, and with which token it is called."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from waybill_contracts.configuration import Source


class HttpSourceSettings(BaseModel):
    """One source of platform `http`."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(pattern=r"^https?://", description="the API root; /requests and /shipments are appended")
    token: SecretStr = Field(min_length=1)

    @classmethod
    def of(cls, source: Source, credentials: Mapping[str, str]) -> Self:
        """Raises ValueError naming what is missing."""
        if not credentials.get("token"):
            raise ValueError(f"sources[{source.id}].credentials.token is missing: set the token that the supplier gave")
        return cls(url=(source.url or "").rstrip("/"), token=SecretStr(credentials["token"]))
