"""What can be turned at a store by the control API, and what its version has."""

from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from datetime import datetime as clock
from zoneinfo import ZoneInfo


@dataclass(slots=True)
class Key:
    consumer_key: str
    consumer_secret: str
    permissions: str = "read_write"
    """read, write or read_write"""
    may_manage: bool = True
    """False: its user has no rights to orders."""


@dataclass(slots=True)
class Settings:
    keys: list[Key] = field(default_factory=list)
    version: str = "11.0.1"
    fulfillments: bool = True
    """The feature, off by default at real stores, and only from 10.1 on."""
    plugin: str = ""
    """`ast`, or none."""
    keeps_ship_date: bool = False
    """The plugin's date format is set, so it takes `date_shipped`; as installed it writes today's instead."""
    storage: str = "hpos"
    """hpos or posts"""
    timezone: str = "UTC"
    permalinks: str = "pretty"
    """pretty or plain"""
    tls: bool = False
    """Whether calls count as TLS: then keys are taken by Basic and in the query, else by OAuth 1.0a alone."""
    home: str = ""
    """The address over which OAuth is signed; empty: the one that was called."""
    drops_authorization: bool = False
    """A proxy in front drops the header."""
    numbers_differ: bool = False
    """A plugin gives orders numbers of their own; the search knows them."""
    options: bool = True
    """False: the host lets no OPTIONS through."""
    currency: str = "USD"
    statuses: list[str] = field(default_factory=list)
    """Custom ones of plugins."""
    delivery_delay: float = 0.2
    """Seconds until a webhook is delivered; what changed meanwhile is joined into it."""

    def at_least(self, *version: int) -> bool:
        return tuple(int(part) for part in self.version.split(".")[: len(version)]) >= version

    @property
    def has_fulfillments(self) -> bool:
        return self.fulfillments and self.at_least(10, 1)

    @property
    def zone(self) -> tzinfo:
        return UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)

    def local(self, at: float) -> str:
        """The store's clock, without a zone."""
        return clock.fromtimestamp(at, self.zone).strftime("%Y-%m-%dT%H:%M:%S")

    def offset(self, at: float) -> float:
        """Seconds that the store's clock is ahead."""
        return (clock.fromtimestamp(at, self.zone).utcoffset() or timedelta(0)).total_seconds()


CORE = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft")


def gmt(at: float) -> str:
    return clock.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
