"""An order's whole story as one file (OP-14)."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from console.api.orders import order_in_full
from console.api.security import Actor, Keys
from console.bundle import bundle
from console.owners import Owners, OwnerSilent
from console.timeline import activities_of
from waybill_common.db import Pool, Queries, rows
from waybill_contracts import topics


def bundle_router(pool: Pool, q: Queries, keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["orders"])

    @router.get(
        "/orders/{order_id}/bundle",
        response_class=Response,
        responses={200: {"description": "A zip file", "content": {"application/zip": {}}}},
    )
    async def order_bundle(
        order_id: str, actor: Annotated[Actor, Depends(keys.require("viewer", by_store=True))]
    ) -> Response:
        """Timeline, versions, decisions, exchanges and trace of one order, as a zip file without secrets."""
        order = await order_in_full(pool, q, order_id, actor)
        activities = await activities_of(pool, q, order_id)
        versions = [dict(row) for row in await rows(q.versions_of(pool, order_id=order_id))]
        exchanges = [row["body"] for row in await rows(q.records_by_order(pool, order_id=order_id))]
        made = bundle(order, activities, versions, await _decisions(order_id), exchanges, datetime.now(UTC))
        name = "".join(c for c in order["number"] if c.isalnum() or c in "-_.") or order_id
        headers = {"Content-Disposition": f'attachment; filename="{name}-bundle.zip"'}
        return Response(made, media_type="application/zip", headers=headers)

    async def _decisions(order_id: str) -> Any:
        """The router's, or why they are missing: the bundle is made when a service is down, too."""
        try:
            answer = await owners.ask(topics.ROUTER, "GET", f"/internal/orders/{order_id}/decisions")
        except OwnerSilent as silent:
            return {"missing": str(silent)}
        return answer.json() if answer.status_code == 200 else {"missing": answer.text[:500]}

    return router
