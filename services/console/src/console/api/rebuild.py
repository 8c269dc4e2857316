"""The read model built anew, and how far that is."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from console.api.problems import AGAIN, ProblemError
from console.api.security import Actor, Keys
from console.rebuild import Rebuilder


def rebuild_router(keys: Keys, rebuilder: Rebuilder) -> APIRouter:
    router = APIRouter(prefix="/console", tags=["console"])

    @router.post("/rebuild", status_code=202)
    async def rebuild(actor: Annotated[Actor, Depends(keys.require("admin"))]) -> dict[str, Any]:
        """Forget what was read from the topics, and have every service send its kept facts again."""
        begun = await rebuilder.begin(actor.name)
        if not begun["begun"]:
            detail = "; ".join(begun["unanswered"]) + ". Nothing was forgotten."
            raise ProblemError(503, "Not every service answers", detail, AGAIN)
        return begun

    @router.get("/rebuild", dependencies=[Depends(keys.require("viewer"))])
    async def progress() -> dict[str, Any]:
        return await rebuilder.progress()

    return router
