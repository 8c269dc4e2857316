"""The shop's search index: which orders a list shows, in which order. It may lag behind what is true.

Promises: paging by (value, id), so that orders changed meanwhile move to the end and push no other out of the walk.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterator, Mapping

from sandbox.shopify.connections import Connection, decode_cursor, encode_cursor, page_size
from sandbox.shopify.errors import ApiError
from sandbox.shopify.fulfilling import display_status
from sandbox.shopify.model import Order
from sandbox.shopify.plan import Arguments
from sandbox.shopify.search import Reader, Search

_SORTS: Mapping[str, Callable[[Order], int]] = {
    "CREATED_AT": lambda order: order.created_at,
    "PROCESSED_AT": lambda order: order.created_at,
    "ID": lambda order: order.id,
    "ORDER_NUMBER": lambda order: order.number,
}


def _fulfillment_words(order: Order) -> set[str]:
    status = display_status(order)
    words = {status.lower()}
    if status in {"UNFULFILLED", "PARTIALLY_FULFILLED", "ON_HOLD"}:
        words |= {"unshipped"} if status == "UNFULFILLED" else {"partial"} if status != "ON_HOLD" else set()
        words.add("unfulfilled")
    return words | ({"shipped"} if status == "FULFILLED" else set())


def _status_words(order: Order) -> set[str]:
    words = {"any"}
    words.add("cancelled" if order.cancelled_at else "closed" if order.closed_at else "open")
    return words if order.closed_at and not order.cancelled_at else words | {"not_closed"}


READERS: Mapping[str, Reader] = {
    "id": lambda order: order.id,
    "name": lambda order: order.name,
    "created_at": lambda order: order.created_at,
    "processed_at": lambda order: order.created_at,
    "updated_at": lambda order: order.updated_at,
    "financial_status": lambda order: order.display_financial_status,
    "fulfillment_status": _fulfillment_words,
    "status": _status_words,
    "email": lambda order: order.email,
    "tag": lambda order: set(order.tags),
    "tag_not": lambda order: order.tags,
    "sku": lambda order: {line.sku for line in order.lines},
    "source_identifier": lambda order: order.source_identifier,
    "source_name": lambda order: order.source_name,
    "po_number": lambda order: order.po_number,
    "test": lambda order: False,
}


class Index:
    """Orders by `updated_at`; `see` takes a change at once or after the lag."""

    def __init__(self, order_of: Callable[[int], Order]) -> None:
        self._order_of = order_of
        self._sorted: list[tuple[int, int]] = []
        self._known: dict[int, int] = {}
        self._coming: deque[tuple[float, int]] = deque()

    def see(self, order: Order, visible_at: float | None = None) -> None:
        if visible_at is None and not self._coming:
            self._place(order)
        else:
            self._coming.append((visible_at or 0.0, order.id))

    def catch_up(self, now: float) -> None:
        while self._coming and self._coming[0][0] <= now:
            self._place(self._order_of(self._coming.popleft()[1]))

    def _place(self, order: Order) -> None:
        known = self._known.get(order.id)
        if known is not None:
            if known == order.updated_at:
                return
            del self._sorted[bisect_left(self._sorted, (known, order.id))]
        insort(self._sorted, (order.updated_at, order.id))
        self._known[order.id] = order.updated_at

    def page(self, arguments: Arguments, search: Search, newest: float | None = None) -> Connection:
        """`newest`: nothing that changed later is shown."""
        size, from_end = page_size(arguments)
        if from_end or arguments.get("before"):
            raise ApiError("This emulator pages orders forward only: use first and after.")
        hits: list[tuple[int, Order]] = []
        for value, order in self._walk(arguments, search):
            if search.test(order) and (newest is None or order.updated_at <= newest):
                hits.append((value, order))
                if len(hits) > size:
                    break
        shown = hits[:size]
        cursors = [encode_cursor(order.id, value) for value, order in shown]
        return Connection([order for _, order in shown], cursors, len(hits) > size, bool(arguments.get("after")))

    def count(self, search: Search) -> int:
        return sum(1 for _, number in self._sorted if search.test(self._order_of(number)))

    def _walk(self, arguments: Arguments, search: Search) -> Iterator[tuple[int, Order]]:
        reverse, sort_key = bool(arguments.get("reverse")), arguments.get("sortKey") or "PROCESSED_AT"
        if sort_key == "UPDATED_AT":
            keys = self._sorted
        else:
            value_of = _SORTS.get(sort_key, _SORTS["ID"])
            keys = sorted((value_of(self._order_of(number)), number) for _, number in self._sorted)
        low, high = 0, len(keys)
        if sort_key == "UPDATED_AT" and search.updated_from is not None:
            low = bisect_left(keys, (search.updated_from, 0))
        if arguments.get("after"):
            last_id, last_value = decode_cursor(arguments["after"])
            if not isinstance(last_value, int):
                raise ApiError("Invalid cursor for current pagination sort.")
            if reverse:
                high = bisect_left(keys, (last_value, last_id))
            else:
                low = max(low, bisect_right(keys, (last_value, last_id)))
        chosen = keys[low:high]
        for value, number in reversed(chosen) if reverse else chosen:
            yield value, self._order_of(number)
