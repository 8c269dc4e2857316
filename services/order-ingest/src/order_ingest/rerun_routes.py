"""`GET /internal/orders/{id}/rerun`: what today's mappings and rules would make of an order (OP-13)."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from order_ingest.rerun_order import RerunOrder


def rerun_routes(rerun: RerunOrder) -> APIRouter:
    router = APIRouter()

    @router.get("/orders/{order_id}/rerun")
    async def rerun_order(order_id: UUID) -> dict[str, Any]:
        return await rerun.rerun(order_id)

    return router
