"""Saved views: filters of orders by name, one's own, or shared by operators (OP-1)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.words import Fulfillment, Stage, Sync
from waybill_common.db import Pool, Queries, rows
from waybill_contracts.values import HoldReason

SHARED = ""
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}$", description="e.g. stuck-at-acme")]


class Narrow(BaseModel):
    """Which orders; what is left out does not narrow."""

    stage: Stage | None = None
    sync: Sync | None = None
    fulfillment: Fulfillment | None = None
    channel: str | None = None
    hold: HoldReason | None = Field(default=None, description="a hold's reason, e.g. unmapped_sku")
    number: str | None = None
    search: str | None = Field(
        default=None,
        max_length=200,
        description="the beginning of an order number, SKU, customer's name or e-mail, FR number or tracking number",
    )


class SavedNarrow(Narrow):
    """What a view keeps: a word that is no filter is refused."""

    model_config = ConfigDict(extra="forbid")


async def narrow_of(pool: Pool, q: Queries, actor: Actor, name: str) -> dict[str, Any]:
    """The filter of one's own view of this name, else of the shared one."""
    row = await q.view(pool, owner=actor.key_id, name=name)
    if row is None:
        raise _no_such_view(f"view={name!r}: no view of yours or shared one")
    return dict(row["narrow"])


def views_router(pool: Pool, q: Queries, keys: Keys) -> APIRouter:
    router = APIRouter(prefix="/views", tags=["orders"])
    viewer = Depends(keys.require("viewer", by_store=True))
    shares = Query(description="for everybody; operators do that")

    @router.get("")
    async def list_views(actor: Annotated[Actor, viewer]) -> dict[str, Any]:
        """Your own and the shared ones."""
        return {"items": [dict(row) for row in await rows(q.views_of(pool, owner=actor.key_id))]}

    @router.put("/{name}")
    async def save_view(
        name: Name, narrow: SavedNarrow, actor: Annotated[Actor, viewer], shared: Annotated[bool, shares] = False
    ) -> dict[str, Any]:
        """Keep a filter under a name, or replace it. Use it by GET /orders?view=NAME."""
        kept = narrow.model_dump(mode="json", exclude_none=True)
        if not kept:
            raise ProblemError(422, "Incomplete", "A view narrows by something", "Give at least one of its fields")
        owner = _owner(actor, shared)
        await q.save_view(pool, owner=owner, name=name, narrow=kept, saved_by=actor.name)
        return {"name": name, "narrow": kept, "shared": shared}

    @router.delete("/{name}")
    async def remove_view(
        name: Name, actor: Annotated[Actor, viewer], shared: Annotated[bool, shares] = False
    ) -> dict[str, Any]:
        """Forget a view of yours, or with `shared` one of everybody's."""
        if await q.remove_view(pool, owner=_owner(actor, shared), name=name) is None:
            raise _no_such_view(f"{name!r} is no {'shared view' if shared else 'view of yours'}")
        return {"name": name, "removed": True}

    return router


def _no_such_view(text: str) -> ProblemError:
    return ProblemError(404, "No such view", text, "List them: GET /views, waybill views list")


def _owner(actor: Actor, shared: bool) -> str:
    if shared and (actor.role == "viewer" or actor.stores is not None):
        text = f"{actor.name!r} may keep views of their own; sharing needs an operator of all stores."
        raise ProblemError(403, "Not allowed", text, "Save it without `shared`, or ask an operator.")
    return SHARED if shared else actor.key_id
