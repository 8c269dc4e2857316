"""The closed catalogue of what `/metrics` shows.

A metric exists by standing in a table: `KERNEL` here, a service's own tuple beside its code. A name or label that is in
no table is refused loudly. Labels take values from small sets only (a topic, a worker, an outcome), never an id.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as operators read it: counters end in `_total`, durations in `_seconds`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS


KERNEL = (
    Metric("waybill_consumed_total", "counter", "Records handled and committed", ("topic",)),
    Metric("waybill_consumed_batch_size", "histogram", "Records in one transaction", (), SIZES),
    Metric("waybill_consume_seconds", "histogram", "Time from fetched to committed, one batch"),
    Metric("waybill_consume_retries_total", "counter", "Batches tried again", ("reason",)),
    Metric("waybill_consumer_lag_records", "gauge", "Records not yet handled", ("topic",)),
    Metric("waybill_consumer_paused", "gauge", "1 while the consumer waits for its database"),
    Metric("waybill_dead_letters_total", "counter", "Records put aside", ("topic", "reason")),
    Metric("waybill_relayed_total", "counter", "Outbox rows that the broker has taken", ("topic",)),
    Metric(
        "waybill_relay_seconds",
        "histogram",
        "Time from the transaction to the broker's answer, the oldest row of a turn",
    ),
    Metric("waybill_relay_failures_total", "counter", "Sends that failed", ("reason",)),
    Metric("waybill_relay_active", "gauge", "1 in the replica that relays this schema"),
    Metric("waybill_outbox_rows", "gauge", "Rows that wait to be sent"),
    Metric("waybill_outbox_oldest_seconds", "gauge", "Age of the oldest row that waits to be sent"),
    Metric("waybill_resent_total", "counter", "Events sent again for want of a receipt", ("topic",)),
    Metric("waybill_receipts_due", "gauge", "Events whose receipt has not come yet"),
    Metric("waybill_worker_turns_total", "counter", "Turns of a worker", ("worker", "outcome")),
    Metric("waybill_worker_done_total", "counter", "Things that a worker did", ("worker",)),
    Metric("waybill_worker_turn_seconds", "histogram", "Time of one turn that did something", ("worker",)),
    Metric("waybill_calls_total", "counter", "Calls to other systems", ("platform", "operation", "outcome")),
    Metric("waybill_call_seconds", "histogram", "Time of one call", ("platform", "operation")),
    Metric("waybill_budget_wait_seconds", "histogram", "Time that a call waited for its rate budget"),
    Metric("waybill_connections", "gauge", "Connections that are not ok, as this replica last saw them", ("state",)),
    Metric("waybill_alerts_open", "gauge", "Alerts raised and not cleared"),
    Metric("waybill_database_pool_busy", "gauge", "Database connections in use"),
    Metric("waybill_ready", "gauge", "1 while /readyz says yes"),
)


class Metrics:
    """The metrics of one service, in a registry of their own (several services may live in one process)."""

    def __init__(self, service: str, tables: Iterable[Metric] = ()) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        self._collectors: dict[str, Counter | Gauge | Histogram] = {}
        self._children: dict[tuple[str, ...], Counter | Gauge | Histogram] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        ProcessCollector(registry=self.registry)
        self.declare((*KERNEL, *tables))

    def declare(self, table: Iterable[Metric]) -> None:
        """Add a service's own metrics; ValueError for a name that exists."""
        for metric in table:
            if metric.name in self._collectors:
                raise ValueError(f"metric {metric.name} is declared twice: use another name")
            self._labels[metric.name] = metric.labels
            if metric.kind == "counter":
                self._collectors[metric.name] = Counter(metric.name, metric.help, metric.labels, registry=self.registry)
            elif metric.kind == "gauge":
                self._collectors[metric.name] = Gauge(metric.name, metric.help, metric.labels, registry=self.registry)
            else:
                self._collectors[metric.name] = Histogram(
                    metric.name, metric.help, metric.labels, registry=self.registry, buckets=metric.buckets
                )

    def count(self, name: str, value: float = 1, /, **labels: str) -> None:
        """Add to a counter."""
        child = self._child(name, labels)
        assert isinstance(child, Counter), f"{name} is no counter"
        child.inc(value)

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        child = self._child(name, labels)
        assert isinstance(child, Gauge), f"{name} is no gauge"
        child.set(value)

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Put a value into a histogram (seconds, or a size)."""
        child = self._child(name, labels)
        assert isinstance(child, Histogram), f"{name} is no histogram"
        child.observe(value)

    def value(self, name: str, /, **labels: str) -> float:
        """What a counter or gauge stands at, for tests; 0 when it was never touched."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)

    def _child(self, name: str, labels: dict[str, str]) -> Counter | Gauge | Histogram:
        key = (name, *labels.values())
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = self._new_child(name, labels)
        return found

    def _new_child(self, name: str, labels: dict[str, str]) -> Counter | Gauge | Histogram:
        collector = self._collectors.get(name)
        if collector is None:
            raise KeyError(f"metric {name} is in no table: declare it beside the code that counts it")
        if tuple(labels) != self._labels[name]:
            raise KeyError(f"metric {name} has the labels {self._labels[name]} in this order, not {tuple(labels)}")
        return collector.labels(*labels.values()) if labels else collector
