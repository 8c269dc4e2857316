"""FRs, shipments, transaction records, alerts, connections and the counts of the flow."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends

from console.api.orders import fr_answer
from console.api.paging import page, read_cursor
from console.api.params import Limit, Moment
from console.api.problems import ProblemError
from console.api.security import Keys
from console.fresh import Fresh
from console.stage import STAGES
from console.words import RecordOutcome
from waybill_common.db import Pool, Queries, rows
from waybill_contracts.fulfillment_submitted import FrState, Outcome

_NEWEST = 5000
"""Orders, the last that were settled, of which it is told how long each stage took."""


async def stats_of(pool: Pool, q: Queries, as_of: datetime | None) -> dict[str, Any]:
    """The flow's counts (DESIGN section 7), plus how long each stage took (seconds, [p50, p95]) and retries made."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in await rows(q.tallied(pool)):
        counts[row["what"]][row["key"]] = row["n"]
    oldest = await rows(q.oldest_by_stage(pool, stages=[s for s in STAGES if s not in ("settled", "canceled")]))
    seconds = await q.stage_seconds(pool, newest=_NEWEST)
    return {
        "as_of": as_of,
        "orders": {
            "total": sum(counts["stage"].values()),
            "by_stage": counts["stage"],
            "by_sync": counts["sync"],
            "held": counts["hold"],
            "unroutable": counts["unrouted"],
            "excluded": counts["excluded"],
        },
        "frs": counts["fr"],
        "oldest": {row["stage"]: round(row["seconds"], 1) for row in oldest},
        "stage_seconds": dict(seconds) if seconds else {},
        "retries": counts["retry"],
    }


def lists_router(pool: Pool, q: Queries, keys: Keys, fresh: Fresh) -> APIRouter:
    router = APIRouter(dependencies=[Depends(keys.require("viewer"))])

    @router.get("/stats", tags=["stats"])
    async def stats() -> dict[str, Any]:
        """How many orders are where, what is held and why, and how old the oldest is."""
        return await stats_of(pool, q, await fresh.as_of())

    @router.get("/excluded-orders", tags=["orders"])
    async def list_excluded(
        channel: str | None = None, number: str | None = None, cursor: str | None = None, limit: Limit = 50
    ) -> dict[str, Any]:
        """Orders that a channel showed and that were not imported, with the reason (IN-7)."""
        after, stamp = read_cursor(cursor), await fresh.stamp()
        found = await rows(
            q.list_excluded(pool, channel=channel, number=number, at=after.at, after=after.id, limit=limit + 1)
        )
        return page(found, limit, dict, lambda row: (row["at"], row["channel_order_id"])) | stamp

    @router.get("/frs", tags=["frs"])
    async def list_frs(
        state: FrState | None = None,
        outcome: Outcome | None = None,
        source: str | None = None,
        order_id: str | None = None,
        number: str | None = None,
        cursor: str | None = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        after, stamp = read_cursor(cursor), await fresh.stamp()
        found = await rows(
            q.list_frs(
                pool,
                state=state,
                outcome=outcome,
                source=source,
                order_id=order_id,
                number=number,
                created=after.at,
                after=after.id,
                limit=limit + 1,
            )
        )
        return page(found, limit, fr_answer, lambda row: (row["created_at"], row["fr_id"])) | stamp

    @router.get("/frs/{fr_id}", tags=["frs"])
    async def show_fr(fr_id: str) -> dict[str, Any]:
        row = await q.fr_by_id(pool, fr_id=fr_id)
        if row is None:
            way = "List them: GET /frs, waybill frs list"
            raise ProblemError(404, "No such FR", f"No FR has the id {fr_id!r}", way)
        return fr_answer(row)

    @router.get("/records", tags=["records"])
    async def list_records(
        connection: str | None = None,
        log_type: str | None = None,
        outcome: RecordOutcome | None = None,
        order_id: str | None = None,
        since: Moment | None = None,
        cursor: str | None = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        """Exchanges with platforms, newest first, secrets removed (OP-3)."""
        after, stamp = read_cursor(cursor), await fresh.stamp()
        found = await rows(
            q.list_records(
                pool,
                connection=connection,
                log_type=log_type,
                outcome=outcome,
                order_id=order_id,
                since=since,
                before=after.at,
                after=after.id,
                limit=limit + 1,
            )
        )
        return page(found, limit, lambda row: row["body"], lambda row: (row["at"], row["exchange_id"])) | stamp

    @router.get("/records/{exchange_id}", tags=["records"])
    async def show_record(exchange_id: str) -> dict[str, Any]:
        """One exchange whole: request and response, secrets removed, a body that was cut marked."""
        row = await q.record_by_id(pool, exchange_id=exchange_id)
        if row is None:
            way = "List them: GET /records, waybill records list"
            raise ProblemError(404, "No such record", f"No record has the id {exchange_id!r}", way)
        return {**row["body"], "at": row["at"]}

    @router.get("/alerts", tags=["alerts"])
    async def list_alerts(all: bool = False) -> dict[str, Any]:
        """Open alerts; with `all` the cleared ones too."""
        stamp = await fresh.stamp()
        return {"items": [dict(row) for row in await rows(q.list_alerts(pool, all=all))], **stamp}

    @router.get("/connections", tags=["channels and sources"])
    async def list_connections() -> dict[str, Any]:
        """Which channel or source answers which service."""
        stamp = await fresh.stamp()
        return {"items": [dict(row) for row in await rows(q.list_connections(pool))], **stamp}

    return router
