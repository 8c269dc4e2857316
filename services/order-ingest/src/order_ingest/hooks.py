"""Internal HTTP for what channels post: the console passes it on byte for byte (IN-3).

POST /internal/hooks/{channel}  {headers, body: base64}: 200 when it is taken, 401 when nobody knows who sent it
"""

import base64
import binascii
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from order_ingest.take_hook import TakeHook
from waybill_common.refusals import Refused


class Posted(BaseModel):
    """One call, as it came to the console."""

    headers: dict[str, str] = Field(max_length=200)
    body: str = Field(description="the raw body in base64")


def hook_routes(take: TakeHook) -> APIRouter:
    router = APIRouter()

    @router.post("/hooks/{channel}")
    async def hook(channel: str, posted: Posted) -> dict[str, Any]:
        try:
            body = base64.b64decode(posted.body, validate=True)
        except binascii.Error as error:
            raise Refused(f"body: {error}", "write the raw body in base64", status=422) from error
        return await take.take(channel, posted.headers, body)

    return router
