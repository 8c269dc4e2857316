"""What BigCommerce answers, and what we make of it: 204, errors as lists and objects, its own rate limit headers, a
store that includes nothing, a shipment that is withdrawn."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from waybill_common.retry import Family
from waybill_contracts.values import Address
from waybill_platforms.bigcommerce.client import open_channel, open_source
from waybill_platforms.bigcommerce.settings import BigCommerceSettings
from waybill_platforms.errors import PlatformError
from waybill_platforms.model.fulfillments import CreateCall
from waybill_platforms.model.requests import OpenRequest, SourceRequest, SourceRequestLine
from waybill_platforms.recording import recording

EVER = datetime(2000, 1, 1, tzinfo=UTC)
LIMITS = {
    "X-Rate-Limit-Requests-Left": "149",
    "X-Rate-Limit-Requests-Quota": "150",
    "X-Rate-Limit-Time-Reset-Ms": "12000",
    "X-Rate-Limit-Time-Window-Ms": "30000",
}


@pytest.fixture
def payloads(load: Callable[[str], Any]) -> Any:
    return load("bigcommerce_payloads")


class Scripted:
    """`{(method, path): answers}`; the last answer repeats. Keeps what was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[web.Response | Callable[[], web.Response]]] = {}
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []

    def on(self, method: str, path: str, *answers: Any) -> None:
        self.answers[method, path] = list(answers)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path, dict(request.query), body))
        known = self.answers.get((request.method, request.path))
        if known is None:
            return web.json_response([{"status": 404, "message": "The requested resource was not found."}], status=404)
        made = known.pop(0) if len(known) > 1 else known[0]
        status, content, headers = made if isinstance(made, tuple) else (200, made, {})
        if content is None:
            return web.Response(status=status, headers=headers)
        if isinstance(content, str):
            return web.Response(status=status, text=content, content_type="text/html", headers=headers)
        return web.json_response(content, status=status, headers=headers)

    def paths(self, method: str = "GET") -> list[str]:
        return [path for verb, path, _, _ in self.asked if verb == method]


@pytest.fixture
def script() -> Scripted:
    return Scripted()


@pytest.fixture
async def settings(serve: Any, script: Scripted) -> BigCommerceSettings:
    return BigCommerceSettings(url=await serve(script.handle), access_token=SecretStr("a-token-of-the-account"))


@pytest.fixture
async def shop(settings: BigCommerceSettings, ledger: Any) -> AsyncIterator[Any]:
    connection = open_channel("acme-bc", settings, ledger)
    yield connection
    await connection.aclose()


@pytest.fixture
async def supplier(settings: BigCommerceSettings, ledger: Any) -> AsyncIterator[Any]:
    connection = open_source("south", settings, ledger)
    yield connection
    await connection.aclose()


# -- lists


async def test_the_end_of_a_list_is_204_with_an_empty_body(shop: Any, script: Scripted) -> None:
    script.on("GET", "/v2/orders", (204, None, {}))
    page = await shop.reader.list_changed(EVER)
    assert (page.orders, page.next) == ((), None)


