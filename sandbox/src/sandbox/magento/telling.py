"""Orders, shipments, products and carts as Magento's JSON. Amounts are numbers, what is nothing is null or left out."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.magento.model import Address, Cart, Order, Product, Row, Shipment


def time_of(seconds: float) -> str:
    """UTC, without saying so."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")


def order_record(shop_told: Any, order: Order) -> dict[str, Any]:
    """The columns that a search can name, and how the order is shown."""
    return {
        "entity_id": order.entity_id,
        "increment_id": order.increment_id,
        "quote_id": order.quote_id or 0,
        "state": order.state,
        "status": order.status,
        "created_at": time_of(order.created_at),
        "updated_at": time_of(order.updated_at),
        "told": lambda: shop_told(order),
    }


def order_told(order: Order) -> dict[str, Any]:
    total, paid = float(order.grand_total), _amount(order.total_paid)
    told: dict[str, Any] = {
        "entity_id": order.entity_id,
        "increment_id": order.increment_id,
        "state": order.state,
        "status": order.status,
        "created_at": time_of(order.created_at),
        "updated_at": time_of(order.updated_at),
        "base_currency_code": order.currency,
        "order_currency_code": order.currency,
        "base_grand_total": total,
        "grand_total": total,
        "total_due": round(total - (paid or 0.0), 4),
        "customer_email": order.email,
        "customer_is_guest": 1,
        "customer_note": order.note,
        "is_virtual": int(order.is_virtual),
        "quote_id": order.quote_id,
        "store_id": 1,
        "items": [_row(order, row) for row in order.rows],
        "billing_address": _address(order.address, "billing"),
        "payment": _payment(order),
        "status_histories": [],
        "extension_attributes": {"shipping_assignments": _assignments(order)},
    }
    if order.shipping_description:
        told["shipping_description"] = order.shipping_description
    if paid is not None:  # left out as long as there is none
        told |= {"total_paid": paid, "base_total_paid": paid}
    if order.total_refunded is not None:
        told |= {"total_refunded": float(order.total_refunded), "base_total_refunded": float(order.total_refunded)}
    return told


def _amount(text: str | None) -> float | None:
    return None if text is None else float(text)


def _payment(order: Order) -> dict[str, Any]:
    told: dict[str, Any] = {
        "account_status": None,
        "additional_information": [order.payment_method],
        "amount_ordered": float(order.grand_total),
        "cc_last4": None,
        "entity_id": order.entity_id + 1,
        "method": order.payment_method,
    }
    if order.po_number is not None:
        told["po_number"] = order.po_number
    if order.amount_authorized is not None:
        told["amount_authorized"] = float(order.amount_authorized)
    return told


def _row(order: Order, row: Row) -> dict[str, Any]:
    told = {
        "item_id": row.item_id,
        "order_id": order.entity_id,
        "product_id": row.product_id,
        "product_type": row.product_type,
        "sku": row.sku,
        "name": row.name,
        "is_virtual": int(row.is_virtual),
        "price": float(row.price),
        "qty_ordered": row.qty_ordered,
        "qty_shipped": row.qty_shipped,
        "qty_refunded": row.qty_refunded,
        "qty_canceled": row.qty_canceled,
        "qty_invoiced": row.qty_invoiced,
        "locked_do_ship": None,
    }
    if row.parent is not None:
        told |= {"parent_item_id": row.parent, "parent_item": _row(order, order.row(row.parent))}
    return told


def _assignments(order: Order) -> list[dict[str, Any]]:
    """None for an order of which nothing is shipped."""
    if order.is_virtual or order.address is None:
        return []
    shipping = {"address": _address(order.address, "shipping"), "method": order.shipping_method or None}
    return [{"shipping": shipping, "items": [_row(order, row) for row in order.rows]}]


def _address(address: Address | None, kind: str) -> dict[str, Any] | None:
    if address is None:
        return None
    told = {name: getattr(address, name) for name in Address.__slots__ if getattr(address, name) is not None}
    return {"address_type": kind, **told}


