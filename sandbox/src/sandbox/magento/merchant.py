"""What buyers and the merchant do at a shop while a run is under way."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sandbox.magento import seeded
from sandbox.magento.model import Order
from sandbox.seeding.drafts import Buyer, DraftLine
from sandbox.shops import EDITABLE, Given, NotPossible

if TYPE_CHECKING:
    from sandbox.magento.shop import MagentoShop

_PAYMENTS = frozenset({"paid", "pending", "authorized", "refunded"})


def place(shop: "MagentoShop", given: Given) -> Order:
    """As `EmulatedShop.place`; a line may say `ship_as`: simple, configurable or bundle."""
    now, number = int(shop.now()), int(given.get("number") or shop.next_number())
    rows = [row for one in given["lines"] for row in seeded.line_rows(shop, _line(one), one.get("ship_as", "simple"))]
    told = {"line1": f"{number} High Street", "city": "Springfield", "postal": "62701", **given.get("address", {})}
    buyer = Buyer("Zoë", "Müller", country=given.get("country", "US"), **told)
    email = given.get("email", f"buyer{number}@mail.example")
    payment = str(given.get("payment", "paid"))
    if payment not in _PAYMENTS:
        raise NotPossible(f"payment {payment!r} is unknown; there are {sorted(_PAYMENTS)}")
    title = given.get("shipping_method", "Standard")
    order = Order(
        entity_id=shop.new_id(),
        increment_id=shop.name_of(number),
        created_at=now,
        updated_at=now,
        currency=given.get("currency", "USD"),
        rows=rows,
        grand_total=f"{sum(float(row.price) * row.qty_ordered for row in rows) + 4.9:.2f}",
        address=seeded.address(buyer, email),
        email=email,
        note=given.get("note"),
        shipping_method=seeded.method(title),
        shipping_description=title,
        expectation=given.get("expectation", "shipped"),
    )
    if payment == "authorized":
        order.amount_authorized = order.grand_total
    elif payment != "pending":
        seeded.pay(order)
    if payment == "refunded":
        seeded.refund(order)
    return shop.add(order)


def _line(one: Given) -> DraftLine:
    quantity, ships = int(one["quantity"]), bool(one.get("requires_shipping", True))
    return DraftLine(
        one.get("sku") or "", one.get("title", "Thing"), quantity, quantity, one.get("price", "10.00"), ships, not ships
    )


def edit(shop: "MagentoShop", order: Order, given: Given) -> None:
    """Fewer pieces are a credit memo; more cannot be had: Magento cancels such an order and makes a new one."""
    unknown = set(given) - EDITABLE
    if unknown:
        raise NotPossible(f"{sorted(unknown)} cannot be edited; lines, address, shipping_method, note, … can")
    for one in given.get("lines", ()):
        row = order.row(int(one["id"]))
        wanted = int(one["current_quantity"])
        if not row.qty_shipped <= wanted <= row.qty_ordered - row.qty_refunded:
            raise NotPossible(f"row {row.item_id}: {wanted} is less than was shipped or more than was ordered")
        row.qty_refunded = row.qty_ordered - wanted
        order.total_refunded = f"{float(order.total_refunded or 0) + 1:.2f}"
    for name, value in given.get("address", {}).items():
        setattr(order.address, {"zip": "postcode"}.get(name, name), value)
    if "shipping_method" in given:
        order.shipping_method = seeded.method(given["shipping_method"])
    order.note, order.email = given.get("note", order.note), given.get("email", order.email)
    order.expectation = given.get("expectation", order.expectation)
    shop.touch(order, "order_edited", announce=bool(given.get("announce", True)), changed=sorted(given))


def _pay(order: Order, given: Given) -> None:
    seeded.pay(order)
    if order.expectation == "held:awaiting_payment":
        order.expectation = "shipped"


def _refund(order: Order, given: Given) -> None:
    seeded.refund(order)
    order.expectation = given.get("expectation", "canceled")


def _hold(order: Order, given: Given) -> None:
    if order.state not in {"new", "processing"}:
        raise NotPossible(f"order {order.increment_id} is {order.state}; only a new or processing one can be held")
    order.hold_before, order.state, order.status = order.state, "holded", "holded"
    order.expectation = given.get("expectation", order.expectation)


def _release(order: Order, given: Given) -> None:
    if order.state == "holded":
        order.state = order.status = order.hold_before or "processing"
    if order.expectation == "held:on_hold_at_channel":
        order.expectation = "shipped"


def _cancel(order: Order, given: Given) -> None:
    """Of a paid order the admin refunds first; both at once here."""
    if float(order.total_paid or 0) > 0:
        order.total_refunded = order.total_paid
    cancel(order)
    order.expectation = given.get("expectation", "canceled")


def cancel(order: Order) -> None:
    for row in order.rows:
        row.qty_canceled = row.to_ship
    order.state = order.status = "canceled"


def _suspect(order: Order, given: Given) -> None:
    order.state, order.status = "payment_review", "fraud"
    order.expectation = given.get("expectation", "held:fraud_risk")


def _clear(order: Order, given: Given) -> None:
    order.state = order.status = "processing"
    order.expectation = given.get("expectation", "shipped")


_ACTIONS: Mapping[str, Callable[[Order, Given], None]] = {
    "pay": _pay,
    "refund": _refund,
    "hold": _hold,
    "release": _release,
    "cancel": _cancel,
    "suspect": _suspect,
    "clear": _clear,
}


def act(shop: "MagentoShop", order: Order, action: str, given: Given) -> None:
    if action not in _ACTIONS:
        raise NotPossible(f"{action!r} is unknown; there are {', '.join(_ACTIONS)}")
    _ACTIONS[action](order, given)
    shop.touch(order, f"order_{action}")
