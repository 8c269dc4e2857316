"""Magento's words in ours: amounts, states, the row that ships, the body of a shipment. Traps by their names."""

from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill_contracts.values import Address
from waybill_platforms.errors import NotFulfillable
from waybill_platforms.magento import cart, fulfilling, mapping, placed, search, shipments, signing, wire
from waybill_platforms.magento.messages import described, filled
from waybill_platforms.magento.rows import bundles
from waybill_platforms.magento.settings import MagentoSettings
from waybill_platforms.model.fulfillments import FulfillmentDraft
from waybill_platforms.model.requests import SourceRequest, SourceRequestLine

UNKNOWN: dict[int, bool] = {}
TOGETHER, APART = {77: False}, {77: True}


@pytest.fixture(scope="session")
def payloads(load: Any) -> Any:
    return load("magento_payloads")


def read(payload: dict[str, Any], separately: dict[int, bool] | None = None) -> Any:
    return mapping.order(wire.Order.model_validate(payload), separately or UNKNOWN)


def state(payload: dict[str, Any], *made: dict[str, Any], separately: dict[int, bool] | None = None) -> Any:
    sent = [wire.Shipment.model_validate(one) for one in made]
    return mapping.fulfillments(wire.Order.model_validate(payload), separately or UNKNOWN, sent)


# -- payment


@pytest.mark.parametrize(
    ("amounts", "ours"),
    [
        ({}, "paid"),
        ({"total_paid": None, "total_due": 64.7}, "pending"),
        ({"total_paid": 20, "total_due": 44.7}, "partially_paid"),
        ({"total_refunded": 10}, "partially_refunded"),
        ({"total_refunded": 64.7}, "refunded"),
        ({"total_paid": None, "total_due": 64.7, "state": "canceled"}, "voided"),
        ({"total_paid": None, "total_due": None, "state": "processing"}, "pending"),
        ({"total_paid": None, "total_due": 64.7, "payment": {"method": "braintree", "amount_authorized": 64.7}},
         "authorized"),
        ({"grand_total": 0, "total_paid": None, "payment": {"method": "free"}}, "paid"),
        ({"grand_total": 0, "total_paid": None}, "pending"),
    ],
)  # fmt: skip
def test_the_amounts_say_what_is_paid(payloads: Any, amounts: dict[str, Any], ours: str) -> None:
    assert read(payloads.order(**amounts)).payment.value == ours


def test_processing_is_not_paid(payloads: Any) -> None:
    unpaid = payloads.order(total_paid=None, total_due=64.7, state="processing", status="processing")
    assert read(unpaid).payment.value == "pending"


def test_numbers_are_numbers_or_null_and_stay_exact(payloads: Any) -> None:
    order = read(payloads.order(payloads.row(price=0.1, qty_shipped=None, qty_refunded=None), grand_total=1234567.89))
    assert (order.total, order.lines[0].unit_price) == (Decimal("1234567.89"), Decimal("0.1"))
    assert order.lines[0].fulfillable == 3


def test_the_currency_is_the_orders_not_the_base(payloads: Any) -> None:
    assert read(payloads.order()).currency == "EUR"


# -- states


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({"state": "new"}, "unfulfilled"),
        ({"state": "pending_payment"}, "unfulfilled"),
        ({"state": "processing"}, "unfulfilled"),
        ({"state": "payment_review"}, "on_hold"),
        ({"state": "holded"}, "on_hold"),
        ({"state": "complete"}, "fulfilled"),
        ({"state": "canceled"}, "canceled"),
        ({"is_virtual": 1}, "not_required"),
        ({"state": "shipped_by_unicorn"}, "unknown"),
        ({"state": None}, "unknown"),
    ],
)
def test_each_state_has_one_meaning(payloads: Any, changes: dict[str, Any], ours: str) -> None:
    order = read(payloads.order(**changes))
    assert order.fulfillment == ours
    assert order.canceled is (ours == "canceled")
    assert bool(order.problems) is (ours == "unknown")


@pytest.mark.parametrize(
    ("quantities", "ours"),
    [
        ({"qty_shipped": 1}, "partial"),
        ({"qty_shipped": 3}, "fulfilled"),
        ({"qty_refunded": 3}, "not_required"),
        ({"qty_shipped": 1, "qty_refunded": 2}, "fulfilled"),
        ({"qty_canceled": 1}, "unfulfilled"),
    ],
)
def test_the_quantities_say_what_has_left(payloads: Any, quantities: dict[str, Any], ours: str) -> None:
    assert read(payloads.order(payloads.row(**quantities))).fulfillment == ours


