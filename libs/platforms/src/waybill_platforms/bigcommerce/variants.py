"""Which variant a SKU names at a store. Ids do not change, so what was looked up is kept with the connection."""

from collections.abc import Sequence

from waybill_platforms.bigcommerce import wire
from waybill_platforms.bigcommerce.rest import MOST, Rest, listed, read_as

AT_ONCE = 50
"""SKUs in one address: it would become too long for the servers in between."""
MOST_KEPT = 20_000


class Variants:
    """Every product has at least one variant, so this finds simple products as well."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._known: dict[str, wire.Variant] = {}

    async def find(self, skus: Sequence[str], log_type: str) -> dict[str, wire.Variant]:
        """SKU -> variant, of those that the store has; compared exactly, letter case aside."""
        unknown = sorted({sku for sku in skus if sku not in self._known})
        plain = [sku for sku in unknown if "," not in sku]
        for i in range(0, len(plain), AT_ONCE):
            await self._look_up({"sku:in": ",".join(plain[i : i + AT_ONCE])}, plain[i : i + AT_ONCE], log_type)
        for sku in unknown:
            if "," in sku:
                await self._look_up({"sku": sku}, [sku], log_type)
        return {sku: self._known[sku] for sku in skus if sku in self._known}

    def forget(self, skus: Sequence[str]) -> None:
        """After a refusal: the product may have been deleted and made anew."""
        for sku in skus:
            self._known.pop(sku, None)

    async def _look_up(self, query: dict[str, str], wanted: Sequence[str], log_type: str) -> None:
        if len(self._known) > MOST_KEPT:
            self._known.clear()
        names = {sku.casefold(): sku for sku in wanted}
        page, pages = 1, 1
        while page <= pages:
            params: dict[str, str | int] = {**query, "include_fields": "id,product_id,sku", "page": page, "limit": MOST}
            answer = await self._rest.get("/v3/catalog/variants", log_type, params)
            found = listed(answer)
            for entry in found.data:
                variant = read_as(answer, wire.Variant, entry)
                if (sku := names.get(variant.sku.strip().casefold())) is not None:
                    self._known.setdefault(sku, variant)
            page, pages = page + 1, found.meta.pagination.total_pages
