"""What operators do to a running service over its internal HTTP: dead letters, re-emission, resuming the consumer."""

import base64
import traceback
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from waybill_common import dead_letters, sweep
from waybill_common.alerts import Alerts
from waybill_common.batches import Batches, Guard, alert_key
from waybill_common.consumer import Consumer
from waybill_common.db import Connection, Pool, transaction, transient
from waybill_common.erasing import Eraser, Subject
from waybill_common.logs import Log, declare_events
from waybill_common.refusals import Refused

declare_events(
    {
        "dead_letter.replayed": "a person had a dead letter tried again, and it was handled",
        "dead_letter.replay_failed": "a dead letter was tried again and failed again; it stays open",
        "dead_letter.discarded": "a person decided that a dead letter needs nothing more",
        "facts.reemitted": "a person had kept events sent again from a position on",
        "person.erased": "a person's data was taken out of every table; says how many rows, not whose",
        "consumer.resume_asked": "a person lets a stopped consumer go on",
    }
)


class Discard(BaseModel):
    """Why a dead letter needs nothing more."""

    reason: str = Field(min_length=1, max_length=1000)


class Erase(BaseModel):
    """Whose data goes: see `erasing.Subject`."""

    keys: list[str] = Field(max_length=10_000)
    words: list[str] = Field(default=[], max_length=10_000, repr=False)
    marks: list[list[str]] = Field(default=[], max_length=10_000, repr=False)


class Steering:
    """The actions; a service without a subscription has no replay of what came in."""

    def __init__(
        self,
        pool: Pool,
        alerts: Alerts,
        log: Log,
        batches: Batches[Any] | None = None,
        consumer: Consumer[Any] | None = None,
        guard: Guard | None = None,
        eraser: Eraser | None = None,
    ) -> None:
        self._pool = pool
        self._alerts = alerts
        self._log = log
        self._batches = batches
        self._consumer = consumer
        self._guard = guard
        self._eraser = eraser or Eraser(pool, None)

    async def replay(self, number: int) -> None:
        """Tries the letter again: handled (or sent again), it is `replayed`; else it stays open with the new reason.

        Raises LetterNotOpen, a transient error of the database, or ReplayFailed.
        """
        try:
            async with transaction(self._pool) as conn:
                row = await dead_letters.locked(conn, number)
                await self._again(conn, row)
                await dead_letters.resolve(conn, number, "replayed", "handled on replay")
                await self._clear_alert(conn, row["topic"])
        except (dead_letters.LetterNotOpen, ReplayFailed):
            raise
        except Exception as error:
            if transient(error):
                raise
            reason = f"{type(error).__name__}: {error}"
            async with transaction(self._pool) as conn:
                stack = "".join(traceback.format_exception(error))
                await dead_letters.note_failed_replay(conn, number, reason, stack)
            self._log.warning("dead_letter.replay_failed", number=number, reason=reason)
            raise ReplayFailed(reason, _MEND) from error
        self._log.info("dead_letter.replayed", number=number)

    async def _again(self, conn: Connection, row: Any) -> None:
        if row["direction"] == "out":
            await conn.execute("insert into outbox (position) values ($1) on conflict do nothing", row["fact_position"])
            await conn.execute("select pg_notify('outbox_' || current_schema(), '')")
        elif self._batches is None:
            raise ReplayFailed("this service consumes nothing", "discard the letter")
        else:
            await self._batches.try_one(conn, dead_letters.record_of(row))

    async def discard(self, number: int, reason: str) -> None:
        """Closes the letter without trying it. Raises LetterNotOpen."""
        async with transaction(self._pool) as conn:
            row = await dead_letters.locked(conn, number)
            await dead_letters.resolve(conn, number, "discarded", reason)
            await self._clear_alert(conn, row["topic"])
        self._log.info("dead_letter.discarded", number=number, reason=reason)

    async def reemit(self, since: int) -> int:
        """Sends all kept events from a position on again; returns how many."""
        async with transaction(self._pool) as conn:
            events = await sweep.reemit(conn, since)
        self._log.warning("facts.reemitted", since=since, events=events)
        return events

    async def erase(self, subject: Subject) -> dict[str, int]:
        """Takes a person's data out of every table; returns how many rows of each held some."""
        changed = await self._eraser.erase(subject)
        self._log.warning("person.erased", keys=len(subject.keys), rows=changed)
        return changed

    async def resume(self) -> None:
        """Lets a consumer go on that had stopped for too many dead letters."""
        self._log.info("consumer.resume_asked")
        if self._guard is not None:
            self._guard.forgive()
        if self._consumer is not None:
            self._consumer.resume()
        async with transaction(self._pool) as conn:
            await self._alerts.cleared(conn, "consumer-stopped")

    async def _clear_alert(self, conn: Connection, topic: str) -> None:
        if await dead_letters.open_count(conn, topic) == 0:
            await self._alerts.cleared(conn, alert_key(topic))

    def routes(self) -> APIRouter:
        """The routes, to be mounted under `/internal` behind the service token."""
        router = APIRouter(prefix="/internal")

        @router.get("/dead-letters")
        async def listed(after: int = 0, limit: int = 100, state: str | None = "open") -> dict[str, Any]:
            rows = await dead_letters.listing(
                self._pool, after=after, limit=max(1, min(limit, 1000)), state=None if state == "all" else state
            )
            return {"dead_letters": [_shown(row) for row in rows], "next": rows[-1]["id"] if rows else None}

        @router.post("/dead-letters/{number}/replay")
        async def replayed(number: int) -> dict[str, Any]:
            await self.replay(number)
            return {"id": number, "state": "replayed"}

        @router.post("/dead-letters/{number}/discard")
        async def discarded(number: int, body: Discard) -> dict[str, Any]:
            await self.discard(number, body.reason)
            return {"id": number, "state": "discarded"}

        @router.get("/facts/position")
        async def position() -> dict[str, Any]:
            row = await self._pool.fetchrow(
                "select (select min(position) from facts) as oldest, (select max(position) from facts) as newest, "
                "(select count(*) from outbox) as waiting"
            )
            return dict(row or {})

        @router.post("/facts/reemit")
        async def reemitted(since: int) -> dict[str, Any]:
            return {"since": since, "events": await self.reemit(since)}

        @router.post("/erase")
        async def erased(wish: Erase) -> dict[str, Any]:
            return {"rows": await self.erase(Subject(wish.keys, wish.words, wish.marks))}

        @router.post("/consumer/resume")
        async def resumed() -> dict[str, Any]:
            await self.resume()
            return {"resumed": True}

        return router


class ReplayFailed(Refused):
    """The dead letter failed again; the text says why this time."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"failed again: {reason}", remedy)


_MEND = "mend the cause, then replay it; or discard it with a reason"


def _shown(row: Any) -> dict[str, Any]:
    shown = dict(row)
    for name in ("key", "value"):
        raw = shown.pop(name)
        shown[name] = None if raw is None else raw.decode("utf-8", "replace")
        shown[f"{name}_base64"] = None if raw is None else base64.b64encode(raw).decode()
    for name in ("created_at", "resolved_at"):
        shown[name] = shown[name].isoformat() if shown[name] else None
    return shown
