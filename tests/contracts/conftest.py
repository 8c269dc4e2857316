"""One example of every event, of the shape that the services really send."""

from typing import Any

import pytest

from waybill_contracts.event import Event
from waybill_contracts.registry import EVENTS

AT = "2026-11-22T10:00:00Z"
REASON = {"code": "server", "message": "The source answered 503.", "action": "Resend it."}
ADDRESS = {"name": "Zoë Łukasik", "line1": "Rue de l'Église 5", "city": "Liège", "country": "BE"}
LINE = {
    "line_id": "gid://shopify/LineItem/1",
    "channel_sku": "SHOP-1",
    "quantity": 3,
    "canceled": 1,
    "unit_price": "9.90",
    "components": [{"sku": "SKU-1", "quantity": 1}],
}
ORDER = {
    "order_id": "0198c5a0-0000-7000-8000-000000000001",
    "store": "acme",
    "channel": "acme-shop",
    "channel_order_id": "gid://shopify/Order/1",
    "number": "#1001",
    "version": 1,
    "sequence": 1,
    "state": "imported",
    "placed_at": AT,
    "currency": "EUR",
    "payment": "paid",
    "total": "29.70",
    "addresses": [ADDRESS],
    "shipping_method": "ground",
    "lines": [LINE],
}
COST = {"currency": "EUR", "items": "6.20", "fee": "1.50", "shipping": "4.40"}
FR = {
    "fr_id": "0198c5a0-0000-7000-8000-000000000002",
    "order_id": ORDER["order_id"],
    "number": "E-1001",
    "source": "east",
    "channel": "acme-shop",
    "store": "acme",
    "order_number": "#1001",
    "order_version": 1,
    "lines": [{"line_id": LINE["line_id"], "sku": "SKU-1", "source_sku": "E-100", "quantity": 2}],
    "ship_to": ADDRESS,
    "cost": COST,
    "decision_id": "0198c5a0-0000-7000-8000-000000000003",
}
SHIPMENT = {
    "shipment_id": "0198c5a0-0000-7000-8000-000000000004",
    "order_id": ORDER["order_id"],
    "fr_id": FR["fr_id"],
    "source": "east",
    "source_shipment_id": "S-1",
    "lines": [{"line_id": LINE["line_id"], "sku": "SKU-1", "quantity": 2}],
    "carrier": "ups",
    "tracking_numbers": ["1Z1"],
    "tracking_url": "https://example.com/1Z1",
    "shipped_at": AT,
}
PLAN = {
    "cost": "12.10",
    "requests": [{"source": "east", "cost": COST, "lines": [{"line_id": "1", "sku": "SKU-1", "quantity": 2}]}],
}
DECISION = {
    "decision_id": FR["decision_id"],
    "group": "default",
    "config_version": 1,
    "currency": "EUR",
    "chosen": PLAN,
    "lower_bound": "12.10",
    "gap": "0",
    "runner_up": PLAN,
    "excluded": [{"source": "west", "reason": "no_stock", "detail": "SKU-1: 0 of 2"}],
}
HOLD = {"reason": "unmapped_sku", "field": "lines[0].sku", "value": "NEW-9", "fix": "Map NEW-9 to one of our SKUs."}
PROGRESS = {
    "fr_id": FR["fr_id"],
    "order_id": ORDER["order_id"],
    "source": "east",
    "number": "E-1001",
    "state": "PROCESSING",
    "order_version": 1,
    "router_sequence": 1,
}
SHIPPED = {"shipment": SHIPMENT, "fulfillment": "shipped", "sync": "pending"}
DECIDED = {"order_id": ORDER["order_id"], "order_version": 1, "order_sequence": 1, "decision": DECISION}
ROUTED_FR = {"fr_id": FR["fr_id"], "order_id": ORDER["order_id"], "order_version": 1}
SOURCE = {
    "id": "east",
    "platform": "http",
    "url": "https://east.example",
    "costs": {"currency": "EUR", "fee": "1.50", "shipping": [{"zone": ["BE"], "base": "4.00", "per_kg": "0.80"}]},
}
CHANNEL = {"id": "acme-shop", "platform": "shopify", "url": "https://acme.example"}

