"""What a person does to one order with order-ingest: hold it, release it, cancel it (IN-10)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends

from console.api.actions import Why, ask_owner
from console.api.security import Actor, Keys
from console.owners import Owners
from waybill_contracts import topics


def order_actions_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["orders"])
    operator = Depends(keys.require("operator"))

    @router.post("/orders/{order_id}/actions/{action}")
    async def act_on_order(
        order_id: str, action: Literal["hold", "release", "cancel"], why: Why, actor: Annotated[Actor, operator]
    ) -> Any:
        """Hold an order, release it from what a person may release, or cancel it here (the channel is not told).

        Holds whose cause is to be mended (an unmapped SKU, say) are refused with what mends them: 409.
        """
        body = {"actor": actor.name, "reason": why.reason}
        return await ask_owner(owners, topics.ORDER_INGEST, "POST", f"/internal/orders/{order_id}/{action}", body)

    return router
