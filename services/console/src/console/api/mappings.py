"""A channel's names for SKUs, shipping methods and couriers: what waits for one, and saving them (IN-11, SP-7).

Saving is `apply` of the configuration with this one part changed: checked, versioned, audited and published the same
way. What it promises to release is counted first, and asked for afterwards by the token: GET /releases/{token}.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query

from console.api.actions import ask_owner
from console.api.config import Receipts, apply_document
from console.api.problems import ProblemError
from console.api.security import Actor, Keys
from console.configure.apply import Applier
from console.configure.export import export
from console.owners import Owners
from waybill_common.db import Pool, Queries, rows, transaction
from waybill_contracts import topics

SETTINGS = {
    "skus": "skus",
    "shipping-methods": "shipping_methods",
    "couriers": "couriers",
    "courier-services": "courier_services",
}
_HOLDS = {"skus": "unmapped_sku", "shipping-methods": "unmapped_shipping_method"}


def mappings_router(pool: Pool, q: Queries, keys: Keys, applier: Applier, owners: Owners) -> APIRouter:
    router = APIRouter(tags=["channels and sources"])
    receipts = Receipts(pool, q)

    def add(kind: str) -> None:
        """Each kind has a path of its own: `{kind}` would take `couriers:preview` for one."""
        path = f"/channels/{{channel_id}}/mappings/{kind}"

        if kind in _HOLDS:

            @router.get(path, name=f"show_{kind}")
            async def show(channel_id: str, _: Annotated[Actor, Depends(keys.require("viewer"))]) -> Any:
                """The map, what becomes of a name that is not in it, and the names that orders wait for, most first."""
                row = await q.entity(pool, entity=f"channel/{channel_id}")
                if row is None:
                    raise _unknown(channel_id)
                waiting = await rows(q.waiting_for_names(pool, channel=channel_id, reason=_HOLDS[kind]))
                part = {"map": {}, "unmapped": "hold", **row["body"].get(SETTINGS[kind], {})}
                return {"channel": channel_id, **part, "waiting": [dict(one) for one in waiting]}

        @router.put(path, name=f"save_{kind}")
        async def save(
            channel_id: str,
            mapping: Annotated[dict[str, Any], Body(description="{map, unmapped}, as in the configuration file")],
            actor: Annotated[Actor, Depends(keys.require("admin"))],
            dry_run: Annotated[bool, Query(description="say what it would release and change; save nothing")] = False,
            wait: Annotated[float, Query(ge=0, le=60, description="seconds to wait for the services")] = 0,
        ) -> dict[str, Any]:
            """Replace the mapping; exactly the orders that `releases` promises go on (null: nobody can count now)."""
            releases = await _promised(channel_id, kind, mapping)
            async with transaction(pool) as conn:
                await q.lock_config(conn)
                document = export(await rows(q.entities(conn)), [])
                _channel(document, channel_id)[SETTINGS[kind]] = mapping
                answer, applied = await apply_document(conn, applier, document, {}, actor, dry_run=dry_run)
            pending = [] if dry_run else await receipts.wait_for(applied, wait)
            return answer | {"pending": pending, "releases": releases}

    async def _promised(channel_id: str, kind: str, mapping: dict[str, Any]) -> Any:
        """How many orders go on, by the service that holds them back; it judges the draft, too."""
        try:
            if kind in _HOLDS:
                row = await q.entity(pool, entity=f"channel/{channel_id}")
                if row is None:
                    raise _unknown(channel_id)
                draft = {k: v for k, v in row["body"].items() if k != "store"} | {SETTINGS[kind]: mapping}
                return await ask_owner(
                    owners, topics.ORDER_INGEST, "POST", "/internal/releases", {"channel": draft}, seconds=60.0
                )
            path = f"/internal/channels/{channel_id}/{kind}/preview"
            return await ask_owner(owners, topics.SHIPMENT_POLLER, "POST", path, mapping, seconds=30.0)
        except ProblemError as problem:
            if problem.status == 503:
                return None  # a change must not wait for a count
            raise

    for kind in SETTINGS:
        add(kind)
    return router


def _channel(document: dict[str, Any], channel_id: str) -> dict[str, Any]:
    for store in document["stores"]:
        for channel in store["channels"]:
            if channel["id"] == channel_id:
                found: dict[str, Any] = channel
                return found
    raise _unknown(channel_id)


def _unknown(channel_id: str) -> ProblemError:
    way = "List them: GET /channels, waybill channels list"
    return ProblemError(404, "No such channel", f"{channel_id!r} is no configured channel", way)
