"""Opens channels for reading: one client for each, replaced when its configuration changes."""

from waybill_common.budget import Budget
from waybill_common.retry import Family
from waybill_common.vault import Vault
from waybill_contracts.config_changed import ChannelConfigured
from waybill_platforms.connections import Connections
from waybill_platforms.errors import PlatformError
from waybill_platforms.ports import ChannelConnection, OrderReader, WebhookReader


class Readers:
    """Keeps the open channels of this process."""

    def __init__(self, vault: Vault, budget: Budget) -> None:
        self._connections = Connections(budget, vault.open)

    async def open(self, configured: ChannelConfigured) -> OrderReader:
        """The channel's reader, with its credentials unsealed. Raises PlatformError (cause `configuration`)."""
        channel = configured.channel
        connection = self._connection(configured)
        if connection is None:
            raise _misconfigured(f"{channel.id}: platform {channel.platform.value} has nothing to read from")
        return connection.reader

    async def hooks(self, configured: ChannelConfigured) -> WebhookReader | None:
        """What understands the channel's webhooks. Raises PlatformError (cause `configuration`)."""
        connection = self._connection(configured)
        return None if connection is None else connection.webhooks

    def _connection(self, configured: ChannelConfigured) -> ChannelConnection | None:
        try:
            return self._connections.channel(configured.channel, configured.sequence)
        except ValueError as error:  # a setting or a secret is missing: only a person can add it
            raise _misconfigured(str(error)) from error

    async def aclose(self) -> None:
        """Closes every client."""
        await self._connections.aclose()


def _misconfigured(message: str) -> PlatformError:
    return PlatformError(message, family=Family.REFUSED, cause="configuration", outcome="none", action="get_orders")
