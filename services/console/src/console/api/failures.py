"""What waits for a person, grouped by cause (OP-5)."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from console.api.security import Keys
from console.failures import failure_of
from waybill_common.db import Pool, Queries, rows


def failures_router(pool: Pool, q: Queries, keys: Keys) -> APIRouter:
    router = APIRouter(tags=["failures"], dependencies=[Depends(keys.require("viewer"))])

    @router.get("/failures")
    async def failures(examples: Annotated[int, Query(ge=1, le=20)] = 5) -> dict[str, Any]:
        """One item a cause, the one with most orders first: how many wait for it, since when, what mends it."""
        found = [failure_of(row) for row in await rows(q.failures(pool, per_group=examples))]
        return {"as_of": datetime.now(UTC), "items": found}

    return router
