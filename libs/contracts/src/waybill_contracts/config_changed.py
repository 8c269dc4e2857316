"""`config.changed`: channels, sources and routing as configured. Compacted: the newest per entity counts.

A deleted entity is a tombstone (null value) under the same key. The console sends the whole configuration again
at its start and every 10 minutes.
"""

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from waybill_contracts import topics
from waybill_contracts.configuration import Channel, Routing, Source
from waybill_contracts.event import Event
from waybill_contracts.values import UtcTime


class Configured(Event):
    """One entity as of `sequence` (its version)."""

    TOPIC: ClassVar[str] = topics.CONFIG_CHANGED

    actor: str = ""

    @property
    def entity(self) -> str:
        """`channel/<id>`, `source/<id>` or `routing`: also the Kafka key."""
        raise NotImplementedError

    @property
    def aggregate(self) -> str:
        return self.entity

    @property
    def key(self) -> str:
        return self.entity


class ChannelConfigured(Configured):
    """A channel was added or changed."""

    TYPE: ClassVar[str] = "waybill.channel.configured.v1"
    store: str
    channel: Channel
    starts_at: UtcTime = Field(description="older orders are excluded: before_start (IN-2)")
    credential_version: int = 1

    @property
    def entity(self) -> str:
        return f"channel/{self.channel.id}"


class SourceConfigured(Configured):
    """A source was added or changed."""

    TYPE: ClassVar[str] = "waybill.source.configured.v1"
    source: Source
    credential_version: int = 1

    @property
    def entity(self) -> str:
        return f"source/{self.source.id}"


class RoutingConfigured(Configured):
    """Groups and rules changed; `sequence` is the version that decisions name (RT-15)."""

    TYPE: ClassVar[str] = "waybill.routing.configured.v1"
    routing: Routing

    @property
    def entity(self) -> str:
        return "routing"


class EntityRemoved(Configured):
    """What a tombstone decodes to: the entity is no longer configured."""

    TYPE: ClassVar[str] = "waybill.config.removed.v1"
    removed: str

    @property
    def entity(self) -> str:
        return self.removed


def removal(key: str, version: int, at: datetime) -> EntityRemoved:
    """The event that a null value under `key` stands for; a removal has its place among the entity's versions."""
    return EntityRemoved(at=at, removed=key, sequence=version)
