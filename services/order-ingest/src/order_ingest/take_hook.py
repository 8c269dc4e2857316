"""What a channel posts to us: its signature is checked over the raw body, then it says which order to read live (IN-3).

Nothing in a delivery is believed but what it is about. Who lost one loses no order: the pull finds it. A delivery that
came before, or twice at the same moment, is answered as taken and read once.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from order_ingest.live_reads import Wanted, want
from order_ingest.named import q
from order_ingest.refused_hooks import RefusedHooks
from order_ingest.rulebook import Rulebook
from waybill_common.alerts import Alerts
from waybill_common.db import Connection, Pool, affected, transaction
from waybill_common.metrics import Metrics
from waybill_common.refusals import Refused
from waybill_contracts.config_changed import ChannelConfigured
from waybill_platforms.errors import PlatformError, SignatureRefused
from waybill_platforms.model.deliveries import Delivery
from waybill_platforms.ports import WebhookReader

OpenHooks = Callable[[ChannelConfigured], Awaitable[WebhookReader | None]]
"""Gives what understands the channel's deliveries; none where its platform posts nothing."""

VIA = "webhook"


_SIGN = "let the platform sign with the secret that is configured here, or register its webhooks again"


class HookRefused(Refused):
    """Nobody knows who sent it: 401. The text says why, without the secret."""

    def __init__(self, reason: str, remedy: str = _SIGN) -> None:
        super().__init__(reason, remedy, status=401)


class UnknownChannel(HookRefused):
    """There is no such channel, so there is nobody to tell either."""


@dataclass(frozen=True, slots=True)
class TakeHook:
    """The verb and what it needs."""

    pool: Pool
    rulebook: Rulebook
    alerts: Alerts
    metrics: Metrics
    open_hooks: OpenHooks
    refused: RefusedHooks
    wake: Callable[[], None]

    async def take(self, channel: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """What became of it. Raises HookRefused."""
        try:
            delivery = await self._read(channel, headers, body)
        except HookRefused as refusal:
            self.metrics.count("waybill_webhooks_total", outcome="refused")
            if not isinstance(refusal, UnknownChannel):
                await self.refused.keep(channel, headers, body, str(refusal))
            raise
        async with transaction(self.pool) as conn:
            fresh = delivery.kind == "ping" or await _first_time(conn, channel, delivery)
            if fresh:
                await self._act(conn, channel, delivery)
        self.metrics.count("waybill_webhooks_total", outcome=delivery.kind if fresh else "repeated")
        self.wake()
        told = {"kind": delivery.kind, "topic": delivery.topic, "repeated": not fresh}
        return told if delivery.erase is None else told | {"delivery": delivery.id, "erase": asdict(delivery.erase)}

    async def _read(self, channel: str, headers: Mapping[str, str], body: bytes) -> Delivery:
        configured = await self.rulebook.channel(self.pool, channel)
        if configured is None:
            raise UnknownChannel(f"channel {channel[:80]!r} is not configured", "remove the webhook at the platform")
        try:
            reader = await self.open_hooks(configured)
            if reader is None:
                raise HookRefused(f"platform {configured.channel.platform.value} posts nothing that we could check")
            return reader.read(headers, body)
        except SignatureRefused as error:
            raise HookRefused(str(error)) from error
        except PlatformError as error:  # a secret is missing: only a person can add it
            raise HookRefused(error.message) from error

    async def _act(self, conn: Connection, channel: str, delivery: Delivery) -> None:
        if delivery.kind in ("order", "fulfillment") and delivery.order_id:
            await want(conn, [Wanted(channel, delivery.order_id, delivery.order_id, VIA, None)])
        elif delivery.kind == "uninstalled":
            await q().ask_pull(conn, channel=channel)  # its refusal is what locks the channel out, with its way out
            title = f"The shop of channel {channel} says that our app was removed"
            await self.alerts.raised(conn, f"uninstalled/{channel}", title, "install it again and apply its new token")
        elif delivery.kind == "redaction" and delivery.erase is None:
            title = f"Channel {channel} asks about people's data"
            detail = f"{delivery.topic}, delivery {delivery.id}: answer it by hand; the shop expects it within 30 days"
            await self.alerts.raised(conn, f"redaction/{channel}/{delivery.id[:200]}", title, detail)


async def _first_time(conn: Connection, channel: str, delivery: Delivery) -> bool:
    return affected(await q().note_delivery(conn, channel=channel, delivery=delivery.id[:500])) == 1
