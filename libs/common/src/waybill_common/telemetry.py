"""One trace for one piece of work, over processes, rows and days.

A trace's context is a W3C `traceparent` string. It is stored on rows and in the outbox, and `span(parent=...)` takes it
up again hours later, in another process. Strings exist with and without an exporter: only where the standard
environment names an OTLP endpoint (`OTEL_EXPORTER_OTLP_ENDPOINT`) are spans made, and sent by OTLP over HTTP in the
background; elsewhere a span costs about a microsecond and the strings are carried on unchanged.

It cannot: deliver spans that were not yet exported when a process is killed, or slow the work down when the collector
is away (spans are dropped then).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar, Token
from random import SystemRandom
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as SdkSpan
    from opentelemetry.trace import Tracer

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | bool | int | float

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")
_current: ContextVar[str | None] = ContextVar("waybill_traceparent", default=None)
_random = SystemRandom()

# The closed set of span attributes. Who needs another one declares it, once, with `declare_attributes`.
ATTRIBUTES: set[str] = {
    "messaging.system",
    "messaging.destination.name",
    "messaging.message.id",
    "messaging.batch.message_count",
    "messaging.kafka.consumer.group",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "server.address",
    "url.template",
    "connection.id",
    "worker.name",
    "attempt",
    "outcome",
    "error.type",
}


def declare_attributes(*names: str) -> None:
    """Add names to the closed set of span attributes; others are left out of spans."""
    ATTRIBUTES.update(names)


def new_traceparent() -> str:
    """The context of a new trace, sampled."""
    return f"00-{_random.getrandbits(128) or 1:032x}-{_random.getrandbits(64) or 1:016x}-01"


def valid_traceparent(text: str | None) -> bool:
    """Whether it is a W3C traceparent of version 00 with ids that are not zero."""
    match = _TRACEPARENT.match(text) if text else None
    return match is not None and int(match[1], 16) != 0 and int(match[2], 16) != 0


def current_traceparent() -> str:
    """The context of the span that this task is in, or of a new trace when it is in none."""
    return _current.get() or new_traceparent()


def current_trace_id() -> str | None:
    """The trace's id (32 hex digits) of the span that this task is in."""
    text = _current.get()
    return text[3:35] if text is not None else None


