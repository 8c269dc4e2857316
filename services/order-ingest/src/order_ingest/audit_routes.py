"""Internal HTTP for walks over a window of a channel: audits, and imports of past windows (IN-2, IN-14).

POST /internal/channels/{id}/audits  {kind, since, until, actor}: 202 with its id; 404, or 409 where there is no API
GET  /internal/channels/{id}/audits  the newest ones, with results
GET  /internal/audits/{id}           one
"""

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from order_ingest.import_file import NoSuchChannel
from order_ingest.named import q
from waybill_common.commands import Taken
from waybill_common.db import Connection, Pool, rows
from waybill_common.ids import new_id
from waybill_common.refusals import Refused


class Asked(BaseModel):
    """Without `since` it begins with the channel's start, without `until` it ends now.

    `audit` is about orders that changed within the window, `window` imports those that were placed within it.
    """

    kind: Literal["audit", "window"] = "audit"
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    actor: str = Field(min_length=1, max_length=200)


def audit_routes(pool: Pool, wake: Callable[[], None]) -> APIRouter:
    router = APIRouter()

    @router.post("/channels/{channel}/audits", status_code=202)
    async def ask(channel: str, asked: Asked, command: Taken) -> dict[str, Any]:
        if asked.kind == "window" and asked.since is None:
            raise Refused("since: a window begins somewhere", "give it, e.g. 2026-01-01T00:00:00Z", status=422)
        if asked.since and asked.until and asked.since > asked.until:
            raise Refused(f"until: {asked.until:%Y-%m-%d} lies before since", "exchange them", status=422)

        async def act(conn: Connection) -> dict[str, Any]:
            row = await q().ask_audit(
                conn, id=new_id(), channel=channel, kind=asked.kind, since=asked.since, until=asked.until,
                asked_by=asked.actor,
            )  # fmt: skip
            if row is None:
                if not await rows(q().listing(conn, channel=channel)):
                    raise NoSuchChannel(channel)
                reason = f"channel {channel!r} has no API to compare with, or was removed"
                raise Refused(reason, "audit a channel that is a shop")
            return dict(row)

        answer: dict[str, Any] = await command.once(pool, act)
        wake()
        return answer

    @router.get("/channels/{channel}/audits")
    async def listing(channel: str, limit: int = 20) -> dict[str, Any]:
        found = await rows(q().audits_of(pool, channel=channel, limit=max(1, min(limit, 100))))
        return {"items": [_shown(row) for row in found]}

    @router.get("/audits/{audit_id}")
    async def one(audit_id: UUID) -> dict[str, Any]:
        row = await q().audit(pool, audit_id=audit_id)
        if row is None:
            raise Refused(f"no audit has the id {audit_id}", "list them: GET /api/v1/channels/ID/audits", status=404)
        return _shown(row)

    return router


def _shown(row: Any) -> dict[str, Any]:
    names = (
        "audit_id", "channel", "kind", "since", "until", "asked_by", "state", "resume_at", "result", "last_error",
        "asked_at", "ended_at", "due_at",
    )  # fmt: skip
    return {name: row[name] for name in names}
