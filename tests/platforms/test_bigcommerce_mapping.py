"""BigCommerce's words become ours: payment, fulfillment, quantities, addresses, shipments; odd ones stay visible."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill_contracts.values import Address, PaymentState
from waybill_platforms.bigcommerce import carriers, fulfilling, mapping, requesting, wire
from waybill_platforms.bigcommerce.shipments import ranges, shipment
from waybill_platforms.bigcommerce.whole import Whole, cut, included
from waybill_platforms.errors import NotFulfillable
from waybill_platforms.model.fulfillments import FulfillmentDraft
from waybill_platforms.model.requests import SourceRequest, SourceRequestLine


@pytest.fixture
def payloads(load: Callable[[str], Any]) -> Any:
    return load("bigcommerce_payloads")


def whole(given: dict[str, Any]) -> Whole:
    found = included(wire.Order.model_validate(given))
    assert found is not None
    return found


# -- payment

PAYMENTS = [
    ("captured", 11, PaymentState.PAID),
    ("Paid", 11, PaymentState.PAID),
    ("authorized", 11, PaymentState.AUTHORIZED),
    ("capture pending", 11, PaymentState.AUTHORIZED),
    ("partially refunded", 14, PaymentState.PARTIALLY_REFUNDED),
    ("refunded", 4, PaymentState.REFUNDED),
    ("void", 5, PaymentState.VOIDED),
    ("void pending", 5, PaymentState.VOIDED),
    ("declined", 6, PaymentState.VOIDED),
    ("pending", 11, PaymentState.PENDING),
    ("held for review", 12, PaymentState.PENDING),
    ("", 11, PaymentState.PAID),
    ("", 9, PaymentState.PAID),
    ("", 8, PaymentState.PAID),
    ("", 3, PaymentState.PAID),
    ("", 2, PaymentState.PAID),
    ("", 10, PaymentState.PAID),
    ("", 7, PaymentState.PENDING),
    ("", 1, PaymentState.PENDING),
    ("", 4, PaymentState.REFUNDED),
    ("", 14, PaymentState.PARTIALLY_REFUNDED),
    ("", 12, PaymentState.UNKNOWN),
    ("", 13, PaymentState.UNKNOWN),
    (None, 7, PaymentState.PENDING),
    ("captured", 4, PaymentState.REFUNDED),
    ("escrowed", 11, PaymentState.UNKNOWN),
]


@pytest.mark.parametrize(("word", "status", "expected"), PAYMENTS)
def test_payment_by_its_word_and_for_offline_methods_by_the_status(
    payloads: Any, word: str | None, status: int, expected: PaymentState
) -> None:
    order = mapping.order(whole(payloads.order(payment_status=word, status_id=status)))
    assert order.payment is expected
    assert any("payment_status" in problem for problem in order.problems) == (word == "escrowed")


# -- fulfillment

FULFILLMENTS = [
    (11, 3, 0, 0, "unfulfilled"),
    (9, 3, 0, 0, "unfulfilled"),
    (8, 3, 0, 0, "unfulfilled"),
    (7, 3, 0, 0, "unfulfilled"),
    (1, 3, 0, 0, "unfulfilled"),
    (3, 3, 1, 0, "partial"),
    (2, 3, 3, 0, "fulfilled"),
    (14, 3, 1, 1, "partial"),
    (14, 3, 2, 1, "fulfilled"),
    (14, 3, 0, 1, "unfulfilled"),
    (10, 3, 3, 0, "fulfilled"),
    (10, 3, 0, 0, "fulfilled"),
    (5, 3, 0, 0, "canceled"),
    (6, 3, 0, 0, "canceled"),
    (12, 3, 0, 0, "on_hold"),
    (13, 3, 1, 0, "on_hold"),
    (99, 3, 0, 0, "unknown"),
]


@pytest.mark.parametrize(("status", "quantity", "shipped", "refunded", "expected"), FULFILLMENTS)
def test_fulfillment_is_decided_by_quantities(
    payloads: Any, status: int, quantity: int, shipped: int, refunded: int, expected: str
) -> None:
    line = payloads.line(quantity=quantity, quantity_shipped=shipped, quantity_refunded=refunded)
    order = mapping.order(whole(payloads.order(129, payloads.consignment(line), status_id=status)))
    assert order.fulfillment == expected
    assert order.canceled == (expected == "canceled")
    assert any("status_id" in problem for problem in order.problems) == (expected == "unknown")


def test_status_2_stays_after_a_deleted_shipment_so_the_pieces_are_open_again(payloads: Any) -> None:
    order = mapping.order(whole(payloads.order(status_id=2, status="Shipped")))
    assert (order.fulfillment, order.lines[0].fulfillable) == ("unfulfilled", 3)


def test_a_renamed_status_is_known_by_its_id(payloads: Any) -> None:
    order = mapping.order(whole(payloads.order(status_id=12, status="Boss must look")))
    assert (order.fulfillment, order.raw_status) == ("on_hold", "Manual Verification Required/captured")


def test_refunded_pieces_may_be_shipped_ones_and_never_make_a_negative(payloads: Any) -> None:
    line = payloads.line(quantity=3, quantity_shipped=2, quantity_refunded=2)
    order = mapping.order(whole(payloads.order(129, payloads.consignment(line))))
    assert (order.lines[0].fulfillable, order.lines[0].canceled) == (0, 2)


def test_downloads_gift_certificates_and_pickups_are_not_shipped(payloads: Any) -> None:
    others = {
        "downloads": [{"recipient_email": "z@mail.example", "line_items": [payloads.line(6, type="digital")]}],
        "email": {"gift_certificates": [{"line_items": [payloads.line(7, type="giftcertificate")]}]},
        "pickups": [{"id": 99, "line_items": [payloads.line(8, order_pickup_method_id=4, order_address_id=0)]}],
    }
    order = mapping.order(whole(payloads.order(others=others)))
    assert [(line.line_id, line.requires_shipping, line.fulfillable) for line in order.lines] == [
        ("5", True, 3), ("6", False, 0), ("7", False, 0), ("8", False, 0),
    ]  # fmt: skip


def test_an_order_without_physical_lines_needs_no_fulfillment(payloads: Any) -> None:
    downloads = [{"line_items": [payloads.line(6, type="digital")]}]
    given = payloads.order(others={"shipping": [], "downloads": downloads}, status_id=10)
    assert mapping.order(whole(given)).fulfillment == "not_required"


def test_an_archived_order_is_canceled_unless_everything_had_left(payloads: Any) -> None:
    assert mapping.order(whole(payloads.order(is_deleted=True))).canceled
    done = payloads.consignment(payloads.line(quantity_shipped=3))
    kept = mapping.order(whole(payloads.order(129, done, is_deleted=True, status_id=2)))
    assert (kept.canceled, kept.fulfillment) == (False, "fulfilled")


# -- the rest of an order


def test_an_order_in_our_words(payloads: Any) -> None:
    given = payloads.order(external_order_id="E-1001", default_currency_code="EUR", currency_code="USD")
    order = mapping.order(whole(given))
    assert (order.id, order.number, order.reference) == ("129", "129", "E-1001")
    assert (order.total, order.currency) == (Decimal("59.7000"), "EUR")  # paid in, not shown in
    assert (order.placed_at.isoformat(), order.updated_at.isoformat()) == (
        "2026-11-22T09:00:00+00:00", "2026-11-22T09:30:00+00:00",
    )  # fmt: skip
    (address,) = order.addresses
    assert (address.name, address.country, address.postal_code, address.phone) == (
        "Zoë Müller", "US", "78751", "555-0100",
    )  # fmt: skip
    assert (order.shipping_method, order.note, order.email) == ("Standard", "Please ring", "zoe@mail.example")
    assert order.problems == ()


def test_times_come_as_rfc_2822_or_iso_8601(payloads: Any) -> None:
    for text in ("Sun, 22 Nov 2026 04:30:00 -0500", "2026-11-22T09:30:00Z", "2026-11-22T09:30:00"):
        order = mapping.order(whole(payloads.order(date_modified=text)))
        assert order.updated_at.isoformat() == "2026-11-22T09:30:00+00:00"


def test_each_line_names_its_address_rt_2(payloads: Any) -> None:
    first = payloads.consignment(payloads.line(5), number=20)
    second = payloads.consignment(payloads.line(6, order_address_id=21), number=21, country_iso2="CA")
    order = mapping.order(whole(payloads.order(129, second, first)))
    assert [order.addresses[line.address].country for line in order.lines] == ["US", "CA"]


def test_a_consignments_address_is_known_by_the_id_that_its_lines_name(payloads: Any) -> None:
    found = whole(payloads.order(129, payloads.consignment(payloads.line(order_address_id=20), number=7)))
    assert [place.id for place in found.places] == [20]


def test_different_methods_for_its_addresses_are_a_problem(payloads: Any) -> None:
    first = payloads.consignment(payloads.line(5))
    second = payloads.consignment(payloads.line(6, order_address_id=21), number=21, shipping_method="Express")
    order = mapping.order(whole(payloads.order(129, first, second)))
    assert any("shipping_method" in problem for problem in order.problems)


@pytest.mark.parametrize("country", ["", "United States", "U"])
def test_an_address_without_a_country_code_is_a_problem(payloads: Any, country: str) -> None:
    order = mapping.order(whole(payloads.order(129, payloads.consignment(country_iso2=country))))
    assert order.addresses == ()
    assert any("country_iso2" in problem for problem in order.problems)


# -- whether the consignments say everything


def test_an_order_has_no_lines_when_consignments_are_only_a_link(payloads: Any) -> None:
    for consignments in (payloads.LINKED, None, []):
        assert included(wire.Order.model_validate(payloads.order(consignments=consignments))) is None
    stubs = payloads.consignment({"url": "https://store.example/p/5", "resource": "/orders/129/products/5"})
    assert included(wire.Order.model_validate(payloads.order(129, stubs))) is None


def test_fewer_pieces_than_the_order_counts_mean_that_the_list_was_cut(payloads: Any) -> None:
    assert not cut(*_head_and_lines(payloads.order()))
    assert cut(*_head_and_lines(payloads.order(items_total=4)))
    assert not cut(*_head_and_lines(payloads.order(items_total=1)))  # parts of a bundle are lines of their own


def _head_and_lines(given: Any) -> Any:
    found = whole(given)
    return found.head, found.lines


# -- fulfillments


def state(payloads: Any, *shipments: Any, **changes: Any) -> Any:
    found = whole(payloads.order(**changes))
    return mapping.fulfillments(found, [wire.Shipment.model_validate(one) for one in shipments])


def test_what_is_open_and_what_has_left(payloads: Any) -> None:
    found = state(payloads, payloads.shipment(31, (5, 1), (5, 1)))
    assert dict(found.remaining) == {"5": 3}
    (record,) = found.fulfillments
    assert (record.id, record.lines, record.carrier) == ("129/31", (("5", 2),), "ups")
    assert (record.tracking_numbers, record.tracking_urls) == (("1Z1",), ("https://track.example/1Z1",))


def test_a_generated_link_stands_where_no_own_one_was_given(payloads: Any) -> None:
    record = mapping.record(wire.Shipment.model_validate(payloads.shipment(tracking_link="")))
    assert record.tracking_urls == ("https://carrier.example/1Z1",)


@pytest.mark.parametrize("status", [0, 12, 13])
def test_what_is_held_there_cannot_be_fulfilled(payloads: Any, status: int) -> None:
    found = state(payloads, status_id=status)
    assert dict(found.remaining) == {}
    with pytest.raises(NotFulfillable, match="status"):
        fulfilling.calls_for(found, FulfillmentDraft("129", (("5", 1),), "ups"))


def test_items_and_quantities_are_always_written(payloads: Any) -> None:
    draft = FulfillmentDraft("129", (("5", 2),), "ups", ("1Z1",), "https://track.example/1Z1")
    (call,) = fulfilling.calls_for(state(payloads), draft)
    assert call.body == {
        "order_address_id": 20,
        "tracking_number": "1Z1",
        "tracking_link": "https://track.example/1Z1",
        "comments": "",
        "shipping_provider": "ups",
        "tracking_carrier": "",
        "items": [{"order_product_id": 5, "quantity": 2}],
    }
    with pytest.raises(ValueError, match="no line"):
        fulfilling.calls_for(state(payloads), FulfillmentDraft("129", (), "ups"))
    with pytest.raises(ValueError, match="at least 1"):
        fulfilling.calls_for(state(payloads), FulfillmentDraft("129", (("5", 0),), "ups"))


def test_a_shipment_has_one_address_so_an_order_of_two_needs_two_calls(payloads: Any) -> None:
    second = payloads.consignment(payloads.line(6, order_address_id=21), number=21)
    given = whole(payloads.order(129, payloads.consignment(), second))
    found = mapping.fulfillments(given, [])
    calls = fulfilling.calls_for(found, FulfillmentDraft("129", (("5", 3), ("6", 3)), "ups", ("1Z1",)))
    assert [(call.body["order_address_id"], call.lines) for call in calls] == [(20, (("5", 3),)), (21, (("6", 3),))]
    assert dict(found.after(calls).remaining) == {"5": 0, "6": 0}


def test_one_number_a_shipment_so_further_ones_stand_in_the_comments_and_are_read_back(payloads: Any) -> None:
    draft = FulfillmentDraft("129", (("5", 3),), "ups", ("1Z1", "1Z2", "1Z3"))
    (call,) = fulfilling.calls_for(state(payloads), draft)
    assert call.body["tracking_number"] == "1Z1"
    shown = payloads.shipment(comments=f"left at the door\n{call.body['comments']}")
    assert mapping.record(wire.Shipment.model_validate(shown)).tracking_numbers == ("1Z1", "1Z2", "1Z3")


def test_what_is_too_long_for_bigcommerce_is_said_before_anything_is_sent() -> None:
    assert "50" in (fulfilling.too_long(("1" * 51,), None) or "")
    assert "500" in (fulfilling.too_long(("1",), "https://x.example/" + "a" * 500) or "")
    assert fulfilling.too_long(("1" * 50,), "https://x.example/") is None


CARRIERS = [
    ("ups", "ups", "", None),
    ("carrier_17", "carrier_17", "", None),
    ("dhl-germany", "", "dhl-germany", None),
    ("Northern Vans", "", "", "Northern Vans"),
    ("UPS", "", "", "UPS"),  # a free name is refused as a provider, so it stands as a text
    ("", "", "", None),
]


@pytest.mark.parametrize(("carrier", "provider", "slug", "method"), CARRIERS)
def test_shipping_provider_is_an_enumeration_and_everybody_else_is_a_tracking_carrier(
    payloads: Any, carrier: str, provider: str, slug: str, method: str | None
) -> None:
    fields = carriers.fields(carrier)
    assert (fields["shipping_provider"], fields["tracking_carrier"], fields.get("shipping_method")) == (
        provider, slug, method,
    )  # fmt: skip
    shown = payloads.shipment(**{"shipping_method": "None", **fields})
    assert carriers.name_of(wire.Shipment.model_validate(shown)) == carrier


# -- requests


def request(*lines: tuple[str, str, int]) -> SourceRequest:
    asked = tuple(SourceRequestLine(*one) for one in lines or (("a/9", "LAMP-1", 3), ("b/9", "CHAIR", 1)))
    ship_to = Address(name="Zoë von Müller", line1="1 High Street", country="IE")
    return SourceRequest("E-1001", "#1001", asked, ship_to, "Ground", "EUR")


def variants(*skus: str) -> dict[str, wire.Variant]:
    return {sku: wire.Variant(id=90 + n, product_id=70 + n, sku=sku) for n, sku in enumerate(skus)}


def test_a_request_becomes_an_order_under_our_reference() -> None:
    body: Any = requesting.order_body(request(), variants("LAMP-1", "CHAIR"))
    assert (body["external_order_id"], body["status_id"], body["customer_id"]) == ("E-1001", 11, 0)
    assert "external_id" not in body
    assert body["products"] == [
        {"product_id": 70, "variant_id": 90, "quantity": 3}, {"product_id": 71, "variant_id": 91, "quantity": 1},
    ]  # fmt: skip
    (shipping,) = body["shipping_addresses"]
    assert (shipping["first_name"], shipping["last_name"], shipping["shipping_method"]) == (
        "Zoë",
        "von Müller",
        "Ground",
    )


def test_a_billing_address_needs_a_zip_which_not_every_country_has() -> None:
    body: Any = requesting.order_body(request(), variants("LAMP-1", "CHAIR"))
    assert len(body["billing_address"]["zip"]) > 1
    assert body["shipping_addresses"][0]["zip"] == ""


def placed(payloads: Any, asked: SourceRequest, *lines: Any, **changes: Any) -> Whole:
    given = payloads.order(
        129,
        payloads.consignment(*lines),
        external_order_id=asked.reference,
        staff_notes=requesting.note(asked),
        **changes,
    )
    return whole(given)


def test_the_order_is_our_request_again_with_our_line_references(payloads: Any) -> None:
    asked = request()
    lines = payloads.line(5, sku="lamp-1"), payloads.line(6, sku="CHAIR", quantity=1)
    found = requesting.submitted(placed(payloads, asked, *lines, status_id=9))
    assert found.is_for(asked)
    assert (found.platform_id, found.acknowledged, found.canceled, found.canceled_lines) == ("129", True, False, ())


def test_pieces_refunded_or_taken_out_of_the_order_are_told_by_line(payloads: Any) -> None:
    lines = (payloads.line(5, quantity_refunded=1),)
    found = requesting.submitted(placed(payloads, request(), *lines))
    assert found.canceled_lines == (("a/9", 1), ("b/9", 1))
    assert found.is_for(request())


def test_staff_who_remove_our_note_leave_the_skus(payloads: Any) -> None:
    for notes in ("called the buyer", "waybill: [not json]", 'waybill: ["a"]'):
        given = payloads.order(external_order_id="E-1001", staff_notes=notes)
        assert requesting.submitted(whole(given)).lines == (("", "LAMP-1", 3),)


def test_a_shipment_names_the_requests_lines_though_a_sku_repeats(payloads: Any) -> None:
    asked = request(("a/9", "LAMP-1", 1), ("b/9", "LAMP-1", 3))
    lines = payloads.line(5, quantity=1), payloads.line(6, quantity=3)
    found = shipment(placed(payloads, asked, *lines), wire.Shipment.model_validate(payloads.shipment(31, (6, 2))))
    assert [(line.line_ref, line.sku, line.quantity) for line in found.lines] == [("b/9", "LAMP-1", 2)]
    assert (found.id, found.reference, found.status) == ("129/31", "E-1001", "shipped")
    assert (found.carrier, found.tracking_numbers, found.tracking_url) == (
        "ups", ("1Z1",), "https://track.example/1Z1",
    )  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 4)), min_size=1, max_size=8), st.randoms())
def test_every_asked_line_finds_its_own_though_skus_and_quantities_repeat(
    asked: list[tuple[str, int]], dice: Any
) -> None:
    wanted = [requesting.Asked(f"line/{n}", sku, quantity) for n, (sku, quantity) in enumerate(asked)]
    lines = [wire.Line(id=n + 1, sku=one.sku.lower(), quantity=one.quantity) for n, one in enumerate(wanted)]
    pairs = requesting.refs(wanted, lines)
    assert sorted(one.line_ref for one in pairs.values()) == sorted(one.line_ref for one in wanted)
    shuffled = list(lines)
    dice.shuffle(shuffled)
    assert {line.id for line in shuffled} == set(pairs)
    for line in lines:
        assert (pairs[line.id].sku.lower(), pairs[line.id].quantity) == (line.sku, line.quantity)


@given(st.lists(st.integers(1, 5_000), unique=True, max_size=60))
def test_ranges_of_ids_cover_every_open_request_with_a_page_each(ids: list[int]) -> None:
    found = ranges(sorted(ids))
    assert all(last - first < 250 for first, last in found)
    assert all(sum(first <= one <= last for first, last in found) == 1 for one in ids)
    assert len(found) <= len(ids)


# -- anything may come

_WORDS = st.one_of(st.none(), st.text(max_size=8), st.integers(-3, 5), st.floats(allow_nan=False, width=16))


@given(
    st.integers(-1, 20),
    st.one_of(st.none(), st.sampled_from([word for word, _, _ in PAYMENTS]), st.text(max_size=12)),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=5),
    st.sampled_from(["physical", "digital", "giftcertificate", "hologram"]),
    st.text(max_size=3),
)
def test_no_order_breaks_the_mapping_and_no_quantity_becomes_negative(
    status: int, word: str | None, quantities: Any, kind: str, country: str
) -> None:
    lines = tuple(
        wire.Line(id=n, quantity=q, quantity_shipped=s, quantity_refunded=r, type=kind, order_address_id=20)
        for n, (q, s, r) in enumerate(quantities)
    )
    head = wire.Order.model_validate(
        {"id": 1, "date_created": "2026-11-22T09:00:00Z", "date_modified": "2026-11-22T09:00:00Z", "status_id": status,
         "payment_status": word}
    )  # fmt: skip
    order = mapping.order(Whole(head, (wire.Place(id=20, country_iso2=country),), lines))
    for line in order.lines:
        assert line.fulfillable is not None
        assert 0 <= line.fulfillable <= line.quantity
        assert 0 <= line.canceled <= line.quantity
    state = mapping.fulfillments(Whole(head, (), lines), ())
    assert sum(state.remaining.values()) <= sum(line.fulfillable or 0 for line in order.lines)


@given(st.dictionaries(st.sampled_from(["shipping", "pickups", "downloads", "email", "url"]), _WORDS, max_size=4))
def test_consignments_of_another_form_are_none_rather_than_an_error(consignments: Any) -> None:
    head = wire.Order.model_validate(
        {"id": 1, "date_created": "2026-11-22T09:00:00Z", "date_modified": "2026-11-22T09:00:00Z", "status_id": 11,
         "consignments": consignments}
    )  # fmt: skip
    found = included(head)
    assert found is None or found.lines == ()
