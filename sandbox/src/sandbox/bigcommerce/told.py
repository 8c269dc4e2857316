"""Orders, lines, addresses and shipments as the store's JSON shows them. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from email.utils import formatdate
from typing import Any

from sandbox.bigcommerce.model import STATUSES, Address, Line, Order, Shipment

PROVIDERS = (
    "auspost",
    "canadapost",
    "endicia",
    "usps",
    "fedex",
    "ups",
    "upsready",
    "upsonline",
    "shipperhq",
    "royalmail",
)


def moment(at: int) -> str:
    return formatdate(at, usegmt=False, localtime=False).replace("-0000", "+0000")


def amount(value: str | Decimal) -> str:
    return f"{Decimal(value):.4f}"


def order(root: str, given: Order, include: Sequence[str], as_object: bool) -> dict[str, Any]:
    """`include` as in the query; without it the order names neither lines nor addresses, only where they are."""
    total = sum((Decimal(line.price) * line.quantity for line in given.lines), Decimal(given.shipping_cost))
    billing = _person(given.addresses[0] if given.addresses else Address(0))
    shown: dict[str, Any] = {
        "id": given.id,
        "customer_id": 0,
        "date_created": moment(given.date_created),
        "date_modified": moment(given.date_modified),
        "date_shipped": "",
        "status_id": given.status_id,
        "status": STATUSES[given.status_id],
        "custom_status": STATUSES[given.status_id],
        "total_ex_tax": amount(total),
        "total_inc_tax": amount(total),
        "shipping_cost_inc_tax": amount(given.shipping_cost),
        "items_total": sum(line.quantity for line in given.lines),
        "items_shipped": sum(given.shipped(line.id) for line in given.lines),
        "payment_method": given.payment_method,
        "payment_status": given.payment_status,
        "refunded_amount": "0.0000",
        "order_is_digital": bool(given.lines) and not any(line.ships for line in given.lines),
        "is_deleted": False,
        "currency_code": given.currency_code,
        "default_currency_code": given.currency_code,
        "staff_notes": given.staff_notes,
        "customer_message": given.customer_message,
        "shipping_address_count": len(given.addresses),
        "billing_address": {**billing, "email": given.email},
        "order_source": given.order_source,
        "channel_id": 1,
        "external_id": None,
        "external_order_id": given.external_order_id,
        "external_source": given.external_source,
        "products": _link(root, given, "products"),
        "shipping_addresses": _link(root, given, "shipping_addresses"),
        "coupons": _link(root, given, "coupons"),
        "consignments": _link(root, given, "consignments"),
    }
    if include and as_object:
        shown["consignments"] = consignments(root, given, "consignments.line_items" in include)
    return shown


def _link(root: str, given: Order, what: str) -> dict[str, str]:
    return {"url": f"{root}/v2/orders/{given.id}/{what}", "resource": f"/orders/{given.id}/{what}"}


def consignments(root: str, given: Order, with_lines: bool) -> dict[str, Any]:
    def lines(chosen: list[Line]) -> list[Any]:
        if with_lines:
            return [line_item(given, one) for one in chosen]
        return [_link(root, given, f"products/{one.id}") for one in chosen]

    shipping = []
    for address in given.addresses:
        chosen = [line for line in given.lines if line.ships and line.order_address_id == address.id]
        shipped = sum(given.shipped(line.id) for line in chosen)
        counted = {"items_total": sum(line.quantity for line in chosen), "items_shipped": shipped}
        shipping.append({**shipping_address(given, address), **counted, "line_items": lines(chosen)})
    digital = [line for line in given.lines if line.type == "digital"]
    gifts = [line for line in given.lines if line.type == "giftcertificate"]
    return {
        "pickups": [],
        "shipping": shipping,
        "downloads": [{"recipient_email": given.email, "line_items": lines(digital)}] if digital else [],
        "email": {"gift_certificates": [{"recipient_email": given.email, "line_items": lines(gifts)}] if gifts else []},
    }


def line_item(given: Order, line: Line) -> dict[str, Any]:
    price = amount(line.price)
    return {
        "id": line.id,
        "order_id": given.id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "order_pickup_method_id": 0,
        "order_address_id": line.order_address_id if line.ships else 0,
        "name": line.name,
        "sku": line.sku,
        "type": line.type,
        "base_price": price,
        "price_ex_tax": price,
        "price_inc_tax": price,
        "quantity": line.quantity,
        "quantity_shipped": given.shipped(line.id),
        "quantity_refunded": line.quantity_refunded,
        "is_refunded": line.quantity_refunded >= line.quantity,
        "refund_amount": "0.0000",
        "parent_order_product_id": None,
        "is_bundled_product": False,
        "product_options": [],
        "external_id": None,
    }


def _person(address: Address) -> dict[str, Any]:
    return {
        "first_name": address.first_name,
        "last_name": address.last_name,
        "company": address.company,
        "street_1": address.street_1,
        "street_2": address.street_2,
        "city": address.city,
        "state": address.state,
        "zip": address.zip,
        "country": "",
        "country_iso2": address.country_iso2,
        "phone": address.phone,
        "email": address.email,
    }


def shipping_address(given: Order, address: Address) -> dict[str, Any]:
    return {
        "id": address.id,
        "order_id": given.id,
        **_person(address),
        "form_fields": [],
        "shipping_method": address.shipping_method,
        "shipping_zone_name": "",
    }


def shipment(given: Order, made: Shipment) -> dict[str, Any]:
    carrier = made.shipping_provider or made.tracking_carrier
    linked = f"https://carriers.example/{carrier}/{made.tracking_number}" if carrier and made.tracking_number else ""
    products = {line.id: line.product_id for line in given.lines}
    address = next((one for one in given.addresses if one.id == made.order_address_id), Address(0))
    return {
        "id": made.id,
        "order_id": given.id,
        "customer_id": 0,
        "order_address_id": made.order_address_id,
        "date_created": moment(made.date_created),
        "tracking_number": made.tracking_number,
        "merchant_shipping_cost": "0.0000",
        "shipping_method": made.shipping_method or "None",
        "comments": made.comments,
        "shipping_provider": made.shipping_provider,
        "shipping_provider_display_name": made.shipping_provider.upper(),
        "tracking_carrier": made.tracking_carrier,
        "tracking_link": made.tracking_link,
        "generated_tracking_link": linked,
        "shipping_address": _person(address),
        "items": [
            {"order_product_id": line_id, "product_id": products.get(line_id, 0), "quantity": pieces}
            for line_id, pieces in made.items
        ],
    }
