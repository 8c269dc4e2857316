"""The one way in which a platform is called: budget, total timeout, classification, recording.

Promises: one client (httpx's API over aiohttp's transport) per connection; every failure becomes a `PlatformError` of
the tables in `failures.py`; a call is never repeated here, and redirects are not followed. Cannot promise that a
timed-out call has no effect: that is what `outcome="unknown"` says.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from time import perf_counter
from typing import Any, Protocol

import aiohttp
import httpx
import orjson
from httpx_aiohttp import AiohttpTransport

from waybill_common.budget import Rate
from waybill_common.retry import Family
from waybill_platforms.errors import PlatformError
from waybill_platforms.failures import (
    DEFAULT_WAIT,
    NOT_JSON,
    WRONG_FORM,
    Failure,
    by_exception,
    by_status,
    seconds_to_wait,
)
from waybill_platforms.recording import Exchange, begin, redacted

TIMEOUT = 20.0
"""Seconds in total, from the draw's end to the last byte."""
CONNECT_TIMEOUT = 5.0
CONNECTIONS = 64
SHORTEST_SECRET = 8
DETAIL = 300
"""Characters of an answer that go into an error's message."""


class Budget(Protocol):
    """The connection's rate budget, shared by all services and replicas (`waybill_common.budget`)."""

    async def draw(self, connection_id: str, cost: float, rate: Rate) -> None: ...
    async def correct(
        self, connection_id: str, available: float, per_second: float | None = None, capacity: float | None = None
    ) -> None: ...
    async def block(self, connection_id: str, seconds: float) -> None: ...


class NoBudget:
    """For probing and tests: everything may be sent at once."""

    async def draw(self, connection_id: str, cost: float, rate: Rate) -> None: ...
    async def correct(
        self, connection_id: str, available: float, per_second: float | None = None, capacity: float | None = None
    ) -> None: ...
    async def block(self, connection_id: str, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call. `effect` says whether it changes something at the platform."""

    log_type: str
    method: str
    url: httpx.URL
    content: bytes = b""
    effect: bool = False
    cost: float = 1.0


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
            return orjson.loads(self.content)
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
    if exchange is not None:
        exchange.outcome = "unknown" if outcome == "unknown" else row.family.value
        exchange.error = message
    return PlatformError(
        message, family=row.family, cause=row.cause, outcome=outcome, action=call.log_type, status=status,
        retry_after=retry_after, code=code,
    )  # fmt: skip


Described = tuple[str | None, str]
"""What an answer that is not 2xx says, in the platform's form: its code, and a text for people."""


def excerpt(content: bytes) -> str:
    """The beginning of a body, for a message."""
    text = " ".join(content[: DETAIL * 2].decode("utf-8", "replace").split())
    return text[:DETAIL] or "(empty)"


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificates costs more than hundred calls; all connections share them."""
    return httpx.create_ssl_context()


_HEADERS = {"User-Agent": "waybill/1", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}


class Http:
    """One connection's client."""

    def __init__(
        self,
        connection: str,
        headers: Mapping[str, str],
        secrets: tuple[str, ...],
        budget: Budget,
        rate: Rate,
        describe: Callable[[bytes], Described],
        timeout: float = TIMEOUT,
    ) -> None:
        self.connection = connection
        self.budget = budget
        self.rate = rate
        self.timeout = timeout
        self._describe = describe
        self._headers = httpx.Headers(_HEADERS | dict(headers))
        # What is shorter hides nothing, and cutting it out of every word would make the records unreadable.
        self._secrets = tuple(secret.encode() for secret in secrets if len(secret) >= SHORTEST_SECRET)
        self._limits = {"timeout": {"connect": min(CONNECT_TIMEOUT, timeout), "read": None, "pool": timeout}}
        self._client: httpx.AsyncClient | None = None
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def send(self, call: Call) -> Answer:
        """The answer when it is 2xx; else PlatformError. BudgetWait passes through: nothing was sent then."""
        await self.budget.draw(self.connection, call.cost, self.rate)
        exchange = begin(
            self.connection, call.log_type, call.method, str(call.url), self._headers, call.content, self._secrets
        )
        started = perf_counter()
        self._in_flight += 1
        self._idle.clear()
        try:
            response = await self._exchange(call, exchange)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()
            if exchange is not None:
                exchange.duration_ms = (perf_counter() - started) * 1000
        answer = Answer(call, response.status_code, response.headers, response.content, exchange, self._secrets)
        if exchange is not None:
            exchange.status, exchange.response_headers = answer.status, answer.headers
            exchange.response_body = answer.content
        if not 200 <= answer.status < 300:
            raise await self._turned_down(answer)
        return answer

    async def _exchange(self, call: Call, exchange: Exchange | None) -> httpx.Response:
        request = httpx.Request(
            call.method, call.url, headers=self._headers, content=call.content or None, extensions=self._limits
        )
        if call.content:
            request.headers["Content-Type"] = "application/json"
        try:
            async with asyncio.timeout(self.timeout):
                return await self._open().send(request)
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, TimeoutError, OSError) as error:
            row = by_exception(error)
            late = f"no answer within {self.timeout:g} s" if isinstance(error, TimeoutError) else str(error)
            name = type(error.__cause__ or error).__name__
            raise build(call, row, f"{row.why}: {late or name}", exchange) from error
        except asyncio.CancelledError:
            if exchange is not None:
                exchange.outcome, exchange.error = "unknown" if call.effect else "later", "given up by us"
            raise

    async def _turned_down(self, answer: Answer) -> PlatformError:
        headers = answer.headers
        wait = seconds_to_wait(headers.get("retry-after"), datetime.now(UTC), headers.get("date"))
        row = by_status(answer.status, wait)
        assert row is not None
        if row.cause == "rate_limit" or (wait is not None and row.family is Family.LATER):
            await self.budget.block(self.connection, DEFAULT_WAIT if wait is None else wait)
        where = f" to {headers.get('location')}" if 300 <= answer.status < 400 else ""
        code, text = self._describe(answer.content)
        message = f"HTTP {answer.status}{where}: {text or excerpt(answer.content)} ({row.why})"
        return answer.failed(row, message, code=code, retry_after=wait)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            transport = AiohttpTransport(verify=_tls(), client=_session)
            self._client = httpx.AsyncClient(transport=transport, follow_redirects=False, trust_env=False)
        return self._client

    async def learn(self, available: float, per_second: float | None = None, capacity: float | None = None) -> None:
        """The platform announced what is left of its budget; the row of the connection is corrected with it."""
        known, self.rate = self.rate, Rate(capacity or self.rate.capacity, per_second or self.rate.per_second)
        changed = self.rate.capacity if self.rate.capacity != known.capacity else None
        await self.budget.correct(self.connection, max(available, 0.0), self.rate.per_second, changed)

    async def aclose(self) -> None:
        """Lets calls under way end (bounded by the total timeout), then closes. A later call opens it again."""
        try:
            async with asyncio.timeout(self.timeout):
                await self._idle.wait()
        except TimeoutError:
            pass  # what is still running is ended with the client, and is then of unknown outcome
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=_tls(), keepalive_timeout=15)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
