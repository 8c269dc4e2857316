"""Internal HTTP for making sources post to us (SP-1); what they then post comes in at `posted_routes.py`.

POST /internal/sources/{id}/webhooks      {address, actor}: 202; 404, 422, or 409 where the platform posts nothing
POST /internal/sources/{id}/webhooks/end  {address?, actor}: 202; the same, and 409 where nothing was registered
GET  /internal/sources/{id}/webhooks      what is registered: state off, waiting, on, ending or failed, and since when
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from shipment_poller.not_here import no_such_source
from shipment_poller.review_orders import Tools
from waybill_common.db import Pool
from waybill_platforms.webhooks import Asked, Ended, Webhooks


def webhook_routes(router: APIRouter, pool: Pool, tools: Tools, webhooks: Webhooks, wake: Callable[[], None]) -> None:
    """Adds them to the internal router."""

    @router.post("/sources/{source_id}/webhooks", status_code=202)
    async def ask(source_id: str, asked: Asked) -> dict[str, Any]:
        told = await webhooks.ask(source_id, asked.address, asked.actor)
        wake()
        return told

    @router.post("/sources/{source_id}/webhooks/end", status_code=202)
    async def end(source_id: str, ended: Ended) -> dict[str, Any]:
        told = await webhooks.end(source_id, ended.address, ended.actor)
        wake()
        return told

    @router.get("/sources/{source_id}/webhooks")
    async def show(source_id: str) -> dict[str, Any]:
        async with pool.acquire() as conn:
            await tools.configurations.refresh(conn)
        if tools.configurations.source(source_id) is None:
            raise no_such_source(source_id)
        return await webhooks.of(source_id)
