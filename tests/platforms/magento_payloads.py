"""Payloads of Magento's real shape, written by hand: orders with their flat rows, shipments, refusals."""

from typing import Any


def row(item_id: int = 13, **changes: Any) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "order_id": 7,
        "product_id": item_id * 10,
        "product_type": "simple",
        "sku": "LAMP-1",
        "name": "Lamp",
        "is_virtual": 0,
        "price": 19.9,
        "qty_ordered": 3,
        "qty_shipped": 0,
        "qty_refunded": 0,
        "qty_canceled": 0,
        "qty_invoiced": 3,
        "locked_do_ship": None,
        "weight": 1.5,
        **changes,
    }


def configurable(first: int = 20, sku: str = "SHIRT-RED-M", **changes: Any) -> list[dict[str, Any]]:
    """Parent and child, with one SKU."""
    parent = row(first, product_type="configurable", sku=sku, name="Shirt", **changes)
    child = row(first + 1, product_type="simple", sku=sku, parent_item_id=first, price=0)
    return [parent, {**child, "parent_item": parent}]


def bundle(first: int = 30, product_id: int = 77, pieces: int = 2) -> list[dict[str, Any]]:
    """A bundle of two products; whether it goes as one is told by product 77 alone."""
    parent = row(first, product_type="bundle", product_id=product_id, sku="SET-LAMP-CORD", qty_ordered=pieces)
    children = [
        row(first + n, sku=sku, parent_item_id=first, qty_ordered=pieces * each)
        for n, (sku, each) in enumerate((("LAMP-1", 1), ("CORD-2", 2)), start=1)
    ]
    return [parent, *children]


def address(**changes: Any) -> dict[str, Any]:
    return {
        "address_type": "shipping",
        "firstname": "Zoë",
        "middlename": None,
        "lastname": "Müller",
        "company": None,
        "street": ["5 High Street", "Apt. 4½"],
        "city": "Köln",
        "region": None,
        "region_code": None,
        "region_id": None,
        "postcode": "50667",
        "country_id": "DE",
        "telephone": "+49 221 1234",
        "email": "zoe@mail.example",
        **changes,
    }


def order(*rows: dict[str, Any], ship_to: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    shipping = {"address": address() if ship_to is None else ship_to, "method": "flatrate_flatrate"}
    return {
        "entity_id": 7,
        "increment_id": "000000007",
        "state": "processing",
        "status": "processing",
        "created_at": "2026-11-22 09:00:00",
        "updated_at": "2026-11-22 09:30:00",
        "base_currency_code": "USD",
        "order_currency_code": "EUR",
        "grand_total": 64.7,
        "total_paid": 64.7,
        "total_due": 0,
        "customer_email": "zoe@mail.example",
        "customer_note": "bitte klingeln",
        "is_virtual": 0,
        "shipping_description": "Flat Rate - Fixed",
        "payment": {"method": "checkmo", "account_status": None, "cc_last4": None, "additional_information": []},
        "items": list(rows) or [row()],
        "extension_attributes": {"shipping_assignments": [{"shipping": shipping, "items": list(rows) or [row()]}]},
        **changes,
    }


def track(number: str = "1Z1", title: str = "UPS", code: str = "ups", **changes: Any) -> dict[str, Any]:
    given = {"entity_id": 5, "order_id": 7, "parent_id": 3, "weight": None, "qty": None, "description": None}
    return {**given, "track_number": number, "title": title, "carrier_code": code, **changes}


def shipment(*items: tuple[int, float], **changes: Any) -> dict[str, Any]:
    return {
        "entity_id": 3,
        "increment_id": "000000003",
        "order_id": 7,
        "created_at": "2026-11-22 10:00:00",
        "updated_at": "2026-11-22 10:00:00",
        "packages": [],
        "shipment_status": None,
        "items": [
            {"entity_id": n, "order_item_id": item_id, "qty": qty, "sku": "LAMP-1"}
            for n, (item_id, qty) in enumerate(items, start=1)
        ],
        "tracks": [track()],
        "comments": [],
        "extension_attributes": {"source_code": "default"},
        **changes,
    }


def refusal(message: str, parameters: Any = None) -> dict[str, Any]:
    """As an installation in developer mode writes it."""
    return {
        "message": message,
        "parameters": parameters,
        "trace": "#0 /var/www/html/app/etc/env.php secret-of-the-shop",
    }
