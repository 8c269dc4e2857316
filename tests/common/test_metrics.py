"""Metrics exist by standing in a table."""

import pytest

from waybill_common.metrics import KERNEL, Metric, Metrics


def test_what_was_counted_is_shown() -> None:
    metrics = Metrics("router")
    metrics.count("waybill_consumed_total", 3, topic="a")
    metrics.count("waybill_consumed_total", 2, topic="a")
    metrics.set("waybill_outbox_rows", 7)
    metrics.observe("waybill_relay_seconds", 0.2)
    text = metrics.render().decode()
    assert 'waybill_consumed_total{topic="a"} 5.0' in text
    assert "waybill_outbox_rows 7.0" in text
    assert 'waybill_relay_seconds_bucket{le="0.25"} 1.0' in text
    assert metrics.value("waybill_consumed_total", topic="a") == 5
    assert metrics.value("waybill_consumed_total", topic="b") == 0


def test_a_name_or_label_in_no_table_is_refused() -> None:
    metrics = Metrics("router")
    with pytest.raises(KeyError, match="in no table"):
        metrics.count("waybill_invented_total")
    with pytest.raises(KeyError, match="has the labels"):
        metrics.count("waybill_consumed_total", order="4711")


def test_a_service_adds_its_own_table_and_no_name_twice() -> None:
    own = Metric("order_ingest_imported_total", "counter", "Orders imported", ("channel",))
    metrics = Metrics("order-ingest", [own])
    metrics.count("order_ingest_imported_total", channel="c1")
    with pytest.raises(ValueError, match="declared twice"):
        metrics.declare([own])


def test_two_services_in_one_process_count_apart() -> None:
    one, two = Metrics("one"), Metrics("two")
    one.set("waybill_ready", 1)
    assert two.value("waybill_ready") == 0


@pytest.mark.parametrize("metric", KERNEL, ids=lambda metric: metric.name)
def test_names_follow_the_convention(metric: Metric) -> None:
    assert metric.name.startswith("waybill_")
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    assert metric.help
