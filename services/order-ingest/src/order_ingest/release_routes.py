"""Internal HTTP for what a change of settings releases (IN-11).

POST /internal/releases          {channel: its settings, without credentials}: counts and a token
GET  /internal/releases/{token}  what became of the orders that were promised
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from order_ingest.preview_release import PreviewRelease
from waybill_contracts.configuration import Channel


class Wanted(BaseModel):
    """The settings as they would be."""

    channel: Channel


def release_routes(preview: PreviewRelease) -> APIRouter:
    router = APIRouter()

    @router.post("/releases")
    async def count(wanted: Wanted) -> dict[str, Any]:
        return await preview.preview(wanted.channel)

    @router.get("/releases/{token}")
    async def outcome(token: UUID) -> dict[str, Any]:
        return await preview.outcome(token)

    return router
