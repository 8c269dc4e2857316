"""Courier names of a channel: what waits for one, what a draft would release, and what the channel accepts (SP-7)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Body

from shipment_poller import couriers, preflight
from shipment_poller.not_here import no_such_channel
from shipment_poller.review_orders import Tools
from waybill_common.budget import BudgetWait
from waybill_common.db import Pool, rows
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.configuration import Channel, NameMapping
from waybill_platforms.errors import PlatformError
from waybill_platforms.ports import ChannelConnection

_CODES = list(couriers.MENDED_BY_A_NAME)
_NO_LIST = "the platform has no list: any name is passed on"


class Channels(Protocol):
    def channel(self, channel: Channel, version: int) -> ChannelConnection | None: ...


def courier_routes(router: APIRouter, pool: Pool, tools: Tools, channels: Channels) -> None:
    """Adds them to the internal router."""

    @router.get("/channels/{channel_id}/couriers")
    async def names(channel_id: str) -> dict[str, Any]:
        """The map; what failed for want of a name comes first, then what sources may ship with."""
        configured = await _configured(pool, tools, channel_id)
        accepted = await _accepted(channels, configured, _couriers_of)
        return await _names(pool, tools, configured, configured.channel.couriers) | accepted

    @router.get("/channels/{channel_id}/courier-services")
    async def services(channel_id: str) -> dict[str, Any]:
        """As for couriers; what is offered is the channel's own list of shipping methods."""
        configured = await _configured(pool, tools, channel_id)
        accepted = await _accepted(channels, configured, _services_of)
        return await _names(pool, tools, configured, configured.channel.courier_services) | accepted

    @router.post("/channels/{channel_id}/couriers/preview")
    async def preview(channel_id: str, draft: Annotated[NameMapping, Body()]) -> dict[str, Any]:
        """How many orders saving this map releases, and which couriers would still have no name."""
        configured = await _configured(pool, tools, channel_id)
        return await _preview(pool, tools, configured, configured.channel.model_copy(update={"couriers": draft}))

    @router.post("/channels/{channel_id}/courier-services/preview")
    async def preview_services(channel_id: str, draft: Annotated[NameMapping, Body()]) -> dict[str, Any]:
        """The same for the map of services."""
        configured = await _configured(pool, tools, channel_id)
        with_draft = configured.channel.model_copy(update={"courier_services": draft})
        return await _preview(pool, tools, configured, with_draft)


async def _configured(pool: Pool, tools: Tools, channel_id: str) -> ChannelConfigured:
    async with pool.acquire() as conn:
        await tools.configurations.refresh(conn)
    configured = tools.configurations.channel(channel_id)
    if configured is None:
        raise no_such_channel(channel_id)
    return configured


async def _names(pool: Pool, tools: Tools, configured: ChannelConfigured, mapping: NameMapping) -> dict[str, Any]:
    channel = configured.channel
    async with pool.acquire() as conn:
        waiting = await rows(tools.queries.couriers_failed_for(conn, channel=channel.id, codes=_CODES))
    may_come = {ours for source in tools.configurations.sources for ours in preflight.missing(source.source, channel)}
    return {
        "channel": channel.id,
        "map": mapping.map,
        "unmapped": mapping.unmapped,
        "waiting": [dict(row) for row in waiting],
        "may_come": sorted(may_come),
    }


async def _preview(pool: Pool, tools: Tools, configured: ChannelConfigured, draft: Channel) -> dict[str, Any]:
    q = tools.queries
    async with pool.acquire() as conn:
        found = await rows(q.couriers_failed_for(conn, channel=draft.id, codes=_CODES))
        mended = couriers.mended([row["carrier"] for row in found], configured.channel, draft)
        orders = await rows(q.orders_failed_for(conn, channel=draft.id, carriers=mended, codes=_CODES))
    still = {row["carrier"]: row["orders"] for row in found if row["carrier"] not in mended}
    return {"channel": draft.id, "releases": len(orders), "couriers": mended, "still_waiting": still}


Offered = list[dict[str, Any]]


async def _couriers_of(connection: ChannelConnection) -> Offered | None:
    if connection.carriers is None:
        return None
    return [{"code": c.code, "name": c.name, "links": c.links} for c in await connection.carriers.carriers()]


async def _services_of(connection: ChannelConnection) -> Offered | None:
    if connection.catalogue is None or not connection.features.tells_service:
        return None
    return [{"name": name} for name in await connection.catalogue.shipping_methods()]


async def _accepted(
    channels: Channels,
    configured: ChannelConfigured,
    offered: Callable[[ChannelConnection], Awaitable[Offered | None]],
) -> dict[str, Any]:
    """The channel's own list, read now; without one, why."""
    try:
        connection = channels.channel(configured.channel, configured.sequence)
        found = None if connection is None else await offered(connection)
    except (PlatformError, BudgetWait, ValueError) as error:
        return {"accepted": None, "accepted_because": f"the platform's list could not be read: {error}"}
    return {"accepted": found, "accepted_because": _NO_LIST if found is None else None}
