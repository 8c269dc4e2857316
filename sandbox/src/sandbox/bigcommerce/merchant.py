"""What buyers and the merchant do at a store while a run is under way: place, edit, pay, hold, cancel."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sandbox.bigcommerce.model import (
    AWAITING_FULFILLMENT,
    AWAITING_PAYMENT,
    CANCELLED,
    REFUNDED,
    VERIFICATION,
    Address,
    Line,
    Order,
)
from sandbox.shops import EDITABLE, Given, NotPossible

if TYPE_CHECKING:
    from sandbox.bigcommerce.shop import Store

PAYMENT: Mapping[str, tuple[str, int]] = {
    "paid": ("captured", AWAITING_FULFILLMENT),
    "authorized": ("authorized", AWAITING_FULFILLMENT),
    "pending": ("", AWAITING_PAYMENT),
    "refunded": ("refunded", REFUNDED),
}
"""Neutral word -> (payment_status, status_id)."""


def place(store: "Store", given: Given) -> Order:
    """As `EmulatedShop.place` says."""
    now, number = int(store.now()), int(given.get("number") or store.next_number())
    word = str(given.get("payment", "paid")).lower()
    if word not in PAYMENT:
        raise NotPossible(f"payment {word!r} is unknown; there are {', '.join(PAYMENT)}")
    payment, status = PAYMENT[word]
    address = _address(store, number, given)
    order = Order(
        id=number,
        date_created=now,
        date_modified=now,
        status_id=status,
        payment_status=payment,
        lines=[_line(store, one, address.id) for one in given["lines"]],
        addresses=[] if given.get("address", {}) is None else [address],
        email=given.get("email", f"buyer{number}@mail.example"),
        currency_code=given.get("currency", "USD"),
        customer_message=given.get("note") or "",
        expectation=given.get("expectation", "shipped"),
    )
    return store.add(order)


def _address(store: "Store", number: int, given: Given) -> Address:
    address = Address(
        store.new_id(), "Zoë", "Müller", "", f"{number} High Street", "", "Springfield", "Illinois", "62701",
        given.get("country", "US"), shipping_method=given.get("shipping_method", "Standard"),
    )  # fmt: skip
    for name, value in (given.get("address") or {}).items():
        setattr(address, _field(name), value)
    return address


def _field(name: str) -> str:
    """The neutral words of an address, or the platform's."""
    known = {"line1": "street_1", "line2": "street_2", "postal": "zip", "country": "country_iso2", "region": "state"}
    field = known.get(name, name)
    if field not in Address.__dataclass_fields__:
        raise NotPossible(f"address.{name} is unknown; there are {', '.join(Address.__dataclass_fields__)}")
    return field


def _line(store: "Store", one: Given, address_id: int) -> Line:
    product = store.product_named(one.get("sku") or "")
    return Line(
        store.new_id(), address_id, one.get("sku") or "", one.get("title", "Thing"), one["quantity"],
        one.get("price", "10.00"), "physical" if one.get("requires_shipping", True) else "digital",
        product_id=product.id if product else 0, variant_id=product.variant_id if product else 0,
    )  # fmt: skip


def edit(store: "Store", order: Order, given: Given) -> None:
    """As `EmulatedShop.edit` says. A tag is nothing that a BigCommerce order has; it is left out."""
    unknown = set(given) - EDITABLE
    if unknown:
        raise NotPossible(f"{sorted(unknown)} cannot be edited; lines, address, shipping_method, note, email, … can")
    for one in given.get("lines", ()):
        _set_quantity(order, order.line(int(one["id"])), int(one["current_quantity"]))
    for name, value in given.get("address", {}).items():
        for address in order.addresses[:1]:
            setattr(address, _field(name), value)
    for address in order.addresses:
        address.shipping_method = given.get("shipping_method", address.shipping_method)
    order.customer_message, order.email = given.get("note") or order.customer_message, given.get("email", order.email)
    order.expectation = given.get("expectation", order.expectation)
    store.touch(order, "order_edited", announce=bool(given.get("announce", True)), changed=sorted(given))


def _set_quantity(order: Order, line: Line, wanted: int) -> None:
    """The merchant changes the number of pieces; the platform keeps no trace of what it was."""
    done = order.shipped(line.id) + line.quantity_refunded
    if wanted < order.shipped(line.id):
        raise NotPossible(f"line {line.id}: {done} pieces of it have left already, {wanted} is too few")
    line.quantity = wanted + line.quantity_refunded


def _pay(store: "Store", order: Order, given: Given) -> None:
    order.payment_status = "captured"
    if order.status_id == AWAITING_PAYMENT:
        order.status_id = AWAITING_FULFILLMENT
    if order.expectation == "held:awaiting_payment":
        order.expectation = "shipped"


def _refund(store: "Store", order: Order, given: Given) -> None:
    order.payment_status, order.status_id = "refunded", REFUNDED
    order.expectation = given.get("expectation", "canceled")


def _hold(store: "Store", order: Order, given: Given) -> None:
    order.status_before_hold, order.status_id = order.status_id, VERIFICATION
    order.expectation = given.get("expectation", order.expectation)


def _release(store: "Store", order: Order, given: Given) -> None:
    if order.status_id == VERIFICATION:
        order.status_id = order.status_before_hold
    if order.expectation == "held:on_hold_at_channel":
        order.expectation = "shipped"


def _cancel(store: "Store", order: Order, given: Given) -> None:
    order.status_id = CANCELLED
    order.expectation = given.get("expectation", "canceled")


def _suspect(store: "Store", order: Order, given: Given) -> None:
    order.payment_status, order.expectation = "held for review", given.get("expectation", "held:fraud_risk")


def _clear(store: "Store", order: Order, given: Given) -> None:
    order.payment_status, order.expectation = "captured", given.get("expectation", "shipped")


_ACTIONS: Mapping[str, Callable[["Store", Order, Given], None]] = {
    "pay": _pay,
    "refund": _refund,
    "hold": _hold,
    "release": _release,
    "cancel": _cancel,
    "suspect": _suspect,
    "clear": _clear,
}


def act(store: "Store", order: Order, action: str, given: Given) -> None:
    if action not in _ACTIONS:
        raise NotPossible(f"{action!r} is unknown; there are {', '.join(_ACTIONS)}")
    _ACTIONS[action](store, order, given)
    store.touch(order, f"order_{action}")
