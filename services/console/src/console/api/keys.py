"""API keys: made, listed, revoked (OP-10)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from console.api.problems import ProblemError
from console.api.security import Actor, Keys, Role
from waybill_common.db import Pool, Queries, rows


class NewKey(BaseModel):
    """What a key is for, and what it may do."""

    name: str = Field(min_length=1, max_length=100)
    role: Role = "viewer"
    stores: list[str] | None = Field(default=None, description="the stores whose orders it sees; none given: all")


def keys_router(pool: Pool, q: Queries, keys: Keys) -> APIRouter:
    router = APIRouter(tags=["keys"])
    admin = Depends(keys.require("admin"))

    @router.get("/keys", dependencies=[admin])
    async def list_keys() -> dict[str, Any]:
        return {"items": [dict(row) for row in await rows(q.list_keys(pool))]}

    @router.post("/keys", status_code=201)
    async def create_key(new: NewKey, actor: Annotated[Actor, admin]) -> dict[str, Any]:
        """The key is in this answer and nowhere else."""
        key_id, key = await keys.create(new.name, new.role, actor.name, stores=new.stores)
        return {"key_id": key_id, "name": new.name, "role": new.role, "stores": new.stores, "key": key}

    @router.delete("/keys/{key_id}", dependencies=[admin])
    async def revoke_key(key_id: str) -> dict[str, Any]:
        if await q.revoke_key(pool, key_id=key_id) is None:
            raise ProblemError(404, "No such key", f"No key {key_id!r} is in use; list them by GET /keys")
        return {"key_id": key_id, "revoked": True}

    return router
