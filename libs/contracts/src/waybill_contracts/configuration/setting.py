"""What every part of the configuration shares: strict keys, durations, ids, prices, name mappings."""

import re
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"^(\d+)([smhd])$")


def _parse_duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no duration: write a whole number and s, m, h or d, e.g. 3m")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def format_duration(value: timedelta) -> str:
    """The shortest spelling that `_parse_duration` reads back."""
    seconds = int(value.total_seconds())
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


Duration = Annotated[timedelta, BeforeValidator(_parse_duration), PlainSerializer(format_duration, return_type=str)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Price = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]
Fallback = Literal["hold", "pass"]


class Setting(BaseModel):
    """One part of the file; a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Platform(StrEnum):
    SHOPIFY = "shopify"
    BIGCOMMERCE = "bigcommerce"
    WOOCOMMERCE = "woocommerce"
    MAGENTO = "magento"
    EVENTS = "events"
    HTTP = "http"
    MANUAL = "manual"


CHANNEL_PLATFORMS = frozenset(
    {Platform.SHOPIFY, Platform.BIGCOMMERCE, Platform.WOOCOMMERCE, Platform.MAGENTO, Platform.EVENTS}
)
SOURCE_PLATFORMS = frozenset(Platform) - {Platform.EVENTS}


def needs_url(platform: Platform, url: str | None, without: Platform) -> None:
    if platform is not without and not (url or "").startswith(("http://", "https://")):
        raise ValueError(f"url: {url!r} must be the API root, http:// or https://, for platform {platform.value}")


class KitPart(Setting):
    sku: str = Field(min_length=1)
    quantity: int = Field(ge=1)


class SkuMapping(Setting):
    """Channel SKU -> ours, or the parts of a kit (IN-9)."""

    map: dict[str, str | tuple[KitPart, ...]] = Field(default_factory=dict)
    unmapped: Fallback = "hold"
    services: tuple[str, ...] = Field(
        default=(), description="channel SKUs that are not shipped; gift_* is all that begin with gift_"
    )


class NameMapping(Setting):
    """One name -> another; what is not in the map is held, or passed on unchanged."""

    map: dict[str, str] = Field(default_factory=dict)
    unmapped: Fallback = "hold"


class PassingMapping(NameMapping):
    unmapped: Fallback = "pass"
