"""Reads what a store has on its shelves, over all its enabled locations. I/O only."""

from collections.abc import Sequence
from datetime import UTC, datetime

from waybill_platforms.bigcommerce import wire
from waybill_platforms.bigcommerce.rest import MOST, Rest, listed, read_as
from waybill_platforms.bigcommerce.variants import AT_ONCE, Variants
from waybill_platforms.model.stock import StockLevel, StockPage


class BigCommerceStock:
    """The `StockReader` of one store."""

    def __init__(self, rest: Rest, variants: Variants) -> None:
        self._rest = rest
        self._variants = variants

    async def levels(self, skus: Sequence[str], page: str | None = None) -> StockPage:
        """`available_to_sell`: on hand less the store's own safety stock. Items that it does not count have None."""
        start, at = (int(one) for one in (page or "0:1").split(":"))
        wanted = list(skus[start : start + AT_ONCE])
        query = {"sku:in": ",".join(wanted)} if wanted else {}
        as_of = datetime.now(UTC)
        answer = await self._rest.get("/v3/inventory/items", "get_stock", {**query, "page": at, "limit": MOST})
        found = listed(answer)
        levels = [_level(read_as(answer, wire.Item, entry)) for entry in found.data]
        if at < found.meta.pagination.total_pages:
            return StockPage(tuple(levels), as_of, f"{start}:{at + 1}")
        uncounted, problems = await self._uncounted(wanted, levels) if wanted and at == 1 else ([], [])
        more = f"{start + AT_ONCE}:1" if start + AT_ONCE < len(skus) else None
        return StockPage((*levels, *uncounted), as_of, more, tuple(problems))

    async def _uncounted(
        self, wanted: Sequence[str], levels: Sequence[StockLevel]
    ) -> tuple[list[StockLevel], list[str]]:
        """Only tracked variants are inventory items; of the others, some are sold there and some are unknown."""
        told = {level.sku.casefold() for level in levels}
        silent = [sku for sku in wanted if sku.casefold() not in told]
        if not silent:
            return [], []
        sold = await self._variants.find(silent, "get_stock")
        unknown = [f"{sku}: the store has no product with this SKU" for sku in silent if sku not in sold]
        return [StockLevel(sku, None) for sku in silent if sku in sold], unknown


def _level(item: wire.Item) -> StockLevel:
    return StockLevel(item.identity.sku, sum(at.available_to_sell for at in item.locations if at.location_enabled))
