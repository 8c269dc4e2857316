"""Reads what a shop can sell. I/O only.

`inventoryQuantity` is what is available over all locations: what orders took, ours included, is gone already.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from waybill_platforms.model.stock import StockLevel, StockPage
from waybill_platforms.shopify import setup_documents as documents
from waybill_platforms.shopify import setup_wire as wire
from waybill_platforms.shopify.graphql import Graph, read_as
from waybill_platforms.shopify.variants import search_skus

SKUS = 50
"""SKUs asked for by name in one query; more of them are found by reading all."""


class ShopifyStock:
    """The `StockReader` of one shop."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def levels(self, skus: Sequence[str], page: str | None = None) -> StockPage:
        """A SKU that two variants have is a problem, not a sum: nobody knows which of them would be shipped."""
        query = search_skus(skus) if 0 < len(skus) <= SKUS else None
        as_of = datetime.now(UTC)
        data, answer = await self._graph.ask(documents.STOCK, {"query": query, "after": page}, "get_stock")
        read = read_as(answer, wire.Stock, data.get("productVariants"))
        wanted, seen = frozenset(skus), dict[str, StockLevel]()
        doubled: set[str] = set()
        for variant in read.nodes:
            sku = (variant.sku or "").strip()
            if not sku or (wanted and sku not in wanted):
                continue
            doubled |= {sku} & seen.keys()
            on_hand = variant.inventoryQuantity if variant.inventoryItem.tracked else None
            seen[sku] = StockLevel(sku, None if on_hand is None else max(on_hand, 0))
        problems = tuple(f"SKU {sku}: several variants have it; give each its own" for sku in sorted(doubled))
        levels = tuple(level for sku, level in seen.items() if sku not in doubled)
        return StockPage(levels, as_of, read.pageInfo.endCursor if read.pageInfo.hasNextPage else None, problems)