def test_closed_with_nothing_left_is_not_shipped(payloads: Any) -> None:
    refunded = payloads.order(payloads.row(qty_refunded=3), state="closed", status="closed", total_refunded=64.7)
    assert (read(refunded).fulfillment, read(refunded).payment.value) == ("not_required", "refunded")


def test_times_are_utc_without_saying_so(payloads: Any) -> None:
    assert read(payloads.order()).updated_at.isoformat() == "2026-11-22T09:30:00+00:00"


# -- the row that ships


def test_the_parent_of_a_configurable_ships(payloads: Any) -> None:
    order = read(payloads.order(*payloads.configurable()))
    assert [(line.line_id, line.sku, line.quantity) for line in order.lines] == [("20", "SHIRT-RED-M", 3)]


def test_the_parent_of_a_bundle_that_goes_as_one_ships(payloads: Any) -> None:
    order = read(payloads.order(*payloads.bundle()), TOGETHER)
    assert [(line.line_id, line.sku, line.quantity) for line in order.lines] == [("30", "SET-LAMP-CORD", 2)]


def test_the_children_of_a_bundle_that_goes_in_parts_ship(payloads: Any) -> None:
    order = read(payloads.order(*payloads.bundle(), payloads.row()), APART)
    assert [(line.line_id, line.quantity) for line in order.lines] == [("31", 2), ("32", 4), ("13", 3)]


def test_a_bundle_whose_product_is_gone_is_a_problem_not_a_guess(payloads: Any) -> None:
    rows = payloads.bundle()
    assert bundles(wire.Order.model_validate(payloads.order(*rows)).items) == {77}
    order = read(payloads.order(*rows), UNKNOWN)
    assert "items.30" in order.problems[0]


def test_a_dummy_row_is_never_sent_though_magento_would_take_it(payloads: Any) -> None:
    shown = state(payloads.order(*payloads.configurable()))
    assert dict(shown.remaining) == {"20": 3}
    with pytest.raises(NotFulfillable):
        fulfilling.calls_for(shown, FulfillmentDraft("7", (("21", 1),), "UPS", ("1Z",)))


def test_the_dummy_parent_in_a_shipment_of_parts_is_no_line(payloads: Any) -> None:
    sent = payloads.shipment((31, 2), (32, 4), (30, 1))
    [record] = state(payloads.order(*payloads.bundle()), sent, separately=APART).fulfillments
    assert dict(record.lines) == {"31": 2, "32": 4}


def test_what_is_virtual_or_locked_is_not_shipped(payloads: Any) -> None:
    rows = [payloads.row(1, is_virtual=1), payloads.row(2, locked_do_ship=1), payloads.row(3)]
    order, shown = read(payloads.order(*rows)), state(payloads.order(*rows))
    assert [line.requires_shipping for line in order.lines] == [False, True, True]
    assert (dict(shown.remaining), dict(shown.blocked)) == ({"3": 3}, {"2": "locked_do_ship"})


@pytest.mark.parametrize("closed", ["holded", "payment_review", "closed", "canceled", "new_word"])
def test_nothing_is_sent_for_an_order_that_magento_closed_to_shipping(payloads: Any, closed: str) -> None:
    shown = state(payloads.order(state=closed))
    with pytest.raises(NotFulfillable, match="order"):
        fulfilling.calls_for(shown, FulfillmentDraft("7", (("13", 1),), "UPS", ("1Z",)))