def shipment_record(order: Order, shipment: Shipment) -> dict[str, Any]:
    return {
        "entity_id": shipment.entity_id,
        "increment_id": shipment.increment_id,
        "order_id": order.entity_id,
        "created_at": time_of(shipment.created_at),
        "updated_at": time_of(shipment.updated_at),
        "told": lambda: shipment_told(order, shipment),
    }


def shipment_told(order: Order, shipment: Shipment) -> dict[str, Any]:
    return {
        "entity_id": shipment.entity_id,
        "increment_id": shipment.increment_id,
        "order_id": order.entity_id,
        "created_at": time_of(shipment.created_at),
        "updated_at": time_of(shipment.updated_at),
        "packages": [],
        "shipment_status": None,
        "store_id": 1,
        "total_qty": sum(quantity for _, quantity in shipment.items),
        "items": [
            {"entity_id": item_id * 10, "order_item_id": item_id, "qty": quantity, "sku": order.row(item_id).sku}
            for item_id, quantity in shipment.items
        ],
        "tracks": [track_told(order, shipment, track.entity_id) for track in shipment.tracks],
        "comments": [
            {
                "entity_id": one.entity_id,
                "parent_id": shipment.entity_id,
                "comment": one.comment,
                "is_customer_notified": 0,
                "is_visible_on_front": one.visible,
                "created_at": time_of(one.created_at),
            }
            for one in reversed(shipment.comments)  # the newest first
        ],
        "extension_attributes": {"source_code": shipment.source_code},
    }


def track_told(order: Order, shipment: Shipment, track_id: int) -> dict[str, Any]:
    track = next(one for one in shipment.tracks if one.entity_id == track_id)
    return {
        "entity_id": track.entity_id,
        "parent_id": shipment.entity_id,
        "order_id": order.entity_id,
        "track_number": track.track_number,
        "title": track.title,
        "carrier_code": track.carrier_code,
        "weight": None,
        "qty": None,
        "description": None,
        "created_at": time_of(track.created_at),
        "updated_at": time_of(track.created_at),
    }


def product_record(product: Product) -> dict[str, Any]:
    return {
        "entity_id": product.id,
        "sku": product.sku,
        "type_id": product.type_id,
        "told": lambda: product_told(product),
    }


def product_told(product: Product) -> dict[str, Any]:
    attributes = [{"attribute_code": "options_container", "value": "container2"}]
    if product.shipment_type is not None:
        attributes.append({"attribute_code": "shipment_type", "value": product.shipment_type})
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "type_id": product.type_id,
        "price": float(product.price),
        "status": 1,
        "custom_attributes": attributes,
    }


def cart_told(cart: Cart, products: Mapping[str, Product]) -> dict[str, Any]:
    return {
        "id": cart.id,
        "is_active": cart.is_active,
        "is_virtual": False,
        "items": cart_items(cart, products),
        "items_count": len(cart.items),
        "items_qty": sum(cart.items.values()),
        "customer": {"email": None, "firstname": None, "lastname": None},
        "customer_is_guest": True,
        "store_id": 1,
    }


def cart_items(cart: Cart, products: Mapping[str, Product]) -> list[dict[str, Any]]:
    return [
        {
            "item_id": cart.id * 1000 + place,
            "sku": sku,
            "qty": quantity,
            "name": products[sku].name,
            "price": float(products[sku].price),
            "product_type": products[sku].type_id,
            "quote_id": str(cart.id),
        }
        for place, (sku, quantity) in enumerate(cart.items.items())
    ]


def source_items(products: Iterable[Product]) -> list[dict[str, Any]]:
    """As records: each is its own columns."""
    made = []
    for product in products:
        for code, quantity in product.on_hand.items():
            told = {"sku": product.sku, "source_code": code, "quantity": quantity, "status": int(quantity > 0)}
            made.append({**told, "told": lambda told=told: told})
    return made
