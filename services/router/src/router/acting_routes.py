"""The internal HTTP by which people act: each action names who and why, and is one transaction."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel, Field

from router import take_back
from router.create_fr import WantedFr, WantedLine, create_fr
from router.take_back import Desk, NotPossible
from waybill_common.commands import Command, Taken
from waybill_common.db import Connection, Pool
from waybill_contracts.values import ByHand


class Who(BaseModel):
    """Who acts, and why: kept beside the order."""

    actor: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1000)

    def by_hand(self, command: Command) -> ByHand:
        return ByHand(actor=self.actor, reason=self.reason, command=command.cause)


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


class _Acting:
    """One transaction for each command; what cannot be done is 409 with the way out."""

    def __init__(self, pool: Pool, desk: Desk, wake: Callable[[], None]) -> None:
        self.desk = desk
        self._pool, self._wake = pool, wake

    async def once(self, command: Command, act: Callable[[Connection], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """The answer; of the first time, when the command comes again."""
        answer: dict[str, Any] = await command.once(self._pool, act)
        self._wake()
        return answer


def add_acting_routes(router: APIRouter, pool: Pool, desk: Desk, wake: Callable[[], None]) -> None:
    acting = _Acting(pool, desk, wake)
    _on_frs(router, acting)
    _on_orders(router, acting)


def _on_frs(router: APIRouter, acting: _Acting) -> None:
    desk = acting.desk

    @router.post("/frs/{fr_id}/void")
    async def void(fr_id: str, body: Who, command: Taken) -> dict[str, Any]:
        """Take it back: at once when it was not sent, else its source is asked."""

        async def act(conn: Connection) -> dict[str, Any]:
            return {"fr_id": fr_id, "state": await take_back.void(conn, desk, fr_id, body.by_hand(command))}

        return await acting.once(command, act)

    @router.post("/frs/{fr_id}/regenerate")
    async def regenerate(fr_id: str, body: Regenerate, command: Taken) -> dict[str, Any]:
        """Take it back, and plan its units again once they are free."""

        async def act(conn: Connection) -> dict[str, Any]:
            who = body.by_hand(command)
            state = await take_back.regenerate(conn, desk, fr_id, who, override=body.override)
            command.expects()  # the decision
            return {"fr_id": fr_id, "state": state, "override": body.override}

        return await acting.once(command, act)


def _on_orders(router: APIRouter, acting: _Acting) -> None:
    desk = acting.desk

    @router.post("/orders/{order_id}/generate")
    async def generate(order_id: str, body: Who, command: Taken) -> dict[str, Any]:
        """For an order that waits because its channel's auto_generate is off (RT-8)."""

        async def act(conn: Connection) -> dict[str, Any]:
            await take_back.generate(conn, desk, order_id, body.by_hand(command))
            command.expects()
            return {"order_id": order_id, "due": True}

        return await acting.once(command, act)

    @router.post("/orders/{order_id}/frs", status_code=201)
    async def create(order_id: str, body: NewFr, command: Taken) -> dict[str, Any]:
        """An FR that a person makes: rules are bypassed; holds and reservation are not (RT-10)."""

        async def act(conn: Connection) -> dict[str, Any]:
            fr = await create_fr(conn, desk, order_id, body.wanted, body.by_hand(command))
            return fr.model_dump(mode="json")

        try:
            return await acting.once(command, act)
        except asyncpg.UniqueViolationError:
            raise NotPossible("another FR took its number at this very moment", "try again") from None

    @router.post("/orders:generate")
    async def generate_many(body: ManyOrders, command: Taken) -> dict[str, Any]:
        """Each on its own: one that does not wait for it does not stop the others (RT-8)."""
        return await acting.once(command, lambda conn: _generate_many(conn, desk, body, command))


async def _generate_many(conn: Connection, desk: Desk, body: ManyOrders, command: Command) -> dict[str, Any]:
    refusals: dict[str, NotPossible | None] = {}
    for order_id in sorted(set(body.order_ids)):  # locked in one order
        refusals[order_id] = None
        try:
            async with conn.transaction():
                await take_back.generate(conn, desk, order_id, body.by_hand(command))
            command.expects()
        except NotPossible as refused:
            refusals[order_id] = refused
    named = {order_id: refusals[order_id] for order_id in body.order_ids}
    return {
        "orders": [
            {"order_id": order_id, "refused": no and str(no), "remedy": no and no.remedy}
            for order_id, no in named.items()
        ]
    }
