"""Keeps each exchange with a platform, so that a service can store it beside the call's outcome (OP-3).

    with recording(attempt=2, order_ids=(order_id,)) as exchanges:
        await connection.writer.create(call)      # may raise; what was exchanged is in the list all the same
    messages = [Message(*encode(exchange.event("shipment-poller"), source="shipment-poller")) for exchange in exchanges]

Cheap on purpose: the bytes that went over the wire are kept by reference; text, redaction and the cut at 64 KiB happen
in `event()`. Without a `recording` around it a call keeps nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from json import dumps
from urllib.parse import quote

from waybill_common.ids import new_id
from waybill_contracts.exchanges_recorded import ExchangeRecorded

LONGEST_BODY = 64 * 1024
REDACTED = b"[redacted]"
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-shopify-access-token",
        "x-auth-token",
        "x-waybill-secret",
    }
)


@dataclass(slots=True)
class Exchange:
    """One request and what came back. The client fills it; a service only calls `event()`."""

    connection: str
    log_type: str
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    at: datetime
    secrets: tuple[bytes, ...] = field(repr=False, default=())
    outcome: str = "ok"
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: bytes = b""
    error: str = ""
    duration_ms: float = 0.0
    attempt: int = 1
    order_ids: tuple[str, ...] = ()
    fr_ids: tuple[str, ...] = ()
    shipment_ids: tuple[str, ...] = ()

    def event(self, service: str) -> ExchangeRecorded:
        """The fact to append to the outbox; each call of it makes a new one, so call it once."""
        return ExchangeRecorded(
            at=self.at,
            exchange_id=str(new_id()),
            connection=self.connection,
            service=service,
            log_type=self.log_type,
            attempt=self.attempt,
            outcome=self.outcome,
            method=self.method,
            url=self._text(self.url.encode()),
            request_headers=self._headers(self.request_headers),
            request_body=self._text(self.request_body),
            status=self.status,
            response_headers=self._headers(self.response_headers),
            response_body=self._text(self.response_body),
            error=self.error,
            duration_ms=round(self.duration_ms, 3),
            cut=len(self.request_body) > LONGEST_BODY or len(self.response_body) > LONGEST_BODY,
            order_ids=self.order_ids,
            fr_ids=self.fr_ids,
            shipment_ids=self.shipment_ids,
        )

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        # some shops take their key in the address, and give it back in the links to the next page
        return {name: self._text(value.encode()) for name, value in _redact(headers).items()}

    def _text(self, body: bytes) -> str:
        return redacted(body, self.secrets)[:LONGEST_BODY].decode("utf-8", "replace").replace("\x00", "�")


def spellings(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Each secret as it may stand in a body or an address: plain, in JSON (two ways), in a form. The longest first."""
    found = {
        spelling.encode()
        for secret in secrets
        for spelling in (secret, dumps(secret)[1:-1], dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe=""))
    }
    return tuple(sorted(found, key=lambda spelling: (-len(spelling), spelling)))


def redacted(body: bytes, secrets: tuple[bytes, ...]) -> bytes:
    """`body` without the connection's own secrets, should the platform have echoed one."""
    for secret in secrets:
        body = body.replace(secret, REDACTED)
    return body


def _redact(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: REDACTED.decode() if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class _Frame:
    exchanges: list[Exchange]
    attempt: int
    order_ids: tuple[str, ...]
    fr_ids: tuple[str, ...]
    shipment_ids: tuple[str, ...]
    log_type: str | None = None


_frame: ContextVar[_Frame | None] = ContextVar("waybill_recording", default=None)


@contextmanager
def recording(
    *,
    attempt: int = 1,
    order_ids: tuple[str, ...] = (),
    fr_ids: tuple[str, ...] = (),
    shipment_ids: tuple[str, ...] = (),
) -> Iterator[list[Exchange]]:
    """Collects the exchanges of all calls made inside, child tasks included; what they are about is noted on each."""
    frame = _Frame([], attempt, order_ids, fr_ids, shipment_ids)
    token = _frame.set(frame)
    try:
        yield frame.exchanges
    finally:
        _frame.reset(token)


@contextmanager
def about(log_type: str) -> Iterator[None]:
    """Gives the calls inside another log type, e.g. `find_fulfillment` for a read that is a read-back."""
    frame = _frame.get()
    token = _frame.set(replace(frame, log_type=log_type) if frame is not None else None)
    try:
        yield
    finally:
        _frame.reset(token)


def begin(
    connection: str,
    log_type: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    secrets: tuple[bytes, ...],
) -> Exchange | None:
    """For clients: the exchange to fill, already in the list, or None when nobody records."""
    frame = _frame.get()
    if frame is None:
        return None
    exchange = Exchange(
        connection, frame.log_type or log_type, method, url, headers, body, datetime.now(UTC), secrets,
        attempt=frame.attempt, order_ids=frame.order_ids, fr_ids=frame.fr_ids, shipment_ids=frame.shipment_ids,
    )  # fmt: skip
    frame.exchanges.append(exchange)
    return exchange