def test_a_part_of_a_piece_is_a_problem(payloads: Any) -> None:
    assert "1.5 is no whole number" in read(payloads.order(payloads.row(qty_ordered=1.5))).problems[0]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["simple", "configurable", "together", "apart", "virtual"]),
        st.integers(1, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@given(ROWS)
def test_every_piece_is_in_exactly_one_line_and_never_more_open_than_ordered(rows: Any) -> None:
    items, real, separately = [], {}, {}
    for place, (kind, ordered, shipped, refunded, canceled) in enumerate(rows):
        first, done = 100 * (place + 1), {"qty_shipped": shipped, "qty_refunded": refunded, "qty_canceled": canceled}
        kept = {"product_type": {"together": "bundle", "apart": "bundle"}.get(kind, kind)}
        parent = {"item_id": first, "sku": f"S{place}", "qty_ordered": ordered, "product_id": place, **kept}
        child = {"item_id": first + 1, "parent_item_id": first, "sku": f"C{place}", "qty_ordered": ordered}
        if kind == "apart":
            separately[place] = True
            items += [parent, {**child, **done, "product_type": "simple"}]
        else:
            separately[place] = False
            items += [{**parent, **done, "is_virtual": kind == "virtual"}]
            items += [{**child, "product_type": "simple"}] if kind in {"configurable", "together"} else []
        left = max(ordered - shipped - refunded - canceled, 0)
        real[str(first + (kind == "apart"))] = ordered, 0 if kind == "virtual" else left
    payload = {
        "entity_id": 1, "increment_id": "1", "state": "processing", "created_at": "2026-01-01 00:00:00",
        "updated_at": "2026-01-01 00:00:00", "grand_total": 1, "order_currency_code": "EUR", "items": items,
    }  # fmt: skip
    order = read(payload, separately)
    assert {line.line_id: (line.quantity, line.fulfillable) for line in order.lines} == real
    assert all(0 <= line.canceled <= line.quantity for line in order.lines)


# -- making a shipment


def test_items_and_quantities_are_always_explicit_and_at_the_top(payloads: Any) -> None:
    draft = FulfillmentDraft("7", (("13", 1), ("13", 1)), "UPS", ("1Z1", "1Z2"), "https://t.example/1", notify=True)
    [call] = fulfilling.calls_for(state(payloads.order()), draft, "leeds")
    assert call.body == {
        "items": [{"order_item_id": 13, "qty": 2}],
        "notify": True,
        "appendComment": True,
        "tracks": [
            {"track_number": "1Z1", "title": "UPS", "carrier_code": "ups"},
            {"track_number": "1Z2", "title": "UPS", "carrier_code": "ups"},
        ],
        "comment": {"comment": "Tracking: https://t.example/1", "is_visible_on_front": 1},
        "arguments": {"extension_attributes": {"source_code": "leeds"}},
    }
    with pytest.raises(ValueError, match="without saying what"):
        fulfilling.calls_for(state(payloads.order()), FulfillmentDraft("7", (), "UPS"))


@given(st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), st.integers(1, 5)), min_size=1, max_size=8))
def test_a_body_has_the_drafts_pieces_or_there_is_none(lines: Any) -> None:
    rows = [{"item_id": n, "sku": "S", "qty_ordered": 5} for n in (1, 2, 3)]
    payload = {
        "entity_id": 1, "increment_id": "1", "state": "new", "created_at": "2026-01-01 00:00:00",
        "updated_at": "2026-01-01 00:00:00", "grand_total": 1, "order_currency_code": "EUR", "items": rows,
    }  # fmt: skip
    total: dict[str, int] = {}
    for line, quantity in lines:
        total[line] = total.get(line, 0) + quantity
    draft = FulfillmentDraft("1", tuple(lines), "", ())
    if max(total.values()) > 5:
        with pytest.raises(NotFulfillable):
            fulfilling.calls_for(state(payload), draft)
        return
    [call] = fulfilling.calls_for(state(payload), draft)
    items: Any = call.body["items"]
    assert {str(one["order_item_id"]): one["qty"] for one in items} == total


@pytest.mark.parametrize(
    ("name", "code"),
    [("ups", "ups"), ("UPS", "ups"), ("United Parcel Service", "ups"), ("USPS", "usps"), ("FedEx", "fedex"),
     ("DHL", "dhl"), ("DHL Express", "custom"), ("Royal Mail", "custom"), ("", "custom")],
)  # fmt: skip
def test_a_carriers_name_is_the_title_and_its_code_a_core_one_or_custom(name: str, code: str) -> None:
    assert fulfilling.tracks(name, ("1",)) == [
        {"track_number": "1", "title": name or "custom", "carrier_code": code}
    ]  # fmt: skip


def test_a_link_is_read_back_from_the_newest_comment_of_ours(payloads: Any) -> None:
    told = [
        {"entity_id": 9, "comment": "Tracking: https://t.example/new", "created_at": "2026-11-22 11:00:00"},
        {"entity_id": 12, "comment": "packed by Ana, see https://wiki.example", "created_at": "2026-11-22 12:00:00"},
        {"entity_id": 4, "comment": "Tracking: https://t.example/old", "created_at": "2026-11-22 10:00:00"},
    ]
    [record] = state(payloads.order(), payloads.shipment((13, 1), comments=told)).fulfillments
    assert record.tracking_urls == ("https://t.example/new",)


# -- as a source


def test_a_track_that_is_added_later_moves_the_shipments_time_here(payloads: Any) -> None:
    late = payloads.shipment((13, 1), tracks=[payloads.track(created_at="2026-11-23 08:00:00")])
    read_late = shipments.shipment(wire.Shipment.model_validate(late), {"7": "M-7"})
    assert read_late.updated_at.isoformat() == "2026-11-23T08:00:00+00:00"
    assert (read_late.reference, read_late.platform_id, read_late.tracking_url) == ("M-7", "7", None)


