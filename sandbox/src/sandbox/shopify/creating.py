"""`orderCreate` and `orderCancel`: what programs do with whole orders.

There is no idempotency key: the same call twice makes two orders. A line without a variant is a custom line: nothing
stands behind it on the shelves. A line that does not say so needs no shipping (the schema's default).
"""

from collections import Counter
from decimal import Decimal
from typing import Any

from sandbox.shopify.fulfilling import Refused
from sandbox.shopify.gids import number_of
from sandbox.shopify.model import Address, Line, Order
from sandbox.shopify.plan import Arguments
from sandbox.shopify.shop import Shop


def create_order(shop: Shop, given: Arguments, options: Arguments) -> Order:
    rows = given.get("lineItems") or []
    if not rows:
        raise Refused(["order", "lineItems"], "Line items must have at least one line item")
    lines = [_line(shop, row, line) for row, line in enumerate(rows)]
    _claim(shop, lines, str(options.get("inventoryBehaviour") or "BYPASS"))
    now, number = int(shop.now()), shop.next_number()
    shipping = (given.get("shippingLines") or [None])[0]
    order = Order(
        id=shop.new_id(),
        number=number,
        name=given.get("name") or f"#{number}",
        created_at=now,
        updated_at=now,
        display_financial_status=_financial(given),
        currency_code=str(given.get("currency") or "USD"),
        lines=lines,
        shipping_address=_address(given.get("shippingAddress")),
        shipping_title=shipping["title"] if shipping else None,
        shipping_price=str(shipping["priceSet"]["shopMoney"]["amount"]) if shipping else "0.00",
        email=given.get("email"),
        phone=given.get("phone"),
        note=given.get("note"),
        tags=list(given.get("tags") or []),
        source_identifier=given.get("sourceIdentifier"),
        source_name=given.get("sourceName") or "api",
        po_number=given.get("poNumber"),
        metafields=[(m.get("namespace", "app"), m["key"], m["value"]) for m in given.get("metafields") or []],
        by_program=True,
        receipt_sent=bool(options.get("sendReceipt")),
    )
    return shop.add(order)


def cancel_order(shop: Shop, order: Order, restock: bool) -> None:
    if any(made.status == "SUCCESS" for made in order.fulfillments):
        raise Refused(["orderId"], "Order has fulfillments that can't be cancelled.")
    if order.cancelled_at is not None:
        raise Refused(["orderId"], "Order has already been cancelled.")
    if shop.settings.cancels_later:
        return
    if restock:
        shop.take({variant_id: -n for variant_id, n in _pieces(order.lines).items()})
    shop.act(order.name, "cancel", {"reason": "OTHER", "expectation": order.expectation})


def _pieces(lines: list[Line]) -> Counter[int]:
    """By variant; lines may share one."""
    pieces: Counter[int] = Counter()
    for line in lines:
        if line.variant_id is not None:
            pieces[line.variant_id] += line.current_quantity
    return pieces


def _claim(shop: Shop, lines: list[Line], behaviour: str) -> None:
    """Takes the pieces from the shelves; BYPASS, the platform's default, leaves them untouched."""
    pieces = _pieces(lines)
    if behaviour == "BYPASS":
        return
    if behaviour == "DECREMENT_OBEYING_POLICY" and shop.catalogue.takes(pieces) is not None:
        raise Refused(["order", "lineItems"], "Unable to reserve inventory", "INVENTORY_CLAIM_FAILED")
    shop.take(pieces)


def _financial(given: Arguments) -> str:
    paid = any(t.get("kind") == "SALE" and t.get("status") == "SUCCESS" for t in given.get("transactions") or [])
    return str(given.get("financialStatus") or ("PAID" if paid else "PENDING"))


def _line(shop: Shop, row: int, given: Arguments) -> Line:
    if given["quantity"] < 1:
        raise Refused(["order", "lineItems", str(row), "quantity"], "Quantity must be greater than 0")
    variant = shop.catalogue.variants.get(number_of("ProductVariant", given.get("variantId")) or 0)
    if given.get("variantId") and variant is None:
        raise Refused(["order", "lineItems", str(row), "variantId"], "Variant does not exist")
    if variant is None and not given.get("title"):
        raise Refused(["order", "lineItems", str(row), "title"], "Title can't be blank")
    price = given.get("priceSet")
    stands = variant.price if variant else "0.00"
    return Line(
        id=shop.new_id(),
        sku=variant.sku if variant else given.get("sku"),
        title=given.get("title") or (variant.product if variant else ""),
        quantity=given["quantity"],
        current_quantity=given["quantity"],
        price=str(Decimal(str(price["shopMoney"]["amount"]))) if price else stands,
        requires_shipping=bool(given.get("requiresShipping")),
        variant_id=variant.id if variant else None,
        is_gift_card=bool(given.get("giftCard")),
        custom_attributes=[(p["name"], p["value"]) for p in given.get("properties") or []],
    )


def _address(given: Any) -> Address | None:
    if not given:
        return None
    return Address(
        first_name=given.get("firstName") or "",
        last_name=given.get("lastName") or "",
        address1=given.get("address1") or "",
        city=given.get("city") or "",
        country_code_v2=str(given.get("countryCode") or ""),
        zip=given.get("zip") or "",
        company=given.get("company"),
        address2=given.get("address2"),
        province_code=given.get("provinceCode"),
        phone=given.get("phone"),
    )
