"""The list of orders: its filters, its paging, and what is wrong with its dates. Pure.

A date with a zone becomes the store's wall time; with `dates_are_gmt` that is compared with the GMT column, so that the
bound is wrong by the store's offset: too late in Berlin, too early in New York.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.serving import Answer
from sandbox.woocommerce.errors import invalid_param
from sandbox.woocommerce.model import Order
from sandbox.woocommerce.settings import CORE, Settings

DATE = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?$")
MOST = 100
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Paged:
    number: int
    size: int

    @classmethod
    def of(cls, query: Query) -> "Paged":
        return cls(_whole(query, "page", 1, None), _whole(query, "per_page", 10, MOST))


def _whole(query: Query, name: str, default: int, most: int | None) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or int(text) < 1 or (most is not None and int(text) > most):
        bounds = f"between 1 (inclusive) and {most} (inclusive)" if most else "greater than or equal to 1"
        raise invalid_param(name, f"{name} must be {bounds}")
    return int(text)


def words(settings: Settings) -> list[str]:
    """The enum of `status`, in the order in which OPTIONS tells it."""
    return ["any", "trash", "auto-draft", *CORE[:-1], *settings.statuses, CORE[-1]]


def orders(found: Iterable[Order], query: Query, settings: Settings) -> list[Order]:
    """What passes the filters, sorted. A filter that the version does not have is ignored: all orders come."""
    chosen = list(found)
    for test in _tests(query, settings):
        chosen = [one for one in chosen if test(one)]
    by = query.get("orderby", "date")
    keys: dict[str, Callable[[Order], Any]] = {
        "date": lambda one: (one.created_at, one.id),
        "modified": lambda one: one.modified_at,
        "id": lambda one: one.id,
    }
    if by not in keys:
        raise invalid_param("orderby", "orderby is not one of date, id, include, title, slug, and modified.")
    # The store promises no order among equals; the newest id first is as likely as the other way round.
    chosen.sort(key=lambda one: -one.id)
    chosen.sort(key=keys[by], reverse=query.get("order", "desc") == "desc")
    return chosen


def _tests(query: Query, settings: Settings) -> Iterable[Callable[[Order], bool]]:
    yield _status(query.get("status", "any"), settings)
    if "include" in query:
        ids = {int(part) for part in query["include"].split(",")}
        yield lambda one: one.id in ids
    if "created_via" in query and settings.at_least(10, 0):
        ways = set(re.split(r"[\s,]+", query["created_via"]))
        yield lambda one: one.created_via in ways
    if "search" in query:
        text = query["search"].casefold()
        yield lambda one: text in _searched(one, settings)
    gmt = query.get("dates_are_gmt", "false") in {"true", "1"}
    for name, beyond in (("modified_after", 1), ("modified_before", -1)):
        if name in query:
            yield _past(_bound(name, query[name], settings), beyond, gmt, settings)


def _past(bound: float, beyond: int, gmt: bool, settings: Settings) -> Callable[[Order], bool]:
    """Changed after the bound (`beyond` 1) or before it (-1); the bound itself is neither."""
    return lambda one: beyond * (_column(one, gmt, settings) - bound) > 0


def _status(text: str, settings: Settings) -> Callable[[Order], bool]:
    wanted = text.split(",")
    for place, word in enumerate(wanted):
        if word not in words(settings):
            raise invalid_param("status", f"status[{place}] is not one of {', '.join(words(settings))}.")
    if "any" in wanted:
        return lambda one: one.status not in {"trash", "auto-draft"}
    return lambda one: one.status in wanted


def _searched(one: Order, settings: Settings) -> str:
    """What the search looks through: the addresses' indexes in both storages, the transaction under HPOS."""
    found = [str(one.id), *one.billing.values(), *one.shipping.values()]
    if settings.storage == "hpos":
        found.append(one.transaction_id)
    if settings.numbers_differ:
        found.append(f"W-{one.id}")
    return " ".join(found).casefold()


def _bound(name: str, text: str, settings: Settings) -> float:
    """As a wall time, in seconds: of the store where a zone was given."""
    if not DATE.match(text):
        raise invalid_param(name, "Invalid date.")
    read = datetime.fromisoformat(text.replace(" ", "T").upper())
    if read.tzinfo is not None:
        read = read.astimezone(settings.zone).replace(tzinfo=None)
    return read.replace(tzinfo=UTC, microsecond=0).timestamp()


def _column(one: Order, gmt: bool, settings: Settings) -> float:
    return one.modified_at + (0 if gmt else settings.offset(one.modified_at))


def page(rows: Sequence[Any], paged: Paged, address: str, *, hides_total: bool) -> Answer:
    """Over the last page: an empty list, and under HPOS a total of 0."""
    shown = rows[(paged.number - 1) * paged.size : paged.number * paged.size]
    pages = -(-len(rows) // paged.size)
    total = 0 if hides_total and not shown and paged.number > 1 else len(rows)
    headers = {"X-WP-Total": str(total), "X-WP-TotalPages": str(pages if total else 0), "Allow": "GET, POST"}
    if paged.number < pages:
        headers["Link"] = f'<{address}?page={paged.number + 1}>; rel="next"'
    return Answer.json(200, list(shown), headers)
