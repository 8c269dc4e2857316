"""Routing as people look at it: versions of the rules, and dry runs of other ones (RT-14, RT-15)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from fastapi.responses import StreamingResponse

from console.api.actions import ask_owner, refuse
from console.api.problems import ProblemError
from console.api.security import Keys
from console.owners import Owners, OwnerSilent
from waybill_contracts import topics


def routing_router(keys: Keys, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["routing"], dependencies=[Depends(keys.require("viewer"))])

    @router.get("/routing/versions")
    async def versions() -> dict[str, Any]:
        """Each change of groups, rules or costs, the newest first; decisions name theirs as `rules_version`."""
        return {"items": await ask_owner(owners, topics.ROUTER, "GET", "/internal/routing/versions")}

    @router.get("/routing/versions/{version}")
    async def one_version(version: int) -> Any:
        """Groups, rules and sources as they were at that version, as a configuration file."""
        return await ask_owner(owners, topics.ROUTER, "GET", f"/internal/routing/versions/{version}")

    @router.post("/routing:simulate")
    async def simulate(asked: Annotated[dict[str, Any], Body()]) -> StreamingResponse:
        """A dry run over past decisions: `{since, until, version}` or `{since, until, draft}`. One JSON a line."""
        stack = AsyncExitStack()
        try:
            answer = await stack.enter_async_context(
                owners.stream(topics.ROUTER, "POST", "/internal/routing/simulate", json=asked)
            )
            if answer.status_code >= 400:
                await answer.aread()
                refuse(answer)
        except OwnerSilent as silent:
            await stack.aclose()
            raise ProblemError(503, "The service does not answer", str(silent)) from None
        except BaseException:
            await stack.aclose()
            raise

        async def lines() -> AsyncIterator[bytes]:
            async with stack:
                async for chunk in answer.aiter_raw():
                    yield chunk

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    return router