def test_a_shipment_without_tracks_waits_for_its_label(payloads: Any) -> None:
    bare = shipments.shipment(wire.Shipment.model_validate(payloads.shipment((13, 1), tracks=[])), {})
    assert (bare.tracking_numbers, bare.carrier) == ((), "")


def asked(*lines: tuple[str, str, int]) -> SourceRequest:
    made = tuple(SourceRequestLine(ref, sku, quantity) for ref, sku, quantity in lines)
    return SourceRequest("M-7", "#7", made, Address(country="DE"), None, "EUR")


def test_two_lines_of_one_sku_become_one_item_of_a_cart() -> None:
    request = asked(("a", "LAMP-1", 2), ("b", "CORD-2", 1), ("c", "LAMP-1", 3))
    assert cart.items(request) == {"LAMP-1": 5, "CORD-2": 1}


def test_an_order_is_told_in_the_lines_of_its_request_though_it_has_one_row(payloads: Any) -> None:
    request = asked(("a", "LAMP-1", 1), ("b", "lamp-1", 2))
    there = placed.submitted(wire.Order.model_validate(payloads.order(payloads.row(qty_canceled=2))), request)
    assert there.is_for(request)
    assert there.canceled_lines == (("b", 2),)


def test_an_order_of_other_pieces_is_not_ours(payloads: Any) -> None:
    request = asked(("a", "LAMP-1", 2))
    assert not placed.submitted(wire.Order.model_validate(payloads.order()), request).is_for(request)


def test_an_order_with_another_purchase_order_number_is_not_ours(payloads: Any) -> None:
    request = asked(("a", "LAMP-1", 3))
    other = payloads.order(payment={"method": "purchaseorder", "po_number": "PO-1"})
    assert not placed.submitted(wire.Order.model_validate(other), request).is_for(request)
    assert read(other).reference == "PO-1"  # IN-7: an order that carries our reference is recognised by it


PIECES = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 9)), min_size=1, max_size=6)


@given(PIECES, st.dictionaries(st.sampled_from("ABC"), st.integers(0, 9)))
def test_what_a_store_gives_up_is_dealt_to_the_lines_never_more_than_was_asked(pieces: Any, gone: Any) -> None:
    request = asked(*((str(n), sku, quantity) for n, (sku, quantity) in enumerate(pieces)))
    rows = [
        {"item_id": n, "sku": sku, "qty_ordered": quantity, "qty_canceled": min(gone.get(sku, 0), quantity)}
        for n, (sku, quantity) in enumerate(cart.items(request).items())
    ]
    payload = {
        "entity_id": 1, "increment_id": "1", "state": "new", "created_at": "2026-01-01 00:00:00",
        "updated_at": "2026-01-01 00:00:00", "grand_total": 1, "items": rows,
    }  # fmt: skip
    there = placed.submitted(wire.Order.model_validate(payload), request)
    assert there.is_for(request)
    quantities = {line.line_ref: line.quantity for line in request.lines}
    assert all(0 < n <= quantities[ref] for ref, n in there.canceled_lines)
    assert sum(n for _, n in there.canceled_lines) == sum(row["qty_canceled"] for row in rows)


def test_a_region_is_the_shops_own() -> None:
    regions = [wire.Region(id="43", code="NY", name="New York")]
    ship_to = Address(name="Ana Lee", line1="1 Elm St", city="Buffalo", region="US-NY", country="US")
    body = cart.address_body(ship_to, regions, "ana@mail.example")
    assert (body["region_id"], body["region_code"], body["region"]) == (43, "NY", "New York")
    assert (body["firstname"], body["lastname"], body["telephone"]) == ("Ana", "Lee", "-")


@pytest.mark.parametrize(
    ("name", "pair"),
    [("flatrate/flatrate", ("flatrate", "flatrate")), ("flatrate_flatrate", ("flatrate", "flatrate")),
     ("matrixrate_matrixrate_12", None), ("Flat Rate - Fixed", None)],
)  # fmt: skip
def test_a_method_is_split_only_where_one_reading_is_possible(name: str, pair: Any) -> None:
    assert cart.split_method(name) == pair


# -- what is said