PAYLOADS: dict[str, dict[str, Any]] = {
    "order.submitted": {
        "channel": "erp",
        "number": "A-1",
        "placed_at": AT,
        "currency": "JPY",
        "payment": "paid",
        "ship_to": ADDRESS,
        "lines": [{"sku": "SKU-1", "quantity": 2, "unit_price": "1200"}],
    },
    "order.imported": {"order": ORDER, "via": "pull"},
    "order.changed": {"order": ORDER, "changed": ["lines"]},
    "order.canceled": {"order": {**ORDER, "state": "canceled"}, "reason": "canceled at the channel"},
    "order.held": {"order": {**ORDER, "state": "held", "holds": [HOLD]}, "added": [HOLD]},
    "order.released": {"order": ORDER, "removed": [HOLD]},
    "order.excluded": {
        "store": "acme",
        "channel": "acme-shop",
        "channel_order_id": "2",
        "number": "#1002",
        "reason": "payment_pending",
    },
    "fr.created": {**ROUTED_FR, "fr": FR, "order": ORDER},
    "fr.confirmed": ROUTED_FR,
    "fr.void_requested": {**ROUTED_FR, "reason": "order canceled"},
    "order.routed": DECIDED,
    "order.unroutable": {**DECIDED, "reason": "no_stock"},
    "fr.received": PROGRESS,
    "fr.processing": PROGRESS,
    "fr.submitted": {**PROGRESS, "state": "PROCESSED", "platform_id": "P-1", "fr": FR, "order": ORDER},
    "fr.acknowledged": {**PROGRESS, "state": "ACKNOWLEDGED", "platform_id": "P-1"},
    "fr.failed": {**PROGRESS, "state": "FAILED", "reason": REASON},
    "fr.outcome_unknown": {**PROGRESS, "outcome": "unknown"},
    "fr.recall_requested": {**PROGRESS, "recall": "requested"},
    "fr.recall_refused": {**PROGRESS, "recall": "refused"},
    "fr.canceled": {**PROGRESS, "state": "CANCELED", "lines": [{"line_id": "1", "sku": "SKU-1", "quantity": 1}]},
    "fr.voided": {**PROGRESS, "state": "VOIDED"},
    "fr.shipping_changed": {**PROGRESS, "state": "ACKNOWLEDGED", "shipping": "partial"},
    "fr.watched": {"fr_id": FR["fr_id"], "order_id": ORDER["order_id"], "push_sequence": 3},
    "shipment.recorded": SHIPPED,
    "shipment.refused": {**SHIPPED, "reason": REASON},
    "shipment.conflicted": {**SHIPPED, "reason": REASON},
    "shipment.synced": {**SHIPPED, "sync": "synced", "fulfillment_ids": ["gid://shopify/Fulfillment/1"], "attempts": 1},
    "shipment.sync_failed": {**SHIPPED, "sync": "failed", "reason": REASON, "attempts": 4},
    "shipment.withdrawn": {**SHIPPED, "reason": REASON},
    "order.shipped": {"order_id": ORDER["order_id"], "order_version": 1, "fulfillment": "shipped", "sync": "synced"},
    "stock.counted": {
        "source": "east",
        "sku": "SKU-1",
        "on_hand": 40,
        "counted_at": AT,
        "unit_cost": "3.10",
        "weight_g": 250,
    },
    "stock.adjusted": {"source": "east", "sku": "SKU-1", "adjustment_id": "A-1", "delta": -2},
    "exchange.recorded": {
        "exchange_id": "X-1",
        "connection": "east",
        "service": "fulfillment-push",
        "log_type": "submit_request",
        "outcome": "ok",
        "method": "POST",
        "url": "https://east.example/requests",
        "status": 201,
        "duration_ms": 12.5,
    },
    "channel.configured": {"store": "acme", "channel": CHANNEL, "starts_at": AT},
    "source.configured": {"source": SOURCE},
    "routing.configured": {"routing": {"groups": [{"id": "default", "sources": ["east"]}], "rules": []}},
    "alert.raised": {"alert": "router/unroutable/1", "title": "Nobody can ship it"},
    "alert.cleared": {"alert": "router/unroutable/1"},
    "connection.state_changed": {"connection": "east", "service": "fulfillment-push", "state": "down"},
    "config.applied": {"service": "router", "entity": "source/east", "version": 3},
}


def example(kind: str) -> Event:
    short = kind.removeprefix("waybill.").removesuffix(".v1")
    return EVENTS[kind].model_validate({"at": AT, "sequence": 2, **PAYLOADS[short]})


@pytest.fixture(params=sorted(EVENTS))
def event(request: pytest.FixtureRequest) -> Event:
    """Each event type in turn."""
    return example(request.param)


@pytest.fixture
def fr_created() -> Event:
    return example("waybill.fr.created.v1")


@pytest.fixture
def stock_counted() -> Event:
    return example("waybill.stock.counted.v1")
