"""`orderCreate`: an order made by a program. There is no idempotency key; the same call twice makes two orders."""

from decimal import Decimal
from typing import Any

from sandbox.shopify.fulfilling import Refused
from sandbox.shopify.model import Address, Line, Order
from sandbox.shopify.plan import Arguments
from sandbox.shopify.shop import Shop


def create_order(shop: Shop, given: Arguments) -> Order:
    lines = given.get("lineItems") or []
    if not lines:
        raise Refused(["order", "lineItems"], "Line items must have at least one line item")
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
        lines=[_line(shop, row, line) for row, line in enumerate(lines)],
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
    )
    return shop.add(order)


def _financial(given: Arguments) -> str:
    paid = any(t.get("kind") == "SALE" and t.get("status") == "SUCCESS" for t in given.get("transactions") or [])
    return str(given.get("financialStatus") or ("PAID" if paid else "PENDING"))


def _line(shop: Shop, row: int, given: Arguments) -> Line:
    if given["quantity"] < 1:
        raise Refused(["order", "lineItems", str(row), "quantity"], "Quantity must be greater than 0")
    if not given.get("variantId") and not given.get("title"):
        raise Refused(["order", "lineItems", str(row), "title"], "Title can't be blank")
    price = given.get("priceSet")
    return Line(
        id=shop.new_id(),
        sku=given.get("sku"),
        title=given.get("title") or "Variant",
        quantity=given["quantity"],
        current_quantity=given["quantity"],
        price=str(Decimal(str(price["shopMoney"]["amount"]))) if price else "0.00",
        requires_shipping=given.get("requiresShipping") is not False,
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
