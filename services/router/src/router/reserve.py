"""Reserving: under the shelves' locks, in the transaction that stores the FRs (RT-6)."""

from router.ledger import Key
from router.routing.plan import Rulebook
from router.store import Round
from router.verdict import Verdict
from waybill_common.db import Connection, Queries, rows


async def reserve(conn: Connection, q: Queries, verdicts: list[Verdict], done: Round, book: Rulebook) -> list[Verdict]:
    """Those whose units the shelves can cover, in their order; what they take is added to the round."""
    asked = {id(verdict): asks_of(verdict, book) for verdict in verdicts if verdict.makes_frs}
    keys = sorted({key for units in asked.values() for key in units})
    if not keys:
        return verdicts
    locked = await rows(q.lock_stock(conn, sources=[source for source, _ in keys], skus=[sku for _, sku in keys]))
    free = {
        (row["source"], row["sku"]): row["on_hand"] - row["reserved"] - book.sites[row["source"]].source.stock.safety
        for row in locked
    }
    kept = []
    for verdict in verdicts:
        units = asked.get(id(verdict), {})
        if any(free.get(key, 0) < most for key, most in units.items()):
            continue
        for key, most in units.items():
            free[key] -= most
            done.reserved[key] = done.reserved.get(key, 0) + most
        kept.append(verdict)
    return kept


def asks_of(verdict: Verdict, book: Rulebook) -> dict[Key, int]:
    """Units by (source, SKU) that the verdict's plan reserves."""
    units: dict[Key, int] = {}
    for request in verdict.plan.draft.requests if verdict.plan and verdict.plan.draft else ():
        if book.sites[request.source].tracked:
            for demand, most in request.lines:
                key = (request.source, demand.sku)
                units[key] = units.get(key, 0) + most
    return units
