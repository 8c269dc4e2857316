"""Courier names of a channel: what waits for one, what a draft would release, and what the platform accepts (SP-7)."""

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Body, HTTPException

from shipment_poller import couriers, preflight
from shipment_poller.review_orders import Tools
from waybill_common.budget import BudgetWait
from waybill_common.db import Pool, rows
from waybill_contracts.config_changed import ChannelConfigured
from waybill_contracts.configuration import Channel, NameMapping
from waybill_platforms.errors import PlatformError
from waybill_platforms.ports import ChannelConnection


class Channels(Protocol):
    def channel(self, channel: Channel, version: int) -> ChannelConnection | None: ...


def courier_routes(router: APIRouter, pool: Pool, tools: Tools, channels: Channels) -> None:
    """Adds them to the internal router."""

    @router.get("/channels/{channel_id}/couriers")
    async def names(channel_id: str) -> dict[str, Any]:
        """The map; what failed for want of a name comes first, then what sources may ship with."""
        configured = await _configured(pool, tools, channel_id)
        mapping = configured.channel.couriers
        async with pool.acquire() as conn:
            waiting = [
                dict(row)
                for row in await rows(
                    tools.queries.couriers_failed_for(conn, channel=channel_id, codes=list(couriers.MENDED_BY_A_NAME))
                )
            ]
        may_come = {
            ours
            for source in tools.configurations.sources
            for ours in preflight.missing(source.source, configured.channel)
        }
        return {
            "channel": channel_id,
            "map": mapping.map,
            "unmapped": mapping.unmapped,
            "waiting": waiting,
            "may_come": sorted(may_come),
            **await _accepted(channels, configured),
        }

    @router.post("/channels/{channel_id}/couriers/preview")
    async def preview(channel_id: str, draft: Annotated[NameMapping, Body()]) -> dict[str, Any]:
        """How many orders saving this map releases, and which couriers would still have no name."""
        configured = await _configured(pool, tools, channel_id)
        async with pool.acquire() as conn:
            found = await rows(
                tools.queries.couriers_failed_for(conn, channel=channel_id, codes=list(couriers.MENDED_BY_A_NAME))
            )
            waiting = [row["carrier"] for row in found]
            mended = couriers.mended(waiting, configured.channel.couriers, draft)
            orders = await rows(
                tools.queries.orders_failed_for(
                    conn, channel=channel_id, carriers=mended, codes=list(couriers.MENDED_BY_A_NAME)
                )
            )
        still = {row["carrier"]: row["orders"] for row in found if row["carrier"] not in mended}
        return {"channel": channel_id, "releases": len(orders), "couriers": mended, "still_waiting": still}


async def _configured(pool: Pool, tools: Tools, channel_id: str) -> ChannelConfigured:
    async with pool.acquire() as conn:
        await tools.configurations.refresh(conn)
    configured = tools.configurations.channel(channel_id)
    if configured is None:
        raise HTTPException(404, f"{channel_id!r} is no configured channel")
    return configured


async def _accepted(channels: Channels, configured: ChannelConfigured) -> dict[str, Any]:
    """The platform's own list; without one, why."""
    try:
        connection = channels.channel(configured.channel, configured.sequence)
        if connection is None or connection.carriers is None:
            return {"accepted": None, "accepted_because": "the platform has no list: any name is passed on"}
        found = await connection.carriers.carriers()
    except (PlatformError, BudgetWait, ValueError) as error:
        return {"accepted": None, "accepted_because": f"the platform's list could not be read: {error}"}
    return {"accepted": [{"code": c.code, "name": c.name, "links": c.links} for c in found], "accepted_because": None}
