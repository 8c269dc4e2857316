"""How the fields of orders, their lines and addresses are read; what is not named here is an attribute."""

import zlib
from decimal import Decimal
from typing import Any

from sandbox.shopify.connections import Connection, page
from sandbox.shopify.fulfilling import FULFILLABLE, display_status, shippable
from sandbox.shopify.gids import gid
from sandbox.shopify.model import Address, Line, Order
from sandbox.shopify.plan import Arguments, Resolve
from sandbox.shopify.search import parse
from sandbox.shopify.times import iso
from sandbox.shopify.values import Context, Part, always, id_of, money, of, own, total


def _lines(order: Order, arguments: Arguments, context: Context) -> Connection:
    return page([Part(order, line) for line in order.lines], arguments, id_of)


def _seen_address(order: Order, arguments: Arguments, context: Context) -> Any:
    """Null for apps that were not granted protected customer data."""
    return order.shipping_address if context.shop.settings.customer_data else None


def _fulfillment_orders(order: Order, arguments: Arguments, context: Context) -> Any:
    if not any(scope.endswith("_fulfillment_orders") for scope in context.shop.settings.scopes):
        return page([], arguments, id_of)  # empty, not refused
    search = parse(arguments.get("query"), {"status": lambda p: p.it.status, "id": lambda p: p.it.id})
    found = [Part(order, it) for it in order.fulfillment_orders]
    return page([part for part in found if search.test(part)], arguments, id_of)


def _fulfillments(order: Order, arguments: Arguments, context: Context) -> Any:
    readers = {"created_at": lambda m: m.created_at, "updated_at": lambda m: m.updated_at, "id": lambda m: m.id}
    search = parse(arguments.get("query"), readers)
    return [Part(order, made) for made in order.fulfillments if search.test(made)][: arguments.get("first") or 250]


def _name(address: Address) -> str:
    return f"{address.first_name} {address.last_name}".strip()


def _unfulfilled(part: Part, arguments: Arguments, context: Context) -> int:
    line: Line = part.it
    return max(line.current_quantity - part.order.fulfilled(line.id), 0)


ORDER: dict[str, Resolve] = {
    "id": own(lambda o: gid("Order", o.id)),
    "legacyResourceId": own(lambda o: str(o.id)),
    "confirmationNumber": own(lambda o: f"C{o.id:09X}"),
    "createdAt": own(lambda o: iso(o.created_at)),
    "processedAt": own(lambda o: iso(o.created_at)),
    "updatedAt": own(lambda o: iso(o.updated_at)),
    "cancelledAt": own(lambda o: iso(o.cancelled_at)),
    "closedAt": own(lambda o: iso(o.closed_at)),
    "cancellation": own(lambda o: {"staff_note": None} if o.cancelled_at else None),
    "closed": own(lambda o: o.closed_at is not None),
    "confirmed": always(True),
    "test": always(False),
    "edited": own(lambda o: any(li.quantity != li.current_quantity for li in o.lines)),
    "fullyPaid": own(lambda o: o.display_financial_status in {"PAID", "PARTIALLY_REFUNDED", "REFUNDED"}),
    "unpaid": own(lambda o: o.display_financial_status in {"PENDING", "AUTHORIZED", "EXPIRED", "VOIDED"}),
    "fulfillable": own(lambda o: any(fo.status in FULFILLABLE for fo in o.fulfillment_orders)),
    "requiresShipping": own(lambda o: any(li.requires_shipping for li in o.lines)),
    "refundable": own(lambda o: o.display_financial_status == "PAID"),
    "restockable": own(lambda o: not o.fulfillments),
    "merchantEditable": own(lambda o: o.cancelled_at is None),
    "displayFulfillmentStatus": own(display_status),
    "presentmentCurrencyCode": own(lambda o: o.currency_code),
    "currentTotalPriceSet": own(lambda o: money(total(o), o)),
    "totalPriceSet": own(lambda o: money(total(o, current=False), o)),
    "originalTotalPriceSet": own(lambda o: money(total(o, current=False), o)),
    "totalOutstandingSet": own(lambda o: money(total(o) if o.display_financial_status == "PENDING" else "0", o)),
    "currentSubtotalPriceSet": own(lambda o: money(total(o, shipping=False), o)),
    "subtotalPriceSet": own(lambda o: money(total(o, current=False, shipping=False), o)),
    "totalShippingPriceSet": own(lambda o: money(o.shipping_price, o)),
    "totalTaxSet": own(lambda o: money("0", o)),
    "subtotalLineItemsQuantity": own(lambda o: sum(li.quantity for li in o.lines)),
    "currentSubtotalLineItemsQuantity": own(lambda o: sum(li.current_quantity for li in o.lines)),
    "risk": own(lambda o: {"recommendation": o.risk}),
    "customAttributes": always([]),
    "discountCodes": always([]),
    "paymentGatewayNames": always(["manual"]),
    "customer": always(None),
    "email": lambda o, a, c: o.email if c.shop.settings.customer_data else None,
    "phone": lambda o, a, c: o.phone if c.shop.settings.customer_data else None,
    "shippingAddress": _seen_address,
    "billingAddress": _seen_address,
    "displayAddress": _seen_address,
    "shippingLine": lambda o, a, c: Part(o, o) if o.shipping_title is not None else None,
    "shippingLines": lambda o, a, c: page([Part(o, o)] if o.shipping_title is not None else [], a, id_of),
    "lineItems": _lines,
    "nonFulfillableLineItems": lambda o, a, c: page([Part(o, li) for li in o.lines if not shippable(li)], a, id_of),
    "fulfillmentOrders": _fulfillment_orders,
    "fulfillments": _fulfillments,
    "fulfillmentsCount": own(lambda o: {"count": len(o.fulfillments), "precision": "EXACT"}),
    "metafield": lambda o, a, c: _metafield(o, a),
}


