"""Cursor paging as the platform does it: `first` or `last` up to 250, `after`, `before`, nodes, edges, pageInfo."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.shopify.errors import ApiError
from sandbox.shopify.plan import Arguments

MAX_PAGE = 250


@dataclass(frozen=True, slots=True)
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Edge:
    cursor: str
    node: Any


@dataclass(frozen=True, slots=True)
class Connection:
    nodes: Sequence[Any]
    cursors: Sequence[str]
    more_after: bool
    more_before: bool

    @property
    def edges(self) -> list[Edge]:
        return [Edge(cursor, node) for cursor, node in zip(self.cursors, self.nodes, strict=True)]

    @property
    def page_info(self) -> PageInfo:
        ends = (self.cursors[0], self.cursors[-1]) if self.cursors else (None, None)
        return PageInfo(self.more_after, self.more_before, *ends)


def encode_cursor(last_id: int, last_value: object = None) -> str:
    return base64.b64encode(orjson.dumps({"last_id": last_id, "last_value": last_value})).decode()


def decode_cursor(text: str) -> tuple[int, Any]:
    try:
        content = orjson.loads(base64.b64decode(text, validate=True))
        return int(content["last_id"]), content["last_value"]
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError("Invalid cursor for current pagination sort.") from error


def page_size(arguments: Arguments) -> tuple[int, bool]:
    """(how many, counted from the end?)"""
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise ApiError("providing both first and last is not supported")
    size = first if first is not None else last
    if size is None:
        raise ApiError("you must provide one of first or last")
    if size < 1:
        raise ApiError("page size must be greater than zero")
    if size > MAX_PAGE:
        raise ApiError(f"Exceeded maximum page size of {MAX_PAGE}: {size} requested", "MAX_PAGE_SIZE")
    return size, first is None


def page(items: Sequence[Any], arguments: Arguments, id_of: Callable[[Any], int]) -> Connection:
    """A page of a list that is small and at hand. Its ids grow."""
    size, from_end = page_size(arguments)
    chosen = list(reversed(items)) if arguments.get("reverse") else list(items)
    ids = [id_of(item) for item in chosen]
    start, end = 0, len(chosen)
    if arguments.get("after"):
        start = _place(ids, decode_cursor(arguments["after"])[0]) + 1
    if arguments.get("before"):
        end = _place(ids, decode_cursor(arguments["before"])[0])
    if from_end:
        low, high = max(start, end - size), end
    else:
        low, high = start, min(end, start + size)
    cursors = [encode_cursor(number) for number in ids[low:high]]
    return Connection(chosen[low:high], cursors, high < end, low > start or start > 0)


def _place(ids: Sequence[int], wanted: int) -> int:
    if wanted not in ids:
        raise ApiError("Invalid cursor for current pagination sort.")
    return ids.index(wanted)
