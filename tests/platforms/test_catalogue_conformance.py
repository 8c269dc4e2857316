"""What a shop offers and has: products and methods to be mapped, carriers, stock. (IN-9, SP-7, RT-1)"""

from collections import Counter
from typing import Any

import pytest

from waybill_platforms.ports import ChannelConnection, SourceConnection


async def test_every_product_is_listed_with_its_sku_also_missing_and_doubled_ones(
    stage: Any, channel: ChannelConnection
) -> None:
    if channel.catalogue is None:
        pytest.skip("declared: no catalogue")
    found, page = [], None
    while True:
        read = await channel.catalogue.products(page)
        found += read.products
        page = read.next
        if page is None:
            break
    skus = Counter(product.sku for product in found)
    assert {good.channel_sku for good in stage.world.goods} <= set(skus)
    assert len({product.id for product in found}) == len(found)
    if stage.row.odd_skus:
        assert skus[""] == 1  # one without a SKU
        assert max(skus.values()) == 2  # and one twice


async def test_the_shops_shipping_methods_are_listed_once_each(channel: ChannelConnection) -> None:
    if channel.catalogue is None:
        pytest.skip("declared: no catalogue")
    methods = await channel.catalogue.shipping_methods()
    assert methods
    assert len(methods) == len(set(methods))


async def test_carriers_have_codes_of_their_own(stage: Any, channel: ChannelConnection) -> None:
    if channel.carriers is None:
        pytest.skip("declared: any text is a carrier")
    carriers = await channel.carriers.carriers()
    codes = [carrier.code for carrier in carriers]
    assert len(codes) == len(set(codes))
    assert all(carrier.name for carrier in carriers)


async def test_stock_is_told_for_the_skus_that_are_asked_for(stage: Any, source: SourceConnection) -> None:
    if source.stock is None:
        pytest.skip("declared: stock comes by feed")
    mine = {level.sku: level.on_hand for level in stage.world.levels if level.source == stage.theirs.name}
    theirs = {good.source_sku(stage.theirs.name): mine.get(good.sku, 0) for good in stage.world.goods}
    wanted = sorted(theirs)[:7]
    page = await source.stock.levels(wanted)
    assert {level.sku: level.on_hand for level in page.levels} == {sku: theirs[sku] for sku in wanted}
    assert page.as_of.tzinfo is not None


async def test_all_stock_is_told_when_nothing_is_named(stage: Any, source: SourceConnection) -> None:
    if source.stock is None:
        pytest.skip("declared: stock comes by feed")
    found, page = [], None
    while True:
        read = await source.stock.levels((), page)
        found += read.levels
        page = read.next
        if page is None:
            break
    kept = {level.sku for level in stage.world.levels if level.source == stage.theirs.name}
    theirs = {good.source_sku(stage.theirs.name) for good in stage.world.goods if good.sku in kept}
    assert {level.sku for level in found} >= theirs