def _metafield(order: Order, arguments: Arguments) -> Any:
    for number, (namespace, key, value) in enumerate(order.metafields):
        if key == arguments["key"] and arguments.get("namespace") in {None, namespace}:
            facts = {"namespace": namespace, "key": key, "value": value, "type": "single_line_text_field"}
            return {**facts, "id": gid("Metafield", order.id * 10 + number)}
    return None


SHIPPING_LINE: dict[str, Resolve] = {
    "id": of(lambda o: gid("ShippingLine", o.id)),
    "title": of(lambda o: o.shipping_title),
    "code": of(lambda o: o.shipping_title),
    "source": always("shopify"),
    "carrierIdentifier": always(None),
    "custom": always(False),
    "isRemoved": always(False),
    "originalPriceSet": lambda p, a, c: money(p.it.shipping_price, p.order),
    "discountedPriceSet": lambda p, a, c: money(p.it.shipping_price, p.order),
    "currentDiscountedPriceSet": lambda p, a, c: money(p.it.shipping_price, p.order),
}

ADDRESS: dict[str, Resolve] = {
    "id": lambda it, a, c: gid("MailingAddress", zlib.crc32(f"{it.address1}{it.last_name}".encode())),
    "name": lambda it, a, c: _name(it),
    "province": lambda it, a, c: it.province_code,
    "country": lambda it, a, c: it.country_code_v2,
    "formatted": lambda it, a, c: [text for text in (it.address1, it.address2, it.city, it.zip) if text],
}

LINE: dict[str, Resolve] = {
    "id": of(lambda li: gid("LineItem", li.id)),
    "name": of(lambda li: li.title),
    "variantTitle": always(None),
    "vendor": always("Acme"),
    "variant": lambda p, a, c: c.shop.catalogue.variants.get(p.it.variant_id or 0),
    "unfulfilledQuantity": _unfulfilled,
    "nonFulfillableQuantity": of(lambda li: 0 if li.requires_shipping else li.current_quantity),
    "refundableQuantity": of(lambda li: li.current_quantity),
    "restockable": always(True),
    "taxable": always(False),
    "merchantEditable": always(True),
    "originalUnitPriceSet": lambda p, a, c: money(p.it.price, p.order),
    "discountedUnitPriceSet": lambda p, a, c: money(p.it.price, p.order),
    "originalTotalSet": lambda p, a, c: money(Decimal(p.it.price) * p.it.quantity, p.order),
    "discountedTotalSet": lambda p, a, c: money(Decimal(p.it.price) * p.it.quantity, p.order),
    "customAttributes": of(lambda li: [{"key": key, "value": value} for key, value in li.custom_attributes]),
}
