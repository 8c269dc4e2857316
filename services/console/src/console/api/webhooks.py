"""Making platforms post to us: a channel's (order-ingest registers) and a source's (shipment-poller does). Who asked
looks back for what came of it (IN-3, SP-1)."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from console.api.actions import ask_owner
from console.api.security import Actor, Keys
from console.owners import Owners
from waybill_contracts import topics


class Where(BaseModel):
    """`url`: where the platform reaches this console; `/hooks/{channel}`, or `/hooks/{source}`, is added."""

    url: str = Field(min_length=1, max_length=900, examples=["https://hub.example"])


Url = Annotated[
    str | None, Query(min_length=1, max_length=900, description="where it posts to, if not registered here")
]


def webhooks_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["channels and sources"])
    admin = Depends(keys.require("admin"))
    viewer = Depends(keys.require("viewer"))

    @router.post("/channels/{channel_id}/webhooks", status_code=202)
    async def register(channel_id: str, where: Where, actor: Annotated[Actor, admin]) -> Any:
        """Make the channel's platform post its changes to `{url}/hooks/{channel}`, and keep it posting: asked again
        each day. Another url takes the former one's place. 409 where the platform posts nothing: its pull covers it."""
        return await _ask(owners, "channels", channel_id, "", {"address": _address(where.url, channel_id)}, actor)

    @router.delete("/channels/{channel_id}/webhooks", status_code=202)
    async def end(channel_id: str, actor: Annotated[Actor, admin], url: Url = None) -> Any:
        """Make the channel's platform post no more: to what was registered here, and to `{url}/hooks/{channel}` too."""
        return await _ask(owners, "channels", channel_id, "/end", {"address": _address(url, channel_id)}, actor)

    @router.get("/channels/{channel_id}/webhooks")
    async def show(channel_id: str, _: Annotated[Actor, viewer]) -> Any:
        """What the channel's platform posts to us: `state` is off, waiting, on, ending or failed."""
        return await ask_owner(owners, topics.ORDER_INGEST, "GET", _path("channels", channel_id))

    @router.post("/sources/{source_id}/webhooks", status_code=202)
    async def register_source(source_id: str, where: Where, actor: Annotated[Actor, admin]) -> Any:
        """As for a channel: the source's platform posts that something was shipped, and it is asked at once."""
        return await _ask(owners, "sources", source_id, "", {"address": _address(where.url, source_id)}, actor)

    @router.delete("/sources/{source_id}/webhooks", status_code=202)
    async def end_source(source_id: str, actor: Annotated[Actor, admin], url: Url = None) -> Any:
        """As for a channel."""
        return await _ask(owners, "sources", source_id, "/end", {"address": _address(url, source_id)}, actor)

    @router.get("/sources/{source_id}/webhooks")
    async def show_source(source_id: str, _: Annotated[Actor, viewer]) -> Any:
        """As for a channel."""
        return await ask_owner(owners, topics.SHIPMENT_POLLER, "GET", _path("sources", source_id))

    return router


_OWNERS = {"channels": topics.ORDER_INGEST, "sources": topics.SHIPMENT_POLLER}


async def _ask(owners: Owners, kind: str, name: str, what: str, body: dict[str, Any], actor: Actor) -> Any:
    path = f"{_path(kind, name)}{what}"
    return await ask_owner(owners, _OWNERS[kind], "POST", path, {**body, "actor": actor.name})


def _address(url: str | None, name: str) -> str | None:
    return None if url is None else f"{url.rstrip('/')}/hooks/{name}"


def _path(kind: str, name: str) -> str:
    return f"/internal/{kind}/{quote(name, safe='')}/webhooks"
