"""IN-7 to IN-10: what an order becomes, as tables (pure)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ingest_samples import START, line, order, rules

from order_ingest.normalize import Excluded, Held, Ready, normalize
from waybill_contracts.values import Address, HoldReason, PaymentState
from waybill_platforms.model.orders import ChannelOrder

WIDE = {"import": {"payment": list(PaymentState)}}


def judge(of: ChannelOrder, *, here: bool = False, **settings: Any) -> Ready | Held | Excluded:
    return normalize(of, rules(**settings), {} if here else None)


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        (order(reference="E-1001"), "ours"),
        (order(canceled=True), "canceled"),
        (order(placed_at=START - timedelta(seconds=1)), "before_start"),
        (order(payment=PaymentState.PENDING), "payment_pending"),
        (order(payment=PaymentState.UNKNOWN), "payment_unknown"),
        (order(payment=PaymentState.REFUNDED), "payment_refunded"),
        (order(fulfillment="fulfilled"), "fulfillment_fulfilled"),
        (order(fulfillment="unknown"), "fulfillment_unknown"),
        (order(fulfillment="on_hold"), "fulfillment_on_hold"),
        (order(fulfillment="not_required"), "fulfillment_not_required"),
        (order(lines=(line(sku="GIFTWRAP"),)), "nothing_to_ship"),
        (order(lines=(line(requires_shipping=False),)), "nothing_to_ship"),
        (order(lines=(line(quantity=2, canceled=2),)), "nothing_to_ship"),
        (order(lines=(line(quantity=2, fulfillable=0),)), "nothing_to_ship"),
        (order(lines=(line(quantity=0),)), "nothing_to_ship"),
    ],
)
def test_in7_the_filter_keeps_out_with_a_reason(of: ChannelOrder, reason: str) -> None:
    outcome = normalize(of, rules(own=["E-1001"]), None)
    assert isinstance(outcome, Excluded)
    assert outcome.reason == reason


@pytest.mark.parametrize(
    "of", [order(payment=PaymentState.PENDING), order(fulfillment="fulfilled"), order(reference="E-1")]
)
def test_in7_the_filter_decides_the_first_import_only(of: ChannelOrder) -> None:
    assert not isinstance(normalize(of, rules(own=["E-1"]), {}), Excluded)


def test_in7_a_reference_of_another_program_is_not_ours() -> None:
    assert isinstance(judge(order(reference="marketplace-77")), Ready)


@pytest.mark.parametrize(
    ("payment", "deferred", "goes_on"),
    [
        (PaymentState.PAID, (), True),
        (PaymentState.PARTIALLY_REFUNDED, (), True),
        (PaymentState.AUTHORIZED, (), False),
        (PaymentState.AUTHORIZED, ("authorized",), True),
        (PaymentState.PENDING, ("authorized",), False),
        (PaymentState.PARTIALLY_PAID, (), False),
        (PaymentState.VOIDED, (), False),
        (PaymentState.UNKNOWN, (), False),
    ],
)
def test_in8_only_paid_or_deferred_orders_go_on(
    payment: PaymentState, deferred: tuple[str, ...], goes_on: bool
) -> None:
    outcome = judge(order(payment=payment), **{"import": {"payment": list(PaymentState), "deferred": deferred}})
    assert isinstance(outcome, Ready if goes_on else Held)


def test_in8_a_deferred_state_passes_the_filter_too() -> None:
    assert isinstance(judge(order(payment=PaymentState.AUTHORIZED), **{"import": {"deferred": ["authorized"]}}), Ready)


def test_in9_a_kit_stands_for_its_parts() -> None:
    outcome = judge(order(lines=(line(sku="PACK-6", quantity=3),)))
    assert isinstance(outcome, Ready)
    (component,) = outcome.content.lines[0].components
    assert (component.sku, component.quantity) == ("SKU-2", 6)


def test_in9_a_part_listed_twice_counts_once_with_both_quantities() -> None:
    kit = [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 2}, {"sku": "A", "quantity": 3}]
    outcome = judge(order(), skus={"map": {"S1": kit}})
    assert isinstance(outcome, Ready)
    assert [(c.sku, c.quantity) for c in outcome.content.lines[0].components] == [("A", 4), ("B", 2)]


def test_in9_skus_that_repeat_in_one_order_stay_lines_of_their_own() -> None:
    outcome = judge(order(lines=(line("l1"), line("l2"))))
    assert isinstance(outcome, Ready)
    assert [one.line_id for one in outcome.content.lines] == ["l1", "l2"]


@pytest.mark.parametrize(
    ("unmapped", "known", "sku", "goes_on"),
    [
        ("hold", ["NEW"], "NEW", False),
        ("pass", ["NEW"], "NEW", True),
        ("pass", ["*"], "NEW", True),
        ("pass", ["OTHER"], "NEW", False),
        ("pass", ["NEW", "*"], "", False),
    ],
)
def test_in9_an_unmapped_sku_passes_only_when_some_source_knows_it(
    unmapped: str, known: list[str], sku: str, goes_on: bool
) -> None:
    judged = normalize(order(lines=(line(sku=sku),)), rules(known=known, skus={"unmapped": unmapped}), None)
    assert isinstance(judged, Ready if goes_on else Held)


@pytest.mark.parametrize(
    ("unmapped", "method", "expected"),
    [
        ("hold", "Standard", "ground"),
        ("hold", " Standard ", "ground"),
        ("hold", "", None),
        ("hold", "Drone", HoldReason.UNMAPPED_SHIPPING_METHOD),
        ("pass", "air", "air"),
        ("pass", "Drone", HoldReason.UNMAPPED_SHIPPING_METHOD),
    ],
)
def test_in9_shipping_methods(unmapped: str, method: str, expected: str | None) -> None:
    settings = {"shipping_methods": {"map": {"Standard": "ground"}, "unmapped": unmapped}}
    judged = normalize(order(shipping_method=method), rules(known=["air"], **settings), None)
    if isinstance(expected, HoldReason):
        assert isinstance(judged, Held)
        assert [(hold.reason, hold.value) for hold in judged.holds] == [(expected, method)]
    else:
        assert isinstance(judged, Ready)
        assert judged.content.shipping_method == expected


def test_in9_lines_that_want_nothing_hold_nothing() -> None:
    lines = (line(), line("l2", "?", quantity=1, canceled=1), line("l3", "?", quantity=0), line("l4", "GIFTWRAP"))
    assert isinstance(judge(order(lines=lines)), Ready)


def test_in10_invalid_names_every_failing_field() -> None:
    bad = order(
        currency="euro", addresses=(), total=Decimal("1e30"),
        problems=("shippingAddress.countryCodeV2: 'XX1' is no country",),
        lines=(line("", quantity=1), line("x", unit_price=Decimal("0.1234567")), line("x", quantity=-1)),
    )  # fmt: skip
    judged = judge(bad)
    assert isinstance(judged, Held)
    fields = [hold.field for hold in judged.holds if hold.reason is HoldReason.INVALID]
    assert fields == [
        "shippingAddress.countryCodeV2", "currency", "total", "ship_to", "lines[0].line_id", "lines[1].unit_price",
        "lines[2].line_id", "lines[2].quantity",
    ]  # fmt: skip
    assert all(hold.fix for hold in judged.holds)


def test_in10_all_reasons_are_told_at_once() -> None:
    bad = order(payment=PaymentState.PENDING, shipping_method="?", lines=(line(sku="?"),))
    judged = judge(bad, **WIDE)
    assert isinstance(judged, Held)
    assert {hold.reason for hold in judged.holds} == {
        HoldReason.UNMAPPED_SKU, HoldReason.UNMAPPED_SHIPPING_METHOD, HoldReason.AWAITING_PAYMENT,
    }  # fmt: skip


def test_in10_an_order_without_lines_is_held_as_invalid() -> None:
    judged = judge(order(lines=()))
    assert isinstance(judged, Held)
    assert [hold.field for hold in judged.holds] == ["lines"]


def test_in10_on_hold_at_the_channel() -> None:
    judged = judge(order(fulfillment="on_hold"), **{"import": {"fulfillment": ["unfulfilled", "on_hold"]}})
    assert isinstance(judged, Held)
    assert [hold.reason for hold in judged.holds] == [HoldReason.ON_HOLD_AT_CHANNEL]


@pytest.mark.parametrize(
    "of",
    [
        order(lines=(line(quantity=10_000),)),
        order(lines=(line(), line("l2", quantity=0))),
        order(currency="JPY", total=Decimal(1200), lines=(line(unit_price=Decimal(600)),)),
        order(addresses=(Address(name="山田太郎", line1="千代田区1-1", city="東京", country="JP"),)),
        order(addresses=(Address(country="LB", name="ليلى"),)),
        order(number="0042"),
        order(placed_at=START, updated_at=datetime(1889, 1, 1, tzinfo=UTC)),
        order(lines=(line(unit_price=Decimal("9.9000000000")),)),
    ],
)
def test_unusual_orders_go_on(of: ChannelOrder) -> None:
    assert isinstance(judge(of), Ready)


def test_in7_what_left_or_was_refunded_before_is_not_requested() -> None:
    lines = (line("a", quantity=5, canceled=1, fulfillable=2), line("b", quantity=1, fulfillable=1))
    judged = judge(order(fulfillment="partial", lines=lines))
    assert isinstance(judged, Ready)
    assert [one.wanted for one in judged.content.lines] == [2, 1]
    assert judged.baseline == {"a": 2}


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (order(canceled=True), "canceled_at_channel"),
        (order(payment=PaymentState.REFUNDED), "refunded"),
        (order(lines=(line(quantity=2, canceled=2),)), "all_lines_canceled"),
        (order(lines=(line(quantity=2, canceled=2), line("l2", "GIFTWRAP"))), "all_lines_canceled"),
    ],
)
def test_in13_an_imported_order_leaves_by_cancellation_or_refund(of: ChannelOrder, why: str) -> None:
    judged = judge(of, here=True)
    assert isinstance(judged, Ready)
    assert judged.content.canceled == why


def test_a_canceled_order_waits_for_nothing() -> None:
    assert isinstance(judge(replace(order(), canceled=True, lines=(line(sku="?"),)), here=True), Ready)
