"""API keys: made, listed, revoked (OP-10)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from console.api.problems import ProblemError
from console.api.scopes import beyond, declared, unknown
from console.api.security import Actor, Keys
from console.words import Role
from waybill_common.db import Pool, Queries, rows


class NewKey(BaseModel):
    """What a key is for, and what it may do."""

    name: str = Field(min_length=1, max_length=100)
    role: Role = "viewer"
    stores: list[str] | None = Field(default=None, description="the stores whose orders it sees; none given: all")
    scopes: list[str] | None = Field(
        default=None,
        max_length=100,
        description="what of its role it may do, as each operation's x-scope says, e.g. orders:read; none given: all",
    )


def keys_router(pool: Pool, q: Queries, keys: Keys) -> APIRouter:
    router = APIRouter(tags=["keys"])
    admin = Depends(keys.require("admin"))

    @router.get("/keys", dependencies=[admin])
    async def list_keys() -> dict[str, Any]:
        return {"items": [dict(row) for row in await rows(q.list_keys(pool))]}

    @router.post("/keys", status_code=201)
    async def create_key(new: NewKey, actor: Annotated[Actor, admin], request: Request) -> dict[str, Any]:
        """The key is in this answer and nowhere else. Who is limited to scopes hands on no others."""
        known = declared(request.app.openapi()["paths"])
        if wrong := unknown(new.scopes or (), known):
            raise ProblemError(
                422, "No such scope", f"scopes: {', '.join(wrong)}", f"There are {', '.join(sorted(known))}"
            )
        if more := beyond(new.scopes, actor.scopes):
            own = ", ".join(actor.scopes or ())
            text = f"Key {actor.name!r} may not hand on {', '.join(more)}."
            raise ProblemError(403, "Not allowed", text, f"Give scopes that it has itself: {own}.")
        key_id, key = await keys.create(new.name, new.role, actor.name, stores=new.stores, scopes=new.scopes)
        told = new.model_dump(include={"name", "role", "stores", "scopes"})
        return {"key_id": key_id, **told, "key": key}

    @router.delete("/keys/{key_id}", dependencies=[admin])
    async def revoke_key(key_id: str) -> dict[str, Any]:
        if await q.revoke_key(pool, key_id=key_id) is None:
            way = "List them: GET /keys, waybill keys list"
            raise ProblemError(404, "No such key", f"No key {key_id!r} is in use", way)
        return {"key_id": key_id, "revoked": True}

    return router
