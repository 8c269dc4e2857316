"""Internal HTTP for what a change of settings releases (IN-11).

POST /internal/releases          {channel: its settings, without credentials}: counts and a token
GET  /internal/releases/{token}  what became of the orders that were promised
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from order_ingest.import_file import NoSuchChannel
from order_ingest.preview_release import NoSuchPreview, PreviewRelease
from waybill_contracts.configuration import Channel


class Wanted(BaseModel):
    """The settings as they would be."""

    channel: Channel


def release_routes(preview: PreviewRelease) -> APIRouter:
    router = APIRouter()

    @router.post("/releases")
    async def count(wanted: Wanted) -> dict[str, Any]:
        try:
            return await preview.preview(wanted.channel)
        except NoSuchChannel as error:
            raise HTTPException(404, str(error)) from error

    @router.get("/releases/{token}")
    async def outcome(token: UUID) -> dict[str, Any]:
        try:
            return await preview.outcome(token)
        except NoSuchPreview as error:
            raise HTTPException(404, str(error)) from error

    return router
