"""Orders as life brings them, by every way in: each sharp point has its answer (IN-6 to IN-10, IN-16)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from ingest_samples import START, channel, configured, line, order, sighting
from pydantic import ValidationError

from order_ingest.import_inbound import import_inbound
from waybill_common.db import transaction
from waybill_contracts.envelope import Received
from waybill_contracts.orders_inbound import OrderSubmitted
from waybill_contracts.values import Address
from waybill_platforms.model.orders import ChannelOrder

HANOI = Address(name="Nguyễn Thị Hồng", line1="Ngõ 12, phố Huế", city="Hà Nội", country="VN")
TOKYO = Address(name="佐藤 陽菜", line1="渋谷二丁目21-1", city="渋谷区", postal_code="150-0002", country="JP")
CAIRO = Address(name="محمد عبد الله", line1="شارع التحرير ١٢", city="القاهرة", country="EG")
LMT = timezone(timedelta(hours=-4, minutes=-56, seconds=-2))
"""New York's own time before its zone began."""


@pytest.mark.parametrize(
    ("of", "standing", "reason"),
    [
        (order(lines=()), "held", "invalid"),
        (order(lines=(line(quantity=0), line("l2", quantity=1))), "imported", ""),
        (order(lines=(line(quantity=0),)), "excluded", "nothing_to_ship"),
        (order(lines=(line(quantity=10_000),)), "imported", ""),
        (order(lines=(line(quantity=-2),)), "excluded", "cancellation"),
        (order(lines=(line(quantity=-2), line("l2"))), "held", "invalid"),
        (order(lines=(line(), line("l2"), line("l3"))), "imported", ""),
        (order(lines=(line(), line())), "held", "invalid"),
        (order(currency="JPY", total=Decimal(1980), lines=(line(unit_price=Decimal(990)),)), "imported", ""),
        (order(currency="JPY", total=Decimal("1980.00000000")), "imported", ""),
        (order(currency="¥"), "held", "invalid"),
        (order(number=""), "held", "invalid"),
        (order(addresses=(HANOI,)), "imported", ""),
        (order(addresses=(TOKYO,)), "imported", ""),
        (order(addresses=(CAIRO,)), "imported", ""),
        (order(email="a\0b@example.org", note="half \ud83d"), "imported", ""),
        (order(placed_at=datetime(1883, 11, 18, 12, tzinfo=LMT)), "excluded", "before_start"),
        (order(placed_at=datetime(2026, 11, 1, 23, 59, 59, 999_999, UTC)), "imported", ""),
        (order(updated_at=datetime(2099, 1, 1, tzinfo=UTC)), "imported", ""),
    ],
    ids=[
        "no lines", "one line of 0", "only a line of 0", "10,000 pieces", "only negative", "partly negative",
        "a SKU three times", "a line id twice", "no decimals", "needless zeros", "no currency", "no number",
        "Vietnamese", "Japanese", "Arabic", "NUL and half a surrogate", "before its zone began", "microseconds",
        "a date far ahead",
    ],
)  # fmt: skip
async def test_in10_each_sharp_point_has_its_answer(house: Any, of: ChannelOrder, standing: str, reason: str) -> None:
    await house.see(sighting(of))

    row = await house.row()
    said = {hold["reason"] for hold in row["body"]["holds"]} if row["body"] else {row["reason"]}
    assert (row["standing"], said) == (standing, {reason} if reason else set())
    assert len(await house.told()) == 1
    await house.see(replace(sighting(of), read_at=of.updated_at + timedelta(hours=1)))
    assert len(await house.told()) == 1


async def test_in16_a_sku_that_repeats_keeps_its_lines_apart_through_an_edit(house: Any) -> None:
    await house.see(sighting(order(lines=(line(), line("l2", quantity=5), line("l3")))))

    await house.see(sighting(order(minute=1, lines=(line(), line("l2", quantity=5, canceled=5), line("l3")))))

    body = (await house.row())["body"]
    assert [(one["line_id"], one["quantity"], one["canceled"]) for one in body["lines"]] == [
        ("l1", 2, 0), ("l2", 5, 5), ("l3", 2, 0),
    ]  # fmt: skip
    assert (body["version"], body["state"]) == (2, "imported")


async def test_in13_cancel_of_one_line_of_three_leaves_the_other_two_going(house: Any) -> None:
    three = (line(), line("l2", sku="PACK-6"), line("l3"))
    await house.see(sighting(order(lines=three)))

    await house.see(sighting(order(minute=1, lines=(three[0], replace(three[1], canceled=2), three[2]))))

    changed = (await house.told())[-1]
    assert (type(changed).__name__, changed.changed, changed.order.version) == ("OrderChanged", ("lines",), 2)
    assert [one.wanted for one in changed.order.lines] == [2, 0, 2]


async def test_in9_services_by_pattern_and_a_discount_do_not_hold_the_rest(house: Any) -> None:
    services = {"map": {"S1": "SKU-1"}, "services": ["POST", "D", "gift_*"]}
    await house.configure(configured(channel(skus=services), version=2))
    extras = (line("p", sku="POST"), line("d", sku="D", quantity=-1), line("g", sku="gift_0001_40"))

    await house.see(sighting(order("o1", lines=(line(), *extras))), sighting(order("o2", lines=extras)))

    assert {row["number"]: (row["standing"], row["reason"]) for row in await house.rows()} == {
        "#o1": ("imported", ""), "#o2": ("excluded", "nothing_to_ship"),
    }  # fmt: skip


def _published(quantity: object, price: object, number: object = "A-1") -> OrderSubmitted:
    return OrderSubmitted.model_validate(
        {
            "at": START, "channel": "web", "number": number, "placed_at": START, "currency": "EUR", "payment": "paid",
            "ship_to": {"country": "DE"}, "lines": [{"sku": "S1", "quantity": quantity, "unit_price": price}],
        }
    )  # fmt: skip


async def test_in4_numbers_as_strings_and_as_numbers_are_one_order_and_change_nothing(house: Any) -> None:
    await house.configure(configured(channel("web", "events")))
    for quantity, price in (("2", "9.90"), (2, 9.9), ("2.0", "9.9000"), (2.0, "9.9")):
        event = _published(quantity, price)
        async with transaction(house.pool) as conn:
            received = Received(event, f"{quantity!r}/{price!r}", "erp", None)
            await import_inbound(conn, [received], house.rulebook, house.telemetry, START)

    (row,) = await house.rows()
    assert (row["body"]["lines"][0]["quantity"], row["body"]["version"]) == (2, 1)
    assert await house.told_names() == ["OrderImported"]


@pytest.mark.parametrize(
    ("quantity", "price", "number", "field"),
    [
        ("two", "9.90", "A-1", "lines.0.quantity"),
        (2.5, "9.90", "A-1", "lines.0.quantity"),
        ("", "9.90", "A-1", "lines.0.quantity"),
        ("2", "9,90", "A-1", "lines.0.unit_price"),
        ("2", "NaN", "A-1", "lines.0.unit_price"),
        ("2", "9.90", 1001, "number"),
    ],
)
def test_in4_what_is_no_number_or_no_text_is_refused_with_its_field(
    quantity: object, price: object, number: object, field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        _published(quantity, price, number)

    assert field in {".".join(map(str, error["loc"])) for error in refused.value.errors()}
