"""The configuration by REST: given back, compared, applied, waited for."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query

from console.api.params import Limit
from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.configure.apply import Applied, Applier, Secrets
from console.configure.export import export
from console.configure.reading import WrongConfiguration, read_configuration
from waybill_common.db import Connection, Pool, Queries, rows, transaction
from waybill_contracts import topics


def config_router(pool: Pool, q: Queries, keys: Keys, applier: Applier) -> APIRouter:
    router = APIRouter(tags=["configuration"])
    receipts = Receipts(pool, q)

    @router.get("/config")
    async def export_config(_: Annotated[Actor, Depends(keys.require("viewer"))]) -> dict[str, Any]:
        """What `apply` takes; secrets are `kept`, or the env:NAME they were given by."""
        return export(await rows(q.entities(pool)), await rows(q.stock_levels(pool)))

    @router.put("/config")
    async def apply_config(
        document: Annotated[dict[str, Any], Body()],
        actor: Annotated[Actor, Depends(keys.require("admin"))],
        dry_run: bool = False,
        wait: Annotated[float, Query(ge=0, le=60, description="seconds to wait for the services")] = 0,
    ) -> dict[str, Any]:
        """Replaces the configuration by the document, whole or not at all.

        An optional member `secrets` maps entities to the values of their `env:` credentials:
        {"channel/acme-shop": {"access_token": "..."}}.
        """
        secrets = document.pop("secrets", {})
        async with transaction(pool) as conn:
            answer, applied = await apply_document(conn, applier, document, secrets, actor, dry_run=dry_run)
        pending = [] if dry_run else await receipts.wait_for(applied, wait)
        return answer | {"pending": pending}

    @router.get("/config/versions")
    async def versions(_: Annotated[Actor, Depends(keys.require("viewer"))], limit: Limit = 20) -> dict[str, Any]:
        """Who changed what, when, before and after (OP-4)."""
        return {"items": [dict(row) for row in await rows(q.versions(pool, limit=limit))]}

    return router


async def apply_document(
    conn: Connection, applier: Applier, document: dict[str, Any], secrets: Secrets, actor: Actor, *, dry_run: bool
) -> tuple[dict[str, Any], Applied]:
    """What it changes, as it is answered; a problem that names each error when it is refused whole."""
    try:
        wanted = read_configuration(document)
        applied = await applier.apply(conn, wanted, secrets, actor.name, dry_run=dry_run)
    except WrongConfiguration as wrong:
        errors = [problem._asdict() for problem in wrong.problems]
        raise ProblemError(
            422,
            "The configuration was refused; nothing was applied",
            str(wrong),
            "Mend these in the file and apply it again; `waybill apply --example` shows one that is sound",
            errors=errors,
        ) from None
    answer = {
        "version": applied.version,
        "dry_run": dry_run,
        "changes": [change._asdict() for change in applied.changes],
        "stock_levels": applied.stock,
        "warnings": [{"path": path, "message": message} for path, message in wanted.warnings()],
    }
    return answer, applied


class Receipts:
    """Which services have answered a version."""

    def __init__(self, pool: Pool, q: Queries) -> None:
        self._pool, self._q = pool, q

    async def wait_for(self, applied: Applied, seconds: float) -> list[dict[str, Any]]:
        """Who has not answered yet, after waiting up to `seconds` for them."""
        deadline = time.monotonic() + seconds
        while True:
            pending = await self._pending(applied.waits_for)
            if not pending or time.monotonic() >= deadline:
                return pending
            await asyncio.sleep(0.1)

    async def _pending(self, waits_for: dict[str, int]) -> list[dict[str, Any]]:
        found = await rows(self._q.receipts(self._pool, entities=list(waits_for)))
        known = {(row["service"], row["entity"]): row["version"] for row in found}
        return [
            {"service": service, "entity": entity, "version": version}
            for entity, version in waits_for.items()
            for service in topics.APPLYING
            if known.get((service, entity), 0) < version
        ]


def entities_router(pool: Pool, q: Queries, keys: Keys) -> APIRouter:
    """What is configured, kind by kind, without credentials."""
    router = APIRouter(tags=["channels and sources"], dependencies=[Depends(keys.require("viewer"))])

    async def entities(prefix: str) -> list[dict[str, Any]]:
        found = [row for row in await rows(q.entities(pool)) if row["entity"].startswith(prefix)]
        return [{**row["body"], "version": row["version"]} for row in found]

    @router.get("/stores")
    async def stores() -> dict[str, Any]:
        return {"items": await entities("store/")}

    @router.get("/channels")
    async def channels() -> dict[str, Any]:
        return {"items": await entities("channel/")}

    @router.get("/sources")
    async def sources() -> dict[str, Any]:
        return {"items": await entities("source/")}

    @router.get("/routing/groups")
    async def groups() -> dict[str, Any]:
        found = await entities("routing")
        return {"items": found[0].get("groups", []) if found else []}

    return router
