"""What a shop offers, for a person who maps it (IN-9), and the carriers that it knows (SP-7)."""

from waybill_platforms.model.catalogue import Carrier, Product, ProductPage
from waybill_platforms.shopify import setup_documents as documents
from waybill_platforms.shopify import setup_wire as wire
from waybill_platforms.shopify.carriers import CARRIERS
from waybill_platforms.shopify.graphql import Graph, read_as


class ShopifyCatalogue:
    """The `CatalogueReader` and `CarrierReader` of one shop."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def products(self, page: str | None = None) -> ProductPage:
        """Variants, as they are what has a SKU; also those without one."""
        data, answer = await self._graph.ask(documents.VARIANTS, {"after": page}, "get_products")
        read = read_as(answer, wire.Catalogue, data.get("productVariants"))
        products = tuple(Product(one.id, (one.sku or "").strip(), one.displayName) for one in read.nodes)
        return ProductPage(products, read.pageInfo.endCursor if read.pageInfo.hasNextPage else None)

    async def shipping_methods(self) -> tuple[str, ...]:
        """Active methods of the delivery profiles, each name once. Rates that carriers compute at the checkout have no
        fixed name there, so an order may carry others."""
        names: dict[str, None] = {}
        after: str | None = None
        while True:
            data, answer = await self._graph.ask(documents.SHIPPING_METHODS, {"after": after}, "get_shipping_methods")
            read = read_as(answer, wire.Profiles, data.get("deliveryProfiles"))
            for profile in read.nodes:
                for group in profile.profileLocationGroups:
                    for zone in group.locationGroupZones.nodes:
                        names |= dict.fromkeys(one.name for one in zone.methodDefinitions.nodes if one.active)
            after = read.pageInfo.endCursor
            if not read.pageInfo.hasNextPage:
                return tuple(names)

    async def carriers(self) -> tuple[Carrier, ...]:
        """Shopify's list is in its documentation, not in its API; any other name is taken as well, without a link."""
        return CARRIERS
