"""WooCommerce's words in ours: payment, fulfillment, quantities, addresses, times; each trap under its own name."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from waybill_platforms.errors import NotFulfillable
from waybill_platforms.model.fulfillments import ChannelFulfillments, FulfillmentDraft
from waybill_platforms.model.orders import ChannelOrder
from waybill_platforms.woocommerce import fulfilling, mapping, records, wire
from waybill_platforms.woocommerce.mapping import Known
from waybill_platforms.woocommerce.reading import live, parse


@pytest.fixture(scope="session")
def payloads(load: Any) -> Any:
    return load("woocommerce_payloads")


def read(payload: dict[str, Any], known: Known | None = None) -> ChannelOrder:
    return mapping.order(wire.Order.model_validate(payload), known or Known())


# -- payment


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("pending", "pending"),
        ("on-hold", "pending"),
        ("processing", "pending"),
        ("completed", "pending"),
        ("failed", "pending"),
        ("cancelled", "voided"),
        ("trash", "voided"),
        ("refunded", "refunded"),
    ],
)
def test_processing_that_is_not_paid_is_pending(payloads: Any, status: str, ours: str) -> None:
    """A status proves no money: cash on delivery and cheques are `processing` without a date of payment."""
    order = read(payloads.order(status=status, date_paid_gmt=None, payment_method="cod"))
    assert (order.payment.value, order.raw_status) == (ours, f"{status}/cod/unpaid")


@pytest.mark.parametrize("status", ["processing", "on-hold", "completed", "cancelled", "at-the-customs"])
def test_a_date_of_payment_is_paid_whatever_the_status(payloads: Any, status: str) -> None:
    assert read(payloads.order(status=status)).payment.value == "paid"


def test_a_custom_status_is_unknown_and_named_never_guessed_paid(payloads: Any) -> None:
    order = read(payloads.order(status="at-the-customs", date_paid_gmt=None))
    assert (order.payment.value, order.fulfillment) == ("unknown", "unknown")
    assert all("'at-the-customs'" in problem for problem in order.problems)


@pytest.mark.parametrize(("total", "ours"), [("-10.50", "partially_refunded"), ("-", "paid"), ("", "paid"),
                                             ("-0.00", "paid")])  # fmt: skip
def test_a_refund_without_an_amount_takes_no_money_back(payloads: Any, total: str, ours: str) -> None:
    """Its total is "-" since 10.6, "-0.00" before."""
    assert read(payloads.order(refunds=[{"id": 3, "reason": "", "total": total}])).payment.value == ours


# -- fulfillment


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("processing", "unfulfilled"),
        ("pending", "unfulfilled"),
        ("on-hold", "on_hold"),
        ("completed", "fulfilled"),
        ("delivered", "fulfilled"),
        ("cancelled", "canceled"),
        ("failed", "canceled"),
        ("trash", "canceled"),
    ],
)
def test_each_status_says_what_has_left_where_nothing_else_does(payloads: Any, status: str, ours: str) -> None:
    order = read(payloads.order(status=status))
    assert (order.fulfillment, order.canceled) == (ours, ours == "canceled")


def test_a_trashed_order_answers_200_and_is_canceled(payloads: Any) -> None:
    assert read(payloads.order(status="trash")).canceled


def test_a_completed_order_has_nothing_left_to_ship_however_it_got_there(payloads: Any) -> None:
    order = read(payloads.order(status="completed"), Known(shipped={}))
    assert (order.fulfillment, order.lines[0].fulfillable) == ("fulfilled", 0)


def test_a_part_shipment_of_which_nothing_says_the_pieces_is_a_problem(payloads: Any) -> None:
    order = read(payloads.order(status="partial-shipped"))
    assert (order.fulfillment, order.lines[0].fulfillable) == ("partial", None)
    assert "nothing says which pieces" in order.problems[0]


@pytest.mark.parametrize(("shipped", "ours", "fulfillable"), [({}, "unfulfilled", 3), ({7: 1}, "partial", 2),
                                                              ({7: 3}, "fulfilled", 0)])  # fmt: skip
def test_fulfillments_say_it_better_than_the_status(
    payloads: Any, shipped: dict[int, int], ours: str, fulfillable: int
) -> None:
    order = read(payloads.order(), Known(shipped=shipped))
    assert (order.fulfillment, order.lines[0].fulfillable) == (ours, fulfillable)


def test_fulfillable_is_ordered_less_refunded_less_shipped_and_never_below_zero(payloads: Any) -> None:
    assert read(payloads.order(), Known({7: 1}, {7: 1})).lines[0].fulfillable == 1
    assert read(payloads.order(), Known({7: 3}, {7: 3})).lines[0].fulfillable == 0  # it was shipped and came back


def test_what_is_virtual_is_not_shipped(payloads: Any) -> None:
    order = read(payloads.order(lines=[payloads.line(), payloads.line(8)]), Known(virtual=frozenset({"LAMP-8"})))
    assert [line.requires_shipping for line in order.lines] == [True, False]
    assert read(payloads.order(), Known(virtual=frozenset({"LAMP-7"}))).fulfillment == "not_required"
    assert read(payloads.order(needs_processing=False)).fulfillment == "not_required"


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft"])
def test_a_shopper_who_opened_the_checkout_is_no_order(payloads: Any, status: str) -> None:
    assert parse([payloads.order(status=status)]) == ([], [])


# -- lines, money, addresses, times


def test_an_order_is_read_whole(payloads: Any) -> None:
    order = read(payloads.order())
    assert (order.id, order.number, order.currency, order.total) == ("1001", "1001", "EUR", Decimal("59.70"))
    assert (order.updated_at, order.placed_at) == (
        datetime(2026, 11, 22, 9, 30, tzinfo=UTC), datetime(2026, 11, 22, 9, tzinfo=UTC))  # fmt: skip
    assert (order.email, order.note, order.shipping_method) == ("zoe@example.com", "bitte klingeln", "Standard")
    (line,) = order.lines
    assert (line.line_id, line.sku, line.quantity, line.canceled, line.fulfillable) == ("7", "LAMP-7", 3, 0, 3)
    assert line.unit_price == Decimal("16.722689")
    assert (order.reference, order.problems) == (None, ())
    (address,) = order.addresses
    assert (address.name, address.region, address.country, address.phone) == (
        "Zoë Müller", "DE-NW", "DE", "+49 221 1")  # fmt: skip


def test_the_number_may_differ_from_the_id(payloads: Any) -> None:
    assert read(payloads.order(number="SHOP-77")).number == "SHOP-77"


def test_an_order_with_our_reference_is_recognised(payloads: Any) -> None:
    """IN-7"""
    assert read(payloads.order(meta_data=[payloads.meta("_waybill_reference", "E-1001")])).reference == "E-1001"


def test_a_sku_is_null_when_the_product_is_gone(payloads: Any) -> None:
    assert read(payloads.order(lines=[payloads.line(sku=None, product_id=0, name="")])).lines[0].sku == ""


def test_an_empty_ship_to_is_the_bill_to(payloads: Any) -> None:
    order = read(payloads.order(shipping=payloads.EMPTY))
    assert [address.city for address in order.addresses] == ["Köln"]
    nowhere = read(payloads.order(shipping=payloads.EMPTY, billing=payloads.EMPTY))
    assert (nowhere.addresses, len(nowhere.problems)) == ((), 1)


def test_a_fraction_of_a_piece_is_no_quantity(payloads: Any) -> None:
    with pytest.raises(ValidationError):
        wire.Order.model_validate(payloads.order(lines=[payloads.line(quantity=1.5)]))
    assert wire.Order.model_validate(payloads.order(lines=[payloads.line(quantity="2")])).line_items[0].quantity == 2


@pytest.mark.parametrize("missing", [["global_unique_id"], ["image", "parent_name", "taxes"]])
def test_older_versions_lack_fields(payloads: Any, missing: list[str]) -> None:
    old = {name: value for name, value in payloads.line().items() if name not in missing}
    assert read(payloads.order(lines=[old], needs_processing=True)).lines[0].quantity == 3


def test_times_without_a_zone_are_utc_in_the_gmt_fields(payloads: Any) -> None:
    """The other one of each pair is the store's clock."""
    order = wire.Order.model_validate(payloads.order())
    assert order.date_created_gmt == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert mapping.clock_offset(order) == timedelta(hours=1)


