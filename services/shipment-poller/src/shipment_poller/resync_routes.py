"""Pushing shipments again because a person asked, how far that is, and stopping it (SP-12)."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from shipment_poller.resync import Progress, Resyncs
from waybill_common.commands import Taken
from waybill_common.refusals import Refused


class Resync(BaseModel):
    """Which shipments to push again: these, or all that failed (of one channel, for one cause), and who asks why."""

    shipment_ids: list[str] | None = Field(default=None, max_length=10_000)
    channel: str | None = None
    code: str | None = Field(default=None, description="the reason's code, e.g. COURIER_REFUSED")
    actor: str = Field(default="an operator", max_length=200)
    reason: str = Field(default="", max_length=1000)


class Begun(BaseModel):
    """How many begin a new round, in how many orders; ask for the progress by the id."""

    resync_id: str
    shipments: int
    orders: int


class Who(BaseModel):
    actor: str = Field(min_length=1, max_length=200)


def resync_routes(router: APIRouter, resyncs: Resyncs, wake: Any) -> None:
    """Adds them to the internal router; `wake` ends the resync worker's rest."""

    @router.post("/shipments/resync", status_code=202)
    async def resync(asked: Annotated[Resync, Body()], command: Taken) -> Begun:
        begun = await resyncs.begin(
            asked.actor,
            asked.reason,
            ids=asked.shipment_ids,
            channel=asked.channel,
            code=asked.code,
            command=command,
        )
        wake()
        return Begun(**begun)

    @router.get("/resyncs/{resync_id}")
    async def progress(resync_id: str) -> Progress:
        found = await resyncs.progress(resync_id)
        if found is None:
            reason = f"there is no resync {resync_id} here; they are kept for 30 days"
            raise Refused(reason, "use the id that `waybill shipments resync` printed", status=404)
        return found

    @router.post("/resyncs/{resync_id}/cancel")
    async def cancel(resync_id: str, who: Annotated[Who, Body()], command: Taken) -> Progress:
        if not await resyncs.cancel(resync_id, who.actor, command):
            reason = f"resync {resync_id} is not known here, or was canceled before"
            raise Refused(reason, "look at how far it is: GET /api/v1/shipments:resync/ID")
        return await progress(resync_id)
