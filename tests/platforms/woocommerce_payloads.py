"""Payloads of WooCommerce's real shape, written by hand: an order of 11.0, refunds, fulfillments."""

from typing import Any

EMPTY = {"first_name": "", "last_name": "", "company": "", "address_1": "", "address_2": "", "city": "", "state": "",
         "postcode": "", "country": "", "phone": ""}  # fmt: skip
HOME = EMPTY | {"first_name": "Zoë", "last_name": "Müller", "address_1": "Hauptstraße 5", "city": "Köln",
                "state": "DE-NW", "postcode": "50667", "country": "DE"}  # fmt: skip


def line(number: int = 7, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": "Lamp",
        "product_id": 40 + number,
        "variation_id": 0,
        "quantity": 3,
        "tax_class": "",
        "subtotal": "50.17",
        "subtotal_tax": "9.53",
        "total": "50.17",
        "total_tax": "9.53",
        "taxes": [{"id": 1, "total": "9.53", "subtotal": "9.53"}],
        "meta_data": [{"id": 19, "key": "_reduced_stock", "value": "3"}],
        "sku": f"LAMP-{number}",
        "global_unique_id": "",
        "price": 16.722689,
        "image": {"id": "", "src": ""},
        "parent_name": None,
        **changes,
    }


def order(order_id: int = 1001, lines: Any = None, **changes: Any) -> dict[str, Any]:
    return {
        "id": order_id,
        "parent_id": 0,
        "status": "processing",
        "currency": "EUR",
        "version": "11.0.1",
        "prices_include_tax": True,
        "date_created": "2026-11-22T10:00:00",
        "date_modified": "2026-11-22T10:30:00",
        "total": "59.70",
        "total_tax": "9.53",
        "customer_id": 0,
        "billing": HOME | {"email": "zoe@example.com", "phone": "+49 221 1"},
        "shipping": HOME,
        "payment_method": "stripe",
        "payment_method_title": "Card",
        "transaction_id": "",
        "created_via": "checkout",
        "customer_note": "bitte klingeln",
        "date_completed": None,
        "date_paid": "2026-11-22T10:01:00",
        "number": str(order_id),
        "meta_data": [],
        "line_items": [line()] if lines is None else lines,
        "tax_lines": [],
        "shipping_lines": [{"id": 8, "method_title": "Standard", "method_id": "flat_rate", "total": "4.90"}],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "needs_processing": True,
        "date_created_gmt": "2026-11-22T09:00:00",
        "date_modified_gmt": "2026-11-22T09:30:00",
        "date_completed_gmt": None,
        "date_paid_gmt": "2026-11-22T09:01:00",
        **changes,
    }


def meta(key: str, value: Any) -> dict[str, Any]:
    return {"id": 90, "key": key, "value": value}


def refund(number: int, *lines: tuple[int, int], order_id: int = 1001) -> dict[str, Any]:
    """(order line, pieces) each."""
    return {
        "id": number,
        "parent_id": order_id,
        "date_created_gmt": "2026-11-22T09:20:00",
        "amount": "10.00",
        "reason": "",
        "line_items": [
            line(500 + n, product_id=40 + n, quantity=-pieces, meta_data=[meta("_refunded_item_id", str(n))])
            for n, pieces in lines
        ],
    }


def fulfillment(number: int = 4, *items: tuple[int, int], **changes: Any) -> dict[str, Any]:
    """As 11.0 reads it back: `is_fulfilled` is a text."""
    fields = {
        "_items": [{"item_id": line_id, "qty": quantity} for line_id, quantity in items],
        "_tracking_number": "1Z1",
        "_shipment_provider": "ups",
        "_tracking_url": "https://t.example/1Z1",
        "_date_fulfilled": "2026-11-22T09:25:00Z",
    }
    return {
        "id": number,
        "entity_type": "WC_Order",
        "entity_id": "1001",
        "status": "fulfilled",
        "is_fulfilled": "1",
        "date_updated": "2026-11-22T09:25:00Z",
        "date_deleted": None,
        "meta_data": [{"id": n, "key": key, "value": value} for n, (key, value) in enumerate(fields.items(), 19)],
        **changes,
    }