def test_the_bound_is_naive_gmt_and_a_second_earlier(payloads: Any) -> None:
    """`modified_after` is exclusive, to the second; with an offset the flag would miss orders east of Greenwich."""
    berlin = timezone(timedelta(hours=1))
    assert mapping.just_before(datetime(2026, 11, 22, 10, 0, 0, 999, tzinfo=berlin)) == "2026-11-22T08:59:59"


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)))
def test_no_moment_gives_a_bound_with_a_zone_or_after_itself(moment: datetime) -> None:
    bound = mapping.just_before(moment)
    assert len(bound) == len("2026-11-22T08:59:59")
    assert timedelta(seconds=1) <= moment - mapping.utc(bound) < timedelta(seconds=2)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data(), JSON)
def test_whatever_stands_in_a_field_the_order_is_read_or_named_and_its_neighbours_go_on(
    load: Any, data: st.DataObject, value: Any
) -> None:
    payloads = load("woocommerce_payloads")
    odd = payloads.order(2)
    inside = data.draw(st.sampled_from([odd, odd["line_items"][0], odd["shipping"], odd["shipping_lines"][0]]))
    inside[data.draw(st.sampled_from(sorted(inside)))] = value
    orders, problems = parse([payloads.order(1), odd, payloads.order(3)])
    draft = odd["status"] in tuple(mapping.NO_ORDER_YET)
    assert len(orders) + len(problems) + draft == 3
    for one in orders:
        try:
            read_one = mapping.order(one, Known())
        except ValueError:
            continue
        assert all((line.fulfillable or 0) >= 0 <= line.canceled for line in read_one.lines)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_open_pieces_are_never_negative_and_never_more_than_were_not_refunded(
    load: Any, ordered: int, refunded: int, shipped: int
) -> None:
    payloads = load("woocommerce_payloads")
    order = read(payloads.order(lines=[payloads.line(quantity=ordered)]), Known({7: refunded}, {7: shipped}))
    (line,) = order.lines
    assert line.fulfillable is not None
    assert 0 <= line.fulfillable <= max(ordered - refunded, 0)
    assert line.fulfillable == max(ordered - refunded - shipped, 0)


