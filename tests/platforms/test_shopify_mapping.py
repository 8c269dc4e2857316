"""Shopify's words in ours: the two vocabularies, addresses, quantities, and what is spread over fulfillment orders."""

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill_contracts.values import PaymentState
from waybill_platforms.errors import NotFulfillable
from waybill_platforms.model.fulfillments import ChannelFulfillments, FulfillmentDraft
from waybill_platforms.shopify import fulfilling, mapping, wire

LINE = "gid://shopify/LineItem/{}".format


@pytest.fixture(scope="session")
def payloads(load: Any) -> Any:
    return load("shopify_payloads")


def read(payload: dict[str, Any]) -> Any:
    return mapping.order(wire.Order.model_validate(payload))


def state(payload: dict[str, Any]) -> ChannelFulfillments:
    head = wire.Shipping.model_validate(payload)
    return mapping.fulfillments(head, head.fulfillmentOrders.nodes, head.fulfillments)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("PAID", "paid"),
        ("PENDING", "pending"),
        ("AUTHORIZED", "authorized"),
        ("PARTIALLY_PAID", "partially_paid"),
        ("PARTIALLY_REFUNDED", "partially_refunded"),
        ("REFUNDED", "refunded"),
        ("VOIDED", "voided"),
        ("EXPIRED", "voided"),
        (None, "unknown"),
    ],
)
def test_each_financial_status_has_one_payment_state(payloads: Any, theirs: str | None, ours: str) -> None:
    order = read(payloads.order(displayFinancialStatus=theirs))
    assert (order.payment.value, order.problems) == (ours, ())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("UNFULFILLED", "unfulfilled"),
        ("OPEN", "unfulfilled"),
        ("SCHEDULED", "unfulfilled"),
        ("REQUEST_DECLINED", "unfulfilled"),
        ("PENDING_FULFILLMENT", "unfulfilled"),
        ("RESTOCKED", "unfulfilled"),
        ("IN_PROGRESS", "unfulfilled"),
        ("PARTIALLY_FULFILLED", "partial"),
        ("FULFILLED", "fulfilled"),
        ("ON_HOLD", "on_hold"),
        ("FULFILLMENT_NOT_REQUIRED", "not_required"),
    ],
)
def test_each_fulfillment_status_has_one_state(payloads: Any, theirs: str, ours: str) -> None:
    order = read(payloads.order(displayFulfillmentStatus=theirs))
    assert (order.fulfillment, order.problems) == (ours, ())


@pytest.mark.parametrize("field", ["displayFinancialStatus", "displayFulfillmentStatus"])
def test_a_new_status_is_unknown_and_named_never_guessed(payloads: Any, field: str) -> None:
    order = read(payloads.order(**{field: "TELEPORTED"}))
    assert "unknown" in (order.payment.value, order.fulfillment)
    assert order.problems == (f"{field}: 'TELEPORTED' is a word that we do not know",)


def test_a_canceled_order_is_canceled_whatever_the_rest_says(payloads: Any) -> None:
    order = read(payloads.order(cancelledAt="2026-11-22T09:31:00Z", displayFulfillmentStatus="TELEPORTED"))
    assert (order.canceled, order.fulfillment) == (True, "canceled")


def test_an_order_carries_its_numbers_money_address_and_times(payloads: Any) -> None:
    order = read(payloads.order(sourceIdentifier="E-7"))
    assert (order.number, order.currency, order.total, order.reference) == ("#1001", "EUR", Decimal("59.70"), "E-7")
    assert order.payment is PaymentState.PAID
    address = order.addresses[0]
    assert (address.name, address.country, address.region) == ("Zoë Müller", "DE", "Nordrhein-Westfalen")
    assert order.updated_at.utcoffset() is not None
    assert order.shipping_method == "Standard"


@pytest.mark.parametrize("country", [None, "", "Germany", "D"])
def test_an_address_without_a_country_code_is_a_named_problem(payloads: Any, country: str | None) -> None:
    payload = payloads.order()
    payload["shippingAddress"]["countryCodeV2"] = country
    order = read(payload)
    assert order.addresses == ()
    assert "shippingAddress.countryCodeV2" in order.problems[0]


def test_no_address_is_a_problem_only_where_something_ships(payloads: Any) -> None:
    digital = payloads.connection(payloads.line(requiresShipping=False))
    assert read(payloads.order(shippingAddress=None, lines=digital)).problems == ()
    assert "protected customer data" in read(payloads.order(shippingAddress=None)).problems[0]


