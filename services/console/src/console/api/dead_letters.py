"""Dead letters of every service, listed with reason and original; replayed or discarded (OP-12)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from console.api.actions import ask_owner
from console.api.params import Number
from console.api.problems import ProblemError
from console.api.security import Keys
from console.owners import Owners, OwnerSilent


class Discard(BaseModel):
    """Why it is not wanted any more."""

    reason: str = Field(min_length=1, max_length=500)


def dead_letters_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(prefix="/dead-letters", tags=["dead letters"])
    viewer, operator = Depends(keys.require("viewer")), Depends(keys.require("operator"))

    @router.get("", dependencies=[viewer])
    async def list_letters(
        service: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> dict[str, Any]:
        """Open ones, with `unanswered` naming services that could not be asked."""
        items: list[dict[str, Any]] = []
        unanswered = []
        for name in [service] if service else list(owners.urls):
            _check(name)
            try:
                answer = await owners.ask(name, "GET", "/internal/dead-letters", params={"limit": limit})
            except OwnerSilent as silent:
                unanswered.append(str(silent))
                continue
            items += [{"service": name, **letter} for letter in answer.json()["dead_letters"]]
        return {"items": items, "unanswered": unanswered}

    @router.post("/{service}/{letter_id}/replay", dependencies=[operator])
    async def replay(service: str, letter_id: Number) -> dict[str, Any]:
        """Taken in once more, as if it had just come."""
        return await _act(service, f"/internal/dead-letters/{letter_id}/replay", None)

    @router.post("/{service}/{letter_id}/discard", dependencies=[operator])
    async def discard(service: str, letter_id: Number, why: Discard) -> dict[str, Any]:
        return await _act(service, f"/internal/dead-letters/{letter_id}/discard", why.model_dump())

    async def _act(service: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        _check(service)
        found: dict[str, Any] = await ask_owner(owners, service, "POST", path, body)
        return found

    def _check(service: str) -> None:
        if service not in owners.urls:
            known = f"use one of {', '.join(owners.urls)}"
            raise ProblemError(422, "No such service", f"service={service!r} is none", known)

    return router
