"""Where a supplier's implementation listens, and with which token it is called, if with any."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from waybill_contracts.configuration import Source


class HttpSourceSettings(BaseModel):
    """One source of platform `http`."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(pattern=r"^https?://", description="the API root; /requests and /shipments are appended")
    token: SecretStr | None = Field(default=None, description="none: the supplier trusts the network that we share")
    hook_secret: SecretStr | None = Field(default=None, description="signs what it posts to us; none: nothing is taken")

    @classmethod
    def of(cls, source: Source, credentials: Mapping[str, str]) -> Self:
        """Raises ValueError when the address is none."""
        token, hook = credentials.get("token"), credentials.get("hook_secret")
        return cls(
            url=(source.url or "").rstrip("/"),
            token=SecretStr(token) if token else None,
            hook_secret=SecretStr(hook) if hook else None,
        )
