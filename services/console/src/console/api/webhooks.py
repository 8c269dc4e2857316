"""Making a channel's platform post to us: order-ingest registers, who asked looks back for what came of it (IN-3)."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from console.api.actions import ask_owner
from console.api.security import Actor, Keys
from console.owners import Owners
from waybill_contracts import topics


class Where(BaseModel):
    """`url`: where the platform reaches this console; `/hooks/{channel}` is added."""

    url: str = Field(min_length=1, max_length=900, examples=["https://hub.example"])


def webhooks_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["channels and sources"])
    admin = Depends(keys.require("admin"))
    viewer = Depends(keys.require("viewer"))

    @router.post("/channels/{channel_id}/webhooks", status_code=202)
    async def register(channel_id: str, where: Where, actor: Annotated[Actor, admin]) -> Any:
        """Make the channel's platform post its changes to `{url}/hooks/{channel}`, and keep it posting: asked again
        each day. What is registered already stays. 409 where the platform posts nothing: its pull covers it."""
        address = f"{where.url.rstrip('/')}/hooks/{channel_id}"
        body = {"address": address, "actor": actor.name}
        return await ask_owner(owners, topics.ORDER_INGEST, "POST", _path(channel_id), body)

    @router.get("/channels/{channel_id}/webhooks")
    async def show(channel_id: str, _: Annotated[Actor, viewer]) -> Any:
        """What the channel's platform posts to us: `state` is off, waiting, on or failed."""
        return await ask_owner(owners, topics.ORDER_INGEST, "GET", _path(channel_id))

    return router


def _path(channel_id: str) -> str:
    return f"/internal/channels/{quote(channel_id, safe='')}/webhooks"
