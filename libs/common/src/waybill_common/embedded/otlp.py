"""A collector for tests: takes OTLP over HTTP (protobuf) on a loopback port and gives back plain spans.

It keeps everything in memory until it is stopped, and understands traces alone.
"""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as it came over the wire; ids in hex, `parent_id` empty for the first of a trace, times in seconds."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    attributes: dict[str, Any]
    failed: bool
    started: float
    ended: float
    links: tuple[str, ...]


class OtlpReceiver:
    """`endpoint` is what `OTEL_EXPORTER_OTLP_ENDPOINT` takes; `spans` grows as exporters send."""

    def __init__(self) -> None:
        self.spans: list[ReceivedSpan] = []
        self._came = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environ(self) -> dict[str, str]:
        """The variables that make a service send its spans here, without long waits."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}

    def trace(self, trace_id: str) -> list[ReceivedSpan]:
        """The spans of one trace, by their start."""
        return sorted((span for span in list(self.spans) if span.trace_id == trace_id), key=lambda span: span.started)

    def edges(self, trace_id: str) -> set[tuple[str, str]]:
        """Which service's span stands directly above which other service's in this trace."""
        spans = {span.span_id: span for span in self.trace(trace_id)}
        pairs = ((spans.get(span.parent_id), span) for span in spans.values())
        return {(above.service, span.service) for above, span in pairs if above and above.service != span.service}

    def wait_for(self, enough: Callable[[Sequence[ReceivedSpan]], bool], seconds: float = 10.0) -> None:
        """Return when `enough(spans)`; TimeoutError, naming what came, when that takes too long. Blocks its thread."""
        deadline = time.monotonic() + seconds
        with self._came:
            while not enough(self.spans):
                left = deadline - time.monotonic()
                if left <= 0:
                    names = sorted({f"{span.service}:{span.name}" for span in self.spans})
                    raise TimeoutError(f"not in {seconds} s; came: {', '.join(names) or 'nothing'}")
                self._came.wait(left)

    def _take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        with self._came:
            self.spans += [
                _plain(_value_of(resource.resource.attributes, "service.name"), span)
                for resource in request.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]
            self._came.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                found = self.path == "/v1/traces"
                if found:
                    receiver._take(body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200 if found else 404)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: object) -> None:
                """Nothing: tests read the spans."""

        return Handler


def _plain(service: str, span: Any) -> ReceivedSpan:
    return ReceivedSpan(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        {item.key: _value(item.value) for item in span.attributes},
        span.status.code == span.status.STATUS_CODE_ERROR,
        span.start_time_unix_nano / 1e9,
        span.end_time_unix_nano / 1e9,
        tuple(link.trace_id.hex() for link in span.links),
    )


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def _value_of(attributes: Any, key: str) -> str:
    return next((str(_value(item.value)) for item in attributes if item.key == key), "")
