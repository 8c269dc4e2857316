"""A shipment that a person enters, for any order whatever its source (SP-6).

The poller records it. Where no FR could take it, the router makes a manual one; where one was never sent, push is told
that a person has it. Each of these is its owner's action and can be repeated, so the call may be too: the same
Idempotency-Key always ends in the same shipment, whatever broke in between.
"""

import asyncio
import hashlib
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from pydantic import AwareDatetime, BaseModel, Field

from console.api.actions import Why
from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.owners import Owners, OwnerSilent
from waybill_common.db import Pool, Queries
from waybill_contracts import topics

PATIENCE = 15.0
"""Seconds in which the facts of a new FR have reached everybody, with much to spare."""


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


def by_hand_router(pool: Pool, q: Queries, keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["shipments"])
    operator = Depends(keys.require("operator"))

    @router.post("/shipments", status_code=201)
    async def enter(
        new: NewShipment,
        actor: Annotated[Actor, operator],
        idempotency_key: Annotated[str | None, Header(description="the same key gives the same shipment")] = None,
    ) -> Any:
        """Enter what was shipped by hand. A held or canceled order is refused with the reason."""
        if idempotency_key is None:
            raise ProblemError(
                422, "Incomplete", "Idempotency-Key: send one, so that a repeated call enters nothing twice"
            )
        if await q.order_by_id(pool, order_id=new.order_id) is None:
            raise ProblemError(
                404, "No such order", f"No order has the id {new.order_id!r}; find it by GET /orders?number="
            )
        key = hashlib.sha256(f"{actor.key_id}/{idempotency_key}".encode()).hexdigest()
        return await _Entering(owners, new, actor, key).run()

    @router.post("/shipments/{shipment_id}/actions/withdraw")
    async def withdraw(shipment_id: str, why: Why, actor: Annotated[Actor, operator]) -> Any:
        """Take back what was entered by hand; its channel is told."""
        body = {"actor": actor.name, "reason": why.reason}
        return _taken(await _ask(owners, topics.SHIPMENT_POLLER, f"/internal/shipments/{shipment_id}/withdraw", body))

    return router


class _Entering:
    """Asks the owners in turn until the shipment is recorded, or one of them refuses."""

    def __init__(self, owners: Owners, new: NewShipment, actor: Actor, key: str) -> None:
        self._owners = owners
        self._new = new
        self._who = {"actor": actor.name, "reason": new.reason}
        self._key = key
        self._made: str | None = None
        self._marked: set[str] = set()

    async def run(self) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = await self._record()
            detail = _detail(answer)
            code = detail.get("code")
            if code == "no_live_fr" and self._made is None:
                self._made = await self._make(detail)
            elif code == "mark_first" and detail["fr_id"] not in self._marked:
                await self._mark(detail["fr_id"])
            elif code not in ("order_unknown", "no_live_fr", "mark_first"):
                return _taken(answer)
            if time.monotonic() > deadline:
                what = f"FR {self._made}" if self._made else f"Order {self._new.order_id}"
                text = f"{what} is there, but not every service has heard of it yet: send this again, with the same key"
                raise ProblemError(503, "Under way", text)
            await asyncio.sleep(0.2)

    async def _record(self) -> Any:
        more = self._new.model_dump(mode="json", exclude={"order_id", "source", "reason"})
        body = {"key": self._key, **more, **self._who}
        return await _ask(
            self._owners, topics.SHIPMENT_POLLER, f"/internal/orders/{self._new.order_id}/shipments", body
        )

    async def _make(self, detail: dict[str, Any]) -> str | None:
        manual = detail.get("manual_sources", [])
        source = self._new.source or (manual[0] if len(manual) == 1 else None)
        if source is None:
            known = f"name one as `source`: {', '.join(manual)}" if manual else "configure one with `platform: manual`"
            raise ProblemError(409, "No FR", f"{detail['message']}; to make one, a manual source is needed: {known}")
        lines = [line.model_dump() for line in self._new.lines]
        body = {"source": source, "lines": lines, **self._who}
        answer = await _ask(self._owners, topics.ROUTER, f"/internal/orders/{self._new.order_id}/frs", body)
        if answer.status_code == 404:  # it has not heard of the order yet
            return None
        return str(_taken(answer)["number"])

    async def _mark(self, fr_id: str) -> None:
        body = {"state": "PROCESSED", **self._who}
        answer = await _ask(self._owners, topics.FULFILLMENT_PUSH, f"/internal/frs/{fr_id}/mark", body)
        if answer.status_code == 404:  # it has not heard of it yet
            return
        _taken(answer)
        self._marked.add(fr_id)


async def _ask(owners: Owners, service: str, path: str, body: dict[str, Any]) -> Any:
    try:
        return await owners.ask(service, "POST", path, json=body)
    except OwnerSilent as silent:
        raise ProblemError(503, "The service does not answer", str(silent)) from None


def _detail(answer: Any) -> dict[str, Any]:
    """What a refusal says to programs; empty for an answer, and for a refusal in words alone."""
    detail = answer.json().get("detail") if answer.status_code >= 400 else None
    return detail if isinstance(detail, dict) else {}


def _taken(answer: Any) -> Any:
    if answer.status_code < 400:
        return answer.json()
    told = _detail(answer)
    if told:
        raise ProblemError(answer.status_code, "Not possible", told["message"], code=told["code"])
    detail = answer.json().get("detail", answer.text)
    raise ProblemError(answer.status_code, "Not possible", detail if isinstance(detail, str) else str(detail))