# -- refunds


def test_a_refund_names_the_line_of_the_order_in_its_meta(payloads: Any) -> None:
    order = wire.Order.model_validate(payloads.order(lines=[payloads.line(7), payloads.line(8, product_id=47)]))
    refunds = [wire.Refund.model_validate(payloads.refund(3, (8, 1))), wire.Refund.model_validate(payloads.refund(4))]
    assert mapping.refunded(order, refunds) == {8: 1}


def test_a_refund_that_could_be_of_two_lines_is_no_guess(payloads: Any) -> None:
    order = wire.Order.model_validate(payloads.order(lines=[payloads.line(7), payloads.line(8, product_id=47)]))
    nameless = payloads.refund(3, (7, 1))
    nameless["line_items"][0]["meta_data"] = []
    with pytest.raises(ValueError, match="does not say which of 2 lines"):
        mapping.refunded(order, [wire.Refund.model_validate(nameless)])
    alone = wire.Order.model_validate(payloads.order(lines=[payloads.line(7)]))
    assert mapping.refunded(alone, [wire.Refund.model_validate(nameless)]) == {7: 1}


# -- fulfillments


@pytest.mark.parametrize(
    ("told", "stands"), [("1", True), ("0", False), (True, True), (False, False), (None, False), (1, True), (0, False)]
)
def test_is_fulfilled_is_the_text_0_which_is_true_to_python(payloads: Any, told: Any, stands: bool) -> None:
    made = wire.Fulfillment.model_validate(payloads.fulfillment(4, (7, 2), is_fulfilled=told))
    assert records.is_live(made) is stands
    assert live(wire.Order.model_validate(payloads.order()), [made]) == ({7: 2} if stands else {})


