"""What buyers and the merchant do at a store: order, pay, refund, hold, cancel, edit; and the seeded orders."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.seeding.drafts import Draft
from sandbox.shops import EDITABLE, Given, NotPossible
from sandbox.woocommerce.judging import VIRTUAL
from sandbox.woocommerce.model import Fulfillment, Line, Order, Refund
from sandbox.woocommerce.writing import address, tell_status

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Store

PAID_BY = {"paid": "processing", "pending": "pending", "refunded": "refunded", "cod": "processing"}


def place(shop: "Store", given: Given) -> Order:
    """As `EmulatedShop.place`; `payment` may also be `cod`: processing, and not paid."""
    payment = str(given.get("payment", "paid"))
    if payment not in PAID_BY:
        raise NotPossible(f"payment {payment!r}: there are {', '.join(PAID_BY)}")
    number = int(given.get("number") or shop.next_number())
    lines = [
        _line(shop, one.get("sku"), one.get("title", ""), one["quantity"], one.get("price", "10.00"),
              ships=one.get("requires_shipping", True))
        for one in given["lines"]
    ]  # fmt: skip
    home = {"first_name": "Zoë", "last_name": "Müller", "address_1": f"{number} High Street", "city": "Springfield",
            "state": "IL", "postcode": "62701", "country": given.get("country", "US")}  # fmt: skip
    home |= {} if given.get("address", {}) is None else given.get("address", {})
    now = int(shop.now())
    order = Order(
        id=number,
        status=PAID_BY[payment],
        currency=given.get("currency", shop.settings.currency),
        created_at=now,
        modified_at=now,
        lines=lines,
        billing=address(home) | {"email": given.get("email", f"buyer{number}@mail.example")},
        shipping=address({} if given.get("address", {}) is None else home),
        paid_at=now if payment in {"paid", "refunded"} else None,
        payment_method="cod" if payment == "cod" else "stripe",
        customer_note=given.get("note") or "",
        shipping_lines=_shipping(shop, given.get("shipping_method", "Standard")),
        expectation=given.get("expectation", "shipped"),
    )
    return shop.add(order)


def seed(shop: "Store", draft: Draft) -> Order:
    buyer = draft.buyer
    home = address(
        {"first_name": buyer.first_name, "last_name": buyer.last_name, "company": buyer.company,
         "address_1": buyer.line1, "address_2": buyer.line2, "city": buyer.city, "state": buyer.region,
         "postcode": buyer.postal, "country": buyer.country, "phone": buyer.phone}
    )  # fmt: skip
    status = {"canceled": "cancelled", "on_hold": "on-hold", "fulfilled": "completed"}.get(draft.kind)
    order = Order(
        id=shop.first_number + draft.position,
        status=status or PAID_BY[draft.payment],
        currency=draft.currency,
        created_at=draft.at,
        modified_at=draft.at,
        lines=[_line(shop, li.sku, li.title, li.quantity, li.price, ships=li.ships) for li in draft.lines],
        billing=home | {"email": draft.email},
        shipping=home,
        paid_at=None if draft.payment == "pending" else draft.at,
        completed_at=draft.at + 2 if draft.kind == "fulfilled" else None,
        customer_note=draft.note or "",
        shipping_lines=_shipping(shop, draft.shipping_method),
        kind=draft.kind,
        expectation=draft.expectation,
    )
    gone = {line.id: li.quantity - li.current for line, li in zip(order.lines, draft.lines, strict=True)}
    refund_pieces(shop, order, {line: pieces for line, pieces in gone.items() if pieces}, draft.at)
    if draft.kind in {"fulfilled", "partly_fulfilled"}:
        _shipped_before(shop, order, whole=draft.kind == "fulfilled")
    return shop.add(order)


def _line(shop: "Store", sku: str | None, title: str, quantity: int, price: str, *, ships: bool) -> Line:
    if not sku:
        return Line(shop.new_id(), title, 0, quantity, None, price)
    product = shop.product(sku, title, price, virtual=not ships)
    meta: list[dict[str, Any]] = [] if ships else [{"id": shop.new_id(), "key": VIRTUAL, "value": "1"}]
    return Line(shop.new_id(), product.name, product.id, quantity, sku, price, meta=meta)


def _shipping(shop: "Store", title: str) -> list[dict[str, str]]:
    return [{"method_title": title, "method_id": "flat_rate", "total": "4.90"}]


def refund_pieces(shop: "Store", order: Order, pieces: Mapping[int, int], at: int) -> None:
    if pieces:
        amount = sum((Decimal(order.line(line).price) * n for line, n in pieces.items()), Decimal(0))
        order.refunds.append(Refund(shop.new_id(), at, f"{amount:.2f}", list(pieces.items())))


def _shipped_before(shop: "Store", order: Order, *, whole: bool) -> None:
    """Everything; or of the first line all but one piece."""
    lines = order.lines if whole else order.lines[:1]
    items = [{"item_id": line.id, "qty": line.quantity - (0 if whole else 1)} for line in lines]
    meta = {"_items": items, "_tracking_number": f"1ZSEED{order.id}", "_shipment_provider": "ups"}
    entries = [{"id": shop.new_id(), "key": key, "value": value} for key, value in meta.items()]
    order.fulfillments.append(Fulfillment(shop.new_id(), "fulfilled", order.created_at + 2, entries, by_api=False))
    tell_status(order, shop.new_id)


def edit(shop: "Store", order: Order, given: Given) -> None:
    """As `EmulatedShop.edit`: fewer pieces are a refund, more a changed line."""
    unknown = set(given) - (EDITABLE - {"tags"})
    if unknown:
        raise NotPossible(f"{sorted(unknown)} cannot be edited; lines, address, shipping_method, note, email can")
    for one in given.get("lines", ()):
        _set_quantity(shop, order, int(one["id"]), int(one["current_quantity"]))
    order.shipping.update(given.get("address", {}))
    if "shipping_method" in given:
        order.shipping_lines = _shipping(shop, given["shipping_method"])
    order.customer_note = given.get("note", order.customer_note)
    order.billing["email"] = given.get("email", order.billing.get("email", ""))
    order.expectation = given.get("expectation", order.expectation)
    shop.touch(order, "order_edited", announce=bool(given.get("announce", True)), changed=sorted(given))


def _set_quantity(shop: "Store", order: Order, line_id: int, wanted: int) -> None:
    line = order.line(line_id)
    done = order.fulfilled(line_id)
    if wanted < done:
        raise NotPossible(f"line {line_id}: {done} pieces of it have been fulfilled already, {wanted} is too few")
    current = line.quantity - order.refunded(line_id)
    if wanted < current:
        refund_pieces(shop, order, {line_id: current - wanted}, int(shop.now()))
    line.quantity += max(wanted - current, 0)


def _pay(shop: "Store", order: Order, given: Given) -> None:
    order.status, order.paid_at = "processing", int(shop.now())
    if order.expectation == "held:awaiting_payment":
        order.expectation = "shipped"


def _refund(shop: "Store", order: Order, given: Given) -> None:
    pieces = {line.id: line.quantity - order.refunded(line.id) for line in order.lines}
    refund_pieces(shop, order, {line: n for line, n in pieces.items() if n}, int(shop.now()))
    order.status, order.expectation = "refunded", given.get("expectation", "canceled")


def _hold(shop: "Store", order: Order, given: Given) -> None:
    order.status, order.expectation = "on-hold", given.get("expectation", order.expectation)


def _release(shop: "Store", order: Order, given: Given) -> None:
    order.status = "processing"
    if order.expectation == "held:on_hold_at_channel":
        order.expectation = "shipped"


def _cancel(shop: "Store", order: Order, given: Given) -> None:
    order.status, order.expectation = "cancelled", given.get("expectation", "canceled")


def _trash(shop: "Store", order: Order, given: Given) -> None:
    order.status, order.expectation = "trash", given.get("expectation", "canceled")


_ACTIONS: Mapping[str, Callable[["Store", Order, Given], None]] = {
    "pay": _pay,
    "refund": _refund,
    "hold": _hold,
    "release": _release,
    "cancel": _cancel,
    "trash": _trash,
}


def act(shop: "Store", order: Order, action: str, given: Given) -> None:
    if action not in _ACTIONS:
        raise NotPossible(f"{action!r} is unknown; there are {', '.join(_ACTIONS)}")
    _ACTIONS[action](shop, order, given)
    shop.touch(order, f"order_{action}", topic="order.deleted" if action == "trash" else "order.updated")
