"""The filling of the READ benchmark is honest: a copied order is what the projection makes of such an order."""

from typing import Any

from benchmarks.reading_copies import COPIED, fill, names_of
from benchmarks.reading_lives import SLOTS, life_of

from benchmarks import stage
from console.consumer import subscription
from waybill_common.db import Pool, queries

ORDERS = len(SLOTS) + 20


async def _all(pool: Pool, table: str) -> list[str]:
    """Every row in every column; activities are numbered as they come, and that number tells nothing."""
    found: list[dict[str, Any]] = [dict(row) for row in await pool.fetch(f"select * from {table}")]
    return sorted(repr([pair for pair in sorted(row.items()) if pair[0] != "id"]) for row in found)


async def test_a_copied_order_is_what_the_projection_makes_of_its_life(database_url: str) -> None:
    pool = await stage.schema(database_url, "console", "console")
    q = queries("console")
    try:
        await fill(pool, q, ORDERS)
        copied = {table: await _all(pool, table) for table in COPIED}
        await q.forget_read_model(pool)
        async with pool.acquire() as conn, conn.transaction():
            for start in range(1, ORDERS + 1, 20):
                told = [
                    fact
                    for number in range(start, start + 20)
                    for fact in life_of(number % len(SLOTS), names_of(number))
                ]
                await subscription(q).handle(conn, told)

        for table in COPIED:
            projected = await _all(pool, table)
            assert projected, table
            assert copied[table] == projected, table
    finally:
        pool.terminate()
