"""Shipments that a person enters, takes back (SP-6), or decides about."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import AwareDatetime, BaseModel, Field

from shipment_poller.decide_conflict import decide_conflict
from shipment_poller.record_by_hand import Entry, record_by_hand, withdraw_by_hand
from shipment_poller.review_orders import Tools
from waybill_common.commands import Taken
from waybill_common.db import Pool
from waybill_contracts.shipment_synced import Choice
from waybill_contracts.values import ByHand


class Who(BaseModel):
    """Who says so, and why: kept on the shipment."""

    actor: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1000)

    @property
    def by_hand(self) -> ByHand:
        return ByHand(actor=self.actor, reason=self.reason)


class Decision(Who):
    choice: Choice


class Line(BaseModel):
    line_id: str
    quantity: int = Field(ge=1, description="pieces of the order's line")


class NewShipment(Who):
    key: str = Field(min_length=1, max_length=300, description="the same key gives the same shipment")
    lines: list[Line] = Field(default=[], max_length=1000, description="none: all that is left of the one open FR")
    fr: str | None = Field(default=None, description="its id or number, where several could be meant")
    courier: str = Field(min_length=1, max_length=200, description="our courier name")
    tracking_numbers: list[str] = Field(default=[], max_length=100)
    tracking_url: str | None = None
    shipped_at: AwareDatetime | None = Field(default=None, description="none: now")

    @property
    def entry(self) -> Entry:
        lines: dict[str, int] = {}
        for line in self.lines:
            lines[line.line_id] = lines.get(line.line_id, 0) + line.quantity
        numbers = tuple(dict.fromkeys(number.strip() for number in self.tracking_numbers if number.strip()))
        courier, url = self.courier.strip(), self.tracking_url or None
        return Entry(self.key, lines, self.fr, courier, numbers, url, self.shipped_at, self.by_hand)


def by_hand_routes(router: APIRouter, pool: Pool, tools: Tools, wake: Callable[[], None]) -> None:
    """Adds them to the internal router; what is not possible answers `{detail, remedy, code, …}`."""

    @router.post("/orders/{order_id}/shipments", status_code=201)
    async def enter(order_id: str, given: Annotated[NewShipment, Body()], command: Taken) -> dict[str, Any]:
        answer = await record_by_hand(pool, tools, order_id, given.entry, command)
        wake()
        return answer

    @router.post("/shipments/{shipment_id}/withdraw")
    async def withdraw(shipment_id: str, who: Annotated[Who, Body()], command: Taken) -> dict[str, Any]:
        answer = await withdraw_by_hand(pool, tools, shipment_id, who.by_hand, command)
        wake()
        return answer

    @router.post("/shipments/{shipment_id}/decide")
    async def decide(shipment_id: str, given: Annotated[Decision, Body()], command: Taken) -> dict[str, Any]:
        who = given.by_hand.model_copy(update={"command": command.cause})
        answer = await decide_conflict(pool, tools, shipment_id, given.choice, who, command)
        wake()
        return answer
