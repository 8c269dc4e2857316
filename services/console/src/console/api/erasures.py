"""People who want to be forgotten: asked for by an admin, followed until nothing is left (OP-16)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, model_validator

from console.api.paging import page, read_cursor
from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.erase_person import ErasePerson, Whose
from waybill_common.db import Pool, Queries, rows

OrderId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Wish(BaseModel):
    """Whose data goes: all orders of an e-mail, or the named orders; and why."""

    email: str = Field(default="", max_length=320, repr=False, description="all orders that were placed with it")
    channel: str = Field(default="", max_length=100, description="only this channel's; none given: every channel's")
    order_ids: list[OrderId] = Field(default=[], max_length=1000)
    reason: str = Field(min_length=1, max_length=1000, description="kept with the wish: name nobody in it")

    @model_validator(mode="after")
    def _somebody(self) -> "Wish":
        if not self.email and not self.order_ids:
            raise ValueError("say whose data goes: an email, or order_ids")
        if self.email and "@" not in self.email:
            raise ValueError("email: this is no e-mail address")
        return self


def erasures_router(pool: Pool, q: Queries, keys: Keys, eraser: ErasePerson) -> APIRouter:
    router = APIRouter(prefix="/erasures", tags=["personal data"])
    admin = Depends(keys.require("admin"))

    @router.post("", status_code=202)
    async def ask(wish: Wish, actor: Annotated[Actor, admin]) -> dict[str, Any]:
        """Erases a person everywhere, for good; orders under way follow when they are settled or canceled."""
        whose = Whose(wish.email.strip(), wish.channel, wish.order_ids)
        return await _shown(await eraser.ask(whose, actor.name, wish.reason))

    @router.get("", dependencies=[admin])
    async def list_erasures(
        cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
    ) -> dict[str, Any]:
        """Newest first: who asked, when and why, how many rows held something; never whose data it was."""
        after = read_cursor(cursor)
        found = await rows(q.erasures(pool, before=after.at, after=after.id, limit=limit + 1))
        return page(found, limit, dict, lambda row: (row["asked_at"], row["erasure_id"]))

    @router.get("/{erasure_id}", dependencies=[admin])
    async def one_erasure(erasure_id: str) -> dict[str, Any]:
        return await _shown(erasure_id)

    async def _shown(erasure_id: str) -> dict[str, Any]:
        row = await q.erasure(pool, erasure_id=erasure_id)
        if row is None:
            text = f"No erasure was asked for as {erasure_id[:80]!r}"
            raise ProblemError(404, "No such erasure", text, "List them: GET /erasures, waybill persons list")
        return dict(row)

    return router
