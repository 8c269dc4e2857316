"""Sources: what they serve, what they charge, how they are asked."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal, Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from waybill_contracts.configuration.setting import (
    SOURCE_PLATFORMS,
    Duration,
    PassingMapping,
    Platform,
    Price,
    Setting,
    Slug,
    needs_url,
)
from waybill_contracts.values import Country, Currency


class Serves(Setting):
    countries: tuple[Country, ...] | Literal["all"] = "all"
    skus: tuple[str, ...] | Literal["all"] = "all"


class FrNumber(Setting):
    """How a new FR is numbered (RT-11)."""

    from_: Literal["order_number", "order_id"] = Field(default="order_number", alias="from")
    prefix: str = ""
    max_length: int = Field(default=64, ge=4, le=255)
    forbid: str = Field(default="", description="characters that the source does not take; they are removed")


class ShippingPrice(Setting):
    zone: tuple[Country | Literal["*"], ...] = Field(min_length=1)
    base: Price
    per_kg: Price = Decimal(0)


class Costs(Setting):
    currency: Currency
    fee: Price = Decimal(0)
    shipping: tuple[ShippingPrice, ...] = Field(min_length=1, description="the first matching zone counts")


class StockSetting(Setting):
    from_: Literal["feed", "platform", "untracked"] = Field(default="feed", alias="from")
    safety: int = Field(default=0, ge=0)
    every: Duration = timedelta(minutes=10)


class Capabilities(Setting):
    """Narrows what the platform declares; none leaves it as declared."""

    acknowledges: bool | None = None
    cancels: bool | None = None
    reports_shipments: bool | None = None
    dedupes_by_reference: bool | None = None


class Source(Setting):
    """One place that ships."""

    id: Slug
    platform: Platform
    url: str | None = None
    credentials: dict[str, str] = Field(default_factory=dict)
    capabilities: Capabilities = Field(default_factory=Capabilities)
    poll_every: Duration = timedelta(minutes=15)
    send_every: Duration = timedelta(minutes=1)
    auto_process: bool = True
    serves: Serves = Field(default_factory=Serves)
    skus: PassingMapping = Field(default_factory=PassingMapping, description="ours -> theirs")
    shipping_methods: PassingMapping = Field(default_factory=PassingMapping, description="ours -> theirs")
    couriers: PassingMapping = Field(default_factory=PassingMapping, description="theirs -> ours")
    fr_number: FrNumber = Field(default_factory=FrNumber)
    costs: Costs
    stock: StockSetting = Field(default_factory=StockSetting)
    on_source_cancel: Literal["fill", "kill"] = "fill"
    suppress_tracking: bool = False
    lead: Duration = Field(default=timedelta(hours=24), description="unacknowledged or unshipped longer: alert")

    @field_validator("platform")
    @classmethod
    def _ships(cls, value: Platform) -> Platform:
        if value not in SOURCE_PLATFORMS:
            raise ValueError(f"{value.value!r} is no source: use one of {', '.join(sorted(SOURCE_PLATFORMS))}")
        return value

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        needs_url(self.platform, self.url, without=Platform.MANUAL)
        return self


class StockLevel(Setting):
    source: Slug
    sku: str = Field(min_length=1)
    on_hand: int = Field(ge=0)
    unit_cost: Price | None = None
    weight_g: int | None = Field(default=None, ge=0)
    counted_at: AwareDatetime | None = None
