"""The internal HTTP of this stage: run now, push again, what waits. Guarded by the service token."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException
from pydantic import BaseModel, Field

from shipment_poller.review_orders import Tools
from waybill_common.db import Pool, rows, transaction
from waybill_common.http import internal
from waybill_contracts.configuration import Platform


class Resync(BaseModel):
    """Which shipments to push again: these, or all that failed."""

    shipment_ids: list[str] | None = Field(default=None, max_length=10_000)


class Resynced(BaseModel):
    """How many begin a new round, in how many orders."""

    shipments: int
    orders: int


def routes(
    pool: Pool, tools: Tools, tokens: tuple[str, ...], wake_polls: Callable[[], None], wake_pushes: Callable[[], None]
) -> APIRouter:
    """The router; nothing is opened here."""
    router = APIRouter(prefix="/internal", dependencies=internal(tokens))

    @router.post("/sources/{source_id}/poll", status_code=202)
    async def poll(source_id: str) -> dict[str, str]:
        async with transaction(pool) as conn:
            await tools.configurations.refresh(conn)
            configured = tools.configurations.source(source_id)
            if configured is None:
                raise HTTPException(404, f"{source_id!r} is no configured source")
            if configured.source.platform is Platform.MANUAL:
                raise HTTPException(409, f"{source_id!r} is a manual source: its shipments are entered by hand")
            await tools.queries.poll_now(conn, source=source_id)
        wake_polls()
        return {"source": source_id, "turn": "due"}

    @router.post("/shipments/resync", status_code=202)
    async def resync(asked: Annotated[Resync, Body()]) -> Resynced:
        async with transaction(pool) as conn:
            q, ids = tools.queries, asked.shipment_ids
            meant = [row["order_id"] for row in await rows(q.orders_to_resync(conn, ids=ids))]
            await q.lock_orders(conn, order_ids=meant)
            again = await rows(q.resync(conn, order_ids=meant, ids=ids))
            orders = sorted({row["order_id"] for row in again})
            await tools.queries.arm_pushes(conn, order_ids=orders)
        wake_pushes()
        return Resynced(shipments=len(again), orders=len(orders))

    @router.get("/waiting")
    async def waiting() -> dict[str, Any]:
        async with pool.acquire() as conn:
            return {
                "shipments": [dict(row) for row in await rows(tools.queries.waiting_shipments(conn))],
                "syncs": [dict(row) for row in await rows(tools.queries.waiting_syncs(conn))],
                "early": await tools.queries.waiting_early(conn),
                "sources": [dict(row) for row in await rows(tools.queries.turns(conn))],
            }

    return router
