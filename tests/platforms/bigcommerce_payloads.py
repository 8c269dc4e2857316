"""Payloads of BigCommerce's real shape, written by hand: orders, lines, addresses, shipments, V3 lists, callbacks."""

from typing import Any

TIME = "Sun, 22 Nov 2026 09:30:00 +0000"


def line(number: int = 5, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "order_id": 129,
        "product_id": 77,
        "variant_id": 93,
        "order_pickup_method_id": 0,
        "order_address_id": 20,
        "name": "Lamp",
        "sku": "LAMP-1",
        "type": "physical",
        "base_price": "19.9000",
        "price_ex_tax": "16.7200",
        "price_inc_tax": "19.9000",
        "quantity": 3,
        "quantity_shipped": 0,
        "quantity_refunded": 0,
        "is_refunded": False,
        "parent_order_product_id": None,
        "is_bundled_product": False,
        "product_options": [],
        **changes,
    }


def address(number: int = 20, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "first_name": "Zoë",
        "last_name": "Müller",
        "company": "",
        "street_1": "1 High Street",
        "street_2": "",
        "city": "Austin",
        "state": "Texas",
        "zip": "78751",
        "country": "United States",
        "country_iso2": "US",
        "phone": "",
        "email": "zoe@mail.example",
        "shipping_method": "Standard",
        "form_fields": [],
        **changes,
    }


def consignment(*lines: Any, number: int = 20, **changes: Any) -> dict[str, Any]:
    return {**address(number, **changes), "line_items": list(lines) or [line()], "cost_inc_tax": "5.0000"}


def order(number: int = 129, *consignments: Any, others: Any = None, **changes: Any) -> dict[str, Any]:
    """With its consignments included, unless `consignments=` says otherwise."""
    shipping = list(consignments) or [consignment()]
    counted = [entry["quantity"] for one in shipping for entry in one["line_items"] if "quantity" in entry]
    return {
        "id": number,
        "customer_id": 0,
        "date_created": "Sun, 22 Nov 2026 09:00:00 +0000",
        "date_modified": TIME,
        "date_shipped": "",
        "status_id": 11,
        "status": "Awaiting Fulfillment",
        "custom_status": "Awaiting Fulfillment",
        "total_ex_tax": "50.1700",
        "total_inc_tax": "59.7000",
        "items_total": sum(counted),
        "items_shipped": 0,
        "payment_method": "Credit Card",
        "payment_status": "captured",
        "refunded_amount": "0.0000",
        "order_is_digital": False,
        "is_deleted": False,
        "currency_code": "USD",
        "default_currency_code": "USD",
        "staff_notes": "",
        "customer_message": "Please ring",
        "billing_address": {**address(), "phone": "555-0100", "email": "zoe@mail.example"},
        "external_id": None,
        "external_order_id": "",
        "external_source": None,
        "products": {"url": "https://store.example/v2/orders/129/products", "resource": "/orders/129/products"},
        "consignments": {
            "shipping": shipping,
            "pickups": [],
            "downloads": [],
            "email": {"gift_certificates": []},
            **(others or {}),
        },
        **changes,
    }


LINKED = {"url": "https://store.example/v2/orders/129/consignments", "resource": "/orders/129/consignments"}
"""What `consignments` is when nobody asked to include them."""


def shipment(number: int = 31, *items: tuple[int, int], **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "order_id": 129,
        "customer_id": 0,
        "order_address_id": 20,
        "date_created": "Mon, 23 Nov 2026 10:00:00 +0000",
        "tracking_number": "1Z1",
        "merchant_shipping_cost": "0.0000",
        "shipping_method": "None",
        "comments": "",
        "shipping_provider": "ups",
        "shipping_provider_display_name": "UPS",
        "tracking_carrier": "",
        "tracking_link": "https://track.example/1Z1",
        "generated_tracking_link": "https://carrier.example/1Z1",
        "items": [
            {"order_product_id": product, "product_id": 77, "quantity": quantity}
            for product, quantity in items or ((5, 3),)
        ],
        **changes,
    }


def page(*entries: Any, at: int = 1, pages: int = 1) -> dict[str, Any]:
    pagination = {"total": len(entries), "count": len(entries), "current_page": at, "total_pages": pages}
    return {"data": list(entries), "meta": {"pagination": pagination}}


def callback(scope: str = "store/order/updated", **data: Any) -> dict[str, Any]:
    return {
        "scope": scope,
        "store_id": "1025646",
        "producer": "stores/abc123",
        "hash": "dd70c0976e06b67aaf671e73f49dcb79230ebf9d",
        "created_at": 1561479335,
        "data": data or {"type": "order", "id": 129},
    }
