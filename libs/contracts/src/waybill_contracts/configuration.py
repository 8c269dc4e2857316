"""The configuration file of `waybill apply -f`, as models (DESIGN section 7).

These are also what `config.changed` carries. Unknown keys are refused here (a typing mistake must not be a silent
default), unlike in events. Durations are written as `3m`, `15m`, `0s`, `1h`, `30d`. `credentials` hold sealed text
on the wire; only the client that calls the platform opens them.
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    field_validator,
    model_validator,
)

from waybill_contracts.values import Country, Currency, PaymentState

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


class ImportFilter(Setting):
    """Which orders are imported at all (IN-7), and which unpaid ones may go on (IN-8)."""

    payment: tuple[PaymentState, ...] = (PaymentState.PAID,)
    fulfillment: tuple[Literal["unfulfilled", "partial", "fulfilled", "on_hold"], ...] = ("unfulfilled", "partial")
    deferred: tuple[PaymentState, ...] = ()


class KitPart(Setting):
    sku: str = Field(min_length=1)
    quantity: int = Field(ge=1)


class SkuMapping(Setting):
    """Channel SKU -> ours, or the parts of a kit (IN-9)."""

    map: dict[str, str | tuple[KitPart, ...]] = Field(default_factory=dict)
    unmapped: Fallback = "hold"
    services: tuple[str, ...] = Field(default=(), description="channel SKUs that are not shipped")


class NameMapping(Setting):
    """One name -> another; what is not in the map is held, or passed on unchanged."""

    map: dict[str, str] = Field(default_factory=dict)
    unmapped: Fallback = "hold"


class PassingMapping(NameMapping):
    unmapped: Fallback = "pass"


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
    couriers: NameMapping = Field(default_factory=NameMapping)

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
        _needs_url(self.platform, self.url, without=Platform.EVENTS)
        return self


class Store(Setting):
    """A merchant's brand; owns channels."""

    id: Slug
    channels: tuple[Channel, ...] = ()


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
        _needs_url(self.platform, self.url, without=Platform.MANUAL)
        return self


def _needs_url(platform: Platform, url: str | None, without: Platform) -> None:
    if platform is not without and not (url or "").startswith(("http://", "https://")):
        raise ValueError(f"url: {url!r} must be the API root, http:// or https://, for platform {platform.value}")


class SingleFr(Setting):
    single_fr: Literal["required", "preferred"]


Priority = SingleFr | Literal["lowest_cost", "source_priority", "fewest_frs", "shipping_method_mapped"]


class Group(Setting):
    """A routing group: eligible sources (their order is `source_priority`), priorities, limits (RT-4, RT-5)."""

    id: Slug
    default: bool = False
    sources: tuple[Slug, ...] = Field(min_length=1)
    priorities: tuple[Priority, ...] = ("lowest_cost",)
    max_frs: int | None = Field(default=None, ge=1)
    split_lines: bool = True
    partial: bool = False
    unroutable: Literal["hold", "cancel"] = "hold"


class When(Setting):
    """All that are given must match; within one, any."""

    country: tuple[Country, ...] = ()
    channel: tuple[Slug, ...] = ()
    tag: tuple[str, ...] = ()
    value_over: Price | None = None


class Rule(Setting):
    when: When
    group: Slug


class Routing(Setting):
    groups: tuple[Group, ...] = ()
    rules: tuple[Rule, ...] = Field(default=(), description="the first that matches counts; else the default group")

    @property
    def default_group(self) -> Group | None:
        if len(self.groups) == 1:
            return self.groups[0]
        return next((group for group in self.groups if group.default), None)


class StockLevel(Setting):
    source: Slug
    sku: str = Field(min_length=1)
    on_hand: int = Field(ge=0)
    unit_cost: Price | None = None
    weight_g: int | None = Field(default=None, ge=0)
    counted_at: AwareDatetime | None = None


class Configuration(Setting):
    """The whole file. What crosses its parts is checked here: every error names its path and its fix."""

    stores: tuple[Store, ...] = ()
    sources: tuple[Source, ...] = ()
    routing: Routing = Field(default_factory=Routing)
    stock: tuple[StockLevel, ...] = ()

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(channel for store in self.stores for channel in store.channels)

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong between parts, as (path, message with the fix); empty when the file is sound."""
        return [*self._twice(), *self._groups(), *self._references()]

    def _twice(self) -> list[tuple[str, str]]:
        named = [
            (f"stores[{i}].channels[{j}].id", c.id) for i, s in enumerate(self.stores) for j, c in enumerate(s.channels)
        ]
        named += [(f"sources[{i}].id", source.id) for i, source in enumerate(self.sources)]
        found = _repeated(named, "channels and sources")
        found += _repeated([(f"stores[{i}].id", s.id) for i, s in enumerate(self.stores)], "stores")
        return found + _repeated(
            [(f"routing.groups[{i}].id", g.id) for i, g in enumerate(self.routing.groups)], "groups"
        )

    def _groups(self) -> list[tuple[str, str]]:
        groups = self.routing.groups
        if not groups:
            return [("routing.groups", "no group: add one, e.g. {id: default, sources: [...]}")] if self.sources else []
        defaults = [group.id for group in groups if group.default]
        if len(groups) > 1 and len(defaults) != 1:
            return [("routing.groups", f"{len(defaults)} groups have default: true; mark exactly one (RT-4)")]
        return []

    def _references(self) -> list[tuple[str, str]]:
        sources = {source.id: source for source in self.sources}
        channels = {channel.id for channel in self.channels}
        groups = {group.id for group in self.routing.groups}
        found: list[tuple[str, str]] = []
        for i, group in enumerate(self.routing.groups):
            unknown = [s for s in group.sources if s not in sources]
            found += [
                (f"routing.groups[{i}].sources", f"{s!r} is no source of this file; add it or remove it here")
                for s in unknown
            ]
            currencies = sorted({sources[s].costs.currency for s in group.sources if s in sources})
            if len(currencies) > 1:
                found.append((f"routing.groups[{i}].sources", f"mixes {', '.join(currencies)}: one currency per group"))
        for i, rule in enumerate(self.routing.rules):
            if rule.group not in groups:
                found.append((f"routing.rules[{i}].group", f"{rule.group!r} is no group; use one of {sorted(groups)}"))
            found += [
                (f"routing.rules[{i}].when.channel", f"{c!r} is no channel of this file")
                for c in rule.when.channel
                if c not in channels
            ]
        found += [
            (f"stock[{i}].source", f"{level.source!r} is no source of this file")
            for i, level in enumerate(self.stock)
            if level.source not in sources
        ]
        return found


def _repeated(named: list[tuple[str, str]], where: str) -> list[tuple[str, str]]:
    seen: dict[str, str] = {}
    found = []
    for path, name in named:
        if name in seen:
            found.append((path, f"{name!r} is used at {seen[name]} already; ids are unique among {where}"))
        seen.setdefault(name, path)
    return found


def now_or(starts_at: datetime | Literal["now"], now: datetime) -> datetime:
    """`starts_at: now` means the moment at which the channel was added."""
    return now if isinstance(starts_at, str) else starts_at
