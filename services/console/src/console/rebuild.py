"""The read model, built anew: forgotten in one transaction, then every service sends its kept facts again (OP-1).

Promises: nothing that the console owns is touched (configuration, keys, audits); the same facts give the same answers,
in whatever order they come back; while it fills again, lists are short and say so by their counts. A service that does
not answer is named, and asked again by another rebuild. Facts older than `facts_kept_days` are gone from the services:
orders that had their last fact before are not shown any more.
"""

from typing import Any

from console.owners import Owners, OwnerSilent
from waybill_common.db import Connection, Pool, Queries, in_transaction


class Rebuilder:
    """Begins a rebuild and tells how far it is."""

    def __init__(self, pool: Pool, q: Queries, owners: Owners) -> None:
        self._pool, self._q, self._owners = pool, q, owners

    async def begin(self, actor: str) -> dict[str, Any]:
        """What each service sends again; `unanswered` names those that could not be asked, and nothing is forgotten."""
        unanswered = [text for name in self._owners.urls if (text := await self._silent(name))]
        if unanswered:
            return {"begun": False, "events": {}, "unanswered": unanswered}
        await in_transaction(self._pool, lambda conn: self._forget(conn, actor))
        events: dict[str, int] = {}
        for name in self._owners.urls:
            answer = await self._owners.ask(name, "POST", "/internal/facts/reemit", params={"since": 0}, timeout=120.0)
            events[name] = int(answer.raise_for_status().json()["events"])
            await self._q.note_reemission(self._pool, service=name, events=events[name])
        return {"begun": True, "events": events, "unanswered": []}

    async def _forget(self, conn: Connection, actor: str) -> None:
        await self._q.forget_read_model(conn)
        await self._q.note_rebuild(conn, actor=actor)

    async def progress(self) -> dict[str, Any]:
        """`waiting`: events that services have not sent yet; None where one does not answer."""
        last = await self._q.last_rebuild(self._pool)
        waiting = {name: await self._waiting(name) for name in self._owners.urls}
        size = await self._q.read_model_size(self._pool)
        return {"last": dict(last) if last else None, "waiting": waiting, **dict(size)}

    async def _silent(self, service: str) -> str | None:
        try:
            answer = await self._owners.ask(service, "GET", "/internal/facts/position")
        except OwnerSilent as silent:
            return str(silent)
        return None if answer.status_code == 200 else f"{service} answered {answer.status_code}"

    async def _waiting(self, service: str) -> int | None:
        try:
            answer = await self._owners.ask(service, "GET", "/internal/facts/position")
        except OwnerSilent:
            return None
        return int(answer.json()["waiting"]) if answer.status_code == 200 else None
