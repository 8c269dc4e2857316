"""One HTTP call and its answer, and how either becomes a `PlatformError`: pure, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from waybill_platforms.errors import PlatformError
from waybill_platforms.failures import NOT_JSON, WRONG_FORM, Failure
from waybill_platforms.recording import Exchange, redacted

DETAIL = 300
"""Characters of an answer that go into an error's message."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call. `effect` says whether it changes something at the platform."""

    log_type: str
    method: str
    url: httpx.URL
    content: bytes = b""
    effect: bool = False
    cost: float = 1.0
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of this call alone, e.g. its signature; what stands in `SECRET_HEADERS` is not recorded."""
    private: bool = False
    """Its body and its answer's are secrets, a sign-in and a token: of neither anything is recorded."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer; `error` and `json` build failures that say where they come from."""

    call: Call
    status: int
    headers: httpx.Headers
    content: bytes
    exchange: Exchange | None
    secrets: tuple[bytes, ...] = field(repr=False)

    def json(self) -> Any:
        """The body; PlatformError when it is no JSON (an HTML page in a 200, a cut body)."""
        try:
            body = orjson.loads(self.content)
            return _storable(body) if b"\\u0000" in self.content else body
        except orjson.JSONDecodeError:
            kind = self.headers.get("content-type", "no content type")
            raise self.failed(NOT_JSON, f"no JSON but {kind}: {excerpt(self.content)}") from None

    def wrong_form(self, what: str) -> PlatformError:
        """The answer is JSON, but not what the contract says."""
        return self.failed(WRONG_FORM, what)

    def failed(
        self, row: Failure, message: str, *, code: str | None = None, retry_after: float | None = None
    ) -> PlatformError:
        """The error for this answer after all; the exchange's outcome is corrected with it."""
        told = redacted(message.encode(), self.secrets).decode()  # a token that was echoed must not be told on
        return build(self.call, row, told, self.exchange, self.status, retry_after, code)


def build(
    call: Call,
    row: Failure,
    message: str,
    exchange: Exchange | None,
    status: int | None = None,
    retry_after: float | None = None,
    code: str | None = None,
) -> PlatformError:
    """A PlatformError by a row of the tables, noted on the exchange."""
    outcome = row.outcome if call.effect else "none"
    message, code = _storable(message), _storable(code)
    if exchange is not None:
        exchange.outcome = "unknown" if outcome == "unknown" else row.family.value
        exchange.error = message
    return PlatformError(
        message, family=row.family, cause=row.cause, outcome=outcome, action=call.log_type, status=status,
        retry_after=retry_after, code=code,
    )  # fmt: skip


def _storable(value: Any) -> Any:
    """Without NUL, which PostgreSQL takes in no text: one such answer would come, and fail to be stored, for ever."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, dict):
        return {_storable(name): _storable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    return value


def excerpt(content: bytes) -> str:
    """The beginning of a body, for a message."""
    text = " ".join(content[: DETAIL * 2].decode("utf-8", "replace").split())
    return text[:DETAIL] or "(empty)"
