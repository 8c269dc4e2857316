"""The internal HTTP: what waits and why, run now, and what a person does with an FR (FP-8: reading changes nothing).

Every action names who and why; what the life cycle refuses is 409 with the reason (of many: said beside the FR). To
take an FR back is the router's (`fr.void_requested`), because its units and their stock are.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fulfillment_push import by_hand
from fulfillment_push.fr import NEEDS_A_PERSON, Fr
from fulfillment_push.lifecycle import MoveRefused
from fulfillment_push.progress import attend
from fulfillment_push.settle import alert_key
from fulfillment_push.sources import SourceBook
from fulfillment_push.store import Store
from waybill_common.alerts import Alerts
from waybill_common.commands import UNNAMED, Command, Taken
from waybill_common.db import Connection, Pool, rows
from waybill_common.refusals import Refused
from waybill_contracts.fulfillment_submitted import FrState

_FIND = "find its id by its number: `waybill frs list`"


class Who(BaseModel):
    """Who acts, and why: kept in the FR's history."""

    actor: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1000)


class ManyFrs(Who):
    fr_ids: list[str] = Field(min_length=1, max_length=1000)


class ManyMarks(ManyFrs):
    state: FrState = Field(description="PROCESSED or ACKNOWLEDGED")


class Mark(Who):
    state: FrState = Field(description="PROCESSED or ACKNOWLEDGED")
    platform_id: str = Field(default="", description="the source's own id of the request, if known")


class RecallAnswer(Who):
    given_back: bool


class Desk:
    """The actions on FRs behind the routes."""

    def __init__(self, pool: Pool, store: Store, book: SourceBook, alerts: Alerts, wake: Callable[[], None]) -> None:
        self.pool = pool
        self.store = store
        self._book = book
        self._alerts = alerts
        self.wake = wake

    async def act(
        self, fr_ids: list[str], action: Callable[[Fr], None], command: Command = UNNAMED
    ) -> list[dict[str, Any]]:
        """Applies `action` to each FR on its own; one that is refused does not stop the others."""
        results: list[dict[str, Any]] = await command.once(self.pool, lambda conn: self._act(conn, fr_ids, action))
        self.wake()
        return results

    async def act_on_one(self, fr_id: str, action: Callable[[Fr], None], command: Command) -> dict[str, Any]:
        """404 for an unknown FR, 409 with the reason for a refused action."""

        async def act(conn: Connection) -> dict[str, Any]:
            [result] = await self._act(conn, [fr_id], action)
            if result["refused"] is not None:
                status = 404 if result["state"] is None else 409
                raise Refused(result["refused"], result["remedy"], status=status)
            return result

        result: dict[str, Any] = await command.once(self.pool, act)
        self.wake()
        return result

    async def _act(self, conn: Connection, fr_ids: list[str], action: Callable[[Fr], None]) -> list[dict[str, Any]]:
        frs = await self.store.load(conn, fr_ids, requests=True, orders=True)
        await self._book.refresh(conn)
        results, done = [], []
        for fr_id in dict.fromkeys(fr_ids):  # named twice is meant once
            fr = frs.get(fr_id)
            refused = _tried(fr, action)
            if fr is not None and refused is None:
                attend(fr, self._book.settings)
                done.append(fr)
            told = {"refused": refused and str(refused), "remedy": refused and refused.remedy}
            results.append({"fr_id": fr_id, "state": fr and fr.state.value, **told})
        await self.store.save(conn, done)
        for fr in done:
            await self._alerts.cleared(conn, alert_key(fr.fr_id))
        return results

    @property
    def sources(self) -> Any:
        return self._book.settings


def _tried(fr: Fr | None, action: Callable[[Fr], None]) -> Refused | None:
    if fr is None:
        return Refused("there is no such FR here", _FIND)
    try:
        action(fr)
    except MoveRefused as refused:
        return refused
    return None


def make_routes(desk: Desk, dependencies: list[Any]) -> APIRouter:
    """The routes, guarded by the service token."""
    router = APIRouter(prefix="/internal", dependencies=dependencies)
    _reading(router, desk)
    _acting(router, desk)
    return router


