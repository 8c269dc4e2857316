"""A store's goods: looked up by SKU, their stock, and the whole catalogue with its shipping methods. I/O only.

`GET /products?sku=` finds products and variations by several SKUs at once; a list of products holds no variations, so
those of each variable product are asked beside.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from waybill_platforms.model.catalogue import Product, ProductPage
from waybill_platforms.model.stock import StockLevel, StockPage
from waybill_platforms.woocommerce import wire
from waybill_platforms.woocommerce.api import WC, Api, read_as

MOST = 100
LONGEST = 4000
"""Bytes of SKUs in one address."""
KNOWN_FOR = 900.0
"""Seconds for which a SKU is believed to be virtual or not."""
NOT_ORDERED = frozenset({"variable", "grouped", "external"})
"""Kinds of product that cannot stand in an order by themselves."""


class Goods:
    """Looks goods up; remembers which are virtual."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._virtual: dict[str, bool] = {}
        self._since = time.monotonic()

    async def by_sku(self, skus: Iterable[str], log_type: str) -> list[wire.Product]:
        """Products and variations with exactly these SKUs, each as often as the store has it.

        A SKU with a comma is asked alone: the filter takes commas for separators, and then the whole text, too.
        """
        wanted = list(dict.fromkeys(sku for sku in skus if sku))
        asked = together([sku for sku in wanted if "," not in sku])
        found: dict[int, wire.Product] = {}
        for text in [*asked, *(sku for sku in wanted if "," in sku)]:
            for one in await self._pages(log_type, f"{WC}/products", sku=text):
                found[one.id] = one
        exact = set(wanted)
        return [one for one in found.values() if one.sku in exact]

    async def virtual(self, skus: Iterable[str], log_type: str) -> frozenset[str]:
        """Which of these are not shipped. A SKU that the store does not have any more counts as shipped."""
        if time.monotonic() - self._since > KNOWN_FOR:
            self._virtual, self._since = {}, time.monotonic()
        wanted = {sku for sku in skus if sku}
        fresh = sorted(wanted - self._virtual.keys())
        if fresh:
            found = await self.by_sku(fresh, log_type)
            self._virtual |= dict.fromkeys(fresh, False)
            self._virtual |= {one.sku: one.virtual for one in found}
        return frozenset(sku for sku in wanted if self._virtual[sku])

    async def page(self, log_type: str, number: int) -> tuple[list[wire.Product], bool]:
        """A page of all products, variations in place of their parents; and whether there is another."""
        params = {"orderby": "id", "order": "asc", "_fields": wire.PRODUCT_FIELDS}
        listed = await self._api.listed(log_type, f"{WC}/products", page=number, per_page=MOST, **params)
        products: list[wire.Product] = []
        for row in listed.rows:
            one = read_as(listed.answer, wire.Product, row)
            if one.type == "variable":
                for variation in await self._pages(log_type, f"{WC}/products/{one.id}/variations"):
                    products.append(variation.model_copy(update={"name": _whole_name(one.name, variation.name)}))
            else:
                products.append(one)
        return products, len(listed.rows) == MOST

    async def _pages(self, log_type: str, route: str, **params: str) -> list[wire.Product]:
        found: list[wire.Product] = []
        number = 1
        while True:
            listed = await self._api.listed(
                log_type, route, page=number, per_page=MOST, _fields=wire.PRODUCT_FIELDS, **params
            )
            found += [read_as(listed.answer, wire.Product, row) for row in listed.rows]
            if len(listed.rows) < MOST:
                return found
            number += 1


def _whole_name(product: str, variation: str) -> str:
    """As an order's line says it. Under its product a variation is called by its attribute alone ("L"; 7.9: not at
    all), and nobody could tell a hat's from a shirt's."""
    if not variation:
        return product
    return variation if variation.startswith(product) else f"{product} - {variation}"


def together(skus: Sequence[str]) -> list[str]:
    """Joined by commas, as many as a page has and an address bears (servers take 8 KB, a letter may cost 12 bytes)."""
    found: list[list[str]] = []
    room = 0
    for sku in skus:
        length = len(quote(sku, safe="")) + 1
        if not found or len(found[-1]) == MOST or length > room:
            found.append([])
            room = LONGEST
        found[-1].append(sku)
        room -= length
    return [",".join(one) for one in found]


class WooStock:
    """The `StockReader` of one store."""

    def __init__(self, goods: Goods) -> None:
        self._goods = goods

    async def levels(self, skus: Sequence[str], page: str | None = None) -> StockPage:
        """Of these SKUs in one call for a hundred; of all, page by page. SKUs that are not there are named."""
        now = datetime.now(UTC)
        if skus:
            found = await self._goods.by_sku(skus, "get_stock")
            absent = sorted(set(skus) - {one.sku for one in found})
            problems = tuple(f"SKU {sku!r}: the store has no product with it" for sku in absent)
            return StockPage(tuple(_level(one) for one in found), now, None, problems)
        number = int(page or 1)
        found, more = await self._goods.page("get_stock", number)
        levels = tuple(_level(one) for one in found if one.sku and one.type not in NOT_ORDERED)
        return StockPage(levels, now, str(number + 1) if more else None)


def _level(read: wire.Product) -> StockLevel:
    """Not counted and out of stock is 0; not counted and in stock is no number."""
    if read.manage_stock in (True, "parent") and isinstance(read.stock_quantity, (int, float)):
        return StockLevel(read.sku, max(int(read.stock_quantity), 0))
    return StockLevel(read.sku, 0 if read.stock_status == "outofstock" else None)


class WooCatalogue:
    """The `CatalogueReader` of one store."""

    def __init__(self, api: Api, goods: Goods) -> None:
        self._api = api
        self._goods = goods

    async def products(self, page: str | None = None) -> ProductPage:
        """What can be ordered: products and variations."""
        number = int(page or 1)
        found, more = await self._goods.page("get_products", number)
        goods = tuple(Product(str(one.id), one.sku.strip(), one.name) for one in found if one.type not in NOT_ORDERED)
        return ProductPage(goods, str(number + 1) if more else None)

    async def shipping_methods(self) -> tuple[str, ...]:
        """Their titles in all zones, as orders show them."""
        zones = await self._api.listed("get_shipping_methods", f"{WC}/shipping/zones")
        titles: list[str] = []
        for row in zones.rows:
            zone = read_as(zones.answer, wire.Id, row)
            listed = await self._api.listed("get_shipping_methods", f"{WC}/shipping/zones/{zone.id}/methods")
            methods = [read_as(listed.answer, wire.Method, one) for one in listed.rows]
            titles += [method.title or method.method_title for method in methods if method.enabled]
        return tuple(dict.fromkeys(filter(None, titles)))
