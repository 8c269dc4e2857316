"""Users: made, listed, changed, disabled (OP-10). Passwords come in and never go out."""

from typing import Annotated, Any

from asyncpg import UniqueViolationError
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, SecretStr, StrictBool

from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.api.sign_in import hashed
from console.words import Role
from waybill_common.db import Pool, Queries, rows, transaction
from waybill_common.ids import new_id

Stores = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]] | None,
    Field(description="the stores whose orders are seen; none given: all", max_length=1000),
]


class NewUser(BaseModel):
    """Who, and what they may do."""

    name: str = Field(min_length=1, max_length=100)
    password: SecretStr = Field(max_length=1000)
    role: Role = "viewer"
    stores: Stores = None


class UserChange(BaseModel):
    """What is given changes, the rest stays; `all_stores` lifts a limit."""

    role: Role | None = None
    stores: Stores = None
    all_stores: StrictBool = False


class NewPassword(BaseModel):
    password: SecretStr = Field(max_length=1000)


def users_router(pool: Pool, q: Queries, keys: Keys) -> APIRouter:
    router = APIRouter(prefix="/users", tags=["users"])
    admin = Depends(keys.require("admin"))

    @router.get("", dependencies=[admin])
    async def list_users() -> dict[str, Any]:
        return {"items": [dict(row) for row in await rows(q.list_users(pool))]}

    @router.post("", status_code=201)
    async def create_user(new: NewUser, actor: Annotated[Actor, admin]) -> dict[str, Any]:
        """A key limited to scopes makes no users: these have none."""
        if actor.scopes is not None:
            way = "Ask with a key that is not limited to scopes."
            raise ProblemError(403, "Not allowed", f"Key {actor.name!r} is limited to scopes; users are not.", way)
        told = {"user_id": str(new_id()), "name": new.name, "role": new.role, "stores": new.stores}
        password = hashed(new.password.get_secret_value())
        try:
            await q.add_user(pool, **told, password=password, created_by=actor.name)
        except UniqueViolationError:
            text, way = f"name={new.name!r}: there is a user of that name", "Choose another name."
            raise ProblemError(409, "Name taken", text, way) from None
        return told

    @router.patch("/{user_id}", dependencies=[admin])
    async def change_user(user_id: str, change: UserChange) -> dict[str, Any]:
        """Takes effect at the next call of each session."""
        row = await q.change_user(pool, user_id=user_id, **change.model_dump())
        return dict(row) if row else _unknown(user_id)

    @router.post("/{user_id}/password", dependencies=[admin])
    async def set_password(user_id: str, new: NewPassword) -> dict[str, Any]:
        """Ends the user's sessions."""
        password = hashed(new.password.get_secret_value())
        async with transaction(pool) as conn:
            if await q.set_password(conn, user_id=user_id, password=password) is None:
                _unknown(user_id)
            await q.end_sessions_of(conn, user_id=user_id)
        return {"user_id": user_id}

    @router.delete("/{user_id}", dependencies=[admin])
    async def disable_user(user_id: str) -> dict[str, Any]:
        """Ends the user's sessions; the name stays, because activities name it."""
        async with transaction(pool) as conn:
            if await q.disable_user(conn, user_id=user_id) is None:
                _unknown(user_id)
            await q.end_sessions_of(conn, user_id=user_id)
        return {"user_id": user_id, "disabled": True}

    return router


def _unknown(user_id: str) -> dict[str, Any]:
    raise ProblemError(
        404, "No such user", f"No user {user_id!r} is enabled", "List them: GET /users, waybill users list"
    )