def test_a_deleted_fulfillment_does_not_stand(payloads: Any) -> None:
    made = wire.Fulfillment.model_validate(payloads.fulfillment(4, (7, 2), date_deleted="2026-11-22T09:26:00Z"))
    assert (records.is_live(made), records.record(1001, made, timedelta(0)).status) == (False, "canceled")


ITEMS = [{"item_id": 7, "qty": 1}, {"item_id": 8, "qty": 1}]


@pytest.mark.parametrize(
    ("told", "more", "paid", "gone"),
    [
        ("2026-11-22T09:01:00Z", {}, "2026-11-22T09:01:00", {8: 1}),  # 7 is a CD, 8 a licence
        ("2026-11-22 10:01:02", {}, "2026-11-22T09:01:00", {8: 1}),  # up to 10.7 in the store's clock
        ("2026-11-22T09:00:00Z", {}, None, {8: 1}),  # to be paid on delivery
        ("2026-11-22T15:20:00Z", {}, "2026-11-22T09:01:00", {7: 1, 8: 1}),  # a person, hours later, for several orders
        ("2026-11-22T09:01:00Z", {"_tracking_number": "1Z9"}, "2026-11-22T09:01:00", {7: 1, 8: 1}),
        ("2026-11-22T09:01:00Z", {"_shipping_option": "no-info"}, "2026-11-22T09:01:00", {7: 1, 8: 1}),
    ],
)
def test_what_the_store_itself_fulfills_at_payment_has_not_left_unless_it_never_ships(
    payloads: Any, told: str, more: dict[str, str], paid: str | None, gone: dict[int, int]
) -> None:
    """SP-8: seen at 10.2 and 11.0; a CD with files was "fulfilled" by the store in the second of its payment."""
    meta = [payloads.meta("_auto_fulfill_processed", "1"), payloads.meta("_fulfillment_status", "fulfilled")]
    read = payloads.order(lines=[payloads.line(7), payloads.line(8)], meta_data=meta, date_paid_gmt=paid)
    fields = {"_items": ITEMS, "_date_fulfilled": told, **more}
    made = payloads.fulfillment(4, meta_data=[payloads.meta(key, value) for key, value in fields.items()])
    order, fulfillment = wire.Order.model_validate(read), wire.Fulfillment.model_validate(made)
    assert live(order, [fulfillment], {"LAMP-8"}) == gone
    without = wire.Order.model_validate({**read, "meta_data": []})
    assert live(without, [fulfillment], {"LAMP-8"}) == {7: 1, 8: 1}  # a version that does no such thing


@pytest.mark.parametrize("key", ["_shipment_provider", "_shipping_provider"])
def test_the_carrier_is_read_from_either_key(payloads: Any, key: str) -> None:
    made = payloads.fulfillment(4, (7, 2))
    made["meta_data"] = [{"id": 1, "key": key, "value": "dhl"}]
    assert records.record(1001, wire.Fulfillment.model_validate(made), timedelta(0)).carrier == "dhl"


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-11-22T08:08:57Z", "2026-11-22T08:08:57+00:00"),
        ("2026-11-22 09:08:57", "2026-11-22T08:08:57+00:00"),  # up to 10.7: the store's clock, and a blank
    ],
)
def test_a_fulfillments_time_is_local_up_to_10_7(told: str, moment: str) -> None:
    assert records.moment(told, timedelta(hours=1)).isoformat() == moment


