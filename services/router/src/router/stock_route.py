"""`POST /internal/sources/{source}/stock`: counts by API and file, taken as the feed's are (RT-1)."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from router.ledger import Moves
from router.take_back import Desk, NotPossible
from router.take_stock import take_stock
from waybill_common.db import Pool, transaction
from waybill_contracts.inventory_updated import StockCounted

AT_ONCE = 500


class Level(BaseModel):
    """`counted_at` none: now. Cost and weight none: as they were."""

    sku: str = Field(min_length=1)
    on_hand: int = Field(ge=0, le=2**31 - 1)
    unit_cost: Decimal | None = Field(default=None, ge=0, max_digits=18, decimal_places=6)
    weight_g: int | None = Field(default=None, ge=0, le=2**31 - 1)
    counted_at: AwareDatetime | None = None


class Levels(BaseModel):
    levels: list[Level] = Field(min_length=1, max_length=5000)


def add_stock(router: APIRouter, pool: Pool, desk: Desk, wake: Callable[[], None]) -> None:
    @router.post("/sources/{source}/stock")
    async def take(source: str, body: Levels) -> dict[str, Any]:
        """2xx after the commit. `older` are counts that a newer one is known to; they change nothing."""
        async with pool.acquire() as conn:
            _, book = await desk.books.current(conn)
        if source not in book.sites:
            known = ", ".join(sorted(book.sites)) or "(none)"
            raise NotPossible(f"{source!r} is no source", f"use one of {known}", status=404)
        now = datetime.now(UTC)
        if any(level.counted_at and level.counted_at > now for level in body.levels):
            reason = "counted_at: a count of the future would hide all counts until then"
            raise NotPossible(reason, "give the moment of the count, or leave it out: now", status=422)
        older: list[str] = []
        for at in range(0, len(body.levels), AT_ONCE):
            counts = [_counted(source, level, now) for level in body.levels[at : at + AT_ONCE]]
            async with transaction(pool) as conn:
                news = await take_stock(conn, desk.q, desk.alerts, counts, Moves())
            older += [count.sku for count in counts if (source, count.sku) not in news]
        wake()
        return {"source": source, "taken": len(body.levels) - len(older), "older": older}


def _counted(source: str, level: Level, now: datetime) -> StockCounted:
    return StockCounted(
        at=now,
        source=source,
        sku=level.sku,
        on_hand=level.on_hand,
        counted_at=level.counted_at or now,
        unit_cost=level.unit_cost,
        weight_g=level.weight_g,
    )
