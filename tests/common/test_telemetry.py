"""One trace over rows, waits and processes; cheap where nobody listens."""

import time

import pytest

from waybill_common.embedded.otlp import OtlpReceiver
from waybill_common.telemetry import (
    Telemetry,
    current_trace_id,
    current_traceparent,
    declare_attributes,
    new_traceparent,
    valid_traceparent,
)

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_an_endpoint_nothing_is_exported_and_contexts_are_still_carried() -> None:
    telemetry = Telemetry.start("ingest", environ={})
    assert not telemetry.exporting
    with telemetry.span("outer") as outer:
        assert valid_traceparent(outer.traceparent)
        assert current_traceparent() == outer.traceparent
        with telemetry.span("inner") as inner:
            assert inner.traceparent == outer.traceparent
        with telemetry.span("restored", parent=PARENT):
            assert current_traceparent() == PARENT
            assert current_trace_id() == PARENT[3:35]
        assert current_traceparent() == outer.traceparent
    assert current_trace_id() is None


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_the_standard_variables_switch_it_off(off: dict[str, str]) -> None:
    assert not Telemetry.start("ingest", environ={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", **off}).exporting


def test_a_new_context_is_a_sampled_w3c_traceparent_of_its_own() -> None:
    made = {new_traceparent() for _ in range(1000)}
    assert len(made) == 1000
    assert all(valid_traceparent(text) and text.endswith("-01") for text in made)


@pytest.mark.parametrize(
    "text", [None, "", "00-xyz", PARENT[:-1], f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{'a' * 32}-{'0' * 16}-01"]
)
def test_what_is_no_traceparent_is_told_apart(text: str | None) -> None:
    assert not valid_traceparent(text)


def test_an_unreadable_stored_context_begins_a_new_trace() -> None:
    with Telemetry.start("ingest", environ={}).span("work", parent="garbage") as span:
        assert valid_traceparent(span.traceparent)


def test_a_trace_goes_on_in_another_service_from_a_stored_string(otlp_receiver: OtlpReceiver) -> None:
    ingest = Telemetry.start("ingest", environ=otlp_receiver.environ)
    router = Telemetry.start("router", instance="router-1", environ=otlp_receiver.environ)
    with ingest.span("order.import", kind="consumer", attributes={"attempt": 1}) as imported:
        stored = current_traceparent()
    with router.span("order.route", parent=stored) as routed, router.span("plan"):
        pass
    ingest.shutdown()
    router.shutdown()
    otlp_receiver.wait_for(lambda spans: len(spans) == 3)
    trace_id = imported.traceparent[3:35]
    assert routed.traceparent[3:35] == trace_id
    first, second, third = otlp_receiver.trace(trace_id)
    assert (first.service, first.name, first.parent_id, first.kind) == ("ingest", "order.import", "", "consumer")
    assert (second.service, second.name, second.parent_id) == ("router", "order.route", first.span_id)
    assert (third.name, third.parent_id) == ("plan", second.span_id)
    assert first.attributes == {"attempt": 1}
    assert otlp_receiver.edges(trace_id) == {("ingest", "router")}


def test_spans_of_one_batch_belong_each_to_its_own_trace(otlp_receiver: OtlpReceiver) -> None:
    telemetry = Telemetry.start("router", environ=otlp_receiver.environ)
    parents = [new_traceparent() for _ in range(50)]
    with telemetry.span("batch") as batch:
        for parent in parents:
            with telemetry.span("order.route", parent=parent, links=[batch.traceparent]):
                pass
    telemetry.shutdown()
    otlp_receiver.wait_for(lambda spans: len(spans) == 51)
    for parent in parents:
        (span,) = otlp_receiver.trace(parent[3:35])
        assert span.parent_id == parent[36:52]
        assert span.links == (batch.traceparent[3:35],)


def test_a_failed_span_says_what_kind_of_error_and_not_its_text(otlp_receiver: OtlpReceiver) -> None:
    telemetry = Telemetry.start("push", environ=otlp_receiver.environ)
    with pytest.raises(ValueError, match="secret"), telemetry.span("send"):
        raise ValueError("secret 4711")
    telemetry.shutdown()
    otlp_receiver.wait_for(lambda spans: len(spans) == 1)
    (span,) = otlp_receiver.spans
    assert span.failed
    assert span.attributes == {"error.type": "ValueError"}


def test_only_declared_attributes_are_sent(otlp_receiver: OtlpReceiver) -> None:
    declare_attributes("test.declared")
    telemetry = Telemetry.start("push", environ=otlp_receiver.environ)
    with telemetry.span("send", attributes={"test.declared": "yes", "buyer.email": "a@b.c"}) as span:
        span.set("buyer.phone", "1")
        span.set("outcome", "refused")
    telemetry.shutdown()
    otlp_receiver.wait_for(lambda spans: len(spans) == 1)
    assert otlp_receiver.spans[0].attributes == {"test.declared": "yes", "outcome": "refused"}


def test_an_absent_collector_does_not_hold_the_work_up() -> None:
    telemetry = Telemetry.start("push", environ={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    started = time.monotonic()
    for _ in range(100):
        with telemetry.span("send"):
            pass
    assert time.monotonic() - started < 0.5


def test_a_span_that_nobody_listens_to_costs_next_to_nothing() -> None:
    telemetry = Telemetry.start("push", environ={})
    started = time.perf_counter()
    for _ in range(20_000):
        with telemetry.span("send", parent=PARENT):
            pass
    assert (time.perf_counter() - started) / 20_000 < 20e-6