def _reading(router: APIRouter, desk: Desk) -> None:
    q = desk.store.q

    @router.get("/waiting")
    async def waiting(
        source: str | None = None,
        code: str | None = None,
        after: datetime | None = None,
        after_id: str = "",
        limit: int = 200,
    ) -> dict[str, Any]:
        async with desk.pool.acquire() as conn:
            blocked = await conn.fetch(
                "select connection_id, state, since, probe_at, cause from connection_health where state <> 'ok'"
            )
            counts = await rows(q.waiting_counts(conn))
            found = await rows(
                q.waiting_frs(
                    conn, source=source, code=code, after=after, after_id=after_id, limit=min(max(limit, 1), 1000)
                )
            )
        return {
            "counts": [dict(row) for row in counts],
            "blocked": [dict(row) for row in blocked],
            "waiting": [_waiting(row) for row in found],
        }

    @router.get("/frs/{fr_id}")
    async def one_fr(fr_id: str) -> dict[str, Any]:
        async with desk.pool.acquire() as conn:
            row = await q.one_fr(conn, fr_id=fr_id)
            if row is None:
                raise Refused(f"there is no FR {fr_id} here", _FIND, status=404)
            history = await rows(q.history_of(conn, fr_id=fr_id))
        return dict(row) | {"history": [dict(line) for line in history]}


def _waiting(row: Any) -> dict[str, Any]:
    by_whom = "person" if row["waiting"] in {code.value for code in NEEDS_A_PERSON} else "waybill"
    names = ("fr_id", "order_id", "source", "number", "state", "outcome", "recall", "attempts")
    return {name: row[name] for name in names} | {
        "reason": row["waiting"],
        "detail": row["waiting_detail"],
        "since": row["waiting_since"],
        "next": row["due_at"],
        "by_whom": by_whom,
        "failure": row["reason"],
    }


def _acting(router: APIRouter, desk: Desk) -> None:
    @router.post("/sources/{source}/send")
    async def send_now(source: str, command: Taken) -> dict[str, Any]:
        async def act(conn: Connection) -> dict[str, Any]:
            return {"source": source, "due_now": len(await rows(desk.store.q.run_now(conn, source=source)))}

        answer: dict[str, Any] = await command.once(desk.pool, act)
        desk.wake()
        return answer

    @router.post("/frs:process")
    async def process_many(body: ManyFrs, command: Taken) -> dict[str, Any]:
        return {"frs": await desk.act(body.fr_ids, _processing(desk, body), command)}

    @router.post("/frs:resend")
    async def resend_many(body: ManyFrs, command: Taken) -> dict[str, Any]:
        return {"frs": await desk.act(body.fr_ids, _resending(desk, body), command)}

    @router.post("/frs:mark")
    async def mark_many(body: ManyMarks, command: Taken) -> dict[str, Any]:
        return {"frs": await desk.act(body.fr_ids, _marking(body, body.state), command)}

    @router.post("/frs/{fr_id}/process")
    async def process(fr_id: str, body: Who, command: Taken) -> dict[str, Any]:
        return await desk.act_on_one(fr_id, _processing(desk, body), command)

    @router.post("/frs/{fr_id}/resend")
    async def resend(fr_id: str, body: Who, command: Taken) -> dict[str, Any]:
        return await desk.act_on_one(fr_id, _resending(desk, body), command)

    @router.post("/frs/{fr_id}/mark")
    async def mark(fr_id: str, body: Mark, command: Taken) -> dict[str, Any]:
        return await desk.act_on_one(fr_id, _marking(body, body.state, body.platform_id), command)

    @router.post("/frs/{fr_id}/recall-answer")
    async def recall_answer(fr_id: str, body: RecallAnswer, command: Taken) -> dict[str, Any]:
        def recalled(fr: Fr) -> None:
            by_hand.recalled(fr, given_back=body.given_back, who=body.actor, why=body.reason)

        return await desk.act_on_one(fr_id, recalled, command)


def _processing(desk: Desk, by: Who) -> Callable[[Fr], None]:
    return lambda fr: by_hand.process(fr, desk.sources, who=by.actor, why=by.reason)


def _resending(desk: Desk, by: Who) -> Callable[[Fr], None]:
    return lambda fr: by_hand.resend(fr, desk.sources, who=by.actor, why=by.reason)


def _marking(by: Who, state: FrState, platform_id: str = "") -> Callable[[Fr], None]:
    return lambda fr: by_hand.mark(fr, state, who=by.actor, why=by.reason, platform_id=platform_id)
