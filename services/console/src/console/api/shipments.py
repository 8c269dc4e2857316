"""Shipments: the two views (SP-13), pushing them to their channels again, watched and canceled (SP-12)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from console.api.actions import ask_owner
from console.api.commands import ACTION, Acted, Acting, acting
from console.api.orders import shipment_answer
from console.api.paging import page, read_cursor
from console.api.security import Keys
from console.commander import Commander
from console.fresh import Fresh
from console.owners import Owners
from console.words import ShipmentStatus
from waybill_common.db import Pool, Queries, rows
from waybill_contracts import topics

View = Literal["pending", "prepared"]
VIEWS: dict[str, list[str]] = {"pending": ["recorded", "sync_failed"], "prepared": ["synced"]}
"""Fulfillment pending: the channel is still to be told, or could not be. Prepared: it shows it."""


class Resync(BaseModel):
    """Which shipments; without any named all that failed, of one channel or for one cause where that is given."""

    shipment_ids: list[str] = Field(default_factory=list, max_length=10_000)
    channel: str | None = None
    code: str | None = Field(default=None, description="the reason's code, e.g. COURIER_REFUSED")
    reason: str = Field(default="", max_length=1000)


def shipments_router(
    pool: Pool, q: Queries, keys: Keys, owners: Owners, commander: Commander, fresh: Fresh
) -> APIRouter:
    router = APIRouter(tags=["shipments"])
    viewer, acts = Depends(keys.require("viewer")), Depends(acting(keys, commander))

    async def ask(method: str, path: str, body: Any = None) -> Any:
        return await ask_owner(owners, topics.SHIPMENT_POLLER, method, path, body, seconds=30.0)

    @router.get("/shipments", dependencies=[viewer])
    async def list_shipments(
        view: Annotated[View | None, Query(description="pending: needs sync; prepared: synced")] = None,
        status: ShipmentStatus | None = None,
        order_id: str | None = None,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        """Newest first."""
        after, stamp = read_cursor(cursor), await fresh.stamp()
        statuses = VIEWS[view] if view else [status] if status else None
        found = await rows(
            q.list_shipments(
                pool, statuses=statuses, order_id=order_id, updated=after.at, after=after.id, limit=limit + 1
            )
        )
        return page(found, limit, shipment_answer, lambda row: (row["updated_at"], row["shipment_id"])) | stamp

    @router.post("/shipments:resync", status_code=202, response_model=Acted)
    async def resync(which: Resync, by: Annotated[Acting, acts]) -> Any:
        """Push shipments to their channels again: a new round of attempts for each. Watch it by `resync_id`."""
        body = {**which.model_dump(), "shipment_ids": which.shipment_ids or None}
        target = f"{len(which.shipment_ids)} shipments" if which.shipment_ids else "failed shipments"
        path = "/internal/shipments/resync"
        return await by.does("shipment.resync", target, topics.SHIPMENT_POLLER, path, body, timeout=30.0)

    @router.get("/shipments:resync/{resync_id}", dependencies=[viewer])
    async def progress(resync_id: str) -> Any:
        """How many are synced, failed (by cause) and still to come, by channel, and what makes it take longer."""
        return await ask("GET", f"/internal/resyncs/{resync_id}")

    @router.post("/shipments:resync/{resync_id}/cancel", **ACTION)
    async def cancel(resync_id: str, by: Annotated[Acting, acts]) -> Any:
        """Stop it: what was not tried yet stays as it was before."""
        path = f"/internal/resyncs/{resync_id}/cancel"
        return await by.does("resync.cancel", f"resync/{resync_id}", topics.SHIPMENT_POLLER, path, {}, timeout=30.0)

    @router.get("/shipments/{shipment_id}", dependencies=[viewer])
    async def show(shipment_id: str) -> Any:
        """One shipment as its source said it, with its history and each try at its channel."""
        return await ask("GET", f"/internal/shipments/{shipment_id}")

    @router.get("/channels/{channel_id}/probe", dependencies=[viewer])
    async def channel_probe(channel_id: str) -> Any:
        """What the channel turned out to be when it was last looked at, and what it lacks, with what mends it."""
        return await ask("GET", f"/internal/probes/channel/{channel_id}")

    @router.get("/sources/{source_id}/probe", dependencies=[viewer])
    async def source_probe(source_id: str) -> Any:
        """As for a channel."""
        return await ask("GET", f"/internal/probes/source/{source_id}")

    return router