@pytest.mark.parametrize(
    ("message", "parameters", "text"),
    [
        ("Carrier with such method not found: %1, %2", ["ups", "GND"], "Carrier with such method not found: ups, GND"),
        ('"%fieldName" is required.', {"fieldName": "qty"}, '"qty" is required.'),
        ("%1 of %2", ["a"], "a of %2"),
        ("100%% sure", None, "100%% sure"),
        (None, None, ""),
    ],
)
def test_placeholders_are_filled(message: Any, parameters: Any, text: str) -> None:
    assert filled(message, parameters) == text


def test_a_trace_is_never_told(payloads: Any) -> None:
    body = payloads.refusal("The consumer isn't authorized to access %resources.", {"resources": "Magento_Sales::ship"})
    code, text = described(orjson.dumps(body))
    assert (code, text) == ("not_permitted", "The consumer isn't authorized to access Magento_Sales::ship.")


@given(st.binary(max_size=200))
def test_whatever_a_store_says_it_is_described(body: bytes) -> None:
    described(body)


# -- how it is asked


def test_a_search_names_its_page_and_its_conditions_in_groups() -> None:
    query = dict(search.criteria([("updated_at", "gteq", "2026-11-01 00:00:00"), ("state", "in", "new")], size=50))
    assert query["searchCriteria[filterGroups][1][filters][0][field]"] == "state"
    assert (query["searchCriteria[pageSize]"], query["searchCriteria[currentPage]"]) == ("50", "1")


def test_a_page_past_the_end_is_never_asked_for() -> None:
    assert [search.more_pages(page, 50, 101, 50) for page in (1, 2, 3)] == [True, True, False]
    assert not search.more_pages(1, 50, 50, 50)
    assert not search.more_pages(1, 50, 101, 0)


def test_the_signature_covers_brackets_and_is_rfc_5849s() -> None:
    """The base string that RFC 5849 (section 3.4.1.1) derives, with a search's brackets in it."""
    url = httpx.URL("https://Shop.Example:443/rest/V1/orders?searchCriteria[pageSize]=5&a=b c")
    text = signing.base_string("get", url, {"oauth_nonce": "n"})
    assert text == (
        "GET&https%3A%2F%2Fshop.example%2Frest%2FV1%2Forders&"
        "a%3Db%2520c%26oauth_nonce%3Dn%26searchCriteria%255BpageSize%255D%3D5"
    )


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://shop.example", "https://shop.example/rest/default/V1"),
        ("https://shop.example/", "https://shop.example/rest/default/V1"),
        ("https://shop.example/rest/de", "https://shop.example/rest/de/V1"),
        ("https://shop.example/rest/de/V1/", "https://shop.example/rest/de/V1"),
        ("http://host:80/a/shop", "http://host/a/shop/rest/default/V1"),
        ("https://na1.api.commerce.adobe.com/t1", "https://na1.api.commerce.adobe.com/t1/V1"),
    ],
)
def test_an_address_is_the_origin_or_the_root(url: str, root: str) -> None:
    assert MagentoSettings.of("m", url, {"access_token": "t"}).root == root


@pytest.mark.parametrize(
    ("credentials", "named"),
    [
        ({}, "access_token"),
        ({"consumer_key": "k", "access_token": "t"}, "consumer_secret"),
        ({"username": "hub"}, "credentials.password is missing"),
        ({"access_token": "t", "password": "p"}, "credentials.username is missing"),
        (
            {"username": "hub", "password": "p", "consumer_key": "k"},
            "username and credentials.consumer_key are two ways",
        ),
        (
            {
                "username": "hub",
                "password": "p",
                "consumer_key": "k",
                "consumer_secret": "s",
                "access_token": "t",
                "access_token_secret": "a",
            },
            "two ways to sign in, and only one is used: keep consumer_key, .* or username and password of an admin",
        ),
        (
            {"access_token": "t", "access_token_secret": "a", "password": "p"},
            "password and credentials.access_token_secret",
        ),
        ({"acess_token": "t"}, "acess_token is unknown"),
    ],
)
def test_a_missing_or_misspelled_credential_is_named(credentials: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        MagentoSettings.of("m", "https://shop.example", credentials)


@pytest.mark.parametrize(
    "credentials",
    [
        {"access_token": "t"},
        {"consumer_key": "k", "consumer_secret": "s", "access_token": "t", "access_token_secret": "a"},
        {"username": "hub", "password": "p"},
        {"username": "hub", "password": "p", "access_token": "its present token"},
    ],
    ids=["token", "oauth", "admin", "admin-with-token"],
)
def test_each_way_to_sign_in_is_taken_alone(credentials: dict[str, str]) -> None:
    assert MagentoSettings.of("m", "https://shop.example", credentials)
