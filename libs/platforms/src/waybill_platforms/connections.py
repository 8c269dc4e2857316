"""Keeps one open connection per configured channel and source, for as long as its configuration stays.

Promises: a changed configuration (another version) gets a new client, while calls under way on the old one may end;
secrets are opened only here. Not safe to share between event loops.
"""

import asyncio
from collections.abc import Callable, Mapping

from waybill_common.vault import is_sealed
from waybill_contracts.configuration import Channel, Source
from waybill_platforms.http import Budget
from waybill_platforms.ports import ChannelConnection, SourceConnection
from waybill_platforms.registry import open_channel, open_source

Opener = Callable[[str, str], str]
"""(entity, sealed text) -> secret; `Vault.open`."""


class Connections:
    """`open_secret` is `Vault.open`, or `plain` where secrets are not sealed (tests, probes)."""

    def __init__(self, budget: Budget, open_secret: Opener) -> None:
        self._budget = budget
        self._open_secret = open_secret
        self._channels: dict[str, tuple[int, ChannelConnection | None]] = {}
        self._sources: dict[str, tuple[int, SourceConnection | None]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def channel(self, channel: Channel, version: int) -> ChannelConnection | None:
        """The connection of this version of the channel; None for `events`.

        Raises ValueError (VaultRefused, UnsupportedPlatform, a missing setting), with what to do.
        """
        known = self._channels.get(channel.id)
        if known is not None and known[0] == version:
            return known[1]
        secrets = self._secrets(f"channel/{channel.id}", channel.credentials)
        opened = open_channel(channel, secrets, budget=self._budget)
        self._channels[channel.id] = version, opened
        self._retire(known[1] if known else None)
        return opened

    def source(self, source: Source, version: int) -> SourceConnection | None:
        """As `channel`; None for `manual`."""
        known = self._sources.get(source.id)
        if known is not None and known[0] == version:
            return known[1]
        secrets = self._secrets(f"source/{source.id}", source.credentials)
        opened = open_source(source, secrets, budget=self._budget)
        self._sources[source.id] = version, opened
        self._retire(known[1] if known else None)
        return opened

    def _secrets(self, entity: str, sealed: Mapping[str, str]) -> dict[str, str]:
        """Opened where they are sealed; what somebody wrote plainly (a test, a probe) is taken as it is."""
        return {n: self._open_secret(entity, text) if is_sealed(text) else text for n, text in sealed.items()}

    def _retire(self, connection: ChannelConnection | SourceConnection | None) -> None:
        if connection is not None:
            task = asyncio.get_running_loop().create_task(_close(connection))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Closes all, after the calls under way have ended."""
        for _, connection in [*self._channels.values(), *self._sources.values()]:
            self._retire(connection)
        self._channels.clear()
        self._sources.clear()
        await asyncio.gather(*self._closing, return_exceptions=True)


async def _close(connection: ChannelConnection | SourceConnection) -> None:
    await connection.aclose()


def plain(entity: str, text: str) -> str:
    """The opener for secrets that are not sealed."""
    return text
