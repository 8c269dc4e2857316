"""Whatever an emulator can do, the conformance suite asks for: an operation is taken away from it, and the test of the
suite that needs it fails. For each port of each platform in each of its roles.

The emulator then answers 404, as a platform does that has no such operation. That the suite passes with it, it shows
itself.
"""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from waybill_platforms.errors import PlatformError

LISTED = "test_every_order_is_listed_once_in_the_order_of_its_change"
ALONE = "test_an_order_read_alone_is_the_order_in_the_list"
MADE = "test_a_fulfillment_stands_there_with_lines_carrier_numbers_and_link"
CORRECTED = "test_details_are_corrected_in_place"
WITHDRAWN = "test_a_withdrawn_fulfillment_opens_its_pieces_again"
PRODUCTS = "test_every_product_is_listed_with_its_sku_also_missing_and_doubled_ones"
METHODS = "test_the_shops_shipping_methods_are_listed_once_each"
USABLE = "test_a_connection_with_all_that_it_needs_is_usable"
CLOCK = "test_the_shops_clock_and_currency_are_told"
REGISTERED = "test_registering_twice_registers_once"
ENDED = "test_what_is_taken_off_posts_no_more_and_what_others_registered_goes_on"
SUBMITTED = "test_a_request_sent_twice_is_one_request"
FOUND = "test_a_request_is_found_at_once_under_its_reference"
TAKEN_BACK = "test_a_request_is_taken_back_while_nothing_has_shipped"
SHIPPED = "test_shipments_name_the_requests_lines_and_add_up"
STOCK = "test_stock_is_told_for_the_skus_that_are_asked_for"

SHOPIFY_PROBE = "shop+currentAppInstallation+orders"
NEEDED: dict[tuple[str, str], dict[str, str]] = {
    ("channel", "shopify"): {
        "orders": LISTED, "order": ALONE, "fulfillmentCreate": MADE, "fulfillmentTrackingInfoUpdate": CORRECTED,
        "fulfillmentCancel": WITHDRAWN, "productVariants": PRODUCTS, "deliveryProfiles": METHODS, SHOPIFY_PROBE: USABLE,
        "webhookSubscriptions": REGISTERED, "webhookSubscriptionCreate": REGISTERED, "webhookSubscriptionDelete": ENDED,
    },
    ("channel", "bigcommerce"): {
        "orders": LISTED, "order": ALONE, "shipments": MADE, "createShipment": MADE, "updateShipment": CORRECTED,
        "deleteShipment": WITHDRAWN, "updateOrder": WITHDRAWN, "products": PRODUCTS, "zones": METHODS,
        "methods": METHODS, "store": CLOCK, "hooks": REGISTERED, "createHook": REGISTERED, "deleteHook": ENDED,
    },
    ("channel", "woocommerce"): {
        "orders": LISTED, "order": ALONE, "fulfillments": MADE, "fulfillment_create": MADE,
        "fulfillment_update": CORRECTED, "fulfillment_delete": WITHDRAWN, "order_update": WITHDRAWN,
        "products": PRODUCTS, "zones": METHODS, "methods": METHODS, "index": USABLE, "system_status": CLOCK,
        "webhooks": REGISTERED, "webhook_create": REGISTERED, "webhook_delete": ENDED,
    },
    ("channel", "magento"): {
        "orders": LISTED, "order": ALONE, "shipments": MADE, "ship": MADE, "shipment": CORRECTED,
        "add_track": CORRECTED, "remove_track": CORRECTED, "add_comment": CORRECTED, "products": PRODUCTS,
        "configs": CLOCK,
    },
    ("source", "shopify"): {
        "orderCreate": SUBMITTED, "orders": FOUND, "orderCancel": TAKEN_BACK, "nodes": SHIPPED,
        "productVariants": STOCK, SHOPIFY_PROBE: USABLE,
    },
    ("source", "bigcommerce"): {
        "createOrder": SUBMITTED, "variants": SUBMITTED, "orders": FOUND, "updateOrder": TAKEN_BACK,
        "shipments": SHIPPED, "inventory": STOCK, "store": CLOCK,
    },
    ("source", "woocommerce"): {
        "order_create": SUBMITTED, "products": STOCK, "orders": FOUND, "order_update": TAKEN_BACK,
        "fulfillments": SHIPPED, "index": USABLE, "system_status": CLOCK,
    },
    ("source", "magento"): {
        "cart": SUBMITTED, "add_item": SUBMITTED, "shipping_information": SUBMITTED, "place": SUBMITTED,
        "orders": FOUND, "cancel": TAKEN_BACK, "shipments": SHIPPED, "source_items": STOCK, "configs": CLOCK,
    },
    ("source", "http"): {"submit": SUBMITTED, "find": FOUND, "cancel": TAKEN_BACK, "shipments": SHIPPED},
}  # fmt: skip
"""Role and platform -> operation of its emulator -> the test of the suite that cannot do without it."""
CASES = [
    (role, platform, operation, test)
    for (role, platform), needed in NEEDED.items()
    for operation, test in needed.items()
]
SUITE = ("channel", "source", "catalogue", "probe", "webhook")
FAILED = (AssertionError, PlatformError, TimeoutError, pytest.fail.Exception)


@pytest.fixture(scope="session")
def suite(load: Callable[[str], ModuleType]) -> dict[str, Any]:
    """Test -> function, and what else its module needs."""
    modules = [load(f"test_{part}_conformance") for part in SUITE]
    return {name: value for module in modules for name, value in vars(module).items()}


def test_every_platform_in_every_role_is_here(conforming: Any) -> None:
    channels = {platform for role, platform in NEEDED if role == "channel"}
    assert (channels, {platform for role, platform in NEEDED if role == "source"}) == conforming


@pytest.mark.parametrize(("role", "platform", "operation", "test"), CASES, ids=["-".join(case[:3]) for case in CASES])
async def test_without_an_operation_of_the_emulator_the_suite_fails(
    stage: Any, opened: Any, hub_of: Any, suite: Any, serve: Any, role: str, platform: str, operation: str, test: str
) -> None:
    connection = opened(role, platform)
    given = {"stage": stage, role: connection, "limit": 50, "pieces": 2, "prober": connection.prober}
    wanted = inspect.signature(suite[test]).parameters
    if "hub" in wanted:
        given |= {"hub": hub_of(connection), "ask": suite["asking"](stage)}
    if "inbox" in wanted or "hooks" in wanted:
        inbox = suite["Inbox"]()
        inbox.url = await serve(inbox.take) + "/hooks/acme-shop"
        given |= {"inbox": inbox, "hooks": connection.webhooks}
    stage.misbehave("gone", f"{stage.row.shop}:{operation}", count=1000)

    with pytest.raises(FAILED):
        await suite[test](**{name: given[name] for name in wanted})
    assert stage.world.faults.told()[0]["exercised"], "it failed for another reason"
