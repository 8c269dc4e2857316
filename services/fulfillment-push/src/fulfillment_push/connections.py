"""A source's connection to send by, or why there is none."""

from fulfillment_push.sources import KnownSource
from waybill_platforms.connections import Connections
from waybill_platforms.ports import SourceConnection


class OpenSources:
    """The platforms' connections, one for each version of a source's configuration."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def open(self, known: KnownSource) -> SourceConnection:
        """Raises ValueError when platform, settings or credentials cannot be used."""
        connection = self._connections.source(known.source, known.version)
        if connection is None:
            source = known.source
            raise ValueError(f"source {source.id} ({source.platform.value}) has no connection: a person works its list")
        return connection
