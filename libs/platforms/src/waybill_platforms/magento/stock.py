"""What a store has on its shelves. I/O only.

The physical count of its sources, or of the one that is configured. Pieces that its own buyers ordered and that have
not left yet are in it: Magento tells the sellable quantity only SKU by SKU. Give such a source a `safety` stock.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from waybill_platforms.errors import PlatformError
from waybill_platforms.magento import messages, wire
from waybill_platforms.magento.rest import Rest, missing, read_as
from waybill_platforms.magento.search import LARGEST_PAGE, Condition, criteria, more_pages
from waybill_platforms.model.stock import StockLevel, StockPage

TOGETHER = 100
"""SKUs asked for in one call."""


class MagentoStock:
    """The `StockReader` of one store."""

    def __init__(self, rest: Rest, source_code: str) -> None:
        self._rest = rest
        self._source_code = source_code

    async def levels(self, skus: Sequence[str], page: str | None = None) -> StockPage:
        """By pages of SKUs, so that a SKU's sources are never on two pages; without SKUs, over all products."""
        as_of = datetime.now(UTC)
        number = int(page or 1)
        if skus:
            asked = list(dict.fromkeys(skus))
            block = asked[(number - 1) * TOGETHER : number * TOGETHER]
            more = number * TOGETHER < len(asked)
        else:
            block, more = await self._catalogue(number)
        levels = await self._of(block) if block else []
        return StockPage(tuple(levels), as_of, str(number + 1) if more else None)

    async def _catalogue(self, page: int) -> tuple[list[str], bool]:
        query = criteria(
            [("type_id", "in", "simple")],
            sort=[("entity_id", "ASC")],
            size=TOGETHER,
            page=page,
            fields="items[id,sku],total_count",
        )
        answer = await self._rest.get("/products", "get_stock", query)
        found = read_as(answer, wire.Found)
        products = [read_as(answer, wire.Product, raw) for raw in found.items or ()]
        return [one.sku for one in products], more_pages(page, TOGETHER, found.total_count, len(products))

    async def _of(self, skus: list[str]) -> list[StockLevel]:
        try:
            return totals(await self._source_items(skus), self._source_code)
        except PlatformError as error:
            if error.code != messages.NO_ROUTE:
                raise
        return [level for sku in skus if (level := await self._stock_item(sku)) is not None]

    async def _source_items(self, skus: list[str]) -> list[wire.SourceItem]:
        conditions: list[Condition] = [("sku", "in", ",".join(skus))]
        if self._source_code:
            conditions.append(("source_code", "eq", self._source_code))
        items: list[wire.SourceItem] = []
        page = 1
        while True:
            answer = await self._rest.get("/inventory/source-items", "get_stock", criteria(conditions, page=page))
            found = read_as(answer, wire.Found)
            items += [read_as(answer, wire.SourceItem, raw) for raw in found.items or ()]
            if not more_pages(page, LARGEST_PAGE, found.total_count, len(found.items or ())):
                return items
            page += 1

    async def _stock_item(self, sku: str) -> StockLevel | None:
        """Of a store without multi-source inventory: one call for each SKU, it has no other."""
        try:
            answer = await self._rest.get(f"/stockItems/{quote(sku, safe='')}", "get_stock")
        except PlatformError as error:
            if missing(error):
                return None
            raise
        item = read_as(answer, wire.StockItem)
        if item.manage_stock is False:
            return StockLevel(sku, None)
        return StockLevel(sku, max(int(item.qty or 0), 0) if item.is_in_stock else 0)


def totals(items: Iterable[wire.SourceItem], source_code: str) -> list[StockLevel]:
    """Pieces by SKU over the sources; what is marked out of stock counts as none, and less than none as none."""
    pieces: Counter[str] = Counter()
    for item in items:
        if not source_code or item.source_code == source_code:
            pieces[item.sku] += max(int(item.quantity), 0) if item.status else 0
    return [StockLevel(sku, quantity) for sku, quantity in pieces.items()]