@pytest.mark.parametrize(
    ("quantity", "current", "unfulfilled", "canceled", "fulfillable"),
    [
        (3, 3, 3, 0, 3),
        (3, 3, 1, 0, 1),  # two have left
        (3, 2, 3, 1, 2),  # one refunded, nothing has left, counted among the unfulfilled
        (3, 2, 2, 1, 2),  # the same, not counted
        (3, 0, 0, 3, 0),
    ],
)
def test_quantities_tell_refunded_pieces_from_open_ones(
    payloads: Any, quantity: int, current: int, unfulfilled: int, canceled: int, fulfillable: int
) -> None:
    changed = payloads.line(quantity=quantity, currentQuantity=current, unfulfilledQuantity=unfulfilled)
    line = read(payloads.order(lines=payloads.connection(changed))).lines[0]
    assert (line.quantity, line.canceled, line.fulfillable) == (quantity, canceled, fulfillable)


@pytest.mark.parametrize(
    ("status", "current", "unfulfilled", "ambiguous"),
    [
        ("UNFULFILLED", 2, 3, False),
        ("PARTIALLY_FULFILLED", 3, 1, False),
        ("PARTIALLY_FULFILLED", 2, 2, True),
        ("ON_HOLD", 2, 2, True),
        ("PARTIALLY_FULFILLED", 2, 0, False),
    ],
)
def test_partly_shipped_and_partly_refunded_is_read_exactly(
    payloads: Any, status: str, current: int, unfulfilled: int, ambiguous: bool
) -> None:
    lines = payloads.connection(payloads.line(currentQuantity=current, unfulfilledQuantity=unfulfilled))
    order = wire.Order.model_validate(payloads.order(lines=lines, displayFulfillmentStatus=status))
    assert mapping.open_is_ambiguous(order) is ambiguous


@pytest.mark.parametrize(
    ("status", "open_now", "owed"),
    [
        ("OPEN", 2, 2),
        ("IN_PROGRESS", 2, 2),
        ("ON_HOLD", 0, 2),
        ("SCHEDULED", 0, 2),
        ("CLOSED", 0, 0),
        ("CANCELLED", 0, 0),
        ("INCOMPLETE", 0, 0),
        ("TELEPORTED", 0, 0),
    ],
)
def test_only_open_fulfillment_orders_count_as_fulfillable(
    payloads: Any, status: str, open_now: int, owed: int
) -> None:
    payload = payloads.shipping([payloads.parcel(1, (9, 2), status=status)])
    assert state(payload).remaining.get(LINE(9), 0) == open_now
    assert mapping.owed(wire.Shipping.model_validate(payload).fulfillmentOrders.nodes).get(LINE(9), 0) == owed
    assert (LINE(9) in state(payload).blocked) is (open_now == 0)


def test_pieces_that_another_service_has_are_blocked(payloads: Any) -> None:
    requested = payloads.parcel(1, (9, 2), supportedActions=[{"action": "REQUEST_CANCELLATION"}])
    found = state(payloads.shipping([requested]))
    assert found.remaining == {}
    with pytest.raises(NotFulfillable, match="another service has it"):
        fulfilling.calls_for(found, FulfillmentDraft("o", ((LINE(9), 1),), "UPS"))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("SUCCESS", "success"),
        ("CANCELLED", "canceled"),
        ("ERROR", "failed"),
        ("FAILURE", "failed"),
        ("PENDING", "unknown"),
        ("TELEPORTED", "unknown"),
    ],
)
def test_each_fulfillment_record_status_has_its_word(payloads: Any, theirs: str, ours: str) -> None:
    found = state(payloads.shipping([], [payloads.record(1, (9, 2), status=theirs)])).fulfillments[0]
    assert (found.status, found.raw_status) == (ours, theirs)


def test_a_record_sums_a_line_that_stands_in_two_fulfillment_orders(payloads: Any) -> None:
    found = state(payloads.shipping([], [payloads.record(1, (9, 2), (9, 1), (10, 1))])).fulfillments[0]
    assert dict(found.lines) == {LINE(9): 3, LINE(10): 1}
    assert (found.carrier, found.tracking_numbers, found.tracking_urls) == (
        "UPS",
        ("1Z1",),
        ("https://ups.example/1Z1",),
    )


def test_our_own_lost_fulfillment_is_found_by_lines_and_numbers(payloads: Any) -> None:
    records = [payloads.record(1, (9, 2)), payloads.record(2, (9, 2), status="CANCELLED"), payloads.record(3, (9, 1))]
    found = state(payloads.shipping([], records))
    assert [record.id[-1] for record in found.showing(((LINE(9), 2),), ("1Z1",))] == ["1"]
    assert found.showing(((LINE(9), 2),), ("1Z2",)) == ()


