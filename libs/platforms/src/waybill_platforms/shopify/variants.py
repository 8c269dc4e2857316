"""Which variant a SKU means at a shop. I/O, with a memory for as long as the connection is open.

Promises: only a SKU that exactly one variant has is believed; the search finds similar ones, too. Cannot promise that
the index shows a variant that was made seconds ago: that SKU is refused, and the next try asks again.
"""

from collections.abc import Iterable

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.shopify import source_documents as documents
from waybill_platforms.shopify import source_wire as wire
from waybill_platforms.shopify.graphql import Graph, read_as

MOST_PAGES = 5


class Variants:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[str, str] = {}
        self.currency = ""
        """The shop's; known after the first look-up."""

    async def ids(self, skus: Iterable[str]) -> dict[str, str]:
        """SKU -> variant id. PlatformError `unknown_sku` or `ambiguous_sku`; nothing has been asked for then."""
        wanted = list(dict.fromkeys(skus))
        missing = [sku for sku in wanted if sku not in self._known]
        for i in range(0, len(missing), documents.SKUS):
            await self._look_up(missing[i : i + documents.SKUS])
        return {sku: self._known[sku] for sku in wanted}

    def forget(self, skus: Iterable[str]) -> None:
        """After a refusal: the variant may be another one by now."""
        for sku in skus:
            self._known.pop(sku, None)

    async def _look_up(self, skus: list[str]) -> None:
        found: dict[str, list[str]] = {sku: [] for sku in skus}
        after: str | None = None
        for _ in range(MOST_PAGES):
            variables = {"query": search_skus(skus), "after": after}
            data, answer = await self._graph.ask(documents.VARIANTS_OF, variables, "find_products")
            self.currency = read_as(answer, wire.Shop, data.get("shop")).currencyCode
            page = read_as(answer, wire.Variants, data.get("productVariants"))
            for variant in page.nodes:
                if variant.sku in found:
                    found[variant.sku].append(variant.id)
            after = page.pageInfo.endCursor
            if not page.pageInfo.hasNextPage:
                break
        for sku, ids in found.items():
            if len(ids) != 1:
                raise _refused(sku, len(ids))
            self._known[sku] = ids[0]


def search_skus(skus: Iterable[str]) -> str:
    """`sku:'A' OR sku:'B'`, quoted as the search wants it."""
    escaped = (sku.replace("\\", "\\\\").replace("'", "\\'") for sku in skus)
    return " OR ".join(f"sku:'{sku}'" for sku in escaped)


def _refused(sku: str, hits: int) -> PlatformError:
    many = f"{hits} variants have SKU {sku!r}: which one is meant cannot be told; give each a SKU of its own there"
    none = f"SKU {sku!r} is no variant there; map it to the source's SKU, or add it at the shop"
    return PlatformError(
        many if hits else none,
        family=Family.REFUSED,
        cause="refused",
        outcome="none",
        action="find_products",
        code="ambiguous_sku" if hits else "unknown_sku",
    )
