"""Audits of channels and imports of past windows: the owners walk, who asked looks back for the result (IN-14).

An audit has two halves: order-ingest compares the channel's orders with ours, shipment-poller the fulfillments that are
owed to the channel with those that it shows.
"""

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
        """Compare what the channel shows of a window with what is here, both ways; what is missing is imported, or
        pushed after a read-back, with an alert; what was changed there since it was told is said, and left as it is."""
        window = window or Window()
        asked = await _ask(channel_id, "audit", window, actor)
        body = {**window.model_dump(mode="json"), "actor": actor.name}
        outward = await ask_owner(owners, topics.SHIPMENT_POLLER, "POST", _outward(channel_id), body)
        return asked | {"outward_audit_id": outward["audit_id"]}

    @router.post("/channels/{channel_id}/import-window", status_code=202)
    async def import_window(channel_id: str, window: Window, actor: Annotated[Actor, operator]) -> Any:
        """Import the orders placed within a past window, also those from before the channel's start."""
        return await _ask(channel_id, "window", window, actor)

    @router.get("/channels/{channel_id}/audit")
    async def audits(channel_id: str, _: Annotated[Actor, viewer]) -> Any:
        """The newest audits and window imports of a channel, with their results; `outward`: of fulfillments."""
        found = await ask_owner(owners, topics.ORDER_INGEST, "GET", _inward(channel_id))
        outward = await ask_owner(owners, topics.SHIPMENT_POLLER, "GET", _outward(channel_id))
        return found | {"outward": outward["items"]}

    async def _ask(channel_id: str, kind: str, window: Window, actor: Actor) -> Any:
        body = {**window.model_dump(mode="json"), "kind": kind, "actor": actor.name}
        return await ask_owner(owners, topics.ORDER_INGEST, "POST", _inward(channel_id), body)

    return router


def _inward(channel_id: str) -> str:
    return f"/internal/channels/{quote(channel_id, safe='')}/audits"


def _outward(channel_id: str) -> str:
    return f"/internal/channels/{quote(channel_id, safe='')}/outward-audits"
