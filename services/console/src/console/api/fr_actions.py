"""FRs as people work them with fulfillment-push: what waits and for what, and actions on many at once (FP-4, FP-9).

Each action names who and why, is decided for each FR alone by its life cycle, and answers FR by FR: one that is refused
says why and stops no other.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from console.api.actions import Why, ask_owner
from console.api.commands import ACTION, Acted, Acting, acting
from console.api.paging import page, read_cursor
from console.api.security import Keys
from console.commander import Commander
from console.owners import Owners
from waybill_contracts import topics


class ManyFrs(Why):
    """Which FRs, by our ids."""

    fr_ids: list[str] = Field(min_length=1, max_length=1000)


class ManyMarks(ManyFrs):
    """What the source has done, as a person knows: PROCESSED (it has them) or ACKNOWLEDGED (it will ship them)."""

    state: Literal["PROCESSED", "ACKNOWLEDGED"]


class RecallAnswer(Why):
    """What a source said, by other ways, to being asked for an FR back."""

    given_back: bool


class OneFr(BaseModel):
    """What became of one FR: its state now, and why the action was refused (null: it was done)."""

    fr_id: str
    state: str | None
    refused: str | None
    remedy: str | None = Field(default=None, description="what would work")


class ManyResults(Acted):
    frs: list[OneFr] = Field(default_factory=list, description="empty: nobody has answered yet")


MANY: dict[str, Any] = ACTION | {"response_model": ManyResults}


def fr_actions_router(keys: Keys, owners: Owners, commander: Commander) -> APIRouter:
    router = APIRouter(tags=["frs"])
    acts = Depends(acting(keys, commander))

    async def act(action: str, which: ManyFrs, by: Acting) -> Any:
        target = f"{len(which.fr_ids)} FRs"
        path = f"/internal/frs:{action}"
        return await by.does(f"fr.{action}", target, topics.FULFILLMENT_PUSH, path, which.model_dump(), timeout=60.0)

    @router.get("/frs:waiting", dependencies=[Depends(keys.require("viewer"))])
    async def waiting(
        source: str | None = None,
        reason: Annotated[str | None, Query(description="what they wait for, e.g. manual, process, failed")] = None,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        """FRs that wait, the longest first: for what, since when, until when, and who takes the next step."""
        after = read_cursor(cursor)
        params = {"source": source, "code": reason, "after": after.at and after.at.isoformat(), "after_id": after.id}
        given = {name: value for name, value in params.items() if value is not None} | {"limit": limit + 1}
        answer = await ask_owner(owners, topics.FULFILLMENT_PUSH, "GET", "/internal/waiting", params=given)
        return page(answer["waiting"], limit, dict, lambda fr: (datetime.fromisoformat(fr["since"]), fr["fr_id"]))

    @router.post("/frs:process", **MANY)
    async def process(which: ManyFrs, by: Annotated[Acting, acts]) -> Any:
        """Queue many FRs for their sources' next send runs."""
        return await act("process", which, by)

    @router.post("/frs:resend", **MANY)
    async def resend(which: ManyFrs, by: Annotated[Acting, acts]) -> Any:
        """Send many FRs that failed once more; what a source has already is found first, never doubled."""
        return await act("resend", which, by)

    @router.post("/frs:mark", **MANY)
    async def mark(which: ManyMarks, by: Annotated[Acting, acts]) -> Any:
        """Say by hand that sources have many FRs."""
        return await act("mark", which, by)

    @router.post("/frs/{fr_id}/actions/recall-answer", **ACTION)
    async def recall_answer(fr_id: str, answer: RecallAnswer, by: Annotated[Acting, acts]) -> Any:
        """Record what a source said to being asked for an FR back, where it cannot be asked by a call (FP-7)."""
        path = f"/internal/frs/{fr_id}/recall-answer"
        return await by.does("fr.recall_answer", f"fr/{fr_id}", topics.FULFILLMENT_PUSH, path, answer.model_dump())

    return router
