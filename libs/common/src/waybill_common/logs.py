"""Log lines are events with a name: `log.info("relay.sent", count=3)`, JSON in production, readable at a terminal.

Promises: a value under a secret-looking key never leaves this module, at any depth, nor a password inside a URL; the
trace's id is on every line written inside a span. What the kernel says is the closed catalogue `EVENTS`.
It cannot recognise a secret under an innocent key, or inside free text.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import FilteringBoundLogger, Processor

from waybill_common.telemetry import current_trace_id

Log = FilteringBoundLogger

HIDDEN = "***"
_SECRET_KEY = re.compile(
    r"secret|passw|token|api[_-]?key|authoriz|credential(?!_version)|cookie|signature|private[_-]?key|session[_-]?id",
    re.IGNORECASE,
)
# Words that look like secrets and are none.
_HARMLESS = frozenset({"lease_token", "credential_version", "tokens_left"})
_URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@")

# What the kernel says, and what it means. A test holds the code to it.
EVENTS: dict[str, str] = {}


def declare_events(events: Mapping[str, str]) -> None:
    """Add a part's events ({name: meaning}) to the closed catalogue."""
    EVENTS.update(events)


def redacted(value: Any, depth: int = 6) -> Any:
    """The value with everything secret-looking replaced by `***`."""
    if isinstance(value, str):
        return _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", value) if "://" in value else value
    if depth == 0:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if secret_key(str(key)) and item is not None else redacted(item, depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(item, depth - 1) for item in value]
    return value


def secret_key(name: str) -> bool:
    """Whether what stands under this key must not be shown."""
    return name not in _HARMLESS and _SECRET_KEY.search(name) is not None


def make_log(
    service: str, level: str = "INFO", *, stream: TextIO | None = None, readable: bool | None = None, **bound: Any
) -> Log:
    """A service's log. `readable` (else JSON) is the default at a terminal; `bound` is on every line."""
    out = stream or sys.stderr
    pretty = out.isatty() if readable is None else readable
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        structlog.processors.format_exc_info,
        _redact,
        structlog.dev.ConsoleRenderer(colors=pretty and out.isatty())
        if pretty
        else structlog.processors.JSONRenderer(serializer=_json),
    ]
    logger: Log = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        cache_logger_on_first_use=True,
        service=service,
        **bound,
    )
    return logger


def adopt_standard_logging(log: Log, level: str = "WARNING") -> None:
    """Send what libraries say through the standard `logging` (aiokafka, uvicorn, ...) to `log`, from `level` up."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Adopting)]:
        root.removeHandler(handler)
    root.addHandler(_Adopting(log))
    root.setLevel(_number(level))


class _Adopting(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._log.log(
                record.levelno, "library.said", library=record.name, text=record.getMessage(), exc_info=record.exc_info
            )
        except Exception:  # a log line that cannot be written must never stop the work
            self.handleError(record)


def _number(level: str) -> int:
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"log_level={level!r}: use DEBUG, INFO, WARNING or ERROR")
    return number


def _add_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trace_id = current_trace_id()
    if trace_id is not None:
        event.setdefault("trace_id", trace_id)
    return event


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    cleaned: MutableMapping[str, Any] = redacted(event)
    return cleaned


def _json(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
