"""The life of one order as the services tell it, for the tests of the read model."""

from typing import Any

from waybill_contracts.event import Event
from waybill_contracts.registry import EVENTS

AT = "2026-11-22T10:00:0{}Z"
ADDRESS = {"name": "Zoë", "country": "BE"}
ORDER = {
    "order_id": "0198c5a0-0000-7000-8000-000000000001",
    "store": "acme",
    "channel": "acme-shop",
    "channel_order_id": "gid://shopify/Order/1",
    "number": "#1001",
    "version": 1,
    "sequence": 1,
    "state": "imported",
    "placed_at": AT.format(0),
    "currency": "EUR",
    "payment": "paid",
    "addresses": [ADDRESS],
    "lines": [
        {
            "line_id": "1",
            "channel_sku": "S-1",
            "quantity": 3,
            "canceled": 1,
            "components": [{"sku": "A", "quantity": 1}],
        },
        {"line_id": "2", "channel_sku": "S-1", "quantity": 1, "components": [{"sku": "A", "quantity": 1}]},
        {"line_id": "3", "channel_sku": "WRAP", "quantity": 1, "service": True},
    ],
}
COST = {"currency": "EUR", "items": "6", "fee": "1.50", "shipping": "4.5"}
LINES = [{"line_id": "1", "sku": "A", "quantity": 2}, {"line_id": "2", "sku": "A", "quantity": 1}]
FR = {
    "fr_id": "fr-1",
    "order_id": ORDER["order_id"],
    "number": "E-1001",
    "source": "east",
    "channel": "acme-shop",
    "store": "acme",
    "order_number": "#1001",
    "order_version": 1,
    "lines": [{**line, "source_sku": "E-A"} for line in LINES],
    "ship_to": ADDRESS,
    "cost": COST,
    "decision_id": "d-1",
}
DECISION = {"decision_id": "d-1", "group": "default", "config_version": 1, "currency": "EUR"}
DECISION["chosen"] = {"cost": "12.0", "requests": [{"source": "east", "cost": COST, "lines": LINES}]}
PROGRESS = {"fr_id": "fr-1", "order_id": ORDER["order_id"], "source": "east", "number": "E-1001", "order_version": 1}
SHIPMENT = {
    "shipment_id": "s-1",
    "order_id": ORDER["order_id"],
    "fr_id": "fr-1",
    "source": "east",
    "source_shipment_id": "X",
    "lines": LINES,
    "carrier": "ups",
    "tracking_numbers": ["1Z1"],
    "shipped_at": AT.format(4),
}


def made(kind: str, sequence: int, second: int, **fields: Any) -> Event:
    return EVENTS[f"waybill.{kind}.v1"].model_validate({"sequence": sequence, "at": AT.format(second), **fields})


IMPORTED = ("order-ingest", made("order.imported", 1, 0, order=ORDER, via="pull"))
ROUTED = (
    "router",
    made("order.routed", 1, 1, order_id=ORDER["order_id"], order_version=1, order_sequence=1, decision=DECISION),
)
CREATED = (
    "router",
    made("fr.created", 1, 1, fr_id="fr-1", order_id=ORDER["order_id"], order_version=1, fr=FR, order=ORDER),
)
PROCESSING = ("fulfillment-push", made("fr.processing", 2, 2, **PROGRESS, state="PROCESSING", router_sequence=1))
SUBMITTED = (
    "fulfillment-push",
    made(
        "fr.submitted", 3, 3, **PROGRESS, state="ACKNOWLEDGED", router_sequence=1, platform_id="P", fr=FR, order=ORDER
    ),
)
RECORDED = (
    "shipment-poller",
    made("shipment.recorded", 1, 4, shipment=SHIPMENT, fulfillment="shipped", sync="pending"),
)
SYNCED = (
    "shipment-poller",
    made(
        "shipment.synced",
        2,
        5,
        shipment=SHIPMENT,
        fulfillment="shipped",
        sync="synced",
        fulfillment_ids=["gid://1"],
        attempts=1,
    ),
)
LIFE = (IMPORTED, ROUTED, CREATED, PROCESSING, SUBMITTED, RECORDED, SYNCED)
