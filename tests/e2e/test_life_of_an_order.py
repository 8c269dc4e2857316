"""The life of an order, over five processes: from a shop to a source and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_every_order_of_a_shop_ends_shipped_and_synced_or_says_why_not(make_hub: Callable[..., Any]) -> None:
    hub = make_hub(orders=80)
    hub.start()

    stats = hub.settle()

    books = hub.books()
    assert books["ok"], books["problems"]
    assert stats["orders"]["held"], "the shop has unpaid and unmapped orders"
    assert stats["orders"]["excluded"], "the shop has canceled orders"
    assert stats["orders"]["by_sync"].get("synced", 0) == stats["orders"]["by_stage"]["settled"]
    assert hub.dead_letters() == 0


def test_one_order_can_be_followed_step_by_step_with_the_exchanges_behind_them(make_hub: Callable[..., Any]) -> None:
    hub = make_hub(orders=10)
    hub.start()
    hub.settle()
    order = hub.get("/orders", stage="settled", limit=1)["items"][0]

    story = hub.get(f"/orders/{order['order_id']}/timeline")

    told = [activity["activity"] for activity in story["activities"]]
    for step in (
        "order_imported",
        "order_routed",
        "fr_created",
        "fr_submitted",
        "shipment_recorded",
        "shipment_synced",
    ):
        assert step in told, told
    logged = {exchange["log_type"] for exchange in story["exchanges"]}
    assert {"submit_request", "submit_fulfillment"} <= logged
    assert "demo" not in str([exchange["request_headers"] for exchange in story["exchanges"]])


def test_a_run_stopped_in_the_middle_goes_on_although_the_broker_forgot_everything(
    make_hub: Callable[..., Any], tmp_path: Any
) -> None:
    hub = make_hub(orders=60, directory=tmp_path / "run")
    hub.start()
    hub.wait_until(lambda stats: stats["orders"]["by_stage"].get("settled", 0) >= 5, 120)
    hub.world.stop()

    again = make_hub(orders=60, directory=tmp_path / "run")
    again.start()
    again.settle()

    books = again.books()
    assert books["ok"], books["problems"]


def test_orders_of_every_platform_end_and_a_source_of_every_kind_ships(make_hub: Callable[..., Any]) -> None:
    """IN-1: each platform as a channel and as a source, in one run."""
    hub = make_hub(orders=80)
    hub.start(shops="all")

    hub.settle(seconds=330)

    books = hub.books()
    assert books["ok"], books["problems"]
    counts = hub.world.sandbox("counts").json()
    assert all(shop["fulfillments"] for shop in counts["shops"].values()), counts["shops"]
    config = yaml.safe_load(hub.world.sandbox("config.yaml").text)
    platforms = {channel["platform"] for store in config["stores"] for channel in store["channels"]}
    assert platforms == {"shopify", "bigcommerce", "woocommerce", "magento"}
    shipped = {one["platform"] for one in config["sources"] if counts["sources"][one["id"]]["shipments"]}
    assert shipped == platforms | {"http"}
