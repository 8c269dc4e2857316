"""One trace for an order, from import to `shipment.synced`, across services, topics and waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

EDGES = {
    ("order-ingest", "router"),
    ("router", "fulfillment-push"),
    ("fulfillment-push", "shipment-poller"),
}


def test_an_order_has_one_trace_with_an_edge_from_each_service_to_the_next(
    make_hub: Callable[..., Any], otlp_receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in otlp_receiver.environ.items():
        monkeypatch.setenv(name, value)
    hub = make_hub(orders=12)
    hub.start()
    hub.settle()
    order = hub.get("/orders", stage="settled", limit=1)["items"][0]
    trace = hub.get(f"/orders/{order['order_id']}")["trace"]

    steps = {"order-ingest", "router", "fulfillment-push", "shipment-poller"}
    otlp_receiver.wait_for(lambda spans: steps <= {span.service for span in spans if span.trace_id == trace}, 20)

    assert otlp_receiver.edges(trace) >= EDGES
    assert sum(not span.parent_id for span in otlp_receiver.trace(trace)) <= 1, "one beginning"
    numbered = {span.attributes.get("order.id") for span in otlp_receiver.trace(trace)} - {None}
    assert numbered == {order["order_id"]}, "a trace is one order's"
