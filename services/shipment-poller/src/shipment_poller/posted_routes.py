"""What the console passes on from `/hooks/{connection}`: headers and raw body, as they came."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from shipment_poller.take_posted import Posted
from waybill_common.refusals import Refused
from waybill_platforms.errors import SignatureRefused


class Call(BaseModel):
    """One call of somebody else's system."""

    headers: dict[str, str] = Field(default_factory=dict)
    body: str = Field(description="the raw body in base64: signatures are over its bytes")


def posted_routes(router: APIRouter, posted: Posted, wakes: Sequence[Callable[[], None]]) -> None:
    """Adds them to the internal router; `wakes` are called when something may have to be pushed or asked for."""

    @router.post("/hooks/{source_id}")
    async def hook(source_id: str, call: Annotated[Call, Body()]) -> dict[str, Any]:
        try:
            body = base64.b64decode(call.body, validate=True)
            answer = await posted.take(source_id, call.headers, body)
        except SignatureRefused as refused:
            raise Refused(
                str(refused), "sign it with the secret that is configured for this source", status=401
            ) from None
        except (binascii.Error, ValueError) as error:
            reason = f"the body is no list of shipments: {error}"
            raise Refused(reason, "send it as docs/http-source.openapi.yaml describes", status=400) from None
        for wake in wakes:
            wake()
        return answer
