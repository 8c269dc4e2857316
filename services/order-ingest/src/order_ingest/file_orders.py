"""Rows of a file become orders of a channel: one row a line, the order number repeated (IN-5; pure).

An order is taken whole or not at all: one row that cannot be read rejects its order, with an error for each such row,
and no other order. Rows of one order must agree on where it goes and how it is paid; a cell left empty says nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from order_ingest.file_columns import Columns
from order_ingest.file_values import READERS, CellRefused
from order_ingest.normalize import NO_CURRENCY
from waybill_contracts.configuration import FileMapping
from waybill_contracts.values import Address
from waybill_platforms.model.orders import ChannelLine, ChannelOrder

ADDRESS = ("name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone")
AGREED = (*ADDRESS, "currency", "payment", "shipping_method")
"""Where rows of one order that differ would be two orders."""
MOST_ROWS = 10_000
"""Rows of one order."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file (the header is 1) and its cells."""

    row: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row keeps its order out."""

    row: int
    number: str
    field: str
    column: str
    value: str
    problem: str
    fix: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How this file is read, and when it was handed in: what an order without times is dated."""

    columns: Columns
    mapping: FileMapping
    now: datetime


def orders_of(rows: Sequence[Row], reading: Reading) -> tuple[dict[str, ChannelOrder], list[RowError]]:
    """(orders by number, errors): an order is in one of them. Rows without a number are errors of their own."""
    orders: dict[str, ChannelOrder] = {}
    errors: list[RowError] = []
    for number, mine in _by_number(rows, reading.columns).items():
        if number:
            read, wrong = _order(number, mine, reading)
        else:
            read, wrong = None, [_error(row, "", "number", reading, "no order number", "write one") for row in mine]
        errors += wrong
        if read is not None:
            orders[number] = read
    return orders, errors


def _by_number(rows: Sequence[Row], columns: Columns) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(columns.cell(row.cells, "number"), []).append(row)
    return found


def _order(number: str, rows: Sequence[Row], reading: Reading) -> tuple[ChannelOrder | None, list[RowError]]:
    if len(rows) > MOST_ROWS:
        return None, [_error(rows[0], number, "number", reading, f"{len(rows)} rows", f"split it: {MOST_ROWS} at most")]
    values, errors = _values(number, rows, reading)
    errors += _disagreements(number, rows, reading)
    if not errors and _first(values, "country") is None:
        errors = [_error(rows[0], number, "country", reading, "no destination country", "write it in one row at least")]
    if errors:
        return None, errors
    agreed = {field: _first(values, field) for field in (*AGREED, "email", "note", "tags", "fraud_risk")}
    placed = min((v["placed_at"] for v in values if v.get("placed_at")), default=reading.now)
    updated = max((v["updated_at"] for v in values if v.get("updated_at")), default=reading.now)
    lines = tuple(_line(value, place) for place, value in enumerate(values, start=1))
    pay = agreed["payment"] or reading.mapping.payment
    order = ChannelOrder(
        id=number, number=number, updated_at=updated, placed_at=placed,
        currency=agreed["currency"] or reading.mapping.currency or NO_CURRENCY,
        payment=pay, fulfillment="unfulfilled", canceled=False, raw_status=f"{pay.value}/file",
        total=sum((line.unit_price * line.quantity for line in lines), Decimal(0)),
        email=agreed["email"] or "", note=agreed["note"] or "", tags=_tags(agreed["tags"] or ""),
        addresses=(Address(**{field: agreed[field] or "" for field in ADDRESS}, email=agreed["email"] or ""),),
        shipping_method=agreed["shipping_method"] or "", reference=None, lines=lines,
        fraud_risk=agreed["fraud_risk"] or "",
    )  # fmt: skip
    return order, []


def _values(number: str, rows: Sequence[Row], reading: Reading) -> tuple[list[dict[str, Any]], list[RowError]]:
    values: list[dict[str, Any]] = []
    errors: list[RowError] = []
    for row in rows:
        value: dict[str, Any] = {}
        for field in reading.columns.places:
            text = reading.columns.cell(row.cells, field)
            try:
                value[field] = _read(field, text, reading)
            except CellRefused as error:
                errors.append(_error(row, number, field, reading, error.problem, error.fix))
        values.append(value)
    return values, errors


def _read(field: str, text: str, reading: Reading) -> Any:
    if field in AGREED and not text:
        return None  # another row of the order may say it
    reader = READERS.get(field)
    return text if reader is None else reader(text, reading.mapping)


def _disagreements(number: str, rows: Sequence[Row], reading: Reading) -> list[RowError]:
    found = []
    for field in AGREED:
        said = reading.columns.cell(rows[0].cells, field)
        for row in rows[1:]:
            text = reading.columns.cell(row.cells, field)
            if text and said and text != said:
                problem = f"row {rows[0].row} of this order says {said!r}"
                fix = "make the rows of one order agree, or give the other part a number of its own"
                found.append(_error(row, number, field, reading, problem, fix))
    return found


def _first(values: Sequence[Mapping[str, Any]], field: str) -> Any:
    return next((value[field] for value in values if value.get(field)), None)


def _line(value: Mapping[str, Any], place: int) -> ChannelLine:
    return ChannelLine(
        line_id=value.get("line_id") or str(place), sku=value["sku"], title=value.get("title", ""),
        quantity=value["quantity"], canceled=value.get("canceled", 0), fulfillable=None,
        unit_price=value.get("unit_price", Decimal(0)), requires_shipping=True,
    )  # fmt: skip


def _tags(text: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in text.split(",") if tag.strip())


def _error(row: Row, number: str, field: str, reading: Reading, problem: str, fix: str) -> RowError:
    value = reading.columns.cell(row.cells, field)
    return RowError(row.row, number, field, reading.columns.names.get(field, ""), value[:200], problem, fix)
