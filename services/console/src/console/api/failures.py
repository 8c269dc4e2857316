"""What waits for a person, grouped by cause (OP-5)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from console.api.params import Limit
from console.api.security import Keys
from console.failures import failure_of
from console.fresh import Fresh
from waybill_common.db import Pool, Queries, rows


def failures_router(pool: Pool, q: Queries, keys: Keys, fresh: Fresh) -> APIRouter:
    router = APIRouter(tags=["failures"], dependencies=[Depends(keys.require("viewer"))])

    @router.get("/failures")
    async def failures(examples: Annotated[int, Query(ge=1, le=20)] = 5, limit: Limit = 100) -> dict[str, Any]:
        """One item a cause, the one with most orders first: how many wait for it, since when, what mends it.

        `causes` says how many there are, beyond the limit too.
        """
        stamp = await fresh.stamp()
        found = [failure_of(row) for row in await rows(q.failures(pool, per_group=examples, limit=limit))]
        causes = len(found) if len(found) < limit else await q.causes(pool)
        return {"items": found, "causes": causes, **stamp}

    return router
