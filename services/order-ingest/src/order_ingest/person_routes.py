"""Internal HTTP for erasing a person (OP-16): the console finds whose orders they are, and has them erased.

POST /internal/persons/find   {channel, email, order_ids, channel_order_ids}: orders, words and marks
POST /internal/persons/erase  {keys, words, marks}: rows changed, by table
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from order_ingest.erase_person import ErasePerson
from waybill_common.erasing import Subject
from waybill_common.steering import Erase


class Whose(BaseModel):
    """Any of them; `channel` belongs to the shop's ids, and narrows an e-mail."""

    channel: str = ""
    email: str = Field(default="", repr=False)
    order_ids: list[UUID] = []
    channel_order_ids: list[str] = []


def person_routes(person: ErasePerson) -> APIRouter:
    router = APIRouter(prefix="/persons")

    @router.post("/find")
    async def find(whose: Whose) -> dict[str, Any]:
        return await person.find(whose.channel, whose.email, whose.order_ids, whose.channel_order_ids)

    @router.post("/erase")
    async def erase(wish: Erase) -> dict[str, Any]:
        return {"rows": await person.erase(Subject(wish.keys, wish.words, wish.marks))}

    return router