def test_a_call_names_every_line_and_quantity(payloads: Any) -> None:
    found = state(payloads.shipping([payloads.parcel(1, (9, 3), (10, 1))]))
    draft = FulfillmentDraft("o", ((LINE(9), 2),), "UPS", ("1Z1", "1Z2"), "https://t.example/1", notify=True)
    (call,) = fulfilling.calls_for(found, draft)
    assert call.body == {
        "notifyCustomer": True,
        "trackingInfo": {"company": "UPS", "numbers": ["1Z1", "1Z2"], "urls": ["https://t.example/1"] * 2},
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": "gid://shopify/FulfillmentOrder/1",
                "fulfillmentOrderLineItems": [{"id": "gid://shopify/FulfillmentOrderLineItem/19", "quantity": 2}],
            }
        ],
    }


def test_an_order_over_two_locations_needs_one_call_for_each(payloads: Any) -> None:
    parcels = [payloads.parcel(1, (9, 2), location=1), payloads.parcel(2, (9, 1), (10, 5), location=2)]
    draft = FulfillmentDraft("o", ((LINE(9), 3), (LINE(10), 5)), "UPS")
    calls = fulfilling.calls_for(state(payloads.shipping(parcels)), draft)
    assert [(call.group[-1], dict(call.lines)) for call in calls] == [
        ("2", {LINE(9): 1, LINE(10): 5}),
        ("1", {LINE(9): 2}),
    ]


def test_an_array_takes_250_entries_so_a_longer_shipment_needs_several_calls(payloads: Any) -> None:
    found = state(payloads.shipping([payloads.parcel(1, *((n, 1) for n in range(1000, 1300)))]))
    draft = FulfillmentDraft("o", tuple((LINE(n), 1) for n in range(1000, 1300)), "UPS", ("1Z1",))
    calls = fulfilling.calls_for(found, draft)
    sizes = [
        len(one["fulfillmentOrderLineItems"]) for call in calls for one in call.body["lineItemsByFulfillmentOrder"]
    ]
    assert sizes == [250, 50]
    assert sorted(line for call in calls for line in call.lines) == sorted(draft.lines)


def test_one_location_that_has_everything_is_preferred(payloads: Any) -> None:
    parcels = [payloads.parcel(1, (9, 1), location=1), payloads.parcel(2, (9, 3), location=2)]
    calls = fulfilling.calls_for(state(payloads.shipping(parcels)), FulfillmentDraft("o", ((LINE(9), 3),), "UPS"))
    assert [call.group[-1] for call in calls] == ["2"]


def test_two_shipments_of_one_read_never_take_the_same_pieces(payloads: Any) -> None:
    """Each line is over two locations; both drafts alone would go to the same one."""
    parcels = [payloads.parcel(1, (9, 2), (10, 1), location=1), payloads.parcel(2, (9, 3), (10, 1), location=2)]
    found = state(payloads.shipping(parcels))
    first = fulfilling.calls_for(found, FulfillmentDraft("o", ((LINE(9), 2), (LINE(10), 1)), "UPS"))
    left = found.after(first)
    assert left.remaining == {LINE(9): 3, LINE(10): 1}
    second = fulfilling.calls_for(left, FulfillmentDraft("o", ((LINE(9), 3), (LINE(10), 1)), "UPS"))
    assert not any(left.after(second).remaining.values())
    assert left.after(second).parts == ()
    taken: Counter[str] = Counter()
    for call in (*first, *second):
        for parcel in call.body["lineItemsByFulfillmentOrder"]:
            taken.update({item["id"]: item["quantity"] for item in parcel["fulfillmentOrderLineItems"]})
    assert taken == {part.id: part.remaining for part in found.parts}


def test_more_than_is_open_is_refused_before_anything_is_sent(payloads: Any) -> None:
    found = state(payloads.shipping([payloads.parcel(1, (9, 2)), payloads.parcel(2, (9, 5), status="ON_HOLD")]))
    with pytest.raises(NotFulfillable) as raised:
        fulfilling.calls_for(found, FulfillmentDraft("o", ((LINE(9), 3),), "UPS"))
    assert (raised.value.wanted, raised.value.remaining) == (3, 2)
    assert "ON_HOLD" in str(raised.value)


