"""Internal HTTP of order-ingest, behind the service token: channels and their pulls, and where an order is.

GET  /internal/channels                      last and next pull, cursor, health, counts
POST /internal/channels/{id}/pull            run now: 202, or 404 / 409 with what to do
GET  /internal/channels/{id}/orders/{number} what we have of it, also when it is held or excluded
GET  /internal/channels/{id}/explain?number= why an order is not here, looked up live
POST /internal/orders/{id}/hold|release|cancel  {actor, reason}: 200 with its state, 404, or 409 with what to do
"""

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from order_ingest.act_on_order import ActOnOrder
from order_ingest.explain_order import ExplainOrder
from order_ingest.import_file import NoSuchChannel
from order_ingest.named import q
from order_ingest.said import Word
from waybill_common.commands import Taken
from waybill_common.db import Connection, Pool, rows
from waybill_common.refusals import Refused


class Said(BaseModel):
    """Kept with the order, and told with the facts that follow."""

    actor: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1000)


def routes(pool: Pool, act: ActOnOrder, explain: ExplainOrder, wake: Callable[[], None]) -> APIRouter:
    """The routes; `wake` makes the poller look for due channels at once."""
    router = APIRouter()

    @router.get("/channels")
    async def channels() -> dict[str, Any]:
        return {"channels": [_channel(row) for row in await rows(q().listing(pool, channel=None))]}

    @router.post("/channels/{channel}/pull", status_code=202)
    async def pull(channel: str, command: Taken) -> dict[str, Any]:
        async def act(conn: Connection) -> dict[str, Any]:
            row = await q().ask_pull(conn, channel=channel)
            if row is None:
                if not await rows(q().listing(conn, channel=channel)):
                    raise NoSuchChannel(channel)
                reason = f"channel {channel!r} has no API to pull from, or was removed"
                raise Refused(reason, "import its orders as a file (`waybill orders import`), or pull another channel")
            return {"channel": channel, "running": row["running"]}

        answer: dict[str, Any] = await command.once(pool, act)
        wake()
        return answer

    @router.get("/channels/{channel}/orders/{number}")
    async def order(channel: str, number: str) -> dict[str, Any]:
        found = await rows(q().order_by_number(pool, channel=channel, number=number))
        return {"orders": [dict(row) for row in found]}

    @router.get("/channels/{channel}/explain")
    async def explain_order(channel: str, number: str) -> dict[str, Any]:
        return await explain.explain(channel, number)

    @router.post("/orders/{order_id}/{action}")
    async def act_on_order(
        order_id: UUID, action: Literal["hold", "release", "cancel"], said: Said, command: Taken
    ) -> dict[str, Any]:
        verb = {"hold": act.hold, "release": act.release, "cancel": act.cancel}[action]
        return await verb(order_id, Word(said.actor, said.reason), command)

    return router


def _channel(row: Any) -> dict[str, Any]:
    return {
        "channel": row["channel_id"],
        "store": row["store"],
        "active": row["active"],
        "polled": row["polled"],
        "poll_every_seconds": row["poll_every"].total_seconds(),
        "last_pull_at": row["last_pull_at"],
        "last_success_at": row["last_success_at"],
        "next_pull_at": row["due_at"],
        "running": row["lease_token"] is not None,
        "cursor": None if row["cursor_at"] is None else {"updated_at": row["cursor_at"], "id": row["cursor_id"]},
        "attempts": row["attempts"],
        "last_error": row["last_error"],
        "last_counts": row["last_counts"],
        "health": row["health"] or "ok",
    }
