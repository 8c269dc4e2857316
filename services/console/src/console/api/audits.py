"""Audits of channels and imports of past windows: order-ingest walks, who asked looks back for the result (IN-14)."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel

from console.api.actions import ask_owner
from console.api.security import Actor, Keys
from console.owners import Owners
from waybill_contracts import topics


class Window(BaseModel):
    """Without `since` it begins with the channel's start, without `until` it ends now."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


def audits_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["channels and sources"])
    operator = Depends(keys.require("operator"))
    viewer = Depends(keys.require("viewer"))

    @router.post("/channels/{channel_id}/audit", status_code=202)
    async def audit(channel_id: str, actor: Annotated[Actor, operator], window: Window | None = None) -> Any:
        """Compare what the channel shows of a window with what is here; what is missing is imported, with an alert."""
        return await _ask(channel_id, "audit", window or Window(), actor)

    @router.post("/channels/{channel_id}/import-window", status_code=202)
    async def import_window(channel_id: str, window: Window, actor: Annotated[Actor, operator]) -> Any:
        """Import the orders placed within a past window, also those from before the channel's start."""
        return await _ask(channel_id, "window", window, actor)

    @router.get("/channels/{channel_id}/audit")
    async def audits(channel_id: str, _: Annotated[Actor, viewer]) -> Any:
        """The newest audits and window imports of a channel, with their results."""
        path = f"/internal/channels/{quote(channel_id, safe='')}/audits"
        return await ask_owner(owners, topics.ORDER_INGEST, "GET", path)

    async def _ask(channel_id: str, kind: str, window: Window, actor: Actor) -> Any:
        body = {**window.model_dump(mode="json"), "kind": kind, "actor": actor.name}
        path = f"/internal/channels/{quote(channel_id, safe='')}/audits"
        return await ask_owner(owners, topics.ORDER_INGEST, "POST", path, body)

    return router
