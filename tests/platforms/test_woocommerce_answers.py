"""What real WooCommerce stores answer now and then, word for word, and what we make of it; each oddity by its name.

Small servers, because the emulated stores are in order while they answer.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.http import NoBudget
from waybill_platforms.model.fulfillments import FulfillmentDraft
from waybill_platforms.woocommerce.api import describe
from waybill_platforms.woocommerce.client import open_store
from waybill_platforms.woocommerce.settings import WooSettings

EVER = datetime(2000, 1, 1, tzinfo=UTC)
KEY = {"consumer_key": "ck_of_a_store", "consumer_secret": "cs_of_a_store"}
Answering = Callable[..., Any]


@pytest.fixture
async def answering(serve: Any) -> AsyncIterator[Answering]:
    """`await answering(answer)` -> a channel whose store gives it to every call, or the answer that is named for the
    end of a call's path; OPTIONS is refused. What was asked is in `asked`."""
    opened: list[Any] = []

    async def make(
        answer: web.Response | list[Any],
        asked: list[Any] | None = None,
        **named: web.Response | dict[str, Any] | list[Any],
    ) -> Any:

        async def handle(request: web.Request) -> web.Response:
            if asked is not None:
                asked.append(request)
            if request.method == "OPTIONS":
                return web.Response(status=405)
            given = named.get(f"{request.method}_{request.path.rpartition('/')[2]}", answer)
            if isinstance(given, web.Response):
                return web.Response(status=given.status, body=given.body, headers=given.headers)
            return web.json_response(given)

        opened.append(open_store("willow", WooSettings.of("willow", await serve(handle), KEY), NoBudget()))
        return opened[-1]

    yield make
    for connection in opened:
        await connection.aclose()


@pytest.fixture
def payloads(load: Callable[[str], Any]) -> Any:
    return load("woocommerce_payloads")


def refused(status: int, code: Any, message: str, data: Any = None, **headers: str) -> web.Response:
    body = {"code": code, "message": message, "data": {"status": status} if data is None else data}
    return web.json_response(body, status=status, headers=headers)


async def test_a_warning_of_a_plugin_before_the_json_of_a_200_is_an_error_and_not_an_empty_list(
    answering: Answering,
) -> None:
    warned = web.Response(text="<br />\n<b>Warning</b>: Undefined array key 2 in … on line <b>7</b>[]")
    warned.headers["Content-Type"] = "application/json; charset=UTF-8"
    with pytest.raises(PlatformError) as raised:
        await (await answering(warned)).reader.list_changed(EVER)
    assert (raised.value.family, raised.value.status) == (Family.LATER, 200)
    assert "Undefined array key" in raised.value.message


@pytest.mark.parametrize(("status", "message"), [(404, "Invalid ID."), (400, "ID is invalid.")])
async def test_an_unknown_order_is_known_by_its_code_whether_404_or_400(
    answering: Answering, status: int, message: str
) -> None:
    shop = await answering(refused(status, "woocommerce_rest_shop_order_invalid_id", message))
    assert await shop.reader.get_order("999999") is None
    assert await shop.writer.read("999999") is None


async def test_a_404_of_a_wrong_address_is_no_missing_order(answering: Answering) -> None:
    shop = await answering(refused(404, "rest_no_route", "No route was found matching the URL and request method."))
    with pytest.raises(PlatformError) as raised:
        await shop.reader.get_order("7")
    assert raised.value.cause == "configuration"


async def test_maintenance_says_when_to_come_again_and_had_no_effect(answering: Answering) -> None:
    """A store that is being updated; by itself it gives ten minutes."""
    shop = await answering(refused(503, "wp_die", "Briefly unavailable for maintenance.", **{"Retry-After": "600"}))
    with pytest.raises(PlatformError) as raised:
        await shop.reader.list_changed(EVER)
    assert (raised.value.family, raised.value.outcome, raised.value.retry_after) == (Family.LATER, "none", 600.0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"code": "woocommerce_rest_cannot_create_order_refund", "message": "No.", "data": 500}',
         "woocommerce_rest_cannot_create_order_refund"),
        (b'{"code": 0, "message": "Fulfillment not found.", "data": {"status": "404"}}', None),
        (b'{"code": "404", "message": "Order not found.", "data": {"status": "404"}}', None),
    ],
    ids=["a refund's data is a number", "a fulfillment's code is the number 0", "or a text of digits"],
)  # fmt: skip
def test_errors_that_are_malformed_are_read_all_the_same(body: bytes, code: str | None) -> None:
    assert describe(body) == (code, body.split(b'"message": "')[1].split(b'"')[0].decode())


async def test_past_the_last_page_there_is_nothing_and_the_total_says_0(answering: Answering, payloads: Any) -> None:
    """HPOS forgets the total there; a walk ends at the short page and believes no count."""
    empty = web.json_response([], headers={"X-WP-Total": "0", "X-WP-TotalPages": "0"})
    page = await (await answering(empty)).reader.list_changed(EVER)
    assert (page.orders, page.next, page.problems) == ((), None, ())


async def test_json_is_asked_for_and_no_header_of_anybody_else_is_passed_on(
    answering: Answering, payloads: Any
) -> None:
    """With X-HTTP-Method-Override a PUT would delete; without Accept a broken store answers in HTML."""
    asked: list[web.Request] = []
    shop = await answering([payloads.order(1001, refunds=[])], asked=asked)
    await shop.reader.list_changed(EVER)
    usual = {"host", "user-agent", "accept", "accept-encoding", "authorization", "content-type", "content-length"}
    assert asked
    for request in asked:
        assert request.headers["Accept"] == "application/json"
        assert {name.lower() for name in request.headers} <= usual


async def test_a_fulfillment_that_was_stored_as_unfulfilled_is_no_success(answering: Answering, payloads: Any) -> None:
    """A status that a store does not know is taken with 201, and means that nothing was fulfilled."""
    order = payloads.order(1001, [payloads.line(7)], refunds=[])
    made = {"id": 3, "entity_type": "WC_Order", "entity_id": "1001", "status": "unfulfilled", "is_fulfilled": "0",
            "date_updated": "2026-11-22T10:30:00Z", "date_deleted": None,
            "meta_data": [{"id": 1, "key": "_items", "value": [{"item_id": 7, "qty": 3}]}]}  # fmt: skip
    shop = await answering([], GET_1001=order, POST_fulfillments=web.json_response(made, status=201))
    state = await shop.writer.read("1001")
    [call] = shop.writer.calls_for(state, FulfillmentDraft("1001", (("7", 3),), "ups", ("1Z1",)))
    with pytest.raises(PlatformError) as raised:
        await shop.writer.create(call)
    assert (raised.value.family, raised.value.outcome) == (Family.UNREADABLE, "unknown")
