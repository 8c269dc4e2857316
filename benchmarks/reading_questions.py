"""READ: what is asked of the console, by kind of question.

Each is asked about another order with a whole life. What is rare stays rare, and some pairs leave nothing at all.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from benchmarks.reading_copies import names_of
from benchmarks.reading_lives import LAST

Question = Callable[[int], tuple[str, dict[str, Any]]]
"""Of an order's number: the path below /api/v1, and its parameters."""


def _orders(**given: Any) -> Question:
    return lambda number: ("/orders", dict(given))


def _search(text: Callable[[int], str], **given: Any) -> Question:
    return lambda number: ("/orders", {"search": text(number), **given})


def _deep(path: str, identity: Callable[[int], str], **given: Any) -> Question:
    """A page from the middle of the list, as its `next` asks for it."""

    def ask(number: int) -> tuple[str, dict[str, Any]]:
        after = [names_of(number).hour.isoformat(), identity(number)]
        return path, {**given, "cursor": base64.urlsafe_b64encode(orjson.dumps(after)).decode()}

    return ask


def _number(number: int) -> str:
    return names_of(number).number


def _order(number: int) -> str:
    return f"order-{_number(number)}"


SEARCHES: Mapping[str, Question] = {
    "number": _search(_number),
    "number, half of it": _search(lambda n: _number(n)[:5]),
    "SKU": _search(lambda n: f"sku-{names_of(n).shared}"),
    "SKU, its beginning": _search(lambda n: "SKU"),
    "customer, every 12th order": _search(lambda n: LAST[n % len(LAST)]),
    "customer, its beginning": _search(lambda n: LAST[n % len(LAST)][:2]),
    "customer's e-mail": _search(lambda n: f"kim.smith.{names_of(n).shared}"),
    "FR": _search(lambda n: f"E-{_number(n)}"),
    "tracking number": _search(lambda n: f"1Z{_number(n)}"),
    "nobody has it": _search(lambda n: f"nowhere-{n}"),
    "customer, deep in": _deep("/orders", _order, search="smith"),
    "customer and a rare stage": _search(lambda n: LAST[n % len(LAST)], stage="held"),
    "customer and a rare hold": _search(lambda n: LAST[n % len(LAST)], hold="unmapped_sku"),
    "customer and nothing": _search(lambda n: LAST[n % len(LAST)], fulfillment="partial"),
    "customer and most": _search(lambda n: LAST[n % len(LAST)], stage="settled"),
    "customer and some": _search(lambda n: LAST[n % len(LAST)], stage="submitted"),
    "customer and another's channel": _search(lambda n: "smith", channel="bolt-shop"),
    "customer and a rare stage, deep in": _deep("/orders", _order, search="smith", stage="held"),
    "SKU, its beginning, and a rare stage": _search(lambda n: "SKU", stage="held"),
    "SKU, its beginning, and a channel's failed sync": _search(lambda n: "SKU", sync="failed", channel="bolt-shop"),
    "half a number, and a rare hold": _search(lambda n: _number(n)[:5], hold="awaiting_payment"),
}
LISTS: Mapping[str, Question] = {
    "orders": _orders(),
    "orders, deep in": _deep("/orders", _order),
    "orders settled, deep in": _deep("/orders", _order, stage="settled"),
    "orders held": _orders(stage="held"),
    "orders held, deep in": _deep("/orders", _order, stage="held"),
    "orders held for an SKU": _orders(hold="unmapped_sku"),
    "orders held for an SKU, deep in": _deep("/orders", _order, hold="unmapped_sku"),
    "orders of a channel, held for an SKU": _orders(channel="acme-shop", hold="unmapped_sku"),
    "orders canceled": _orders(stage="canceled"),
    "orders imported": _orders(stage="imported"),
    "orders submitted": _orders(stage="submitted"),
    "orders whose sync is pending, deep in": _deep("/orders", _order, sync="pending"),
    "orders shipped": _orders(fulfillment="shipped"),
    "orders shipped whose sync failed": _orders(fulfillment="shipped", sync="failed"),
    "orders settled that need no sync: none": _orders(stage="settled", sync="not_needed"),
    "orders of a channel": _orders(channel="acme-eu"),
    "orders of a channel, deep in": _deep("/orders", _order, channel="acme-eu"),
    "orders whose sync failed": _orders(sync="failed"),
    "orders of a channel, held": _orders(channel="bolt-shop", stage="held"),
    "orders of a channel that has none": _orders(channel="closed-shop"),
    "orders partly shipped: none": _orders(fulfillment="partial"),
    "orders by number": lambda n: ("/orders", {"number": _number(n)}),
    "excluded": lambda n: ("/excluded-orders", {}),
    "excluded, deep in": _deep("/excluded-orders", lambda n: f"gid://shopify/Order/55{_number(n)}"),
    "excluded of a channel": lambda n: ("/excluded-orders", {"channel": "acme-eu"}),
    "excluded by number": lambda n: ("/excluded-orders", {"number": _number(n)}),
    "FRs": lambda n: ("/frs", {}),
    "FRs, deep in": _deep("/frs", lambda n: f"fr-{_number(n)}"),
    "FRs of a source, deep in": _deep("/frs", lambda n: f"fr-{_number(n)}", source="lodz"),
    "FRs failed": lambda n: ("/frs", {"state": "FAILED"}),
    "FRs of a source, failed": lambda n: ("/frs", {"state": "FAILED", "source": "lodz"}),
    "FRs, outcome unknown: none": lambda n: ("/frs", {"outcome": "unknown"}),
    "FRs by number": lambda n: ("/frs", {"number": f"E-{_number(n)}"}),
    "shipments": lambda n: ("/shipments", {}),
    "shipments, deep in": _deep("/shipments", lambda n: f"s-{_number(n)}"),
    "shipments pending": lambda n: ("/shipments", {"view": "pending"}),
    "shipments prepared, deep in": _deep("/shipments", lambda n: f"s-{_number(n)}", view="prepared"),
    "shipments of an order": lambda n: ("/shipments", {"order_id": _order(n)}),
    "shipments refused: none": lambda n: ("/shipments", {"status": "refused"}),
    "records": lambda n: ("/records", {}),
    "records, deep in": _deep("/records", lambda n: f"get_orders-{_number(n)}"),
    "records of a source": lambda n: ("/records", {"connection": "east"}),
    "records refused: none": lambda n: ("/records", {"outcome": "refused"}),
    "records of a source, deep in": _deep("/records", lambda n: f"submit_request-{_number(n)}", connection="east"),
    "records of a kind at a source that has none": lambda n: (
        "/records",
        {"log_type": "get_orders", "connection": "east"},
    ),
    "records of a kind": lambda n: ("/records", {"log_type": "submit_fulfillment"}),
    "records of an order": lambda n: ("/records", {"order_id": _order(n)}),
    "alerts": lambda n: ("/alerts", {}),
    "alerts, cleared ones too": lambda n: ("/alerts", {"all": True}),
}
PAGES: Mapping[str, Question] = {
    "an order": lambda n: (f"/orders/{_order(n)}", {}),
    "its time line": lambda n: (f"/orders/{_order(n)}/timeline", {}),
    "failures by cause": lambda n: ("/failures", {}),
    "stats": lambda n: ("/stats", {}),
}
GOALS_OF: Mapping[str, Mapping[str, Question]] = {"READ-search": SEARCHES, "READ-lists": LISTS, "READ-pages": PAGES}