def test_nothing_is_fulfilled_for_a_canceled_order(payloads: Any) -> None:
    found = state(payloads.shipping([payloads.parcel(1, (9, 2))], cancelledAt="2026-11-22T09:31:00Z"))
    with pytest.raises(NotFulfillable, match="canceled"):
        fulfilling.calls_for(found, FulfillmentDraft("o", ((LINE(9), 1),), "UPS"))


@pytest.mark.parametrize("lines", [(), ((LINE(9), 0),)])
def test_a_draft_without_pieces_is_refused(payloads: Any, lines: Any) -> None:
    with pytest.raises(ValueError, match="line"):
        fulfilling.calls_for(state(payloads.shipping([payloads.parcel(1, (9, 2))])), FulfillmentDraft("o", lines, "U"))


QUANTITIES = st.integers(0, 6)
PARCELS = st.lists(
    st.tuples(st.sampled_from(["OPEN", "IN_PROGRESS", "ON_HOLD", "CLOSED"]), st.integers(1, 3),
              st.lists(st.tuples(st.integers(1, 4), QUANTITIES), max_size=5)),
    max_size=6,
)  # fmt: skip


@given(shape=PARCELS, wanted=st.dictionaries(st.integers(1, 4), st.integers(1, 8), min_size=1))
def test_calls_ask_for_exactly_the_draft_within_what_is_open(payloads: Any, shape: Any, wanted: dict[int, int]) -> None:
    parcels = [
        payloads.parcel(i, *lines, status=status, location=where) for i, (status, where, lines) in enumerate(shape)
    ]
    for parcel in parcels:  # ids of lines are unique in a shop
        for j, item in enumerate(parcel["lineItems"]["nodes"]):
            item["id"] += f"-{j}"
    found = state(payloads.shipping(parcels))
    draft = FulfillmentDraft("o", tuple((LINE(n), quantity) for n, quantity in wanted.items()), "UPS", ("1Z1",))
    if any(quantity > found.remaining.get(line, 0) for line, quantity in draft.lines):
        with pytest.raises(NotFulfillable):
            fulfilling.calls_for(found, draft)
        return
    calls = fulfilling.calls_for(found, draft)
    asked: Counter[str] = Counter()
    open_parts = {part.id: part for part in found.parts}
    for call in calls:
        lines: defaultdict[str, int] = defaultdict(int)
        for entry in call.body["lineItemsByFulfillmentOrder"]:  # type: ignore[attr-defined]
            assert entry["fulfillmentOrderLineItems"], "left out would mean everything"
            for item in entry["fulfillmentOrderLineItems"]:
                part = open_parts[item["id"]]
                assert 1 <= item["quantity"] <= part.remaining
                assert (part.group, part.parcel) == (call.group, entry["fulfillmentOrderId"])
                lines[part.line_id] += item["quantity"]
        assert dict(call.lines) == lines
        asked.update(lines)
    assert asked == dict(draft.lines)
    assert len({call.group for call in calls}) == len(calls)


TEXT = st.none() | st.text(max_size=12)


@given(
    financial=st.none() | st.sampled_from(["PAID", "PENDING", "X"]),
    shipping=st.sampled_from(["UNFULFILLED", "FULFILLED", "Y"]),
    address=st.none() | st.fixed_dictionaries(dict.fromkeys(wire.MailingAddress.model_fields, TEXT)),
    sku=TEXT,
    quantities=st.tuples(QUANTITIES, QUANTITIES, QUANTITIES),
)
def test_any_order_of_the_right_form_is_read_and_never_promises_more_than_is_there(
    payloads: Any, financial: Any, shipping: Any, address: Any, sku: Any, quantities: tuple[int, int, int]
) -> None:
    quantity, current, unfulfilled = quantities
    line = payloads.line(
        sku=sku, quantity=quantity, currentQuantity=min(current, quantity), unfulfilledQuantity=unfulfilled
    )
    order = read(
        payloads.order(
            lines=payloads.connection(line),
            displayFinancialStatus=financial,
            displayFulfillmentStatus=shipping,
            shippingAddress=address,
        )
    )
    only = order.lines[0]
    assert only.fulfillable is not None
    assert 0 <= only.fulfillable <= only.quantity - only.canceled
    assert bool(order.addresses) or any("shippingAddress" in problem for problem in order.problems)


@pytest.mark.parametrize(
    ("found", "asked", "same"), [("#1001", "#1001", True), ("#1001", "1001", True), ("#10011", "1001", False)]
)
def test_numbers_are_compared_whole(found: str, asked: str, same: bool) -> None:
    assert mapping.same_number(found, asked) is same
