"""IN-5: rows of a file become orders, or errors that name row, field, value and fix (pure)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from order_ingest.countries import country_of
from order_ingest.file_columns import MappingRefused, columns_of
from order_ingest.file_orders import Reading, Row, RowError, orders_of
from waybill_contracts.configuration import FileMapping
from waybill_platforms.model.orders import ChannelOrder

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MAP = {"number": "InvoiceNo", "sku": "StockCode", "quantity": "Quantity", "country": "Country"}
HEADER = ["InvoiceNo", "StockCode", "Quantity", "Country", "City", "When", "Price"]
EXTRA = MAP | {"city": "City", "date": "When", "price": "Price"}


def read(*cells: list[str], mapping: dict[str, Any] | None = None) -> tuple[dict[str, ChannelOrder], list[RowError]]:
    saved = FileMapping.model_validate(mapping or {})
    rows = [Row(place, row) for place, row in enumerate(cells, start=2)]
    return orders_of(rows, Reading(columns_of(HEADER, EXTRA, saved), saved, NOW))


def test_rows_that_repeat_a_number_are_one_order_with_the_lines_in_their_places() -> None:
    orders, errors = read(
        ["1", "A", "6.0", "United Kingdom", "Leeds", "2010-12-01 08:26:00", "2.55"],
        ["2", "B", "1", "FR", "", "", ""],
        ["1", "A", "2", "", "", "2010-12-01 08:27:00", ""],
    )

    assert errors == []
    assert list(orders) == ["1", "2"]
    first = orders["1"]
    assert [(line.line_id, line.sku, line.quantity) for line in first.lines] == [("1", "A", 6), ("2", "A", 2)]
    assert (first.addresses[0].country, first.addresses[0].city) == ("GB", "Leeds")
    assert first.placed_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert first.total == Decimal("15.30")
    assert orders["2"].placed_at == NOW


@pytest.mark.parametrize(
    ("cells", "field", "value"),
    [
        (["", "A", "1", "GB", "", "", ""], "number", ""),
        (["1", "A", "1.5", "GB", "", "", ""], "quantity", "1.5"),
        (["1", "A", "", "GB", "", "", ""], "quantity", ""),
        (["1", "A", "nan", "GB", "", "", ""], "quantity", "nan"),
        (["1", "A", "1e99", "GB", "", "", ""], "quantity", "1e99"),
        (["1", "A", "1", "Channel Islands", "", "", ""], "country", "Channel Islands"),
        (["1", "A", "1", "", "", "", ""], "country", ""),
        (["1", "A", "1"], "country", ""),
        (["1", "A", "1", "GB", "", "12/1/2010 8:26", ""], "placed_at", "12/1/2010 8:26"),
        (["1", "A", "1", "GB", "", "", "£2.55"], "unit_price", "£2.55"),
        (["1", "A", "1", "GB", "", "", "1_000"], "unit_price", "1_000"),
    ],
)
def test_a_cell_that_cannot_be_read_is_an_error_with_its_fix(cells: list[str], field: str, value: str) -> None:
    orders, (error,) = read(cells)

    assert orders == {}
    assert (error.row, error.field, error.value) == (2, field, value)
    assert error.problem
    assert error.fix


def test_one_bad_row_rejects_its_order_and_no_other() -> None:
    orders, errors = read(
        ["1", "A", "1", "GB", "", "", ""], ["1", "B", "x", "GB", "", "", ""], ["2", "C", "1", "GB", "", "", ""]
    )

    assert list(orders) == ["2"]
    assert [(error.row, error.number) for error in errors] == [(3, "1")]


def test_rows_of_one_order_that_disagree_on_its_address_are_named() -> None:
    orders, (error,) = read(["1", "A", "1", "GB", "Leeds", "", ""], ["1", "B", "1", "GB", "York", "", ""])

    assert orders == {}
    assert (error.row, error.field, error.column, error.value) == (3, "city", "City", "York")
    assert "row 2" in error.problem


def test_the_saved_mapping_says_what_a_spelling_and_a_wall_clock_mean() -> None:
    saved = {"countries": {"Channel Islands": "JE"}, "currency": "GBP", "timezone": "Europe/London"}
    orders, _ = read(["1", "A", "1", "Channel Islands", "", "2010-07-01 08:26", ""], mapping=saved)

    assert orders["1"].addresses[0].country == "JE"
    assert orders["1"].currency == "GBP"
    assert orders["1"].placed_at == datetime(2010, 7, 1, 7, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"number": "Invoice"}, "no column 'Invoice'"),
        ({"order": "InvoiceNo"}, "none of our fields"),
        ({"number": "InvoiceNo", "sku": "StockCode"}, "quantity"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_is_missing(asked: dict[str, str], words: str) -> None:
    with pytest.raises(MappingRefused, match=words):
        columns_of(["InvoiceNo", "StockCode", "Pieces", "Country"], asked, FileMapping())


def test_columns_spelled_like_our_fields_need_no_mapping_and_others_are_told() -> None:
    columns = columns_of(["\ufeffNumber", "SKU", "quantity", "Country", "Postal Code", "Gift"], {}, FileMapping())

    assert columns.names["postal_code"] == "Postal Code"
    assert columns.ignored == ("Gift",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("gb", "GB"), ("EIRE", "IE"), ("usa", "US"), ("RSA", "ZA"), ("Côte d'Ivoire", "CI"), ("COTE D'IVOIRE", "CI"),
        ("St Lucia", "LC"), ("Bosnia & Herzegovina", "BA"), ("Channel Islands", None), ("Unspecified", None),
        ("European Community", None), ("", None),
    ],
)  # fmt: skip
def test_a_country_is_its_code_or_a_name_that_means_one(text: str, code: str | None) -> None:
    assert country_of(text) == code
