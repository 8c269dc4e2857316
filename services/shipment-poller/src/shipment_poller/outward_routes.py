"""Internal HTTP for the audit's outward half (IN-14).

POST /internal/channels/{id}/outward-audits  {since, until, actor}: 202 with its id; 404, or 409 where there is no API
GET  /internal/channels/{id}/outward-audits  the newest ones, with results
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from shipment_poller.not_here import no_such_channel
from shipment_poller.outward_rules import Kind
from shipment_poller.review_orders import Tools
from waybill_common.commands import Taken
from waybill_common.db import Connection, Pool, rows
from waybill_common.ids import new_id
from waybill_common.refusals import Refused
from waybill_contracts.configuration import Platform


class Asked(BaseModel):
    """Fulfillments that came to be owed within the window; without `since` all, without `until` it ends now."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    actor: str = Field(min_length=1, max_length=200)


def outward_routes(router: APIRouter, pool: Pool, tools: Tools, wake: Callable[[], None]) -> None:
    """Adds them to the internal router; `wake` ends the audit worker's rest."""

    @router.post("/channels/{channel}/outward-audits", status_code=202)
    async def ask(channel: str, asked: Asked, command: Taken) -> dict[str, Any]:
        if asked.since and asked.until and asked.since > asked.until:
            raise Refused(f"until: {asked.until:%Y-%m-%d} lies before since", "exchange them", status=422)

        async def act(conn: Connection) -> dict[str, Any]:
            await tools.configurations.refresh(conn)
            configured = tools.configurations.channel(channel)
            if configured is None:
                raise no_such_channel(channel)
            if configured.channel.platform is Platform.EVENTS:
                raise Refused(f"channel {channel!r} has no API to compare with", "audit a channel that is a shop")
            row = await tools.queries.ask_outward(
                conn, id=new_id(), channel=channel, since=asked.since, until=asked.until, asked_by=asked.actor
            )
            return dict(row)

        answer: dict[str, Any] = await command.once(pool, act)
        wake()
        return answer

    @router.get("/channels/{channel}/outward-audits")
    async def listing(channel: str, limit: int = 20) -> dict[str, Any]:
        async with pool.acquire() as conn:
            limit = max(1, min(limit, 100))
            found = await rows(tools.queries.outward_audits_of(conn, channel=channel, limit=limit))
        return {"items": [_shown(row) for row in found]}


def _shown(row: Any) -> dict[str, Any]:
    names = (
        "audit_id",
        "channel",
        "since",
        "until",
        "asked_by",
        "state",
        "last_error",
        "asked_at",
        "ended_at",
        "due_at",
    )
    counts = {name: row["counts"].get(name, 0) for name in ("orders", "owed", *Kind, "unread")}
    return {name: row[name] for name in names} | {"result": counts | {"problems": row["problems"]}}
