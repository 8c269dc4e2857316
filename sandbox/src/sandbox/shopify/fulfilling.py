"""The rules by which a shop opens fulfillment orders, takes fulfillments and cancels them. Pure: changes one order.

Refusals are the platform's `userErrors`, its words where they are known. Cannot promise the wording of the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.shopify.model import (
    FulfilledLine,
    Fulfillment,
    FulfillmentOrder,
    FulfillmentOrderLine,
    Line,
    Order,
)

FULFILLABLE = frozenset({"OPEN", "IN_PROGRESS"})
MAX_LINES = 512
MAX_ARRAY = 250

NewId = Callable[[], int]


class Refused(ValueError):
    """A business error: answered as `userErrors` with HTTP 200."""

    def __init__(self, field: Sequence[str], message: str, code: str = "INVALID") -> None:
        super().__init__(message)
        self.field = list(field)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wanted:
    """One entry of `lineItemsByFulfillmentOrder`; without parts everything in it."""

    fulfillment_order_id: int
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Tracking:
    company: str | None = None
    numbers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


def shippable(line: Line) -> bool:
    return line.requires_shipping and line.current_quantity > 0


def open_fulfillment_orders(order: Order, location_of: Callable[[Line], int], new_id: NewId, now: int) -> None:
    """One fulfillment order for each location, as for a new order."""
    by_location: dict[int, list[Line]] = {}
    for line in filter(shippable, order.lines):
        by_location.setdefault(location_of(line), []).append(line)
    for location, lines in by_location.items():
        parts = [FulfillmentOrderLine(new_id(), li.id, li.current_quantity, li.current_quantity) for li in lines]
        order.fulfillment_orders.append(FulfillmentOrder(new_id(), location, "OPEN", now, now, parts))


def fulfill(order: Order, wanted: Sequence[Wanted], tracking: Tracking, new_id: NewId, now: int) -> Fulfillment:
    """Create one fulfillment, or refuse and change nothing."""
    chosen = [(_find(order, entry.fulfillment_order_id), entry) for entry in wanted]
    _same_location([found for found, _ in chosen])
    taken = [part for found, entry in chosen for part in _take(found, entry)]
    if len(taken) > MAX_LINES:
        raise Refused(["fulfillment"], f"A fulfillment can have at most {MAX_LINES} line items.")
    made = Fulfillment(
        id=new_id(),
        name=f"{order.name}.{len(order.fulfillments) + 1}",
        status="SUCCESS",
        created_at=now,
        updated_at=now,
        location_id=chosen[0][0].location_id,
        lines=[FulfilledLine(new_id(), p.line_id, q, f.id, p.id) for f, p, q in taken],
        company=tracking.company,
        numbers=list(tracking.numbers),
        urls=list(tracking.urls),
    )
    for found, part, quantity in taken:
        part.remaining_quantity -= quantity
        found.status = "IN_PROGRESS" if found.remaining else "CLOSED"
        found.updated_at = now
    order.fulfillments.append(made)
    order.updated_at = now
    return made


def cancel(order: Order, made: Fulfillment, new_id: NewId, now: int) -> None:
    """Give the quantities back: to a fulfillment order partly shipped, or to a NEW one if it was closed."""
    if made.status == "CANCELLED":
        raise Refused(["id"], "Fulfillment has already been cancelled.")
    made.status = "CANCELLED"
    made.updated_at = order.updated_at = now
    for group in {part.fulfillment_order_id for part in made.lines}:
        home = _find(order, group)
        parts = [part for part in made.lines if part.fulfillment_order_id == group]
        if home.status == "CLOSED":
            lines = [FulfillmentOrderLine(new_id(), p.line_id, p.quantity, p.quantity) for p in parts]
            order.fulfillment_orders.append(FulfillmentOrder(new_id(), home.location_id, "OPEN", now, now, lines))
            continue
        by_id = {line.id: line for line in home.lines}
        for part in parts:
            by_id[part.fulfillment_order_line_id].remaining_quantity += part.quantity
        home.status = "OPEN" if home.remaining == home.total else "IN_PROGRESS"
        home.updated_at = now


def display_status(order: Order) -> str:
    """`displayFulfillmentStatus` as the shop computes it."""
    wanted = [line for line in order.lines if shippable(line)]
    if not wanted:
        done = any(made.status == "SUCCESS" for made in order.fulfillments)
        return "FULFILLED" if done else "FULFILLMENT_NOT_REQUIRED"
    shipped = sum(min(order.fulfilled(line.id), line.current_quantity) for line in wanted)
    if shipped == sum(line.current_quantity for line in wanted):
        return "FULFILLED"
    if any(fo.status == "ON_HOLD" for fo in order.fulfillment_orders):
        return "ON_HOLD"
    return "PARTIALLY_FULFILLED" if shipped else "UNFULFILLED"


def _find(order: Order, fulfillment_order_id: int) -> FulfillmentOrder:
    for found in order.fulfillment_orders:
        if found.id == fulfillment_order_id:
            return found
    raise Refused(["fulfillment"], "All fulfillment orders must belong to the same order.")


def _same_location(chosen: Sequence[FulfillmentOrder]) -> None:
    if len({found.location_id for found in chosen}) > 1:
        raise Refused(["fulfillment"], "All fulfillment orders must be assigned to the same location.")
    if len({found.id for found in chosen}) != len(chosen):
        raise Refused(["fulfillment"], "Fulfillment orders must be unique.")
    for found in chosen:
        if found.status not in FULFILLABLE:
            status = found.status.lower()
            raise Refused(["fulfillment"], f"Fulfillment order {found.id} has an unfulfillable status= {status}.")


def _take(found: FulfillmentOrder, entry: Wanted) -> list[tuple[FulfillmentOrder, FulfillmentOrderLine, int]]:
    lines = {line.id: line for line in found.lines}
    parts = entry.parts or tuple((line.id, line.remaining_quantity) for line in found.lines if line.remaining_quantity)
    if len({line_id for line_id, _ in parts}) != len(parts):
        raise Refused(["fulfillment"], "Fulfillment order line items must be unique.")
    for line_id, quantity in parts:
        if line_id not in lines:
            raise Refused(["fulfillment"], "Fulfillment order line item does not exist.")
        if not 1 <= quantity <= lines[line_id].remaining_quantity:
            raise Refused(["fulfillment"], "Invalid fulfillment order line item quantity requested.")
    return [(found, lines[line_id], quantity) for line_id, quantity in parts]
