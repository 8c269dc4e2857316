"""What a fresh sandbox holds: every kind of order, the same for the same seed, stock for all that can be shipped."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import configuration
from sandbox.seeding.orders import EXPECTED, KINDS
from sandbox.seeding.stock import SAFETY, SOURCES
from sandbox.sources import shipping
from sandbox.world import Wish, World
from waybill_contracts.configuration import Configuration


def world(directory: Path, **wish: Any) -> World:
    return World(directory, Wish(**wish))


def config(made: World) -> Any:
    sources = list(made.supplying.values())
    return configuration.configuration("http://127.0.0.1:1", made.channels, sources, made.goods, made.levels)


def ours(made: World) -> dict[str, str]:
    return {good.channel_sku: good.sku for good in made.goods}


def story(made: World) -> list[Any]:
    return [
        (o.name, o.expectation, o.shipping_title, o.shipping_address, [(li.sku, li.quantity) for li in o.lines])
        for o in made.shop.orders.values()
    ]


def test_the_same_seed_gives_the_same_orders_and_another_one_others(tmp_path: Path) -> None:
    first, same, other = (world(tmp_path / str(number), orders=80, seed=seed) for number, seed in enumerate((1, 1, 2)))
    assert story(first) == story(same) != story(other)
    assert first.levels == same.levels


@pytest.mark.parametrize("orders", [40, 200])
def test_every_kind_is_there_with_its_expectation(tmp_path: Path, orders: int) -> None:
    made = world(tmp_path, orders=orders)
    kinds = Counter(order.tags[1] for order in made.shop.orders.values())
    assert set(kinds) == {"plain", *KINDS.values()}
    assert sum(kinds.values()) == orders
    for order in made.shop.orders.values():
        assert order.expectation == EXPECTED[order.tags[1]]


def test_no_two_orders_could_be_taken_for_the_same(tmp_path: Path) -> None:
    made = world(tmp_path, orders=200)
    addresses = [order.shipping_address.address1 for order in made.shop.orders.values() if order.shipping_address]
    assert len(set(addresses)) == len(addresses)


def test_repeated_skus_unicode_and_many_countries_occur(tmp_path: Path) -> None:
    orders = list(world(tmp_path, orders=200).shop.orders.values())
    assert any(len({li.sku for li in order.lines}) < len(order.lines) for order in orders)
    assert len({order.shipping_address.country_code_v2 for order in orders if order.shipping_address}) >= 6
    names = "".join(order.shipping_address.last_name for order in orders if order.shipping_address)
    assert any(ord(letter) > 0x3000 for letter in names)
    assert any("À" <= letter <= "ſ" for letter in names)


@pytest.mark.parametrize("orders", [1, 40, 200, 1000])
def test_stock_suffices_for_all_that_can_go_on_whoever_is_asked_first(tmp_path: Path, orders: int) -> None:
    """For each SKU the sources that serve every country have it all, or every order of it is for a country of all."""
    made = world(tmp_path, orders=orders)
    demand: Counter[str] = Counter()
    countries: dict[str, set[str]] = {}
    for order in made.shop.orders.values():
        for line in order.lines:
            if not order.expectation.startswith("excluded") and line.sku in ours(made) and order.shipping_address:
                sku = ours(made)[line.sku]
                demand[sku] += line.current_quantity
                countries.setdefault(sku, set()).add(order.shipping_address.country_code_v2)
    serves = {source["id"]: source["serves"]["countries"] for source in config(made)["sources"]}
    free = {(level.source, level.sku): level.on_hand - SAFETY[level.source] for level in made.levels}
    for sku, wanted in demand.items():
        everywhere = sum(free.get((name, sku), 0) for name in SOURCES if serves[name] == "all")
        to_all = all(serves[name] == "all" or countries[sku] <= set(serves[name]) for name in SOURCES)
        total = sum(free.get((name, sku), 0) for name in SOURCES)
        assert everywhere >= wanted or (to_all and total >= wanted), sku


def test_large_orders_exceed_the_stock_of_every_single_source(tmp_path: Path) -> None:
    made = world(tmp_path, orders=200)
    large = [order for order in made.shop.orders.values() if order.tags[1] == "scarce"]
    assert len(large) >= 10
    for order in large:
        sku = ours(made)[order.lines[0].sku or ""]
        most = max(level.on_hand - SAFETY[level.source] for level in made.levels if level.sku == sku)
        assert order.lines[0].quantity > most


def test_the_ready_made_configuration_is_one_that_the_product_takes(tmp_path: Path) -> None:
    made = world(tmp_path, orders=40)
    written = yaml.safe_load(configuration.as_yaml(config(made)))
    read = Configuration.model_validate(written)
    assert read.problems() == []
    assert [source.id for source in read.sources] == list(SOURCES)
    assert len({source.costs for source in read.sources}) == len(SOURCES)


def test_every_carrier_of_every_source_has_a_name_at_the_shop(tmp_path: Path) -> None:
    read = Configuration.model_validate(config(world(tmp_path, orders=1)))
    at_shop = read.channels[0].couriers.map
    for source in read.sources:
        theirs = set(shipping.CARRIERS[source.id])
        assert {source.couriers.map.get(name, name) for name in theirs} <= set(at_shop)
        assert any(name in source.couriers.map for name in theirs)


async def test_orders_added_later_are_plain_and_find_stock(box: Any, hub: Any) -> None:
    await hub.run()
    made = await box.control("POST", "/shops/acme/orders", {"count": 25})
    assert len(made["orders"]) == 25
    report = await hub.run()
    assert report["ok"], report["problems"]
