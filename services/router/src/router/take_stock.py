"""Counts, differences and moves reach the shelves in one round: locked in (source, SKU) order, computed, written back.

What comes to be free wakes the orders that wait for that SKU. A count below what is asked names the newest allocations
as uncovered, in the same transaction, and raises an alert until they are covered again (RT-6).
"""

from collections.abc import Sequence
from typing import Any

from router.ledger import Count, Key, Moves, Shelf, adjust, count, freed, move
from waybill_common.alerts import Alerts
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.inventory_updated import StockAdjusted, StockCounted, StockFact


async def take_stock(
    conn: Connection, q: Queries, alerts: Alerts, events: Sequence[StockFact], moves: Moves
) -> set[Key]:
    """Which counts were news: an older one is left out. The caller holds the locks of `moves`' orders."""
    counts: dict[Key, StockCounted] = {}
    for event in events:
        if isinstance(event, StockCounted):
            known = counts.get((event.source, event.sku))
            if known is None or known.counted_at <= event.counted_at:
                counts[(event.source, event.sku)] = event
    differences = [event for event in events if isinstance(event, StockAdjusted)]
    keys = sorted({*counts, *((d.source, d.sku) for d in differences), *moves.shelves})
    shelves = await lock_shelves(conn, q, keys)
    before = {key: (s.free, s.unit_cost, s.weight_g) for key, s in shelves.items()}
    in_need = {key for key, shelf in shelves.items() if shelf.uncovered}
    news = await _count(conn, q, counts, shelves)
    await _adjust(conn, q, differences, shelves)
    for key, moved in moves.shelves.items():
        move(shelves[key], moved)
    await _write(conn, q, list(shelves.values()), moves)
    in_need |= {key for key, shelf in shelves.items() if shelf.uncovered}
    if in_need:
        await _spread(conn, q, alerts, [shelves[key] for key in sorted(in_need)])
    fresh = freed(before, shelves.values())
    if fresh:
        await q.add_wakes(conn, keys=[f"sku/{sku}" for sku in fresh])
    return news


async def lock_shelves(conn: Connection, q: Queries, keys: Sequence[Key]) -> dict[Key, Shelf]:
    """The shelves, made where there is none, locked after their SKUs."""
    if not keys:
        return {}
    names = {"sources": [source for source, _ in keys], "skus": [sku for _, sku in keys]}
    await q.hold_skus(conn, skus=names["skus"])
    found = await rows(q.lock_stock(conn, **names))
    if len(found) < len(keys):
        await q.add_missing_stock(conn, **names)
        found = await rows(q.lock_stock(conn, **names))
    return {(row["source"], row["sku"]): Shelf(**dict(row)) for row in found}


async def _count(conn: Connection, q: Queries, counts: dict[Key, StockCounted], shelves: dict[Key, Shelf]) -> set[Key]:
    if not counts:
        return set()
    moved = {
        (row["source"], row["sku"]): row["adjusted"] - row["shipped"]
        for row in await rows(
            q.moved_since(
                conn,
                sources=[source for source, _ in counts],
                skus=[sku for _, sku in counts],
                counted_at=[event.counted_at for event in counts.values()],
            )
        )
    }
    return {
        key
        for key, event in counts.items()
        if count(shelves[key], Count(event.on_hand, event.counted_at, event.unit_cost, event.weight_g, moved[key]))
    }


async def _adjust(conn: Connection, q: Queries, events: Sequence[StockAdjusted], shelves: dict[Key, Shelf]) -> None:
    if not events:
        return
    once = {event.adjustment_id: event for event in events}
    fresh = await rows(
        q.new_adjustments(
            conn,
            ids=list(once),
            sources=[event.source for event in once.values()],
            skus=[event.sku for event in once.values()],
            deltas=[event.delta for event in once.values()],
            ats=[event.at for event in once.values()],
        )
    )
    for row in fresh:
        event = once[row["adjustment_id"]]
        adjust(shelves[(event.source, event.sku)], event.delta, event.at)


async def _write(conn: Connection, q: Queries, shelves: list[Shelf], moves: Moves) -> None:
    if shelves:
        await q.write_stock(
            conn,
            sources=[s.source for s in shelves],
            skus=[s.sku for s in shelves],
            on_hand=[s.on_hand for s in shelves],
            reserved=[s.reserved for s in shelves],
            uncovered=[s.uncovered for s in shelves],
            unit_costs=[s.unit_cost for s in shelves],
            weights=[s.weight_g for s in shelves],
            counted_at=[s.counted_at for s in shelves],
        )
    moved = list(moves.allocations.values())
    if moved:
        names = ("open", "shipped", "released", "source_canceled", "killed", "astray")
        columns: dict[str, list[Any]] = {name: [getattr(a, name) for a in moved] for name in names}
        await q.move_allocations(
            conn,
            fr_ids=[a.fr_id for a in moved],
            line_ids=[a.line_id for a in moved],
            skus=[a.sku for a in moved],
            **columns,
        )


async def _spread(conn: Connection, q: Queries, alerts: Alerts, shelves: list[Shelf]) -> None:
    await q.spread_cover(conn, sources=[s.source for s in shelves], skus=[s.sku for s in shelves])
    for shelf in shelves:
        key = f"uncovered/{shelf.source}/{shelf.sku}"
        if shelf.uncovered:
            detail = f"{shelf.on_hand} on hand, {shelf.asked} asked for: {shelf.uncovered} units are not covered"
            await alerts.raised(conn, key, f"{shelf.source} has less {shelf.sku} than is promised", detail)
        else:
            await alerts.cleared(conn, key)
