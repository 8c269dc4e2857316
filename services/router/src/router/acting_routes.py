"""The internal HTTP by which people act: each action names who and why, and is one transaction."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from router import take_back
from router.create_fr import WantedFr, WantedLine, create_fr
from router.take_back import Desk, NotPossible
from waybill_common.db import Connection, Pool, transaction
from waybill_contracts.values import ByHand


class Who(BaseModel):
    """Who acts, and why: kept beside the order."""

    actor: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1000)

    @property
    def by_hand(self) -> ByHand:
        return ByHand(actor=self.actor, reason=self.reason)


class Regenerate(Who):
    override: bool = Field(default=False, description="plan again at once, at the risk of shipping twice (admins)")


class NewLine(BaseModel):
    line_id: str
    quantity: int = Field(ge=1, description="pieces of the line, or units of `sku`")
    sku: str | None = Field(default=None, description="one of the line's SKUs; none: whole pieces")


class NewFr(Who):
    source: str
    lines: list[NewLine] = Field(default=[], max_length=1000, description="none: all that is missing of the order")
    shipping_method: str | None = Field(default=None, description="ours; none: the order's")

    @property
    def wanted(self) -> WantedFr:
        lines = tuple(WantedLine(line.line_id, line.quantity, line.sku) for line in self.lines)
        return WantedFr(self.source, lines, self.shipping_method)


class ManyOrders(Who):
    order_ids: list[str] = Field(min_length=1, max_length=1000)


def add_acting_routes(router: APIRouter, pool: Pool, desk: Desk, wake: Callable[[], None]) -> None:
    """What cannot be done is 409 with the way out."""

    @asynccontextmanager
    async def acting() -> AsyncIterator[Connection]:
        try:
            async with transaction(pool) as conn:
                yield conn
        except NotPossible as refused:
            raise HTTPException(refused.status, str(refused)) from None
        wake()

    @router.post("/frs/{fr_id}/void")
    async def void(fr_id: str, body: Who) -> dict[str, Any]:
        """Take it back: at once when it was not sent, else its source is asked."""
        async with acting() as conn:
            return {"fr_id": fr_id, "state": await take_back.void(conn, desk, fr_id, body.by_hand)}

    @router.post("/frs/{fr_id}/regenerate")
    async def regenerate(fr_id: str, body: Regenerate) -> dict[str, Any]:
        """Take it back, and plan its units again once they are free."""
        async with acting() as conn:
            state = await take_back.regenerate(conn, desk, fr_id, body.by_hand, override=body.override)
            return {"fr_id": fr_id, "state": state, "override": body.override}

    @router.post("/orders/{order_id}/generate")
    async def generate(order_id: str, body: Who) -> dict[str, Any]:
        """For an order that waits because its channel's auto_generate is off (RT-8)."""
        async with acting() as conn:
            await take_back.generate(conn, desk, order_id, body.by_hand)
        return {"order_id": order_id, "due": True}

    @router.post("/orders/{order_id}/frs", status_code=201)
    async def create(order_id: str, body: NewFr) -> dict[str, Any]:
        """An FR that a person makes: rules are bypassed; holds and reservation are not (RT-10)."""
        try:
            async with acting() as conn:
                fr = await create_fr(conn, desk, order_id, body.wanted, body.by_hand)
        except asyncpg.UniqueViolationError:
            raise HTTPException(409, "another FR took its number at this very moment: try again") from None
        return fr.model_dump(mode="json")

    @router.post("/orders:generate")
    async def generate_many(body: ManyOrders) -> dict[str, Any]:
        """Each on its own: one that does not wait for it does not stop the others (RT-8)."""
        results = []
        for order_id in dict.fromkeys(body.order_ids):
            refused = None
            try:
                async with transaction(pool) as conn:
                    await take_back.generate(conn, desk, order_id, body.by_hand)
            except NotPossible as error:
                refused = str(error)
            results.append({"order_id": order_id, "refused": refused})
        wake()
        return {"orders": results}
