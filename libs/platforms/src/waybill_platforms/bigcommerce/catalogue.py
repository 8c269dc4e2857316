"""What a store itself offers: its products, its shipping methods, the carriers that it takes. I/O only."""

from waybill_platforms.bigcommerce import carriers, wire
from waybill_platforms.bigcommerce.rest import MOST, Rest, entries, listed, read_as
from waybill_platforms.model.catalogue import Carrier, Product, ProductPage


class BigCommerceCatalogue:
    """The `CatalogueReader` and `CarrierReader` of one store."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def products(self, page: str | None = None) -> ProductPage:
        """Each variant is one thing that can be ordered; a product without options has one."""
        at = int(page or 1)
        params: dict[str, str | int] = {"include": "variants", "include_fields": "name,sku", "page": at, "limit": MOST}
        answer = await self._rest.get("/v3/catalog/products", "get_products", params)
        found = listed(answer)
        products = [one for entry in found.data for one in _products(read_as(answer, wire.Product, entry))]
        return ProductPage(tuple(products), str(at + 1) if at < found.meta.pagination.total_pages else None)

    async def shipping_methods(self) -> tuple[str, ...]:
        """Names over all shipping zones, each once: one call, and one a zone."""
        answer = await self._rest.get("/v2/shipping/zones", "get_shipping_methods")
        names: dict[str, None] = {}
        for zone in [read_as(answer, wire.Zone, entry) for entry in entries(answer)]:
            path = f"/v2/shipping/zones/{zone.id}/methods"
            methods = await self._rest.get(path, "get_shipping_methods")
            names |= {read_as(methods, wire.Method, entry).name: None for entry in entries(methods)}
        return tuple(name for name in names if name)

    async def carriers(self) -> tuple[Carrier, ...]:
        """No call: BigCommerce documents them and has no list to ask for."""
        return carriers.known()


def _products(product: wire.Product) -> list[Product]:
    if not product.variants:
        return [Product(str(product.id), product.sku.strip(), product.name)]
    return [Product(str(one.id), one.sku.strip(), _title(product.name, one)) for one in product.variants]


def _title(name: str, variant: wire.Variant) -> str:
    labels = [str(value.get("label")) for value in variant.option_values if value.get("label")]
    return f"{name} ({', '.join(labels)})" if labels else name
