"""Cells of a file as values: each reader says what is wrong and how to write it (IN-5; pure)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from order_ingest.countries import country_of
from order_ingest.money import amount_fits, currency_or_none
from waybill_contracts.configuration import FileMapping
from waybill_contracts.values import PaymentState

MOST_PIECES = 1_000_000
"""Pieces of one line; more is a mistake of the file, not an order."""


class CellRefused(ValueError):
    """A cell that cannot be read: the problem, and the fix."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem, self.fix = problem, fix


def pieces(text: str) -> int:
    """A whole number, also as spreadsheets write it (`6.0`, `1e2`); negative ones take goods back."""
    number = _decimal(text)
    if number is None or number != number.to_integral_value() or abs(number) > MOST_PIECES:
        raise CellRefused("no whole number of pieces", f"write a whole number, at most {MOST_PIECES}")
    return int(number)


def amount(text: str) -> Decimal:
    """Money with a point and without signs, thousands or currency."""
    number = _decimal(text)
    if number is None or not amount_fits(number):
        raise CellRefused("no amount", "write digits and a point, e.g. 1234.50, without currency or thousands")
    return number


def country(text: str, mapping: FileMapping) -> str:
    """The ISO code; the saved mapping's own spellings count first."""
    code = mapping.countries.get(text) or country_of(text)
    if code is None:
        raise CellRefused(
            "no country that we know",
            "write its ISO 3166-1 code, e.g. GB, or add this spelling to file.countries of the channel",
        )
    return code


def currency(text: str) -> str:
    code = currency_or_none(text.upper())
    if code is None:
        raise CellRefused("no currency", "write an ISO 4217 code, e.g. GBP")
    return code


def payment(text: str) -> PaymentState:
    try:
        return PaymentState(text.strip().lower().replace(" ", "_"))
    except ValueError:
        known = ", ".join(state.value for state in PaymentState)
        raise CellRefused("no payment state that we know", f"write one of {known}") from None


def moment(text: str, mapping: FileMapping) -> datetime:
    """ISO 8601 with `T` or a space; without a zone it is a wall clock of the mapping's zone."""
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(mapping.timezone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CellRefused("no time", "write it as 2026-11-27 14:05 or 2026-11-27T14:05:00Z") from None


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and "_" not in text else None


Reader = Callable[[str, FileMapping], object]
READERS: Mapping[str, Reader] = {
    "quantity": lambda text, _: pieces(text),
    "canceled": lambda text, _: pieces(text or "0"),
    "unit_price": lambda text, _: amount(text or "0"),
    "country": country,
    "currency": lambda text, _: currency(text),
    "payment": lambda text, _: payment(text),
    "placed_at": lambda text, mapping: moment(text, mapping) if text else None,
    "updated_at": lambda text, mapping: moment(text, mapping) if text else None,
}
"""Fields that are more than text; an empty cell of the others says nothing."""
