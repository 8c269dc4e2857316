"""`POST /internal/routing/simulate`: a dry run over a window, told while it goes on, one JSON a line (RT-14).

`GET /internal/orders/{id}/rerun`: the same of one order, by the rules of today (OP-13).

Lines: `{"progress": {"done", "of"}}`, `{"change": {...}}` for each decision that would differ, and at the end
`{"summary": {...}}`. Pages are read in read-only transactions; planning is done off the event loop.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from router.plan_files import FileRefused
from router.routing.plan import Rulebook
from router.rulebooks import Rulebooks
from router.simulate import Tally, draft_rulebook, simulate_all
from router.take_back import KEPT, NotPossible
from waybill_common.db import Connection, Pool, Queries, rows

PAGE = 200


class Simulation(BaseModel):
    """Which decisions, and by what: a version, or a draft (a configuration file or a part of one)."""

    since: AwareDatetime
    until: AwareDatetime
    version: int | None = Field(default=None, description="a rules_version, as decisions name it")
    draft: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Simulation":
        if (self.version is None) == (self.draft is None):
            raise ValueError("say either version or draft")
        if self.since >= self.until:
            raise ValueError(f"since={self.since.isoformat()} is not before until={self.until.isoformat()}")
        return self


def add_simulation(router: APIRouter, pool: Pool, q: Queries, books: Rulebooks) -> None:
    @router.post("/routing/simulate")
    async def simulate(asked: Simulation) -> StreamingResponse:
        """422 for a draft that is not sound, 404 for a version that is not kept; nothing is stored."""
        async with pool.acquire() as conn, conn.transaction(readonly=True):
            now = await _rules(conn, books, asked)
        lines = run(pool, q, books, now, asked.since, asked.until)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    @router.get("/orders/{order_id}/rerun")
    async def rerun(order_id: str) -> dict[str, Any]:
        """Each decision about one order, planned again by today's rules on the stock of then (OP-13)."""
        async with pool.acquire() as conn, conn.transaction(readonly=True):
            found = await rows(q.decisions_to_rerun(conn, order_id=order_id))
            _, now = await books.current(conn)
            known = {row["config_revision"]: await books.at(conn, row["config_revision"]) for row in found}
        outcomes = await asyncio.to_thread(simulate_all, found, known, now)
        return {"decisions": [outcome.told() for outcome in outcomes]}


async def _rules(conn: Connection, books: Rulebooks, asked: Simulation) -> Rulebook:
    if asked.draft is None:
        found = await books.at(conn, asked.version or 0)
        if found is None:
            raise NotPossible(f"version {asked.version} of the rules is not kept", KEPT, status=404)
        return found
    _, current = await books.current(conn)
    try:
        return draft_rulebook(asked.draft, current)
    except FileRefused as refused:
        raise NotPossible(str(refused), "mend these in the draft and send it again", status=422) from None


async def run(
    pool: Pool, q: Queries, books: Rulebooks, now: Rulebook, since: datetime, until: datetime
) -> AsyncIterator[bytes]:
    """The lines of the answer."""
    async with pool.acquire() as conn, conn.transaction(readonly=True):
        size = await q.decisions_in(conn, since=since, until=until)
    known: dict[int, Rulebook | None] = {}
    tally, done, at, after = Tally(), 0, since, ""
    while True:
        async with pool.acquire() as conn, conn.transaction(readonly=True):
            page = await rows(q.decisions_between(conn, until=until, at=at, after=after, most=PAGE))
            for revision in {row["config_revision"] for row in page} - known.keys():
                known[revision] = await books.at(conn, revision)
        if not page:
            break
        outcomes = await asyncio.to_thread(simulate_all, page, known, now)
        tally.add(outcomes)
        done += len(page)
        at, after = page[-1]["at"], page[-1]["decision_id"]
        changed = [outcome.told() for outcome in outcomes if outcome.kind not in ("same", "skipped")]
        yield (
            b"".join(orjson.dumps({"change": change}) + b"\n" for change in changed)
            + orjson.dumps({"progress": {"done": done, "of": max(size["decisions"], done)}})
            + b"\n"
        )
    summary = {"since": since, "until": until, "orders": size["orders"], **tally.told()}
    yield orjson.dumps({"summary": summary}) + b"\n"