async def test_an_order_with_its_consignments_costs_no_call_of_its_own(
    shop: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v2/orders", [payloads.order(129), payloads.order(130)])
    page = await shop.reader.list_changed(EVER, limit=50)
    assert [len(order.lines) for order in page.orders] == [1, 1]
    ((_, _, query, _),) = script.asked
    assert query["include"] == "consignments,consignments.line_items"
    assert query["consignment_structure"] == "object"
    assert query["sort"] == "date_modified:asc"


async def test_a_limit_above_250_is_413_so_it_is_never_asked_for(shop: Any, script: Scripted) -> None:
    script.on("GET", "/v2/orders", (204, None, {}))
    await shop.reader.list_changed(EVER, limit=1000)
    assert script.asked[0][2]["limit"] == "250"


async def test_an_order_has_no_lines_and_no_address_unless_two_more_lists_are_read(
    shop: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v2/orders/129", payloads.order(consignments=payloads.LINKED))
    script.on("GET", "/v2/orders/129/products", [payloads.line()])
    script.on("GET", "/v2/orders/129/shipping_addresses", [payloads.address()])
    order = await shop.reader.get_order("129")
    assert (order.lines[0].line_id, order.addresses[0].country) == ("5", "US")
    assert len(script.asked) == 3


async def test_included_lines_that_were_cut_are_read_to_their_end(shop: Any, script: Scripted, payloads: Any) -> None:
    lines = [payloads.line(number, quantity=1) for number in range(1, 301)]
    script.on("GET", "/v2/orders/129", payloads.order(129, payloads.consignment(*lines[:50]), items_total=300))
    script.on("GET", "/v2/orders/129/products", lines[:250], lines[250:])
    order = await shop.reader.get_order("129")
    assert [line.line_id for line in order.lines] == [str(number) for number in range(1, 301)]
    assert [query["page"] for _, path, query, _ in script.asked if path.endswith("products")] == ["1", "2"]


async def test_a_list_that_ignores_its_page_has_an_end(shop: Any, script: Scripted, payloads: Any) -> None:
    lines = [payloads.line(number, quantity=1) for number in range(1, 251)]
    script.on("GET", "/v2/orders/129", payloads.order(consignments=payloads.LINKED))
    script.on("GET", "/v2/orders/129/products", lines)
    script.on("GET", "/v2/orders/129/shipping_addresses", [payloads.address()])
    assert len((await shop.reader.get_order("129")).lines) == 250


async def test_an_abandoned_payment_page_is_never_listed_and_never_importable(
    shop: Any, script: Scripted, payloads: Any
) -> None:
    incomplete = payloads.order(130, status_id=0, status="Incomplete", payment_status="")
    script.on("GET", "/v2/orders", [payloads.order(129), incomplete])
    script.on("GET", "/v2/orders/130", incomplete)
    assert [order.id for order in (await shop.reader.list_changed(EVER)).orders] == ["129"]
    announced = await shop.reader.get_order("130")  # webhooks announce it, and people ask for its number
    assert (announced.fulfillment, announced.payment, announced.raw_status) == ("unknown", "pending", "Incomplete/-")
    assert announced.problems == ()


async def test_an_order_that_cannot_be_read_does_not_hide_its_neighbours(
    shop: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v2/orders", [payloads.order(129, date_modified="soon"), payloads.order(130)])
    page = await shop.reader.list_changed(EVER)
    assert [order.id for order in page.orders] == ["130"]
    assert "order 129" in page.problems[0]
    assert "date_modified" in page.problems[0]


async def test_an_order_whose_own_lists_cannot_be_read_hides_no_other(
    shop: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v2/orders", [payloads.order(129, consignments=payloads.LINKED), payloads.order(130)])
    script.on("GET", "/v2/orders/129/products", [payloads.line(quantity=1.5)])
    page = await shop.reader.list_changed(EVER)
    assert [order.id for order in page.orders] == ["130"]
    assert "order 129: quantity" in page.problems[0]


async def test_shipments_of_an_order_that_cannot_be_read_hide_those_of_no_other(
    supplier: Any, script: Scripted, payloads: Any
) -> None:
    """Nor are they taken for withdrawn: what that order has is not known whole."""
    both = [payloads.order(n, external_order_id=f"S-{n}", items_shipped=3) for n in (501, 502)]
    script.on("GET", "/v2/orders", both)
    script.on("GET", "/v2/orders/501/shipments", [payloads.shipment(30, order_id=501, date_created="soon")])
    script.on("GET", "/v2/orders/502/shipments", [payloads.shipment(31, order_id=502)])
    page = await supplier.shipments.list_shipments(None, [OpenRequest(f"S-{n}", str(n)) for n in (501, 502)])
    assert ([one.id for one in page.shipments], page.whole) == (["502/31"], ("S-502",))
    assert "order 501: date_created" in page.problems[0]


async def test_a_store_that_ignores_the_sorting_is_an_error(shop: Any, script: Scripted, payloads: Any) -> None:
    late, early = payloads.order(1), payloads.order(2, date_modified="Sat, 21 Nov 2026 09:30:00 +0000")
    script.on("GET", "/v2/orders", [late, early])
    with pytest.raises(PlatformError, match="ignored") as raised:
        await shop.reader.list_changed(EVER, limit=2)
    assert raised.value.cause == "configuration"


@pytest.mark.parametrize("number", ["#129", "129", " 129 "])
async def test_an_orders_number_is_its_id(shop: Any, script: Scripted, payloads: Any, number: str) -> None:
    script.on("GET", "/v2/orders/129", payloads.order())
    assert (await shop.reader.find_by_number(number)).id == "129"
    assert await shop.reader.find_by_number("129-B") is None


# -- failures

FAILURES = [
    (401, {"status": 401, "title": "Unauthorized"}, Family.UNAUTHORIZED, "unauthorized", "none"),
    (403, [{"status": 403, "message": "Your scope does not allow it"}], Family.UNAUTHORIZED, "unauthorized", "none"),
    (400, [{"status": 400, "message": "The field 'x' is invalid."}], Family.REFUSED, "refused", "none"),
    (409, [{"status": 409, "message": "conflict"}], Family.REFUSED, "refused", "none"),
    (413, [{"status": 413, "message": "limit"}], Family.REFUSED, "refused", "none"),
    (415, [{"status": 415, "message": "type"}], Family.REFUSED, "refused", "none"),
    (422, {"status": 422, "title": "invalid", "errors": {"sku": "blank"}}, Family.REFUSED, "refused", "none"),
    (423, [{"status": 423, "message": "locked"}], Family.LATER, "server", "none"),
    (429, "too many", Family.LATER, "rate_limit", "none"),
    (500, [{"status": 500, "message": "oops"}], Family.LATER, "server", "unknown"),
    (503, "<html>maintenance</html>", Family.LATER, "server", "unknown"),
    (507, [{"status": 507, "message": "plan"}], Family.REFUSED, "configuration", "none"),
]


@pytest.mark.parametrize(("status", "content", "family", "cause", "outcome"), FAILURES)
async def test_each_failure_has_its_family_cause_and_outcome(
    shop: Any, script: Scripted, status: int, content: Any, family: Family, cause: str, outcome: str
) -> None:
    script.on("POST", "/v2/orders/129/shipments", (status, content, {}))
    call = CreateCall("129", "20", (("5", 1),), "ups", ("1Z1",), None, {"order_address_id": 20, "items": []})
    with pytest.raises(PlatformError) as raised:
        await shop.writer.create(call)
    assert (raised.value.family, raised.value.cause, raised.value.outcome) == (family, cause, outcome)


async def test_an_error_is_a_list_in_v2_and_an_object_in_v3(shop: Any, script: Scripted) -> None:
    v2 = [{"status": 400, "message": "A required field was not supplied", "details": {"missing": "items"}}]
    script.on("GET", "/v2/orders", (400, v2, {}), (400, {"status": 400, "title": "Bad", "errors": {"sku": "no"}}, {}))
    with pytest.raises(PlatformError, match=r"A required field was not supplied \(missing: items\)"):
        await shop.reader.list_changed(EVER)
    with pytest.raises(PlatformError, match=r"Bad \(sku: no\)"):
        await shop.reader.list_changed(EVER)


async def test_a_404_of_somebody_else_is_an_error_and_not_a_missing_order(shop: Any, script: Scripted) -> None:
    assert await shop.reader.get_order("999") is None
    script.on("GET", "/v2/orders/129", (404, "<html>nginx</html>", {}))
    with pytest.raises(PlatformError) as raised:
        await shop.reader.get_order("129")
    assert raised.value.cause == "configuration"


async def test_json_of_another_form_is_for_a_person(shop: Any, script: Scripted) -> None:
    script.on("GET", "/v2/orders", {"orders": []})
    with pytest.raises(PlatformError) as raised:
        await shop.reader.list_changed(EVER)
    assert raised.value.family is Family.UNREADABLE


# -- the store's quota


async def test_headers_tell_the_budget_what_is_left(shop: Any, script: Scripted, ledger: Any) -> None:
    script.on("GET", "/v2/orders", (204, None, LIMITS))
    await shop.reader.list_changed(EVER)
    assert ledger.corrections == [(149.0, 5.0, None)]


async def test_another_quota_is_learned_and_an_empty_one_waits_for_its_window(
    shop: Any, script: Scripted, ledger: Any
) -> None:
    spent = {**LIMITS, "X-Rate-Limit-Requests-Quota": "450", "X-Rate-Limit-Requests-Left": "0"}
    script.on("GET", "/v2/orders", (204, None, spent))
    await shop.reader.list_changed(EVER)
    assert ledger.corrections == [(0.0, 15.0, 450.0)]
    assert ledger.blocks == [12.0]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-Retry-After": "7", "X-Rate-Limit-Time-Reset-Ms": "12000"}, 12.0),
        ({"X-Retry-After": "15", "X-Rate-Limit-Time-Reset-Ms": "12000"}, 15.0),
        ({"x-retry-after": "3"}, 3.0),
        ({"X-Rate-Limit-Time-Reset-Ms": "2500"}, 2.5),
        ({"Retry-After": "4", "X-Retry-After": "2"}, 4.0),
        ({"X-Retry-After": "", "X-Rate-Limit-Time-Reset-Ms": "soon"}, None),
        ({}, None),
    ],
)
async def test_of_two_waits_the_longer_counts(
    shop: Any, script: Scripted, ledger: Any, headers: dict[str, str], wait: float | None
) -> None:
    script.on("GET", "/v2/orders", (429, [{"status": 429, "message": "Too many"}], headers))
    with pytest.raises(PlatformError) as raised:
        await shop.reader.list_changed(EVER)
    assert raised.value.retry_after == wait
    assert ledger.blocks == [wait if wait is not None else 1.5]  # without headers it is load: back off


async def test_headers_that_are_no_numbers_are_left_alone(shop: Any, script: Scripted, ledger: Any) -> None:
    script.on("GET", "/v2/orders", (204, None, {**LIMITS, "X-Rate-Limit-Requests-Left": "NaN"}))
    await shop.reader.list_changed(EVER)
    assert ledger.corrections == []


# -- fulfillments


async def test_a_withdrawn_shipment_leaves_the_order_shipped_so_its_status_is_put_back_first(
    shop: Any, script: Scripted, payloads: Any
) -> None:
    done = payloads.consignment(payloads.line(quantity_shipped=3))
    script.on("GET", "/v2/orders/129", payloads.order(129, done, status_id=2))
    script.on("GET", "/v2/orders/129/shipments", [payloads.shipment(31)])
    script.on("PUT", "/v2/orders/129", payloads.order())
    script.on("DELETE", "/v2/orders/129/shipments/31", (204, None, {}))
    await shop.writer.cancel("129/31")
    effects = [(method, path, body) for method, path, _, body in script.asked if method != "GET"]
    assert effects == [
        ("PUT", "/v2/orders/129", {"status_id": 11}),
        ("DELETE", "/v2/orders/129/shipments/31", None),
    ]


async def test_an_order_of_which_a_part_stays_shipped_is_partially_shipped(
    shop: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v2/orders/129", payloads.order(status_id=2))
    script.on("GET", "/v2/orders/129/shipments", [payloads.shipment(31, (5, 1)), payloads.shipment(32, (5, 2))])
    script.on("PUT", "/v2/orders/129", payloads.order())
    script.on("DELETE", "/v2/orders/129/shipments/31", (204, None, {}))
    await shop.writer.cancel("129/31")
    assert ("PUT", "/v2/orders/129", {}, {"status_id": 3}) in script.asked


@pytest.mark.parametrize("status", [11, 3, 5, 14])
async def test_a_status_that_does_not_say_shipped_is_left_alone(
    shop: Any, script: Scripted, payloads: Any, status: int
) -> None:
    script.on("GET", "/v2/orders/129", payloads.order(status_id=status))
    script.on("GET", "/v2/orders/129/shipments", [payloads.shipment(31, (5, 1)), payloads.shipment(32, (5, 2))])
    script.on("DELETE", "/v2/orders/129/shipments/31", (204, None, {}))
    await shop.writer.cancel("129/31")
    assert script.paths("PUT") == []


async def test_while_the_status_cannot_be_put_back_the_shipment_stays(
    shop: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v2/orders/129", payloads.order(status_id=2))
    script.on("GET", "/v2/orders/129/shipments", [payloads.shipment(31)])
    script.on("PUT", "/v2/orders/129", (500, [{"status": 500, "message": "oops"}], {}))
    with pytest.raises(PlatformError):
        await shop.writer.cancel("129/31")
    assert script.paths("DELETE") == []


async def test_withdrawing_what_is_gone_already_is_done(shop: Any, script: Scripted, payloads: Any) -> None:
    script.on("GET", "/v2/orders/129", payloads.order())
    await shop.writer.cancel("129/31")
    assert script.paths("DELETE") == ["/v2/orders/129/shipments/31"]


async def test_never_are_all_shipments_or_orders_deleted(shop: Any, script: Scripted, payloads: Any) -> None:
    script.on("GET", "/v2/orders/129", payloads.order())
    with pytest.raises(ValueError, match="unpack"):
        await shop.writer.cancel("129")
    assert script.asked == []


async def test_a_carrier_that_the_store_refuses_is_named_so(shop: Any, script: Scripted) -> None:
    refused = [{"status": 400, "message": "The field 'tracking_carrier' is invalid."}]
    script.on("POST", "/v2/orders/129/shipments", (400, refused, {}))
    call = CreateCall("129", "20", (("5", 1),), "no-such-slug", ("1Z1",), None, {"items": []})
    with pytest.raises(PlatformError) as raised:
        await shop.writer.create(call)
    assert raised.value.code == "COURIER_REFUSED"


async def test_a_number_of_more_than_50_characters_is_not_sent(shop: Any, script: Scripted) -> None:
    call = CreateCall("129", "20", (("5", 1),), "ups", ("1" * 51,), None, {"items": []})
    with pytest.raises(PlatformError, match="51 characters") as raised:
        await shop.writer.create(call)
    assert (raised.value.family, script.asked) == (Family.REFUSED, [])


# -- requests


def request(*skus: str) -> SourceRequest:
    lines = tuple(SourceRequestLine(f"{n}/9", sku, 1) for n, sku in enumerate(skus or ("LAMP-1",)))
    return SourceRequest("S-1001", "#1001", lines, Address(name="Zoë", country="US"), None, "USD")


def variant(number: int, sku: str) -> dict[str, Any]:
    return {"id": number, "product_id": number + 100, "sku": sku}


@pytest.mark.parametrize("status", [200, 201])
async def test_the_spec_says_200_and_real_stores_answer_201(
    supplier: Any, script: Scripted, payloads: Any, status: int
) -> None:
    script.on("GET", "/v3/catalog/variants", payloads.page(variant(93, "LAMP-1")))
    script.on("POST", "/v2/orders", (status, payloads.order(500, external_order_id="S-1001"), {}))
    made = await supplier.sink.submit(request())
    assert (made.platform_id, made.is_for(request())) == ("500", True)


async def test_skus_are_looked_up_together_and_only_once(supplier: Any, script: Scripted, payloads: Any) -> None:
    found = payloads.page(variant(93, "lamp-1"), variant(94, "CHAIR"), variant(95, "LAMP-10"))
    script.on("GET", "/v3/catalog/variants", found)
    script.on("POST", "/v2/orders", payloads.order(500, external_order_id="S-1001"))
    await supplier.sink.submit(request("LAMP-1", "CHAIR"))
    await supplier.sink.submit(request("CHAIR"))
    assert script.paths().count("/v3/catalog/variants") == 1
    assert script.asked[0][2]["sku:in"] == "CHAIR,LAMP-1"
    assert [one["variant_id"] for one in script.asked[1][3]["products"]] == [93, 94]


async def test_an_unknown_sku_is_refused_before_anything_is_made(
    supplier: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v3/catalog/variants", payloads.page(variant(95, "LAMP-10")))
    with pytest.raises(PlatformError, match="LAMP-1") as raised:
        await supplier.sink.submit(request())
    assert (raised.value.code, raised.value.outcome) == ("unknown_sku", "none")
    assert script.paths("POST") == []


async def test_after_a_refusal_skus_are_looked_up_anew(supplier: Any, script: Scripted, payloads: Any) -> None:
    script.on("GET", "/v3/catalog/variants", payloads.page(variant(93, "LAMP-1")))
    gone = (400, [{"status": 400, "message": "The field 'product_id' is invalid."}], {})
    script.on("POST", "/v2/orders", gone, payloads.order(500, external_order_id="S-1001"))
    with pytest.raises(PlatformError):
        await supplier.sink.submit(request())
    await supplier.sink.submit(request())
    assert script.paths().count("/v3/catalog/variants") == 2


async def test_only_an_order_with_exactly_our_reference_is_ours(supplier: Any, script: Scripted, payloads: Any) -> None:
    script.on("GET", "/v2/orders", [payloads.order(1, external_order_id="S-10012"), payloads.order(2)])
    assert await supplier.sink.find("S-1001") is None


async def test_two_orders_under_one_reference_are_said(supplier: Any, script: Scripted, payloads: Any) -> None:
    script.on("GET", "/v2/orders", [payloads.order(n, external_order_id="S-1001") for n in (1, 2)])
    with pytest.raises(PlatformError, match="orders 1, 2") as raised:
        await supplier.sink.find("S-1001")
    assert raised.value.code == "reference_conflict"


async def test_a_recall_is_refused_once_something_has_left(supplier: Any, script: Scripted, payloads: Any) -> None:
    script.on("GET", "/v2/orders/500", payloads.order(500, external_order_id="S-1001", items_shipped=1))
    assert (await supplier.sink.cancel("500", "S-1001")).result == "refused"
    assert script.paths("PUT") == []


async def test_a_recall_that_meets_a_shipment_under_way_is_refused(
    supplier: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v2/orders/500", payloads.order(500, external_order_id="S-1001"))
    script.on("PUT", "/v2/orders/500", payloads.order(500, status_id=5, items_shipped=3))
    assert (await supplier.sink.cancel("500", "S-1001")).result == "refused"


async def test_a_recall_of_another_orders_id_touches_nothing(supplier: Any, script: Scripted, payloads: Any) -> None:
    script.on("GET", "/v2/orders/500", payloads.order(500, external_order_id="X-7"))
    assert (await supplier.sink.cancel("500", "S-1001")).result == "pending"
    assert script.paths("PUT") == []


# -- shipments of a source


async def test_open_requests_are_looked_at_in_ranges_and_shipments_read_where_something_left(
    supplier: Any, script: Scripted, payloads: Any
) -> None:
    shipped = payloads.order(501, external_order_id="S-2", items_shipped=3)
    script.on("GET", "/v2/orders", [payloads.order(500, external_order_id="S-1"), payloads.order(502), shipped])
    script.on("GET", "/v2/orders/501/shipments", [payloads.shipment(31, order_id=501)])
    open_requests = [OpenRequest(f"S-{n}", f"{499 + n}") for n in (1, 2, 3)]
    page = await supplier.shipments.list_shipments(None, open_requests)
    assert [(one.id, one.reference, one.status) for one in page.shipments] == [("501/31", "S-2", "shipped")]
    assert script.paths() == ["/v2/orders", "/v2/orders/501/shipments"]
    assert script.asked[0][2]["min_id"] == "500"
    assert script.asked[0][2]["max_id"] == "502"
    assert sorted(page.whole) == ["S-1", "S-2"]  # 502 carries no reference of ours, so it says nothing


async def test_a_request_whose_id_is_unknown_is_looked_for_by_reference(
    supplier: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v2/orders", [payloads.order(501, external_order_id="S-2", items_shipped=3)])
    script.on("GET", "/v2/orders/501/shipments", [payloads.shipment(31, order_id=501)])
    page = await supplier.shipments.list_shipments(None, [OpenRequest("S-2", None)])
    assert [one.platform_id for one in page.shipments] == ["501"]
    assert script.asked[0][2]["external_order_id"] == "S-2"


async def test_nothing_open_costs_no_call(supplier: Any, script: Scripted) -> None:
    page = await supplier.shipments.list_shipments(EVER, [])
    assert (page.shipments, page.next, script.asked) == ((), None, [])


# -- stock, catalogue, probe


async def test_stock_is_summed_over_enabled_locations_and_the_uncounted_is_none(
    supplier: Any, script: Scripted, payloads: Any
) -> None:
    item = {
        "identity": {"sku": "LAMP-1", "variant_id": 93},
        "locations": [
            {"location_id": 1, "available_to_sell": 4, "location_enabled": True},
            {"location_id": 2, "available_to_sell": 3, "location_enabled": True},
            {"location_id": 3, "available_to_sell": 90, "location_enabled": False},
        ],
    }
    script.on("GET", "/v3/inventory/items", payloads.page(item))
    script.on("GET", "/v3/catalog/variants", payloads.page(variant(94, "CHAIR")))
    page = await supplier.stock.levels(["LAMP-1", "CHAIR", "GHOST"])
    assert [(level.sku, level.on_hand) for level in page.levels] == [("LAMP-1", 7), ("CHAIR", None)]
    assert "GHOST" in page.problems[0]
    assert page.next is None


async def test_all_stock_is_walked_page_by_page(supplier: Any, script: Scripted, payloads: Any) -> None:
    entries = [{"identity": {"sku": f"S{n}"}, "locations": [{"available_to_sell": n}]} for n in (1, 2)]
    script.on(
        "GET", "/v3/inventory/items", payloads.page(entries[0], pages=2), payloads.page(entries[1], at=2, pages=2)
    )
    first = await supplier.stock.levels([])
    second = await supplier.stock.levels([], first.next)
    assert [level.on_hand for level in (*first.levels, *second.levels)] == [1, 2]
    assert second.next is None


async def test_each_variant_is_a_product_to_be_mapped(shop: Any, script: Scripted, payloads: Any) -> None:
    blue = {**variant(93, "LAMP-B"), "option_values": [{"label": "Blue"}, {"label": "Large"}]}
    product = {"id": 77, "name": "Lamp", "sku": "LAMP", "variants": [blue, variant(94, "")]}
    script.on("GET", "/v3/catalog/products", payloads.page(product))
    page = await shop.catalogue.products()
    assert [(one.id, one.sku, one.title) for one in page.products] == [
        ("93", "LAMP-B", "Lamp (Blue, Large)"), ("94", "", "Lamp"),
    ]  # fmt: skip


async def test_shipping_methods_of_all_zones_are_named_once(shop: Any, script: Scripted) -> None:
    script.on("GET", "/v2/shipping/zones", [{"id": 1, "name": "US"}, {"id": 2, "name": "Rest"}])
    script.on("GET", "/v2/shipping/zones/1/methods", [{"name": "Standard"}, {"name": "Express"}])
    script.on("GET", "/v2/shipping/zones/2/methods", (204, None, {}))
    assert await shop.catalogue.shipping_methods() == ("Standard", "Express")


STORE = {"id": "abc123", "status": "live", "currency": "USD", "timezone": {"name": "America/Chicago"}}


async def test_a_probe_says_what_the_store_is_and_what_may_not_be_read(
    supplier: Any, script: Scripted, payloads: Any
) -> None:
    script.on("GET", "/v2/store", (200, STORE, LIMITS))
    script.on("GET", "/v2/orders", (204, None, LIMITS))
    script.on("GET", "/v3/catalog/variants", (403, {"status": 403, "title": "scope"}, {}))
    script.on("GET", "/v3/inventory/items", payloads.page())
    script.on("GET", "/v3/hooks", payloads.page())
    probe = await supplier.prober.probe()
    assert (probe.version, probe.timezone, probe.currency, probe.usable) == ("V2", "America/Chicago", "USD", False)
    missing = [finding for finding in probe.findings if finding.severity == "missing"]
    assert ["Products: read-only" in finding.fix for finding in missing] == [True]
    assert probe.scopes == ("store_v2_orders_read_only", "store_inventory_read_only")
    assert any("150 calls in 30 s" in finding.message for finding in probe.findings)


async def test_a_wrong_token_is_one_finding(shop: Any, script: Scripted) -> None:
    script.on("GET", "/v2/store", (401, {"status": 401, "title": "Unauthorized"}, {}))
    probe = await shop.prober.probe()
    assert [finding.code for finding in probe.findings] == ["unauthorized"]
    assert len(script.asked) == 1


async def test_what_a_store_does_not_have_is_a_finding_of_the_probe(shop: Any, script: Scripted, payloads: Any) -> None:
    script.on("GET", "/v2/store", {"id": "abc123", "status": "live", "currency": "USD"})
    script.on("GET", "/v2/orders", [payloads.order()])
    found = {finding.message: finding for finding in (await shop.prober.probe()).findings}
    zones = found["HTTP 404: its shipping methods cannot be listed for mapping"]
    assert (zones.severity, "API path" in zones.fix) == ("warning", True)
    assert not any(finding.severity == "missing" for finding in found.values())


async def test_a_probe_finds_hooks_that_were_switched_off(shop: Any, script: Scripted, payloads: Any) -> None:
    hook = {"id": 1, "scope": "store/order/created", "destination": "https://hub.example/", "is_active": False}
    script.on("GET", "/v2/store", {**STORE, "status": "pre_launch"})
    for path in ("/v2/orders", "/v2/shipping/zones"):
        script.on("GET", path, (204, None, {}))
    script.on("GET", "/v3/catalog/products", payloads.page())
    script.on("GET", "/v3/hooks", payloads.page(hook))
    codes = {finding.code for finding in (await shop.prober.probe()).findings}
    assert {"hooks_off", "store_not_live"} <= codes


# -- secrets


async def test_no_secret_reaches_a_record_or_an_error(shop: Any, script: Scripted) -> None:
    script.on("GET", "/v2/orders", (400, [{"status": 400, "message": "bad a-token-of-the-account"}], {}))
    with recording() as made, pytest.raises(PlatformError) as raised:
        await shop.reader.list_changed(EVER)
    assert "a-token-of-the-account" not in str(raised.value)
    assert "a-token-of-the-account" not in made[0].event("test").model_dump_json()


@pytest.mark.parametrize("pasted", ["https://api.example/stores/abc123", "https://api.example/stores/abc123/v3/"])
def test_the_api_path_is_taken_as_the_control_panel_shows_it(pasted: str) -> None:
    settings = BigCommerceSettings.of("acme-bc", pasted, {"access_token": "x"})
    assert (settings.url, settings.store_hash) == ("https://api.example/stores/abc123", "abc123")


def test_a_missing_token_is_said() -> None:
    with pytest.raises(ValueError, match=r"credentials\.access_token"):
        BigCommerceSettings.of("acme-bc", "https://api.example/stores/abc123", {})
