"""What a store offers, to be mapped by a person (IN-9). I/O only."""

from waybill_platforms.magento import wire
from waybill_platforms.magento.mapping import shipping_method
from waybill_platforms.magento.rest import Rest, read_as
from waybill_platforms.magento.search import LARGEST_PAGE, criteria, more_pages
from waybill_platforms.model.catalogue import Product, ProductPage

_METHODS = "items[shipping_description,extension_attributes[shipping_assignments[shipping[method]]]],total_count"


class MagentoCatalogue:
    """The `CatalogueReader` of one store."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def products(self, page: str | None = None) -> ProductPage:
        number = int(page or 1)
        fields = "items[id,sku,name],total_count"
        query = criteria(sort=[("entity_id", "ASC")], page=number, fields=fields)
        answer = await self._rest.get("/products", "get_products", query)
        found = read_as(answer, wire.Found)
        products = [read_as(answer, wire.Product, raw) for raw in found.items or ()]
        more = more_pages(number, LARGEST_PAGE, found.total_count, len(products))
        return ProductPage(
            tuple(Product(str(one.id), one.sku, one.name or "") for one in products), str(number + 1) if more else None
        )

    async def shipping_methods(self) -> tuple[str, ...]:
        """Those of the newest orders: Magento offers methods to a cart and an address, and lists none."""
        query = criteria(sort=[("entity_id", "DESC")], fields=_METHODS)
        answer = await self._rest.get("/orders", "get_shipping_methods", query)
        orders = [read_as(answer, wire.Shipped, raw) for raw in read_as(answer, wire.Found).items or ()]
        return tuple(sorted({name for one in orders if (name := shipping_method(one))}))
