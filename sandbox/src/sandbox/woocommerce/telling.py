"""How a store tells its things: JSON as real stores give it, times twice and without a zone. Pure."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.woocommerce.model import Fulfillment, Hook, Line, Note, Order, Product, Refund
from sandbox.woocommerce.settings import Settings, gmt


def order(read: Order, settings: Settings) -> dict[str, Any]:
    total = sum((Decimal(line.price) * line.quantity for line in read.lines), Decimal(0))
    return {
        "id": read.id,
        "parent_id": 0,
        "status": read.status,
        "currency": read.currency,
        "version": settings.version,
        "prices_include_tax": False,
        **_times(settings, created=read.created_at, modified=read.modified_at),
        "discount_total": "0.00",
        "shipping_total": "0.00",
        "total": f"{total:.2f}",
        "total_tax": "0.00",
        "customer_id": 0,
        "order_key": f"wc_order_{read.id}",
        "billing": read.billing,
        "shipping": read.shipping,
        "payment_method": read.payment_method,
        "payment_method_title": read.payment_method.upper(),
        "transaction_id": read.transaction_id,
        "created_via": read.created_via,
        "customer_note": read.customer_note,
        **_times(settings, completed=read.completed_at, paid=read.paid_at),
        "number": number(read, settings),
        "meta_data": read.meta,
        "line_items": [_line(line) for line in read.lines],
        "tax_lines": [],
        "shipping_lines": read.shipping_lines,
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [{"id": one.id, "reason": "", "total": f"-{one.amount}"} for one in read.refunds],
        "needs_payment": read.status in {"pending", "failed"},
        "needs_processing": True,
    }


def number(read: Order, settings: Settings) -> str:
    return f"W-{read.id}" if settings.numbers_differ else str(read.id)


def _times(settings: Settings, **moments: int | None) -> dict[str, str | None]:
    told: dict[str, str | None] = {}
    for name, at in moments.items():
        told[f"date_{name}"] = None if at is None else settings.local(at)
        told[f"date_{name}_gmt"] = None if at is None else gmt(at)
    return told


def _line(line: Line) -> dict[str, Any]:
    total = f"{Decimal(line.price) * line.quantity:.2f}"
    return {
        "id": line.id,
        "name": line.name,
        "product_id": line.product_id,
        "variation_id": line.variation_id,
        "quantity": line.quantity,
        "tax_class": "",
        "subtotal": total,
        "total": total,
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": line.meta,
        "sku": line.sku,
        "price": float(line.price),
        "image": {"id": "", "src": ""},
        "parent_name": None,
    }


def refund(read: Order, one: Refund, settings: Settings, *, of_all: bool) -> dict[str, Any]:
    lines = []
    for place, (line_id, pieces) in enumerate(one.lines):
        line = read.line(line_id)
        meta = [{"id": one.id * 10 + place, "key": "_refunded_item_id", "value": str(line_id)}]
        lines.append(_line(line) | {"id": one.id * 10 + place, "quantity": -pieces, "meta_data": meta})
    parent = {"parent_id": read.id} if of_all else {}
    return {"id": one.id, **parent, **_times(settings, created=one.at), "amount": one.amount, "reason": "",
            "refunded_by": 1, "refunded_payment": False, "meta_data": [], "line_items": lines}  # fmt: skip


def fulfillment(order_id: int, made: Fulfillment, settings: Settings, *, answer: bool) -> dict[str, Any]:
    """`answer`: what the call that made it gives. Read back, 11.0 tells `is_fulfilled` as a text; times are local up to
    10.7."""
    stands = made.status == "fulfilled"
    new = settings.at_least(10, 8)
    told: dict[str, Any] = {
        "id": made.id,
        "entity_type": "WC_Order",
        "entity_id": str(order_id),
        "status": made.status,
        "is_fulfilled": ("1" if stands else "0") if new and not answer else stands,
        "date_updated": fulfillment_time(made.updated_at, settings),
        "meta_data": made.meta,
    }
    return told | {"date_deleted": None} if new else told


def fulfillment_time(at: float, settings: Settings) -> str:
    if settings.at_least(10, 8):
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return settings.local(at).replace("T", " ")


def note(one: Note, settings: Settings) -> dict[str, Any]:
    return {"id": one.id, "author": "WooCommerce", **_times(settings, created=one.at), "note": one.note,
            "customer_note": one.customer_note}  # fmt: skip


def product(one: Product) -> dict[str, Any]:
    return {
        "id": one.id,
        "parent_id": one.parent_id,
        "name": one.name,
        "sku": one.sku,
        "type": one.kind,
        "status": "publish",
        "virtual": one.virtual,
        "price": one.price,
        "manage_stock": one.stock is not None,
        "stock_quantity": one.stock,
        "stock_status": "outofstock" if one.stock is not None and one.stock <= 0 else "instock",
    }


def variation(one: Product, settings: Settings) -> dict[str, Any]:
    """Under its product, by the attribute alone: "L", where an order's line says "Hat - L". Old versions leave that
    out, and the parent; the kind came later still."""
    told = product(one)
    unknown = set() if settings.at_least(9, 0) else {"type"}
    unknown |= set() if settings.at_least(8, 3) else {"name", "parent_id"}
    told["name"] = one.name.rpartition(" - ")[2]
    return {name: value for name, value in told.items() if name not in unknown}


def hook(one: Hook) -> dict[str, Any]:
    """The secret is never told."""
    resource, _, event = one.topic.partition(".")
    return {"id": one.id, "name": one.name, "status": one.status, "topic": one.topic, "resource": resource,
            "event": event, "delivery_url": one.delivery_url}  # fmt: skip
