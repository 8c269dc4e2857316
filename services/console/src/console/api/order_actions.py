"""What a person does to one order with order-ingest: hold it, release it, cancel it (IN-10)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends

from console.api.actions import Why
from console.api.commands import ACTION, Acting, acting
from console.api.security import Keys
from console.commander import Commander
from waybill_contracts import topics


def order_actions_router(keys: Keys, commander: Commander) -> APIRouter:
    router = APIRouter(tags=["orders"])
    acts = Depends(acting(keys, commander))

    @router.post("/orders/{order_id}/actions/{action}", **ACTION)
    async def act_on_order(
        order_id: str, action: Literal["hold", "release", "cancel"], why: Why, by: Annotated[Acting, acts]
    ) -> Any:
        """Hold an order, release it from what a person may release, or cancel it here (the channel is not told).

        Holds whose cause is to be mended (an unmapped SKU, say) are refused with what mends them: 409.
        """
        path = f"/internal/orders/{order_id}/{action}"
        name = "hold.release" if action == "release" else f"order.{action}"
        return await by.does(name, f"order/{order_id}", topics.ORDER_INGEST, path, {"reason": why.reason})

    return router
