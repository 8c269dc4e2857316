"""Routing as people look at it: versions of the rules, and dry runs of other ones (RT-14, RT-15)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from console.api.actions import ask_owner, refuse, silent_owner
from console.api.security import Actor, Keys
from console.owners import Owners, OwnerSilent
from waybill_contracts import topics


class Actuals(BaseModel):
    """`batch` names the file or call; its report is asked for by it."""

    batch: str = Field(min_length=1, max_length=200)
    charges: list[dict[str, Any]] = Field(min_length=1, max_length=5000)


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

    @router.post("/routing/actuals", dependencies=[Depends(keys.require("operator"))])
    async def take_actuals(told: Actuals, actor: Annotated[Actor, Depends(keys.require("operator"))]) -> Any:
        """What sources charged, FR by FR: `{batch, charges: [{source, number, total, currency}]}` (RT-16)."""
        body = {**told.model_dump(), "actor": actor.name}
        return await ask_owner(owners, topics.ROUTER, "POST", "/internal/routing/actuals", body, seconds=60.0)

    @router.get("/routing/actuals")
    async def actuals(batch: str | None = None, since: str | None = None, until: str | None = None) -> Any:
        """Charged against estimated, by source and rule, and the cheapest plans with true prices."""
        params = {name: text for name, text in (("batch", batch), ("since", since), ("until", until)) if text}
        return await ask_owner(owners, topics.ROUTER, "GET", "/internal/routing/actuals", params=params, seconds=300.0)

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
            raise silent_owner(silent) from None
        except BaseException:
            await stack.aclose()
            raise

        async def lines() -> AsyncIterator[bytes]:
            async with stack:
                async for chunk in answer.aiter_raw():
                    yield chunk

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    return router
