"""The internal HTTP: questions that need an answer at once. Reads run in read-only transactions and prove it (RT-9)."""

from typing import Any

from fastapi import APIRouter

from router.decide import decide
from router.missing import missing, wanted
from router.numbering import number_frs
from router.preview import preview_of
from router.requests import decision_event
from router.routing.plan import plan_order
from router.rulebooks import Rulebooks, document_of
from router.store import add_frs, case_of, load_offers
from router.take_back import KEPT, NotPossible, no_such_order
from waybill_common.clock import SystemClock
from waybill_common.db import Connection, Pool, Queries, rows


def make_routes(pool: Pool, q: Queries, books: Rulebooks, guard: list[Any]) -> APIRouter:
    """Routes under /internal, behind the service token."""
    router = APIRouter(prefix="/internal", dependencies=guard)

    @router.get("/orders/{order_id}/preview")
    async def preview(order_id: str) -> dict[str, Any]:
        """What would be decided now, group by group, with nothing stored (RT-9)."""
        async with pool.acquire() as conn, conn.transaction(readonly=True):
            return await preview_order(conn, q, books, order_id)

    @router.get("/orders/{order_id}/decisions")
    async def decisions(order_id: str) -> list[dict[str, Any]]:
        """Every decision about the order with its inputs, the oldest first (RT-12)."""
        async with pool.acquire() as conn:
            return [dict(row) for row in await rows(q.decisions_of(conn, order_id=order_id))]

    @router.get("/orders/{order_id}/by-hand")
    async def by_hand(order_id: str) -> list[dict[str, Any]]:
        """What people did with the order's FRs, and why, the oldest first."""
        async with pool.acquire() as conn:
            return [dict(row) for row in await rows(q.by_hand_of(conn, order_id=order_id))]

    @router.get("/sources/{source}/stock")
    async def stock_of(source: str, after: str = "", limit: int = 500) -> list[dict[str, Any]]:
        """By SKU; continue after the last one."""
        async with pool.acquire() as conn:
            found = await rows(q.stock_of_source(conn, source=source, after=after, most=min(limit, 5000)))
        return [dict(row) for row in found]

    @router.get("/uncovered")
    async def uncovered(limit: int = 500) -> list[dict[str, Any]]:
        """Allocations that the stock does not cover any more, the newest first (RT-6)."""
        async with pool.acquire() as conn:
            return [dict(row) for row in await rows(q.uncovered(conn, most=min(limit, 5000)))]

    @router.get("/waiting")
    async def waiting() -> dict[str, int]:
        """Orders that wait, by reason."""
        async with pool.acquire() as conn:
            return {row["reason"]: row["orders"] for row in await rows(q.waiting_counts(conn))}

    @router.get("/routing/versions")
    async def versions(limit: int = 50) -> list[dict[str, Any]]:
        """Each change of groups, rules or costs, the newest first (RT-15)."""
        async with pool.acquire() as conn:
            return [dict(row) for row in await rows(q.rulebook_versions(conn, most=min(limit, 1000)))]

    @router.get("/routing/versions/{version}")
    async def one_version(version: int) -> dict[str, Any]:
        """Groups, rules and sources as they were, as a configuration file."""
        async with pool.acquire() as conn:
            book = await books.at(conn, version)
        if book is None:
            raise NotPossible(f"version {version} of the rules is not kept", KEPT, status=404)
        return document_of(book)

    return router


async def preview_order(conn: Connection, q: Queries, books: Rulebooks, order_id: str) -> dict[str, Any]:
    """Runs in a read-only transaction: whatever it did, nothing could be stored."""
    row = await q.order_of(conn, order_id=order_id)
    if row is None:
        raise no_such_order(order_id)
    case = case_of(row)
    await add_frs(conn, q, [case])
    _, book = await books.current(conn)
    stock = await load_offers(conn, q, sorted({sku for _, sku in wanted(case)}), book)
    left = missing(case)
    verdict = decide(case, book, dict(stock))
    await number_frs(conn, q, [verdict], book)
    chosen = plan_order(left.task, book, stock) if left.task.demands else None
    event = decision_event(verdict, book, now=SystemClock().now(), decision_id="preview", batch="", frs=[])
    return {**preview_of(verdict, left, book, stock, chosen), "decision": event.decision.model_dump(mode="json")}
