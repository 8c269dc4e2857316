"""Stock by REST: what a source has, what is promised beyond that, and counts sent by hand or file (RT-1, RT-6)."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query

from console.api.actions import ask_owner
from console.api.security import Keys
from console.owners import Owners
from waybill_contracts import topics


def stock_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["channels and sources"])
    viewer, operator = Depends(keys.require("viewer")), Depends(keys.require("operator"))

    async def ask(method: str, path: str, body: Any = None, **params: Any) -> Any:
        return await ask_owner(owners, topics.ROUTER, method, path, body, params=params, seconds=60.0)

    @router.get("/sources/{source_id}/stock", dependencies=[viewer])
    async def stock(
        source_id: str, after: str = "", limit: Annotated[int, Query(ge=1, le=5000)] = 500
    ) -> dict[str, Any]:
        """By SKU: on hand, reserved, uncovered, cost, weight. `next` continues after the last one."""
        items = await ask("GET", f"/internal/sources/{source_id}/stock", after=after, limit=limit)
        return {"items": items, "next": items[-1]["sku"] if len(items) == limit else None}

    @router.post("/sources/{source_id}/stock", dependencies=[operator])
    async def count(source_id: str, body: Annotated[dict[str, Any], Body()]) -> Any:
        """`{levels: [{sku, on_hand, unit_cost, weight_g, counted_at}]}`; older ones than known change nothing."""
        return await ask("POST", f"/internal/sources/{source_id}/stock", body)

    @router.get("/stock/uncovered", dependencies=[viewer])
    async def uncovered(limit: Annotated[int, Query(ge=1, le=5000)] = 500) -> dict[str, Any]:
        """What is promised and not on hand any more, by FR, the newest promise first."""
        return {"items": await ask("GET", "/internal/uncovered", limit=limit)}

    return router
