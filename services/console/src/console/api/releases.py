"""How many waiting orders a change of a channel's settings lets go on, and whether it did (IN-11)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends

from console.api.actions import ask_owner
from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.owners import Owners
from waybill_contracts import topics

TIMEOUT = 60.0  # seconds: every order that waits is judged


def releases_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["channels and sources"])
    viewer = Depends(keys.require("viewer"))

    @router.post("/channels/{channel_id}/releases")
    async def count(channel_id: str, settings: Annotated[dict[str, Any], Body()], _: Annotated[Actor, viewer]) -> Any:
        """Count what these settings would release, as one channel of the configuration file; nothing is saved.

        Answers `{token, releases, imports, still_waiting, numbers}`; credentials are not looked at.
        """
        if settings.get("id") != channel_id:
            text = f"id: {settings.get('id')!r} is not {channel_id!r}, the channel asked"
            raise ProblemError(422, "Not possible", text, "Send the settings of the channel that the address names")
        body = {"channel": {name: value for name, value in settings.items() if name not in ("credentials", "store")}}
        return await ask_owner(owners, topics.ORDER_INGEST, "POST", "/internal/releases", body, seconds=TIMEOUT)

    @router.get("/releases/{token}")
    async def outcome(token: UUID, _: Annotated[Actor, viewer]) -> Any:
        """What became of the orders that a count promised: gone on, still to be judged, or no longer, and why."""
        return await ask_owner(owners, topics.ORDER_INGEST, "GET", f"/internal/releases/{token}")

    return router
