"""The free shipment-tracking plugin AST, as it was measured: rows in the order's meta, without items and quantities."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

from sandbox.woocommerce.errors import Refused
from sandbox.woocommerce.model import Order
from sandbox.woocommerce.writing import NewId, put_meta, required

ITEMS = "_wc_shipment_tracking_items"
NAMESPACES = ("wc-shipment-tracking/v3", "wc-ast/v3")
PROVIDERS = {
    "Germany": {"DHL": "https://dhl.example/track/%number%"},
    "United States": {"UPS": "https://ups.example/track/%number%", "FedEx": "https://fedex.example/%number%"},
    "Global": {},
}
_LINKS = {name: link for country in PROVIDERS.values() for name, link in country.items()}


def rows(order: Order) -> list[dict[str, Any]]:
    return list(order.value(ITEMS) or ())


def add(order: Order, given: Mapping[str, Any], new_id: NewId, *, keeps_ship_date: bool = False) -> dict[str, Any]:
    """Not idempotent: the same number twice is two rows. The meta keeps a known carrier as its slug and any other name
    as it was given, both in one field: `custom_tracking_provider` stays empty. The date that was given is thrown away
    for today's, unless the plugin's date format is set."""
    number = str(required(given, "tracking_number"))
    name = str(given.get("custom_tracking_provider") or given.get("tracking_provider") or "")
    row = {
        "tracking_provider": name.lower() if name in _LINKS else name,
        "custom_tracking_provider": "",
        "custom_tracking_link": str(given.get("custom_tracking_link") or ""),
        "tracking_number": number,
        "tracking_product_code": "",
        "source": "REST_API",
        "date_shipped": _moment(str(given.get("date_shipped") or "")) if keeps_ship_date else int(time.time()),
        "status_shipped": str(given.get("status_shipped") or 0),
        "tracking_id": md5(f"{number}/{new_id()}".encode(), usedforsecurity=False).hexdigest(),
        "user_id": 1,
    }
    _keep(order, [*rows(order), row], new_id)
    return row


def _moment(given: str) -> int:
    try:
        return int(datetime.fromisoformat(given).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return int(time.time())


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A custom carrier loses its name, and its link is not filled in."""
    name = next((one for one in _LINKS if one.lower() == row["tracking_provider"]), "")
    link = _LINKS.get(name, row["custom_tracking_link"]).replace(
        "%number%", row["tracking_number"] if name else "%number%"
    )
    return {
        "tracking_id": row["tracking_id"],
        "tracking_provider": name,
        "tracking_link": link,
        "tracking_number": row["tracking_number"],
        "date_shipped": time.strftime("%Y-%m-%d", time.gmtime(int(row["date_shipped"]))),
    }


def remove(order: Order, tracking_id: str, new_id: NewId) -> dict[str, Any]:
    row = one(order, tracking_id)
    _keep(order, [other for other in rows(order) if other is not row], new_id)
    return row


def one(order: Order, tracking_id: str) -> dict[str, Any]:
    found = next((row for row in rows(order) if row["tracking_id"] == tracking_id), None)
    if found is None:
        raise Refused(404, "woocommerce_rest_order_shipment_tracking_invalid_id", "Invalid shipment tracking ID.")
    return found


def _keep(order: Order, kept: list[dict[str, Any]], new_id: NewId) -> None:
    put_meta(order.meta, [{"key": ITEMS, "value": kept}], new_id)
