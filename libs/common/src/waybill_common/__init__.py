"""How any event-driven service runs safely: outbox, relay, leases, retry, parking, telemetry."""
