"""Stores and their channels: what is imported, and how the channel's names become ours."""

from datetime import datetime, timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, field_validator, model_validator

from waybill_contracts.configuration.setting import (
    CHANNEL_PLATFORMS,
    Duration,
    NameMapping,
    PassingMapping,
    Platform,
    Price,
    Setting,
    SkuMapping,
    Slug,
    format_duration,
    needs_url,
)
from waybill_contracts.values import Country, Currency, PaymentState

FileField = Literal[
    "number", "sku", "quantity", "country", "line_id", "title", "unit_price", "canceled", "placed_at", "updated_at",
    "currency", "payment", "shipping_method", "email", "note", "tags", "name", "company", "line1", "line2", "city",
    "region", "postal_code", "phone", "fraud_risk",
]  # fmt: skip
"""What a column of an order file may mean (IN-5)."""


class FileMapping(Setting):
    """How files of this channel's orders are read (IN-5): the saved mapping of `waybill orders import`."""

    columns: dict[FileField, str] = Field(default_factory=dict, description="our field -> the file's column")
    countries: dict[str, Country] = Field(default_factory=dict, description="the file's spelling -> ISO 3166-1 alpha-2")
    currency: Currency | None = Field(default=None, description="of files without a column for it")
    payment: PaymentState = Field(default=PaymentState.PAID, description="of files without a column for it")
    timezone: str = Field(default="UTC", description="IANA name: of times that are written without a zone")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone: write an IANA name, e.g. Europe/London") from error
        return value


class ImportFilter(Setting):
    """Which orders are imported at all (IN-7), and which unpaid ones may go on (IN-8)."""

    payment: tuple[PaymentState, ...] = (PaymentState.PAID,)
    fulfillment: tuple[Literal["unfulfilled", "partial", "fulfilled", "on_hold"], ...] = ("unfulfilled", "partial")
    deferred: tuple[PaymentState, ...] = ()


class HoldWhen(Setting):
    """All that are given must match; within one, any."""

    country: tuple[Country, ...] = ()
    tag: tuple[str, ...] = ()
    sku: tuple[str, ...] = Field(default=(), description="as the channel names them")
    shipping_method: tuple[str, ...] = Field(default=(), description="as the channel names them")
    value_over: Price | None = None


class HoldRule(Setting):
    """Orders that a person looks at before they go on: `on_hold_by_rule` (IN-10)."""

    name: str = Field(min_length=1, max_length=100)
    when: HoldWhen
    fix: str = Field(default="look at it, then release it", description="what the person is to do")


class Duplicates(Setting):
    """Same address, same items, placed within this time: the one that came later is held (IN-10)."""

    within: Duration = Field(default=timedelta(hours=1), description="0s: never")


TELLS_SERVICES = frozenset({Platform.BIGCOMMERCE})
"""Channels whose shipments say a courier's service beside the courier."""


class Channel(Setting):
    """One connection to where buyers order."""

    id: Slug
    platform: Platform
    url: str | None = None
    credentials: dict[str, str] = Field(default_factory=dict)
    starts_at: AwareDatetime | Literal["now"] = "now"
    poll_every: Duration = timedelta(minutes=3)
    import_: ImportFilter = Field(default_factory=ImportFilter, alias="import")
    auto_generate: bool = True
    notify_buyer: bool = False
    skus: SkuMapping = Field(default_factory=SkuMapping)
    shipping_methods: NameMapping = Field(default_factory=NameMapping)
    couriers: NameMapping = Field(
        default_factory=NameMapping, description="ours -> theirs; ours may name a service too"
    )
    courier_services: PassingMapping = Field(
        default_factory=PassingMapping,
        description="`courier/service` (or `service`) of ours -> the channel's name of the service",
        exclude_if=lambda value: value == PassingMapping(),
    )
    hold_rules: tuple[HoldRule, ...] = Field(default=(), exclude_if=lambda value: not value)
    duplicates: Duplicates = Field(default_factory=Duplicates, exclude_if=lambda value: value == Duplicates())
    file: FileMapping = Field(default_factory=FileMapping, exclude_if=lambda value: value == FileMapping())

    @field_validator("platform")
    @classmethod
    def _sells(cls, value: Platform) -> Platform:
        if value not in CHANNEL_PLATFORMS:
            raise ValueError(f"{value.value!r} is no channel: use one of {', '.join(sorted(CHANNEL_PLATFORMS))}")
        return value

    @field_validator("poll_every")
    @classmethod
    def _often_enough(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(minutes=60):
            raise ValueError(f"{format_duration(value)} is outside 1s to 60m (IN-2)")
        return value

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        needs_url(self.platform, self.url, without=Platform.EVENTS)
        return self

    @model_validator(mode="after")
    def _services_have_a_place(self) -> Self:
        if self.courier_services != PassingMapping() and self.platform not in TELLS_SERVICES:
            raise ValueError(
                f"courier_services: {self.platform.value} has no place for a courier's service: "
                'map the whole name instead, e.g. couriers: {map: {"ups/ground": "UPS Ground"}}'
            )
        return self


class Store(Setting):
    """A merchant's brand; owns channels."""

    id: Slug
    channels: tuple[Channel, ...] = ()


def now_or(starts_at: datetime | Literal["now"], now: datetime) -> datetime:
    """`starts_at: now` means the moment at which the channel was added."""
    return now if isinstance(starts_at, str) else starts_at
