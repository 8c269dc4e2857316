"""One open client for each source and version of its configuration; credentials are opened here and nowhere else."""

from collections.abc import Callable, Mapping

from fulfillment_push.sources import KnownSource
from waybill_common.vault import Vault, is_sealed
from waybill_contracts.configuration import Source
from waybill_platforms.ports import SourceConnection

Opener = Callable[[Source, Mapping[str, str]], SourceConnection]


class OpenSources:
    """Keeps what was opened. A replaced client stays open until the end: calls under way still use it."""

    def __init__(self, vault: Vault, opener: Opener) -> None:
        self._vault = vault
        self._opener = opener
        self._open: dict[str, tuple[int, SourceConnection]] = {}
        self._replaced: list[SourceConnection] = []

    async def open(self, known: KnownSource) -> SourceConnection:
        """Raises ValueError when platform, settings or credentials cannot be used."""
        kept = self._open.get(known.source.id)
        if kept is not None and kept[0] == known.version:
            return kept[1]
        connection = self._opener(known.source, self._unsealed(known.source))
        if kept is not None:
            self._replaced.append(kept[1])
        self._open[known.source.id] = (known.version, connection)
        return connection

    def _unsealed(self, source: Source) -> dict[str, str]:
        entity = f"source/{source.id}"
        return {
            name: self._vault.open(entity, value) if is_sealed(value) else value
            for name, value in source.credentials.items()
        }

    async def aclose(self) -> None:
        for connection in [*self._replaced, *(connection for _, connection in self._open.values())]:
            await connection.aclose()
        self._open.clear()
        self._replaced.clear()
