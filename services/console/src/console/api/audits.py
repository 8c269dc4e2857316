"""Audits of channels and imports of past windows: the owners walk, who asked looks back for the result (IN-14).

An audit has two halves: order-ingest compares the channel's orders with ours, shipment-poller the fulfillments that are
owed to the channel with those that it shows.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel

from console.api.actions import ask_owner
from console.api.commands import Acted, Acting, acting
from console.api.security import Actor, Keys
from console.ask_audit import ACTION as AUDIT
from console.ask_audit import inward, outward
from console.commander import Commander
from console.owners import Owners
from waybill_contracts import topics


class Window(BaseModel):
    """Without `since` it begins with the channel's start, without `until` it ends now."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


def audits_router(keys: Keys, owners: Owners, commander: Commander) -> APIRouter:
    router = APIRouter(tags=["channels and sources"])
    acts = Depends(acting(keys, commander))
    viewer = Depends(keys.require("viewer"))

    @router.post("/channels/{channel_id}/audit", status_code=202, response_model=Acted)
    async def audit(channel_id: str, by: Annotated[Acting, acts], window: Window | None = None) -> Any:
        """Compare what the channel shows of a window with what is here, both ways; what is missing is imported, or
        pushed after a read-back, with an alert; what was changed there since it was told is said, and left as it is."""
        return await _ask(channel_id, "audit", window or Window(), by)

    @router.post("/channels/{channel_id}/import-window", status_code=202, response_model=Acted)
    async def import_window(channel_id: str, window: Window, by: Annotated[Acting, acts]) -> Any:
        """Import the orders placed within a past window, also those from before the channel's start."""
        return await _ask(channel_id, "window", window, by)

    @router.get("/channels/{channel_id}/audit")
    async def audits(channel_id: str, _: Annotated[Actor, viewer]) -> Any:
        """The newest audits and window imports of a channel, with their results; `outward`: of fulfillments."""
        found = await ask_owner(owners, topics.ORDER_INGEST, "GET", inward(channel_id))
        told = await ask_owner(owners, topics.SHIPMENT_POLLER, "GET", outward(channel_id))
        return found | {"outward": told["items"]}

    async def _ask(channel_id: str, kind: str, window: Window, by: Acting) -> Any:
        body = {**window.model_dump(mode="json"), "kind": kind}
        action = AUDIT if kind == "audit" else "channel.import_window"
        return await by.does(action, f"channel/{channel_id}", topics.ORDER_INGEST, inward(channel_id), body)

    return router
