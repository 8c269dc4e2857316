"""Which files start whole services, and so belong to `make test-services` instead of `make test`.

Each of their tests waits for a database, a broker and a service of its own, or for minutes of interleavings; together
they take longer than the fast tests may.
"""

WHOLE_SERVICES = frozenset(
    {
        "benchmarks/test_benchmarks.py",
        "common/test_consumer.py",
        "common/test_kills.py",
        "common/test_service.py",
        "console/test_alerting.py",
        "console/test_by_hand.py",
        "console/test_commands.py",
        "console/test_configuration.py",
        "console/test_courier_story.py",
        "console/test_failures.py",
        "console/test_fr_commands.py",
        "console/test_fresh.py",
        "console/test_partners.py",
        "console/test_mappings.py",
        "console/test_past.py",
        "console/test_probes.py",
        "console/test_rebuild.py",
        "console/test_renew_tokens.py",
        "console/test_routing_commands.py",
        "console/test_shipments.py",
        "console/test_webhooks.py",
        "console/test_tallies.py",
        "fulfillment_push/test_frozen.py",
        "fulfillment_push/test_in_bulk.py",
        "fulfillment_push/test_killed.py",
        "fulfillment_push/test_planted_defects.py",
        "fulfillment_push/test_service.py",
        "order_ingest/test_sandbox.py",
        "order_ingest/test_service.py",
        "order_ingest/test_webhooks.py",
        "router/test_service.py",
        "router/test_waking.py",
        "sandbox/test_persistence.py",
        "shipment_poller/test_interleavings.py",
        "shipment_poller/test_outward_audit.py",
        "shipment_poller/test_outward_sandbox.py",
        "shipment_poller/test_on_the_clock.py",
        "shipment_poller/test_read_back.py",
        "shipment_poller/test_retry_schedule.py",
        "shipment_poller/test_service.py",
        "shipment_poller/test_stock_sandbox.py",
    }
)