class Span:
    """A piece of work: `with telemetry.span("order.import", parent=row["traceparent"]) as span: ...`

    Leaving the block with an exception marks the span as failed with the exception's type; its text is not recorded,
    because it may quote data.
    """

    __slots__ = ("_sdk", "_token", "traceparent")

    def __init__(self, traceparent: str, sdk: SdkSpan | None = None) -> None:
        self.traceparent = traceparent
        self._sdk = sdk
        self._token: Token[str | None] | None = None

    def set(self, name: str, value: Value) -> None:
        """Set an attribute; a name outside the closed set is left out."""
        if self._sdk is not None and name in ATTRIBUTES:
            self._sdk.set_attribute(name, value)

    def fail(self, reason: str) -> None:
        """Mark it as failed for a reason from a closed vocabulary (a failure's family, an exception's type)."""
        if self._sdk is not None:
            from opentelemetry.trace import Status, StatusCode

            self._sdk.set_attribute("error.type", reason)
            self._sdk.set_status(Status(StatusCode.ERROR))

    def __enter__(self) -> Self:
        self._token = _current.set(self.traceparent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
            self._token = None
        if self._sdk is not None:
            if kind is not None and issubclass(kind, Exception):
                self.fail(kind.__name__)
            self._sdk.end()


class Telemetry:
    """The traces of one service. Built by `Telemetry.start`, ended by `shutdown`, which sends what is left."""

    def __init__(self, service: str, provider: TracerProvider | None = None) -> None:
        self.service = service
        self._provider = provider
        self._tracer: Tracer | None = provider.get_tracer("waybill") if provider is not None else None

    @classmethod
    def start(cls, service: str, *, instance: str = "", environ: Mapping[str, str] | None = None) -> Telemetry:
        """With an exporter when the standard OTEL variables name an endpoint, else the cheap kind."""
        given = os.environ if environ is None else environ
        endpoint = given.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or given.get("OTEL_EXPORTER_OTLP_ENDPOINT")
        off = given.get("OTEL_SDK_DISABLED", "").lower() == "true" or given.get("OTEL_TRACES_EXPORTER") == "none"
        return cls(service) if off or not endpoint else cls(service, _exporting(service, instance, given))

    @property
    def exporting(self) -> bool:
        return self._tracer is not None

    def span(
        self,
        name: str,
        *,
        parent: str | None = None,
        kind: Kind = "internal",
        attributes: Mapping[str, Value] | None = None,
        links: Sequence[str] = (),
    ) -> Span:
        """A span below `parent` (a stored traceparent), else below the current one, else the first of a new trace.

        `links` are traceparents of other traces that this work belongs to as well. A traceparent that cannot be read
        counts as none.
        """
        above = parent if parent is not None and _TRACEPARENT.match(parent) else _current.get()
        if self._tracer is None:
            return Span(above or new_traceparent())
        return self._recorded(name, above, kind, attributes or {}, links)

    def _recorded(
        self, name: str, above: str | None, kind: Kind, attributes: Mapping[str, Value], links: Sequence[str]
    ) -> Span:
        from opentelemetry import trace

        assert self._tracer is not None
        # An empty context, not None: the SDK's own current span is not ours.
        context: Any = _context_of(above) if above is not None else trace.set_span_in_context(trace.INVALID_SPAN)
        sdk = self._tracer.start_span(
            name,
            context=context,
            kind=trace.SpanKind[kind.upper()],
            attributes={key: value for key, value in attributes.items() if key in ATTRIBUTES},
            links=[trace.Link(_span_context(link)) for link in links if _TRACEPARENT.match(link)],
        )
        made = sdk.get_span_context()
        return Span(f"00-{made.trace_id:032x}-{made.span_id:016x}-{int(made.trace_flags):02x}", sdk)

    def flush(self, seconds: float = 5.0) -> None:
        """Send what waits. Blocks; call it in a thread."""
        if self._provider is not None:
            self._provider.force_flush(int(seconds * 1000))

    def shutdown(self) -> None:
        """Send what waits and end. Blocks up to a few seconds; call it in a thread."""
        if self._provider is not None:
            self._provider.shutdown()


def _span_context(traceparent: str) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(
        int(traceparent[3:35], 16), int(traceparent[36:52], 16), True, TraceFlags(int(traceparent[53:55], 16))
    )


def _context_of(traceparent: str) -> Any:
    from opentelemetry import trace

    return trace.set_span_in_context(trace.NonRecordingSpan(_span_context(traceparent)))


def _exporting(service: str, instance: str, environ: Mapping[str, str]) -> TracerProvider:
    # Imported here: the SDK and its HTTP stack cost 100 ms and some MiB that a process without an endpoint saves.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    given = {"service.name": environ.get("OTEL_SERVICE_NAME") or service}
    if instance:
        given["service.instance.id"] = instance
    provider = TracerProvider(resource=Resource.create(given), shutdown_on_exit=False)
    # The SDK's queue of 2048 is less than what one batch of some hundred events can make.
    provider.add_span_processor(
        BatchSpanProcessor(
            OTLPSpanExporter(endpoint=_traces_url(environ)),
            max_queue_size=int(environ.get("OTEL_BSP_MAX_QUEUE_SIZE", "32768")),
            schedule_delay_millis=float(environ.get("OTEL_BSP_SCHEDULE_DELAY", "1000")),
            max_export_batch_size=int(environ.get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1024")),
        )
    )
    return provider


def _traces_url(environ: Mapping[str, str]) -> str:
    """The endpoint for traces is used as it is; the one for all signals gets `/v1/traces` (OTLP's specification)."""
    own = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return own or environ["OTEL_EXPORTER_OTLP_ENDPOINT"].rstrip("/") + "/v1/traces"
