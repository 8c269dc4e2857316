"""Internal HTTP for making channels post to us (IN-3); what they then post comes in at `hooks.py`.

POST /internal/channels/{id}/webhooks      {address, actor}: 202; 404, 422, or 409 where the platform posts nothing
POST /internal/channels/{id}/webhooks/end  {address?, actor}: 202; the same, and 409 where nothing was registered
GET  /internal/channels/{id}/webhooks      what is registered: state off, waiting, on, ending or failed, and since when
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from order_ingest.import_file import NoSuchChannel
from order_ingest.named import q
from waybill_common.db import Pool, rows
from waybill_platforms.webhooks import Asked, Ended, Webhooks


def webhook_routes(pool: Pool, webhooks: Webhooks, wake: Callable[[], None]) -> APIRouter:
    router = APIRouter()

    @router.post("/channels/{channel}/webhooks", status_code=202)
    async def ask(channel: str, asked: Asked) -> dict[str, Any]:
        told = await webhooks.ask(channel, asked.address, asked.actor)
        wake()
        return told

    @router.post("/channels/{channel}/webhooks/end", status_code=202)
    async def end(channel: str, ended: Ended) -> dict[str, Any]:
        told = await webhooks.end(channel, ended.address, ended.actor)
        wake()
        return told

    @router.get("/channels/{channel}/webhooks")
    async def show(channel: str) -> dict[str, Any]:
        if not await rows(q().listing(pool, channel=channel)):
            raise NoSuchChannel(channel)
        return await webhooks.of(channel)

    return router
