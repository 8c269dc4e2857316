"""The internal HTTP of this stage: run now, push again, what waits. Guarded by the service token."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from shipment_poller.by_hand_routes import by_hand_routes
from shipment_poller.courier_routes import Channels, courier_routes
from shipment_poller.not_here import no_such_channel, no_such_shipment, no_such_source
from shipment_poller.outward_routes import outward_routes
from shipment_poller.posted_routes import posted_routes
from shipment_poller.resync import Resyncs
from shipment_poller.resync_routes import resync_routes
from shipment_poller.review_orders import Tools
from shipment_poller.take_posted import Posted
from waybill_common.commands import Taken
from waybill_common.db import Connection, Pool, rows
from waybill_common.http import internal
from waybill_common.refusals import Refused
from waybill_contracts.configuration import Platform


@dataclass(frozen=True, slots=True)
class Wakes:
    """What ends a worker's rest."""

    polls: Callable[[], None]
    pushes: Callable[[], None]
    resyncs: Callable[[], None]
    stock: Callable[[], None]
    audits: Callable[[], None]


def routes(
    pool: Pool,
    tools: Tools,
    tokens: tuple[str, ...],
    wakes: Wakes,
    resyncs: Resyncs,
    channels: Channels,
    posted: Posted,
) -> APIRouter:
    """The router; nothing is opened here."""
    router = APIRouter(prefix="/internal", dependencies=internal(tokens))
    _reading(router, pool, tools)
    resync_routes(router, resyncs, wakes.resyncs)
    courier_routes(router, pool, tools, channels)
    by_hand_routes(router, pool, tools, wakes.pushes)
    outward_routes(router, pool, tools, wakes.audits)
    posted_routes(router, posted, (wakes.pushes, wakes.polls))

    @router.post("/sources/{source_id}/poll", status_code=202)
    async def poll(source_id: str, command: Taken) -> dict[str, str]:
        async def act(conn: Connection) -> dict[str, str]:
            await tools.configurations.refresh(conn)
            configured = tools.configurations.source(source_id)
            if configured is None:
                raise no_such_source(source_id)
            if configured.source.platform is Platform.MANUAL:
                way = "enter its shipments by hand: `waybill shipments record`"
                raise Refused(f"{source_id!r} is a manual source: nobody can be asked", way)
            await tools.queries.poll_now(conn, source=source_id)
            await tools.queries.read_stock_now(conn, source=source_id)
            return {"source": source_id, "turn": "due"}

        answer: dict[str, str] = await command.once(pool, act)
        wakes.polls()
        wakes.stock()
        return answer

    return router


def _reading(router: APIRouter, pool: Pool, tools: Tools) -> None:
    q = tools.queries

    @router.get("/waiting")
    async def waiting() -> dict[str, Any]:
        async with pool.acquire() as conn:
            return {
                "shipments": [dict(row) for row in await rows(q.waiting_shipments(conn))],
                "syncs": [dict(row) for row in await rows(q.waiting_syncs(conn))],
                "early": await q.waiting_early(conn),
                "sources": [dict(row) for row in await rows(q.turns(conn))],
                "stock": [dict(row) for row in await rows(q.stock_turns(conn))],
            }

    @router.get("/probes/{kind}/{name}")
    async def probe(kind: str, name: str) -> dict[str, Any]:
        """What a channel or source turned out to be, and what it lacks (SP-14)."""
        async with pool.acquire() as conn:
            row = await q.probe_of(conn, entity=f"{kind}/{name}")
        if row is None:
            raise no_such_channel(name) if kind == "channel" else no_such_source(name)
        return dict(row)

    @router.get("/shipments/{shipment_id}")
    async def shipment(shipment_id: str) -> dict[str, Any]:
        """One shipment with its history and each try at its channel (SP-8)."""
        async with pool.acquire() as conn:
            row = await q.one_shipment(conn, shipment_id=shipment_id)
            if row is None:
                raise no_such_shipment(shipment_id)
            history = await rows(q.history_of(conn, shipment_id=shipment_id))
            attempts = await rows(q.attempts_of(conn, shipment_id=shipment_id))
        return dict(row) | {"history": [dict(one) for one in history], "attempts": [dict(one) for one in attempts]}