def state(payloads: Any, way: fulfilling.Way = "fulfillments", known: Known | None = None,
          **changes: Any) -> ChannelFulfillments:  # fmt: skip
    order = wire.Order.model_validate(payloads.order(lines=[payloads.line(7), payloads.line(8)], **changes))
    parts = fulfilling.open_parts(order, known or Known(), way)
    remaining = {part.line_id: part.remaining for part in parts}
    return ChannelFulfillments("1001", order.status in mapping.GONE, "unfulfilled", remaining, (), parts)


def draft(*lines: tuple[str, int], numbers: tuple[str, ...] = ("1Z1",)) -> FulfillmentDraft:
    return FulfillmentDraft("1001", lines, "ups", numbers, "https://t.example/1Z1")


def test_every_meta_entry_has_id_0_and_the_carrier_stands_under_both_keys(payloads: Any) -> None:
    """10.5 drops entries without the id; the code reads one key and the documentation names the other."""
    (call,) = fulfilling.calls_for(state(payloads), draft(("7", 2)))
    body = fulfilling.fulfillment_body(call)
    assert all(entry["id"] == 0 for entry in body["meta_data"])
    meta = {entry["key"]: entry["value"] for entry in body["meta_data"]}
    assert meta["_shipment_provider"] == meta["_shipping_provider"] == "ups"
    assert meta["_items"] == [{"item_id": 7, "qty": 2}]  # JSON numbers: "1" is an invalid item
    assert body["status"] == "fulfilled"  # any other word is stored as unfulfilled, with 201
    assert meta[records.MARK] == records.mark("1001", [("7", 2)], ["1Z1"])


def test_the_store_accepts_99_of_3_so_we_do_not_send_it(payloads: Any) -> None:
    with pytest.raises(NotFulfillable, match="99 to fulfill, but 3 open"):
        fulfilling.calls_for(state(payloads), draft(("7", 99)))
    with pytest.raises(NotFulfillable, match="line 4711: 1 to fulfill, but 0 open"):
        fulfilling.calls_for(state(payloads), draft(("4711", 1)))  # an item of another order
    with pytest.raises(NotFulfillable):
        fulfilling.calls_for(state(payloads), draft(("7", 2), ("7", 2)))


@pytest.mark.parametrize("status", ["cancelled", "failed", "trash", "on-hold"])
def test_fulfillments_on_a_cancelled_order_are_accepted_there_but_not_sent_by_us(payloads: Any, status: str) -> None:
    with pytest.raises(NotFulfillable):
        fulfilling.calls_for(state(payloads, status=status), draft(("7", 1)))


def test_a_draft_without_lines_is_refused(payloads: Any) -> None:
    with pytest.raises(ValueError, match="no line"):
        fulfilling.calls_for(state(payloads), draft())


@given(st.dictionaries(st.sampled_from(["7", "8"]), st.integers(1, 3), min_size=1), st.sampled_from([(), (7,), (8,)]))
def test_the_last_shipment_completes_the_order(load: Any, lines: dict[str, int], virtual: tuple[int, ...]) -> None:
    payloads = load("woocommerce_payloads")
    known = Known(virtual=frozenset(f"LAMP-{n}" for n in virtual))
    (call,) = fulfilling.calls_for(state(payloads, known=known), draft(*lines.items()))
    assert call.body["completes"] is all(lines.get(str(n), 0) == 3 for n in (7, 8) if n not in virtual)
    assert dict(call.lines) == lines


def test_a_put_replaces_all_meta_so_items_are_sent_again(payloads: Any) -> None:
    there = wire.Fulfillment.model_validate(payloads.fulfillment(4, (7, 2)))
    body = fulfilling.corrected_body(there, "1001", "dhl", ("2Z2", "3Z3"), "https://t.example/2")
    meta = {entry["key"]: entry["value"] for entry in body["meta_data"]}
    assert meta["_items"] == [{"item_id": 7, "qty": 2}]
    assert (meta["_tracking_number"], meta["_shipment_provider"]) == ("2Z2, 3Z3", "dhl")
    assert meta["_date_fulfilled"] == "2026-11-22T09:25:00Z"


# -- our own record


