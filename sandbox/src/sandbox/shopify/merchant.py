"""What buyers and the merchant do at a shop while a run is under way: place, edit, pay, hold, cancel."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sandbox.shopify.model import Address, FulfillmentOrderLine, Line, Order
from sandbox.shops import EDITABLE, Given, NotPossible

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop


def place(shop: "Shop", given: Given) -> Order:
    """`{lines: [{sku, quantity, title?, price?, requires_shipping?}], country?, payment?, shipping_method?, …}`."""
    now, number = int(shop.now()), int(given.get("number") or shop.next_number())
    lines = [
        Line(
            shop.new_id(),
            one.get("sku"),
            one.get("title", "Thing"),
            one["quantity"],
            one["quantity"],
            one.get("price", "10.00"),
            one.get("requires_shipping", True),
        )
        for one in given["lines"]
    ]
    address = {"first_name": "Zoë", "last_name": "Müller", "address1": f"{number} High Street", "city": "Springfield"}
    address |= {"country_code_v2": given.get("country", "US"), "zip": "62701", **given.get("address", {})}
    order = Order(
        id=shop.new_id(),
        number=number,
        name=f"#{number}",
        created_at=now,
        updated_at=now,
        display_financial_status=str(given.get("payment", "PAID")).upper(),
        currency_code=given.get("currency", "USD"),
        lines=lines,
        shipping_address=None if given.get("address", {}) is None else Address(**address),
        shipping_title=given.get("shipping_method", "Standard"),
        email=given.get("email", f"buyer{number}@mail.example"),
        tags=list(given.get("tags", ())),
        expectation=given.get("expectation", "shipped"),
    )
    return shop.add(order)


def edit(shop: "Shop", order: Order, given: Given) -> None:
    """As `EmulatedShop.edit` says."""
    unknown = set(given) - EDITABLE
    if unknown:
        raise NotPossible(f"{sorted(unknown)} cannot be edited; lines, address, shipping_method, note, tags, … can")
    for one in given.get("lines", ()):
        _set_quantity(order, order.line(int(one["id"])), int(one["current_quantity"]))
    for name, value in given.get("address", {}).items():
        setattr(order.shipping_address, name, value)
    order.shipping_title = given.get("shipping_method", order.shipping_title)
    order.note, order.email = given.get("note", order.note), given.get("email", order.email)
    order.tags = list(given.get("tags", order.tags))
    order.expectation = given.get("expectation", order.expectation)
    shop.touch(order, "order_edited", announce=bool(given.get("announce", True)), changed=sorted(given))


def _set_quantity(order: Order, line: Line, wanted: int) -> None:
    """Fewer pieces leave the open fulfillment orders; more enter the first one that is open."""
    done = order.fulfilled(line.id)
    if wanted < done:
        raise NotPossible(f"line {line.id}: {done} pieces of it have been fulfilled already, {wanted} is too few")
    change = wanted - line.current_quantity
    line.current_quantity, line.quantity = wanted, max(line.quantity, wanted)
    for part in order.fulfillment_orders:
        if part.status not in {"OPEN", "IN_PROGRESS", "ON_HOLD"}:
            continue
        for item in part.lines:
            if item.line_id == line.id and change < 0:
                taken = min(item.remaining_quantity, -change)
                item.remaining_quantity -= taken
                item.total_quantity -= taken
                change += taken
        if change > 0:
            part.lines.append(FulfillmentOrderLine(max(li.id for li in part.lines) * 10 + 1, line.id, change, change))
            change = 0
        if not part.remaining:
            part.status = "CLOSED"


def _pay(shop: "Shop", order: Order, given: Given) -> None:
    order.display_financial_status = "PAID"
    if order.expectation == "held:awaiting_payment":
        order.expectation = "shipped"


def _refund(shop: "Shop", order: Order, given: Given) -> None:
    order.display_financial_status = "REFUNDED"
    order.expectation = given.get("expectation", "canceled")


def _hold(shop: "Shop", order: Order, given: Given) -> None:
    for part in order.fulfillment_orders:
        if part.status in {"OPEN", "IN_PROGRESS"}:
            part.status, part.holds = "ON_HOLD", [given.get("reason", "OTHER")]
    order.expectation = given.get("expectation", order.expectation)


def _release(shop: "Shop", order: Order, given: Given) -> None:
    for part in order.fulfillment_orders:
        if part.status == "ON_HOLD":
            part.status, part.holds = ("OPEN" if part.remaining == part.total else "IN_PROGRESS"), []
    if order.expectation == "held:on_hold_at_channel":
        order.expectation = "shipped"


def _cancel(shop: "Shop", order: Order, given: Given) -> None:
    order.cancelled_at, order.cancel_reason = int(shop.now()), given.get("reason", "CUSTOMER")
    order.closed_at = order.cancelled_at
    for part in order.fulfillment_orders:
        if part.status not in {"CLOSED", "CANCELLED"}:
            part.status = "CANCELLED"
            for line in part.lines:
                line.remaining_quantity = 0
    order.expectation = given.get("expectation", "canceled")


def _suspect(shop: "Shop", order: Order, given: Given) -> None:
    order.risk = given.get("recommendation", "CANCEL")
    order.expectation = given.get("expectation", "held:fraud_risk")


def _clear(shop: "Shop", order: Order, given: Given) -> None:
    order.risk, order.expectation = "ACCEPT", given.get("expectation", "shipped")


_ACTIONS: Mapping[str, Callable[["Shop", Order, Given], None]] = {
    "pay": _pay,
    "refund": _refund,
    "hold": _hold,
    "release": _release,
    "cancel": _cancel,
    "suspect": _suspect,
    "clear": _clear,
}


def act(shop: "Shop", order: Order, action: str, given: Given) -> None:
    if action not in _ACTIONS:
        raise NotPossible(f"{action!r} is unknown; there are {', '.join(_ACTIONS)}")
    _ACTIONS[action](shop, order, given)
    shop.touch(order, f"order_{action}")
