"""What a shop's answers mean: a 200 may carry a throttle, a refusal or an error; pages are followed to their end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from aiohttp import web
from pydantic import SecretStr

from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.fulfillments import CreateCall
from waybill_platforms.ports import ChannelConnection
from waybill_platforms.recording import about, recording
from waybill_platforms.shopify.client import open_channel
from waybill_platforms.shopify.graphql import UNCOUNTED
from waybill_platforms.shopify.settings import ShopifySettings

LATER, REFUSED, UNAUTHORIZED, UNREADABLE = Family.LATER, Family.REFUSED, Family.UNAUTHORIZED, Family.UNREADABLE
SINCE = datetime(2026, 11, 22, 9, tzinfo=UTC)
CALL = CreateCall(
    "gid://shopify/Order/1001", "loc", (("gid://shopify/LineItem/9", 2),), "UPS", ("1Z1",), None, {"x": 1}
)


@dataclass
class Shop:
    """Answers each question with the next of its answers (the last one again), and keeps the questions."""

    answers: list[Any] = field(default_factory=list)
    status: int = 200
    version: str | None = "2026-10"
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(orjson.loads(await request.read()))
        self.paths.append(request.path)
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        body = given if isinstance(given, str) else orjson.dumps(given).decode()
        headers = {"X-Shopify-API-Version": self.version} if self.version else {}
        return web.Response(status=self.status, text=body, content_type="application/json", headers=headers)


Open = Callable[..., Awaitable[tuple[ChannelConnection, Shop]]]


@pytest.fixture
async def shop(serve: Any, ledger: Any) -> AsyncIterator[Open]:
    """`await shop(answer, …)` -> a connection to a shop that answers so, and the shop."""
    opened: list[ChannelConnection] = []

    async def start(*answers: Any, prefix: str = "", **settings: Any) -> tuple[ChannelConnection, Shop]:
        one = Shop(list(answers), **settings)
        url = await serve(one.answer) + prefix
        connection = open_channel("acme", ShopifySettings(url=url, access_token=SecretStr("shpat_1")), ledger)
        opened.append(connection)
        return connection, one

    yield start
    for connection in opened:
        await connection.aclose()


@pytest.fixture(scope="session")
def payloads(load: Any) -> Any:
    return load("shopify_payloads")


def error(code: str | None, path: list[str] | None = None, **more: Any) -> dict[str, Any]:
    extensions = {} if code is None else {"code": code}
    return {"message": f"{code} happened", "extensions": extensions, **({"path": path} if path else {}), **more}


INVALID = {"message": "Field 'x' doesn't exist", "path": ["query WaybillOrder", "order", "x"],
           "extensions": {"code": "undefinedField", "typeName": "Order", "fieldName": "x"}}  # fmt: skip


@pytest.mark.parametrize(
    ("errors", "family", "cause", "outcome"),
    [
        ([error("THROTTLED")], LATER, "rate_limit", "none"),
        ([error("ACCESS_DENIED", ["fulfillmentCreate"])], UNAUTHORIZED, "unauthorized", "none"),
        (
            [error("ACCESS_DENIED", ["fulfillmentCreate", "fulfillment", "location"])],
            UNAUTHORIZED,
            "unauthorized",
            "unknown",
        ),
        ([error("MAX_COST_EXCEEDED")], REFUSED, "configuration", "none"),
        ([error("SHOP_INACTIVE")], LATER, "server", "none"),
        ([error("INTERNAL_SERVER_ERROR")], LATER, "server", "unknown"),
        ([error("NEW_CODE")], REFUSED, "configuration", "none"),
        ([error("NEW_CODE", ["fulfillmentCreate"])], LATER, "server", "unknown"),
        ([INVALID], REFUSED, "configuration", "none"),
        ([INVALID, error("INTERNAL_SERVER_ERROR")], REFUSED, "configuration", "unknown"),
        (["plain text"], LATER, "server", "unknown"),
        (
            "[API] Invalid API key or access token (unrecognized login or wrong password)",
            UNAUTHORIZED,
            "unauthorized",
            "none",
        ),
        ("Something else", REFUSED, "refused", "none"),
        ({"fulfillment": ["is wrong"]}, REFUSED, "refused", "none"),
    ],
)
async def test_errors_in_a_200_are_no_success(
    shop: Open, payloads: Any, errors: Any, family: Family, cause: str, outcome: str
) -> None:
    connection, _ = await shop(payloads.answer(None, errors=errors))
    with pytest.raises(PlatformError) as raised:
        await connection.writer.create(CALL)
    assert (raised.value.family, raised.value.cause, raised.value.outcome) == (family, cause, outcome)


async def test_half_an_answer_is_never_taken(shop: Open, payloads: Any) -> None:
    half = payloads.answer({"order": payloads.order()}, errors=[error("INTERNAL_SERVER_ERROR", ["order", "email"])])
    connection, _ = await shop(half)
    with pytest.raises(PlatformError):
        await connection.reader.get_order("gid://shopify/Order/1001")


@pytest.mark.parametrize("body", [{}, {"data": None}, [], {"data": []}, {"data": {"order": {"id": 7}}}])
async def test_json_of_another_form_is_unreadable(shop: Open, body: Any) -> None:
    connection, _ = await shop(body)
    with pytest.raises(PlatformError) as raised:
        await connection.reader.get_order("gid://shopify/Order/1001")
    assert (raised.value.family, raised.value.cause) == (UNREADABLE, "unreadable")


async def test_a_401_tells_its_text_and_pauses(shop: Open) -> None:
    connection, _ = await shop({"errors": "[API] Invalid API key or access token"}, status=401)
    with pytest.raises(PlatformError, match="Invalid API key") as raised:
        await connection.reader.list_changed(SINCE)
    assert raised.value.family is UNAUTHORIZED


async def test_a_throttle_says_how_long_and_every_replica_hears_it(shop: Open, payloads: Any, ledger: Any) -> None:
    cost = {"requestedQueryCost": 300, "actualQueryCost": None,
            "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 100, "restoreRate": 100}}  # fmt: skip
    connection, _ = await shop({"errors": [error("THROTTLED")], "extensions": {"cost": cost}})
    with pytest.raises(PlatformError) as raised:
        await connection.reader.list_changed(SINCE)
    assert raised.value.retry_after == 2.0
    assert ledger.blocks == [2.0]


async def test_the_shops_own_figures_correct_the_budget(shop: Open, payloads: Any, ledger: Any) -> None:
    connection, _ = await shop(payloads.answer({"order": payloads.order()}))
    await connection.reader.get_order("gid://shopify/Order/1001")
    await connection.reader.get_order("gid://shopify/Order/1001")
    assert ledger.corrections[0] == (1900.0, 100.0, None)
    assert ledger.draws[1] == ("acme", 30.0)  # what the first one really cost


async def test_user_errors_refuse_and_name_the_field(shop: Open, payloads: Any) -> None:
    refusal = {
        "field": ["fulfillment", "lineItems"],
        "message": "Invalid fulfillment order line item quantity requested.",
    }
    data = {"fulfillmentCreate": {"fulfillment": None, "userErrors": [refusal]}}
    connection, _ = await shop(payloads.answer(data))
    with (
        recording(shipment_ids=("s-1",)) as exchanges,
        pytest.raises(PlatformError, match="Invalid fulfillment") as raised,
    ):
        await connection.writer.create(CALL)
    assert (raised.value.family, raised.value.cause, raised.value.outcome) == (REFUSED, "refused", "none")
    event = exchanges[0].event("shipment-poller")
    assert (event.outcome, event.log_type, event.shipment_ids) == ("refused", "submit_fulfillment", ("s-1",))


async def test_a_refused_carrier_has_its_own_code(shop: Open, payloads: Any) -> None:
    refusal = {"field": ["fulfillment", "trackingInfo", "company"], "message": "is not a carrier"}
    connection, _ = await shop(payloads.answer({"fulfillmentCreate": {"fulfillment": None, "userErrors": [refusal]}}))
    with pytest.raises(PlatformError) as raised:
        await connection.writer.create(CALL)
    assert raised.value.code == "COURIER_REFUSED"


async def test_a_success_without_the_thing_made_is_of_unknown_outcome(shop: Open, payloads: Any) -> None:
    connection, _ = await shop(payloads.answer({"fulfillmentCreate": {"fulfillment": None, "userErrors": []}}))
    with pytest.raises(PlatformError) as raised:
        await connection.writer.create(CALL)
    assert raised.value.outcome == "unknown"


async def test_another_version_served_is_said(shop: Open, payloads: Any) -> None:
    connection, _ = await shop(payloads.answer({"order": None}), version="2027-01")
    assert await connection.reader.get_order("gid://shopify/Order/1") is None
    assert "2027-01" in connection.notices()[0]


async def test_an_ignored_filter_is_an_error_not_the_whole_shop(shop: Open, payloads: Any) -> None:
    page = payloads.answer({"orders": payloads.connection(payloads.order())})
    page["extensions"]["search"] = [
        {"path": ["orders"], "query": "q", "warnings": [{"field": "updated_at", "code": "x"}]}
    ]
    connection, _ = await shop(page)
    with pytest.raises(PlatformError) as raised:
        await connection.reader.list_changed(SINCE)
    assert raised.value.cause == "configuration"


async def test_the_list_asks_by_time_alone_sorted_by_it(shop: Open, payloads: Any) -> None:
    connection, asked = await shop(payloads.answer({"orders": payloads.connection()}), prefix="/shops/acme/")
    assert (await connection.reader.list_changed(SINCE)).next is None
    question = asked.asked[0]
    assert question["variables"]["query"] == "updated_at:>='2026-11-22T09:00:00Z'"
    assert "sortKey: UPDATED_AT" in question["query"]
    assert asked.paths == ["/shops/acme/admin/api/2026-10/graphql.json"]


async def test_pages_are_walked_by_their_cursor(shop: Open, payloads: Any) -> None:
    first = payloads.answer({"orders": payloads.connection(payloads.order(1), cursor="c|1")})
    connection, asked = await shop(first, payloads.answer({"orders": payloads.connection(payloads.order(2))}))
    page = await connection.reader.list_changed(SINCE)
    assert [order.number for order in page.orders] == ["#1"]
    page = await connection.reader.list_changed(SINCE, page.next)
    assert [order.number for order in page.orders] == ["#2"]
    assert asked.asked[1]["variables"]["after"] == "c|1"


async def test_a_walk_begins_anew_before_the_list_ends(shop: Open, payloads: Any) -> None:
    deep = payloads.answer({"orders": payloads.connection(payloads.order(1), cursor="c")})
    connection, asked = await shop(deep)
    page = await connection.reader.list_changed(SINCE, f"19999|{SINCE.isoformat()}|c0")
    await connection.reader.list_changed(SINCE, page.next)
    assert asked.asked[1]["variables"]["after"] is None
    assert asked.asked[1]["variables"]["query"] == "updated_at:>='2026-11-22T09:30:00Z'"


async def test_one_order_that_cannot_be_read_does_not_hide_its_neighbours(shop: Open, payloads: Any) -> None:
    odd = payloads.order(7, currentTotalPriceSet=None)
    nodes = payloads.connection(payloads.order(6), odd, payloads.order(8))
    connection, _ = await shop(payloads.answer({"orders": nodes}))
    page = await connection.reader.list_changed(SINCE)
    assert [order.number for order in page.orders] == ["#6", "#8"]
    assert "#7" in page.problems[0]
    assert "currentTotalPriceSet" in page.problems[0]


async def test_a_page_that_is_too_dear_is_asked_again_smaller(shop: Open, payloads: Any) -> None:
    dear = {"errors": [error("MAX_COST_EXCEEDED")]}
    connection, asked = await shop(dear, dear, payloads.answer({"orders": payloads.connection(payloads.order())}))
    assert len((await connection.reader.list_changed(SINCE)).orders) == 1
    assert [question["variables"]["first"] for question in asked.asked] == [35, 17, 8]


async def test_all_lines_of_a_long_order_are_read(shop: Open, payloads: Any) -> None:
    long = payloads.order(lines=payloads.connection(payloads.line(1), cursor="l1"))
    more = {"updatedAt": long["updatedAt"], "lineItems": payloads.connection(payloads.line(2), cursor="l2")}
    last = {"updatedAt": long["updatedAt"], "lineItems": payloads.connection(payloads.line(3))}
    connection, asked = await shop(*(payloads.answer({"order": part}) for part in (long, more, last)))
    order = await connection.reader.get_order("gid://shopify/Order/1001")
    assert order is not None
    assert [line.line_id[-1] for line in order.lines] == ["1", "2", "3"]
    assert [question["variables"].get("after") for question in asked.asked] == [None, "l1", "l2"]


async def test_an_order_that_changes_while_it_is_paged_is_read_again(shop: Open, payloads: Any) -> None:
    long = payloads.order(lines=payloads.connection(payloads.line(1), cursor="l1"))
    later = {"updatedAt": "2026-11-22T09:30:01Z", "lineItems": payloads.connection(payloads.line(2))}
    now = payloads.order(updatedAt="2026-11-22T09:30:01Z", lines=payloads.connection(payloads.line(1, quantity=1)))
    connection, _ = await shop(*(payloads.answer({"order": part}) for part in (long, later, now)))
    order = await connection.reader.get_order("gid://shopify/Order/1001")
    assert order is not None
    assert [line.quantity for line in order.lines] == [1]


async def test_what_is_owed_of_an_ambiguous_order_comes_from_its_fulfillment_orders(shop: Open, payloads: Any) -> None:
    lines = payloads.connection(payloads.line(9, quantity=5, currentQuantity=4, unfulfilledQuantity=3))
    order = payloads.order(lines=lines, displayFulfillmentStatus="PARTIALLY_FULFILLED")
    parcels = payloads.shipping([payloads.parcel(1, (9, 2), status="ON_HOLD")])
    connection, _ = await shop(payloads.answer({"order": order}), payloads.answer({"order": parcels}))
    read = await connection.reader.get_order("gid://shopify/Order/1001")
    assert read is not None
    assert (read.lines[0].canceled, read.lines[0].fulfillable) == (1, 2)


async def test_every_page_of_fulfillment_orders_and_fulfillments_is_read(shop: Open, payloads: Any) -> None:
    cut = payloads.parcel(1, (9, 1))
    cut["lineItems"]["pageInfo"] = {"hasNextPage": True, "endCursor": "p1"}
    records = [payloads.record(i, (9, 1), status="CANCELLED") for i in range(15)]
    records[0]["fulfillmentLineItems"]["pageInfo"]["hasNextPage"] = True
    first = payloads.shipping(payloads.connection(cut, cursor="f1"), records)
    second = payloads.shipping([payloads.parcel(2, (11, 4))], [])
    connection, asked = await shop(
        payloads.answer({"order": first}),
        payloads.answer({"fulfillmentOrder": {"lineItems": payloads.parcel(1, (10, 2))["lineItems"]}}),
        payloads.answer({"order": second}),
        payloads.answer({"order": {"fulfillments": [{"id": f"gid://shopify/Fulfillment/{i}"} for i in range(16)]}}),
        payloads.answer({"nodes": [payloads.record(15, (9, 1))]}),
        payloads.answer({"fulfillment": payloads.record(0, (9, 1), (10, 7))}),
    )
    state = await connection.writer.read("gid://shopify/Order/1001")
    assert state is not None
    assert {line[-2:].strip("/"): pieces for line, pieces in state.remaining.items()} == {"9": 1, "10": 2, "11": 4}
    assert len(state.fulfillments) == 16
    assert dict(state.fulfillments[0].lines)["gid://shopify/LineItem/10"] == 7
    assert asked.asked[4]["variables"]["ids"] == ["gid://shopify/Fulfillment/15"]


async def test_a_read_back_can_be_recorded_as_such(shop: Open, payloads: Any) -> None:
    connection, _ = await shop(payloads.answer({"order": payloads.shipping([])}))
    with recording() as exchanges, about("find_fulfillment"):
        await connection.writer.read("gid://shopify/Order/1001")
    event = exchanges[0].event("shipment-poller")
    assert (event.log_type, event.outcome, event.status) == ("find_fulfillment", "ok", 200)
    assert event.request_headers["x-shopify-access-token"] == "[redacted]"
    assert "WaybillFulfillments" in event.request_body


async def test_a_server_that_names_no_costs_is_not_slowed_by_ours(shop: Open, payloads: Any, ledger: Any) -> None:
    connection, _ = await shop({"data": {"order": None}})
    for _ in range(2):
        await connection.reader.get_order("gid://shopify/Order/1")
    first, second = (cost for _, cost in ledger.draws)
    assert second <= UNCOUNTED < first
