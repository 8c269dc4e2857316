"""An order run again with today's mappings and rules, without side effects, showing the difference (OP-13)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from console.api.actions import ask_owner
from console.api.orders import known_order
from console.api.security import Actor, Keys
from console.owners import Owners
from waybill_common.db import Pool, Queries
from waybill_contracts import topics


def rerun_router(pool: Pool, q: Queries, keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["orders"])
    viewer = Depends(keys.require("viewer", by_store=True))

    @router.get("/orders/{order_id}/rerun")
    async def rerun(order_id: str, actor: Annotated[Actor, viewer]) -> dict[str, Any]:
        """What today's mappings, holds, groups, rules and costs would make of the order, beside what they made of it.

        `differs` names what would be otherwise: standing, reason, holds, shipping_method, lines, routing. Each decision
        in `routing` is planned again on the stock of then: `kind` is same, moved, new_hold, no_longer_held or skipped.
        Nothing is stored, sent or reserved.
        """
        await known_order(pool, q, order_id, actor)
        path = f"/internal/orders/{order_id}/rerun"
        judged: dict[str, Any] = await ask_owner(owners, topics.ORDER_INGEST, "GET", path)
        planned: dict[str, Any] = await ask_owner(owners, topics.ROUTER, "GET", path)
        routing = planned["decisions"]
        moved = [decision for decision in routing if _otherwise(decision)]
        return {**judged, "routing": routing, "differs": [*judged["differs"], *(["routing"] if moved else [])]}

    return router


def _otherwise(decision: dict[str, Any]) -> bool:
    same = decision["kind"] in ("same", "skipped")
    return not same or (decision["difference"] is not None and float(decision["difference"]) != 0)
