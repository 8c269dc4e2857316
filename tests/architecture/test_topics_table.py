"""The table of topics says who reads what; the services' own subscriptions are the proof."""

import importlib

from waybill_contracts import topics

PACKAGES = {
    topics.ORDER_INGEST: "order_ingest",
    topics.ROUTER: "router",
    topics.FULFILLMENT_PUSH: "fulfillment_push",
    topics.SHIPMENT_POLLER: "shipment_poller",
    topics.CONSOLE: "console",
}


def test_each_service_reads_what_the_table_says_and_nothing_else() -> None:
    subscribed = {service: set(importlib.import_module(f"{p}.consumer").TOPICS) for service, p in PACKAGES.items()}
    told = {service: {t.name for t in topics.TOPICS.values() if service in t.readers} for service in PACKAGES}

    assert told == subscribed
