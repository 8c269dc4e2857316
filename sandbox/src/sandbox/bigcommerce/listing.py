"""`GET /v2/orders`: which orders a query shows, and in which order. Pure.

A page beyond the last is 204 with an empty body; a limit above 250 is 413; a field that is none is refused, as V2 does.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from sandbox.bigcommerce.model import Order
from sandbox.bigcommerce.words import Refused, invalid

_Value = TypeVar("_Value", int, str)
DEFAULT_LIMIT, MOST = 50, 250
INCLUDES = frozenset({"consignments", "consignments.line_items", "fees"})
SORTS: Mapping[str, Callable[[Order], int]] = {
    "id": lambda order: order.id,
    "customer_id": lambda order: 0,
    "date_created": lambda order: order.date_created,
    "date_modified": lambda order: order.date_modified,
    "status_id": lambda order: order.status_id,
    "channel_id": lambda order: 1,
    "external_id": lambda order: 0,
}
_NUMBERS: Mapping[str, Callable[[Order, int], bool]] = {
    "min_id": lambda order, value: order.id >= value,
    "max_id": lambda order, value: order.id <= value,
    "status_id": lambda order, value: order.status_id == value,
    "channel_id": lambda order, value: value == 1,
    "customer_id": lambda order, value: value == 0,
}
_TIMES: Mapping[str, Callable[[Order, int], bool]] = {
    "min_date_created": lambda order, at: order.date_created >= at,
    "max_date_created": lambda order, at: order.date_created <= at,
    "min_date_modified": lambda order, at: order.date_modified >= at,
    "max_date_modified": lambda order, at: order.date_modified <= at,
}
_TEXTS: Mapping[str, Callable[[Order, str], bool]] = {
    "external_order_id": lambda order, value: order.external_order_id == value,
    "email": lambda order, value: order.email == value,
    "payment_method": lambda order, value: order.payment_method == value,
}
_PAGING = frozenset({"page", "limit", "sort", "include", "consignment_structure"})


def page_of(query: Mapping[str, str]) -> tuple[int, int]:
    """(page, limit)"""
    page, limit = _number("page", query.get("page", "1")), _number("limit", query.get("limit", str(DEFAULT_LIMIT)))
    if limit > MOST:
        raise Refused(413, f"The limit is too high: at most {MOST} resources can be requested.")
    if page < 1 or limit < 1:
        raise invalid("page", "must be greater than 0")
    return page, limit


def including(query: Mapping[str, str]) -> tuple[list[str], bool]:
    """(include, are consignments wanted as an object)"""
    include = [one for one in query.get("include", "").split(",") if one]
    if unknown := [one for one in include if one not in INCLUDES]:
        raise invalid("include", f"{unknown} cannot be included")
    return include, query.get("consignment_structure") == "object"


def chosen(orders: Iterable[Order], query: Mapping[str, str]) -> list[Order]:
    """All that pass the filters, sorted."""
    unknown = set(query) - _PAGING - _NUMBERS.keys() - _TIMES.keys() - _TEXTS.keys()
    if unknown:
        raise Refused(400, f"The field '{sorted(unknown)[0]}' is not supported by this resource.")
    tests: list[Callable[[Order], bool]] = []
    for name, value in query.items():
        if name in _NUMBERS:
            tests.append(_bound(_NUMBERS[name], _number(name, value)))
        elif name in _TIMES:
            tests.append(_bound(_TIMES[name], _time(name, value)))
        elif name in _TEXTS:
            tests.append(_bound(_TEXTS[name], value))
    field, _, direction = query.get("sort", "id:asc").partition(":")
    if field not in SORTS or direction not in {"", "asc", "desc"}:
        raise invalid("sort", f"{query.get('sort')} is no field to sort by")
    key = SORTS[field]
    found = [order for order in orders if all(test(order) for test in tests)]
    return sorted(found, key=lambda order: (key(order), order.id), reverse=direction == "desc")


def _bound(test: Callable[[Order, _Value], bool], value: _Value) -> Callable[[Order], bool]:
    return lambda order: test(order, value)


def _number(name: str, value: str) -> int:
    if not value.lstrip("-").isdigit():
        raise invalid(name, f"{value!r} is no number")
    return int(value)


def _time(name: str, value: str) -> int:
    try:
        moment = datetime.fromisoformat(value) if value[:4].isdigit() else parsedate_to_datetime(value)
    except (ValueError, TypeError):
        raise invalid(name, f"{value!r} is no date") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
