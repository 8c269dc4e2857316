"""The newest configuration of channels and sources, kept in memory and looked up by version in the database.

Promises: after `refresh` the answers are those of the transaction it ran in; an entity that is not there is none, and
what depends on it waits (`not_configured`).
"""

from shipment_poller.judgement import Rules
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.config_changed import ChannelConfigured, SourceConfigured
from waybill_contracts.configuration import PassingMapping

_UNTIL_CONFIGURED = Rules(couriers=PassingMapping())


class Configurations:
    """One object a process."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._versions: dict[str, int] = {}
        self._channels: dict[str, ChannelConfigured] = {}
        self._sources: dict[str, SourceConfigured] = {}

    async def refresh(self, conn: Connection) -> None:
        """One small statement when nothing has changed."""
        found = {r["entity"]: r["version"] for r in await rows(self._queries.configuration_versions(conn))}
        if found == self._versions:
            return
        changed = [entity for entity, version in found.items() if self._versions.get(entity) != version]
        for entity in self._versions.keys() - found.keys():
            self._channels.pop(entity.removeprefix("channel/"), None)
            self._sources.pop(entity.removeprefix("source/"), None)
        for row in await rows(self._queries.configuration_bodies(conn, entities=changed)):
            kind, _, name = row["entity"].partition("/")
            if kind == "channel":
                self._channels[name] = ChannelConfigured.model_validate(row["body"])
            else:
                self._sources[name] = SourceConfigured.model_validate(row["body"])
        self._versions = found

    def channel(self, channel_id: str) -> ChannelConfigured | None:
        """As configured; none when it is not (any more)."""
        return self._channels.get(channel_id)

    def source(self, source_id: str) -> SourceConfigured | None:
        """As configured; none when it is not (any more)."""
        return self._sources.get(source_id)

    @property
    def channels(self) -> list[ChannelConfigured]:
        """All that are configured."""
        return list(self._channels.values())

    @property
    def sources(self) -> list[SourceConfigured]:
        """All that are configured."""
        return list(self._sources.values())

    def rules(self, source_id: str) -> Rules:
        """How shipments of the source are judged; one that is not configured passes its couriers on."""
        found = self._sources.get(source_id)
        if found is None:
            return _UNTIL_CONFIGURED
        return Rules(couriers=found.source.couriers, suppress_tracking=found.source.suppress_tracking)

    def channels_at(self, url: str | None) -> list[str]:
        """Channels that are the same shop as a source with this URL (IN-7)."""
        if not url:
            return []
        root = url.rstrip("/").casefold()
        return [name for name, c in self._channels.items() if (c.channel.url or "").rstrip("/").casefold() == root]
