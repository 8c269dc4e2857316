"""The shop's rules for fulfillments, as pure decisions: what is refused, what closes, what a cancel opens."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.shopify import fulfilling
from sandbox.shopify.fulfilling import Refused, Tracking, Wanted
from sandbox.shopify.model import Line, Order

UPS = Tracking("UPS", ("1Z1",), ("https://u.example/1Z1",))


class Case:
    """An order of two lines (3 and 2 pieces) and a gift card; the second line may stand at a second location."""

    def __init__(self, two_locations: bool = False) -> None:
        self.ids = itertools.count(100)
        lines = [
            Line(1, "A", "Lamp", 3, 3, "5.00"),
            Line(2, "B", "Mug", 2, 2, "5.00"),
            Line(3, "GIFT", "Card", 1, 1, "50.00", requires_shipping=False),
        ]
        self.order = Order(9, 1001, "#1001", 0, 0, "PAID", "USD", lines, None, "Standard")
        place = (lambda line: line.id) if two_locations else (lambda line: 1)
        fulfilling.open_fulfillment_orders(self.order, place, lambda: next(self.ids), 0)

    def fulfill(self, *quantities: int, part: int = 0) -> fulfilling.Fulfillment:
        home = self.order.fulfillment_orders[part]
        taken = tuple((line.id, q) for line, q in zip(home.lines, quantities, strict=False) if q)
        return fulfilling.fulfill(self.order, [Wanted(home.id, taken)], UPS, lambda: next(self.ids), 10)

    def cancel(self, made: fulfilling.Fulfillment) -> None:
        fulfilling.cancel(self.order, made, lambda: next(self.ids), 20)


def test_a_new_order_has_one_fulfillment_order_for_each_location_without_what_is_not_shipped() -> None:
    case = Case(two_locations=True)
    assert [[li.line_id for li in part.lines] for part in case.order.fulfillment_orders] == [[1], [2]]
    assert fulfilling.display_status(case.order) == "UNFULFILLED"


def test_a_part_leaves_the_fulfillment_order_in_progress_with_less_remaining() -> None:
    case = Case()
    case.fulfill(2, 0)
    home = case.order.fulfillment_orders[0]
    assert (home.status, home.remaining) == ("IN_PROGRESS", 3)
    assert fulfilling.display_status(case.order) == "PARTIALLY_FULFILLED"
    assert case.order.updated_at == 10


def test_without_items_everything_in_it_is_fulfilled() -> None:
    case = Case()
    home = case.order.fulfillment_orders[0]
    made = fulfilling.fulfill(case.order, [Wanted(home.id, ())], UPS, lambda: next(case.ids), 10)
    assert {(part.line_id, part.quantity) for part in made.lines} == {(1, 3), (2, 2)}
    assert home.status == "CLOSED"
    assert fulfilling.display_status(case.order) == "FULFILLED"


@pytest.mark.parametrize("quantities", [(4, 0), (0, 3), (-1, 0)])
def test_too_much_is_refused_and_changes_nothing(quantities: tuple[int, int]) -> None:
    case = Case()
    with pytest.raises(Refused, match=r"Invalid fulfillment order line item quantity requested\."):
        case.fulfill(*quantities)
    assert case.order.fulfillment_orders[0].remaining == 5
    assert case.order.fulfillments == []


def test_a_closed_one_takes_nothing_more() -> None:
    case = Case()
    case.fulfill(3, 2)
    with pytest.raises(Refused, match="has an unfulfillable status= closed"):
        case.fulfill(1)


def test_one_call_does_not_cross_locations() -> None:
    case = Case(two_locations=True)
    wanted = [Wanted(part.id, ()) for part in case.order.fulfillment_orders]
    with pytest.raises(Refused, match="same location"):
        fulfilling.fulfill(case.order, wanted, UPS, lambda: next(case.ids), 10)


def test_canceling_a_part_gives_its_pieces_back_to_the_same_fulfillment_order() -> None:
    case = Case()
    case.cancel(case.fulfill(2, 0))
    home = case.order.fulfillment_orders[0]
    assert (home.status, home.remaining, len(case.order.fulfillment_orders)) == ("OPEN", 5, 1)


def test_canceling_after_it_closed_opens_a_new_one_with_new_ids_and_leaves_the_old_closed() -> None:
    case = Case()
    case.cancel(case.fulfill(3, 2))
    old, new = case.order.fulfillment_orders
    assert (old.status, new.status, new.remaining) == ("CLOSED", "OPEN", 5)
    assert {line.id for line in old.lines}.isdisjoint(line.id for line in new.lines)
    assert fulfilling.display_status(case.order) == "UNFULFILLED"


def test_a_fulfillment_is_canceled_once() -> None:
    case = Case()
    made = case.fulfill(1)
    case.cancel(made)
    with pytest.raises(Refused):
        case.cancel(made)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_whatever_is_fulfilled_and_canceled_no_piece_is_made_or_lost(moves: list[tuple[bool, int, int]]) -> None:
    case = Case()
    for create, first, second in moves:
        standing = [made for made in case.order.fulfillments if made.status == "SUCCESS"]
        if create:
            for part in range(len(case.order.fulfillment_orders)):
                try:
                    case.fulfill(first, second, part=part) if first or second else None
                    break
                except Refused:
                    continue
        elif standing:
            case.cancel(standing[first % len(standing)])
        for line in case.order.lines[:2]:
            live = [p for p in case.order.fulfillment_orders if p.status in fulfilling.FULFILLABLE]
            left = sum(item.remaining_quantity for part in live for item in part.lines if item.line_id == line.id)
            assert left + case.order.fulfilled(line.id) == line.quantity
