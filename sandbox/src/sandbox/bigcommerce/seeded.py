"""Makes an order of a seeded kind, with what happened to it at the store before anybody looked."""

from typing import TYPE_CHECKING

from sandbox.bigcommerce.model import (
    AWAITING_FULFILLMENT,
    AWAITING_PAYMENT,
    CANCELLED,
    INCOMPLETE,
    PARTIALLY_REFUNDED,
    REFUNDED,
    VERIFICATION,
    Address,
    Line,
    Order,
)
from sandbox.seeding.drafts import Draft, DraftLine

if TYPE_CHECKING:
    from sandbox.bigcommerce.shop import Store

ABANDONED = 900_000
"""Added to a number: a payment page that its buyer left, which is a thing of status 0 in the list of orders."""
_STATUS = {"canceled": CANCELLED, "on_hold": VERIFICATION, "refunded": REFUNDED, "edited": PARTIALLY_REFUNDED}
_PAYMENT = {"paid": "captured", "authorized": "authorized", "refunded": "refunded"}


def seed(store: "Store", draft: Draft) -> Order:
    number = store.first_number + draft.position
    addresses = _addresses(store, draft)
    order = Order(
        id=number,
        date_created=draft.at,
        date_modified=draft.at,
        status_id=_STATUS.get(draft.kind, AWAITING_PAYMENT if draft.payment == "pending" else AWAITING_FULFILLMENT),
        payment_status=_payment(draft),
        lines=[_line(store, one, addresses[place % len(addresses)].id, place) for place, one in enumerate(draft.lines)],
        addresses=addresses if any(one.ships for one in draft.lines) else [],
        email=draft.email,
        currency_code=draft.currency,
        shipping_cost=draft.shipping_price,
        customer_message=draft.note or "",
        payment_method="Credit Card" if _payment(draft) else "Bank Transfer",
        kind=draft.kind,
        expectation=draft.expectation,
    )
    store.add(order)
    if draft.kind == "fulfilled":
        store.merchant_ships(order, {line.id: order.open(line) for line in order.lines if order.open(line)})
    elif draft.kind == "partly_fulfilled":
        store.merchant_ships(order, {order.lines[0].id: order.open(order.lines[0]) - 1})
    elif draft.kind == "pending":
        _abandon(store, order)
    return order


def _payment(draft: Draft) -> str:
    """Every third order is paid offline, where only the order's status tells."""
    if draft.kind == "edited":
        return "partially refunded"
    if draft.payment == "paid" and draft.position % 3 == 0 and draft.kind != "on_hold":
        return ""
    return _PAYMENT.get(draft.payment, "")


def _abandon(store: "Store", order: Order) -> None:
    lines = [Line(store.new_id(), 0, one.sku, one.name, one.quantity, one.price) for one in order.lines]
    left = Order(order.id + ABANDONED, order.date_created, order.date_created, INCOMPLETE, "", lines, [])
    store.add(left, noted=False)


def _addresses(store: "Store", draft: Draft) -> list[Address]:
    """An order may go to several addresses; each of its lines goes to one."""
    buyer = draft.buyer
    own = Address(
        store.new_id(), buyer.first_name, buyer.last_name, buyer.company or "", buyer.line1, buyer.line2 or "",
        buyer.city, buyer.region or "", buyer.postal, buyer.country, buyer.phone or "", draft.email,
        draft.shipping_method,
    )  # fmt: skip
    if draft.kind != "two_locations":
        return [own]
    gift = Address(store.new_id(), "Aunt", buyer.last_name, "", f"{buyer.line1}, back door", "", buyer.city,
                   buyer.region or "", buyer.postal, buyer.country, "", "", draft.shipping_method)  # fmt: skip
    return [own, gift]


def _line(store: "Store", one: DraftLine, address_id: int, place: int) -> Line:
    kind = "giftcertificate" if one.gift_card else "physical" if one.ships else "digital"
    product = store.product_for(one.sku, one.title, one.price)
    return Line(
        store.new_id(), address_id, one.sku, one.title, one.quantity, one.price, kind, one.quantity - one.current,
        product.id, product.variant_id,
    )  # fmt: skip
