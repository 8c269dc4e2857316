"""Internal HTTP for making channels post to us (IN-3); what they then post comes in at `hooks.py`.

POST /internal/channels/{id}/webhooks  {address, actor}: 202; 404, 422, or 409 where the platform posts nothing
GET  /internal/channels/{id}/webhooks  what is registered: state off, waiting, on or failed, and since when
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from order_ingest.calls import NotConfigured
from order_ingest.named import q
from order_ingest.register_hooks import PostsNothing, RegisterHooks, WrongAddress
from waybill_common.db import Pool, rows
from waybill_platforms.errors import PlatformError


class Asked(BaseModel):
    """Where the platform reaches this channel's `/hooks/{channel}`."""

    address: str = Field(min_length=1, max_length=1000)
    actor: str = Field(min_length=1, max_length=200)


def webhook_routes(pool: Pool, register: RegisterHooks, wake: Callable[[], None]) -> APIRouter:
    router = APIRouter()

    @router.post("/channels/{channel}/webhooks", status_code=202)
    async def ask(channel: str, asked: Asked) -> dict[str, Any]:
        try:
            row = await register.ask(channel, asked.address, asked.actor)
        except NotConfigured as error:
            raise HTTPException(404, str(error)) from error
        except WrongAddress as error:
            raise HTTPException(422, str(error)) from error
        except PostsNothing as error:
            raise HTTPException(409, str(error)) from error
        except PlatformError as error:  # the connection cannot be opened: a setting or a secret is missing
            raise HTTPException(409, error.message) from error
        wake()
        return _shown(channel, row)

    @router.get("/channels/{channel}/webhooks")
    async def show(channel: str) -> dict[str, Any]:
        if not await rows(q().listing(pool, channel=channel)):
            raise HTTPException(404, f"channel {channel!r} is not configured: use the id of a configured channel")
        return _shown(channel, await q().webhooks_of(pool, channel=channel))

    return router


def _shown(channel: str, row: Any) -> dict[str, Any]:
    if row is None:
        return {"channel": channel, "state": "off", "address": None, "topics": []}
    state = "failed" if row["last_error"] else "waiting" if row["checked_at"] is None else "on"
    names = ("address", "topics", "warning", "asked_by", "asked_at", "checked_at", "last_error", "due_at")
    return {"channel": channel, "state": state, **{name: row[name] for name in names}}
