"""A walk through changed orders loses none and repeats none, whatever shares a second, whatever changes meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill_platforms.bigcommerce import wire
from waybill_platforms.bigcommerce.walk import Astray, Walk

START = datetime(2026, 11, 22, 9, 0, 0, tzinfo=UTC)


def head(number: int, second: int) -> wire.Order:
    moment = (START + timedelta(seconds=second)).isoformat()
    return wire.Order.model_validate(
        {"id": number, "date_created": moment, "date_modified": moment, "status_id": 11}
    )  # fmt: skip


class Store:
    """Answers queries as documented; whether `max_date_modified` is part of its range is not, so both are tried."""

    def __init__(self, seconds: dict[int, int], inclusive: bool = True) -> None:
        self.seconds = dict(seconds)
        self.inclusive = inclusive
        self.asked: list[dict[str, Any]] = []

    def answer(self, query: dict[str, Any]) -> list[wire.Order]:
        self.asked.append(query)
        assert query["page"] == 1  # pages move under changes, so none but the first may be asked for
        orders = [head(number, second) for number, second in self.seconds.items()]
        orders = [one for one in orders if one.date_modified >= datetime.fromisoformat(query["min_date_modified"])]
        orders = [one for one in orders if one.id >= query.get("min_id", 0)]
        if "max_date_modified" in query:
            end = datetime.fromisoformat(query["max_date_modified"])
            orders = [one for one in orders if one.date_modified < end or (self.inclusive and one.date_modified == end)]
        by_id = query["sort"] == "id:asc"
        orders.sort(key=lambda one: one.id if by_id else (one.date_modified, one.id))
        return orders[: query["limit"]]


def walk(store: Store, limit: int, between: Any = lambda n: None) -> list[tuple[int, int]]:
    """(id, second) of everything that was given, through tokens as the caller keeps them."""
    seen: list[tuple[int, int]] = []
    token: str | None = None
    for turn in range(500):
        at = Walk.read(token, START)
        found = store.answer(at.query(limit))
        given_now, following = at.next(found, len(found) >= limit)
        seen += [(one.id, int((one.date_modified - START).total_seconds())) for one in given_now]
        if following is None:
            return seen
        token = following.token()
        between(turn)
    raise AssertionError("the walk has no end")


STORES = st.dictionaries(st.integers(1, 400), st.integers(0, 6), max_size=60)


@given(STORES, st.integers(1, 9), st.booleans())
def test_each_order_is_given_once_in_the_order_of_its_change(
    seconds: dict[int, int], limit: int, inclusive: bool
) -> None:
    seen = walk(Store(seconds, inclusive), limit)
    assert sorted(seen) == sorted(seconds.items())
    assert [second for _, second in seen] == sorted(second for _, second in seen)


@given(STORES, st.integers(1, 9), st.lists(st.integers(0, 59), max_size=30))
def test_a_page_number_skips_orders_when_others_change_but_this_walk_does_not(
    seconds: dict[int, int], limit: int, picks: list[int]
) -> None:
    store = Store(seconds)
    numbers = sorted(seconds)

    def change(turn: int) -> None:
        if turn < len(picks) and numbers:
            store.seconds[numbers[picks[turn] % len(numbers)]] = 10 + turn

    seen = walk(store, limit, change)
    assert {number for number, _ in seen} == set(seconds)
    assert set(store.seconds.items()) <= set(seen)  # the last state of each was given


def test_a_quiet_poll_costs_one_call() -> None:
    store = Store({1: 0, 2: 3})
    walk(store, 50)
    assert len(store.asked) == 1


def test_an_import_that_fills_a_second_costs_a_call_a_page_and_two() -> None:
    store = Store(dict.fromkeys(range(1, 1001), 3))
    assert len(walk(store, 250)) == 1000
    assert len(store.asked) <= 7


def test_no_status_is_in_the_query_because_an_order_that_leaves_it_would_never_be_seen_again() -> None:
    assert set(Walk.read(None, START).query(50)) == {"min_date_modified", "sort", "page", "limit"}


def test_a_page_shown_twice_gives_each_order_once() -> None:
    orders = [head(1, 0), head(1, 0), head(2, 1), head(2, 1)]
    given_now, following = Walk(START).next(orders, False)
    assert ([one.id for one in given_now], following) == ([1, 2], None)


@pytest.mark.parametrize(
    ("at", "orders"),
    [
        (Walk(START), [head(1, 5), head(2, 3)]),
        (Walk(START + timedelta(seconds=60)), [head(1, 3), head(2, 5)]),
        (Walk(START, above=7), [head(3, 0), head(9, 0)]),
        (Walk(START, above=1), [head(9, 0), head(3, 0)]),
        (Walk(START), []),
    ],
)
def test_a_store_that_ignores_sort_or_filter_is_an_error_instead_of_a_short_list(
    at: Walk, orders: list[wire.Order]
) -> None:
    with pytest.raises(Astray):
        at.next(orders, True)
