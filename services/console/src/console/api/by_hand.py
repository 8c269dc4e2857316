"""A shipment that a person enters, and takes back, for any order whatever its source (SP-6), or decides about."""

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header
from pydantic import AwareDatetime, BaseModel, Field

from console.api.actions import Why
from console.api.commands import ACTION, Acting, acting
from console.api.orders import no_such_order
from console.api.problems import ProblemError
from console.api.security import Keys
from console.commander import Commander, Wish
from console.enter_shipment import ACTION as ENTER
from waybill_common.db import Pool, Queries
from waybill_contracts import topics

Choice = Literal["keep-stopped", "ship-replacement"]


class Line(BaseModel):
    line_id: str
    quantity: int = Field(ge=1, description="pieces of the order's line")


class NewShipment(Why):
    """Without `lines`: all that is left of the one FR that is open, or of the order where it has none."""

    order_id: str
    lines: list[Line] = Field(default=[], max_length=1000)
    fr: str | None = Field(default=None, description="its id or number, where several could be meant")
    source: str | None = Field(default=None, description="the manual source, where an FR has to be made")
    courier: str = Field(min_length=1, max_length=200, description="our courier name")
    tracking_numbers: list[str] = Field(default=[], max_length=100)
    tracking_url: str | None = None
    shipped_at: AwareDatetime | None = Field(default=None, description="none: now")


def by_hand_router(pool: Pool, q: Queries, keys: Keys, commander: Commander) -> APIRouter:
    router = APIRouter(tags=["shipments"])
    acts = Depends(acting(keys, commander))

    @router.post("/shipments", status_code=201, **ACTION)
    async def enter(
        new: NewShipment,
        by: Annotated[Acting, acts],
        idempotency_key: Annotated[str | None, Header(description="the same key gives the same shipment")] = None,
    ) -> Any:
        """Enter what was shipped by hand. A held or canceled order is refused with the reason."""
        if idempotency_key is None:
            text = "Idempotency-Key is missing: a repeated call would enter it twice"
            raise ProblemError(422, "Incomplete", text, "Send the header Idempotency-Key, a new one for each shipment")
        if await q.order_by_id(pool, order_id=new.order_id) is None:
            raise no_such_order(new.order_id)
        key = hashlib.sha256(f"{by.actor.key_id}/{idempotency_key}".encode()).hexdigest()
        body = {**new.model_dump(mode="json"), "key": key}
        path = f"/internal/orders/{new.order_id}/shipments"
        return await by.gives(Wish(ENTER, f"order/{new.order_id}", topics.SHIPMENT_POLLER, path, body, new.reason))

    @router.post("/shipments/{shipment_id}/actions/withdraw", **ACTION)
    async def withdraw(shipment_id: str, why: Why, by: Annotated[Acting, acts]) -> Any:
        """Take back what was entered by hand; its channel is told."""
        path = f"/internal/shipments/{shipment_id}/withdraw"
        body = {"reason": why.reason}
        return await by.does("shipment.withdraw", f"shipment/{shipment_id}", topics.SHIPMENT_POLLER, path, body)

    @router.post("/shipments/{shipment_id}/actions/{choice}", **ACTION)
    async def decide(shipment_id: str, choice: Choice, why: Why, by: Annotated[Acting, acts]) -> Any:
        """Decide about a parcel that left although its FR was over. `keep-stopped`: it counts, the channel is told of
        it, and nothing is sent in its place. `ship-replacement`: it does not count, and its units are asked for again.
        """
        path = f"/internal/shipments/{shipment_id}/decide"
        body = {"choice": choice.replace("-", "_"), "reason": why.reason}
        return await by.does("shipment.decide", f"shipment/{shipment_id}", topics.SHIPMENT_POLLER, path, body)

    return router