ENTRY = records.Entry("abc", (("7", 2),), "DHL", ("1", "2"), "https://t.example", datetime(2026, 11, 22, tzinfo=UTC))


@given(
    st.lists(
        st.builds(
            records.Entry,
            key=st.text("0123456789abcdef", min_size=1),
            lines=st.lists(st.tuples(st.from_regex(r"[1-9][0-9]{0,6}", fullmatch=True), st.integers(1, 99))).map(tuple),
            carrier=st.text(),
            numbers=st.lists(st.text(min_size=1)).map(tuple),
            url=st.none() | st.text(min_size=1),
            at=st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)),
            tracking=st.lists(st.text(min_size=1)).map(tuple),
            canceled=st.booleans(),
        )
    )
)
def test_our_record_survives_the_order_it_is_kept_in(load: Any, entries: list[records.Entry]) -> None:
    payloads = load("woocommerce_payloads")
    told = [entry.told() for entry in entries]
    as_php = {str(n): one for n, one in enumerate(told)} if len(told) > 1 else told  # an array with gaps
    for value in (told, as_php):
        order = wire.Order.model_validate(payloads.order(meta_data=[payloads.meta(records.SHIPMENTS, value)]))
        assert list(records.entries(order)) == entries


@pytest.mark.parametrize("value", ["nonsense", [1], [{"key": "a"}], "{", 5])
def test_a_record_that_somebody_spoilt_is_told_not_ignored(payloads: Any, value: Any) -> None:
    order = wire.Order.model_validate(payloads.order(meta_data=[payloads.meta(records.SHIPMENTS, value)]))
    with pytest.raises(ValueError, match="not what we wrote"):
        records.entries(order)


def test_tracking_that_somebody_removed_withdraws_its_shipment(payloads: Any) -> None:
    item = {"tracking_id": "t1", "tracking_number": "1", "tracking_provider": "dhl"}
    entry = records.Entry(**{**{f: getattr(ENTRY, f) for f in ENTRY.__slots__}, "tracking": ("t1",)})
    there = records.tracking_items(
        wire.Order.model_validate(payloads.order(meta_data=[payloads.meta(records.TRACKING_ITEMS, [item])]))
    )
    assert records.record_of_entry(1001, entry, there, {}).status == "success"
    assert records.record_of_entry(1001, entry, (), {}).status == "canceled"


def test_the_plugins_own_link_is_what_the_buyer_sees_and_is_told(payloads: Any) -> None:
    item = wire.Tracking(tracking_id="t1", tracking_number="1", tracking_provider="dhl")
    entry = records.Entry(**{**{f: getattr(ENTRY, f) for f in ENTRY.__slots__}, "tracking": ("t1",)})
    record = records.record_of_entry(1001, entry, [item], {"DHL": "https://dhl.example/%number%"})
    assert (record.carrier, record.tracking_urls) == ("DHL", ("https://dhl.example/1",))


def test_a_carrier_that_the_plugin_does_not_know_goes_as_a_custom_one(payloads: Any) -> None:
    """It would be stored as none, with 201 and no link."""
    (call,) = fulfilling.calls_for(state(payloads, "tracking"), draft(("7", 1)))
    assert fulfilling.tracking_body(call, "1Z1", ["UPS"]) == {
        "tracking_provider": "UPS", "tracking_number": "1Z1", "status_shipped": 0}  # fmt: skip
    custom = fulfilling.tracking_body(call, "1Z1", ["DHL"])
    assert (custom["custom_tracking_provider"], custom["custom_tracking_link"]) == ("ups", "https://t.example/1Z1")
    assert "tracking_provider" not in custom


@given(st.lists(st.text("ab", min_size=1, max_size=2), max_size=4), st.permutations([("7", 1), ("8", 2)]))
def test_the_same_shipment_always_has_the_same_mark(numbers: list[str], lines: list[tuple[str, int]]) -> None:
    assert records.mark("1", lines, numbers) == records.mark("1", reversed(lines), reversed(numbers))
    assert records.mark("1", lines, numbers) != records.mark("2", lines, numbers)
