"""Makes an order of a seeded kind, with what happened to it at the shop before anybody looked."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.seeding.drafts import Buyer, Draft
from sandbox.shopify import fulfilling
from sandbox.shopify.fulfilling import Tracking, Wanted
from sandbox.shopify.model import Address, Line, Order

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop


def seed(shop: "Shop", draft: Draft) -> Order:
    number = shop.first_number + draft.position
    lines = [
        Line(shop.new_id(), one.sku, one.title, one.quantity, one.current, one.price, one.ships, one.gift_card)
        for one in draft.lines
    ]
    order = Order(
        id=shop.new_id(),
        number=number,
        name=f"#{number}",
        created_at=draft.at,
        updated_at=draft.at,
        display_financial_status=draft.payment.upper(),
        currency_code=draft.currency,
        lines=lines,
        shipping_address=_address(draft.buyer),
        shipping_title=draft.shipping_method,
        shipping_price=draft.shipping_price,
        email=draft.email,
        note=draft.note,
        tags=["sandbox", draft.kind],
        expectation=draft.expectation,
    )
    if draft.kind == "canceled":
        order.cancelled_at, order.cancel_reason = draft.at + 1, "CUSTOMER"
    shop.add(order, _spread if draft.kind == "two_locations" else None)
    _after(shop, order, draft.kind)
    return order


def _address(buyer: Buyer) -> Address:
    return Address(
        first_name=buyer.first_name,
        last_name=buyer.last_name,
        address1=buyer.line1,
        city=buyer.city,
        country_code_v2=buyer.country,
        zip=buyer.postal,
        company=buyer.company,
        address2=buyer.line2,
        province_code=buyer.region,
        phone=buyer.phone,
    )


def _spread(line: Line) -> int:
    """Lines alternate between the two locations (ids are given out in a row)."""
    return 101 + line.id % 2


def _after(shop: "Shop", order: Order, kind: str) -> None:
    if kind == "fulfilled":
        _ship(shop, order, lambda left: left)
    elif kind == "partly_fulfilled":
        _ship(shop, order, lambda left: left - 1, lines=1)
    elif kind == "on_hold":
        for part in order.fulfillment_orders:
            part.status, part.holds = "ON_HOLD", ["OTHER"]
        shop.keep(order)


def _ship(shop: "Shop", order: Order, share: Callable[[int], int], lines: int | None = None) -> None:
    part = order.fulfillment_orders[0]
    taken = tuple((li.id, share(li.remaining_quantity)) for li in part.lines[:lines])
    tracking = Tracking("UPS", (f"1ZSEED{order.number}",), ())
    made = fulfilling.fulfill(order, [Wanted(part.id, taken)], tracking, shop.new_id, order.created_at + 2)
    made.by_api = False
    shop.keep(order)
