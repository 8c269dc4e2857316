"""The one way in which a platform is called: budget, total timeout, classification, recording.

Promises: one client (httpx's API over aiohttp's transport) per connection; every failure becomes a `PlatformError` of
the tables in `failures.py`; a call is never repeated here, and redirects are not followed. Cannot promise that a
timed-out call has no effect: that is what `outcome="unknown"` says.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from time import perf_counter
from typing import Protocol

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from waybill_common.addresses import guarded_socket
from waybill_common.budget import Rate
from waybill_common.retry import Family
from waybill_platforms import departure
from waybill_platforms.calls import Answer, Call, build, excerpt
from waybill_platforms.errors import PlatformError
from waybill_platforms.failures import DEFAULT_WAIT, TOO_LONG, Failure, by_exception, by_status, seconds_to_wait
from waybill_platforms.recording import REDACTED, Exchange, begin, redacted, spellings

TIMEOUT = 20.0
"""Seconds in total, from the draw's end to the last byte."""
CONNECT_TIMEOUT = 5.0
CONNECTIONS = 64
KEEP_ALIVE = 4.0
"""Seconds. Common servers drop idle connections after 5; a request sent into that is lost with an unknown outcome."""
LONGEST_ANSWER = 32 * 2**20
SHORTEST_SECRET = 8


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


Described = tuple[str | None, str]
"""What an answer that is not 2xx says, in the platform's form: its code, and a text for people."""

Judge = Callable[[int, str | None, str], Failure | None]
"""(status, code, text) -> the row of a platform that says more in its body than by its status; None: as the status."""


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificates costs more than hundred calls; all connections share them."""
    return httpx.create_ssl_context()


_HEADERS = {"User-Agent": "waybill/1", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}

_JSON = (b"Content-Type", b"application/json")


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
        *,
        asked: Callable[[int, httpx.Headers], float | None] = lambda status, headers: None,
        judge: Judge = lambda status, code, text: None,
    ) -> None:
        """`asked`: seconds that the platform asks to wait in headers of its own (the longer wait counts);
        `judge`: what it means by a status, and by what it says with it, where that is not what `failures` says."""
        self.connection = connection
        self.budget = budget
        self.rate = rate
        self.timeout = timeout
        self._describe = describe
        self._asked = asked
        self._judge = judge
        # The encoding is given, because httpx would guess it anew at each look at a header.
        self._headers = httpx.Headers(_HEADERS | dict(headers), encoding="utf-8")
        self._headers_with_body = httpx.Headers([*self._headers.raw, _JSON], encoding="utf-8")
        # What is shorter hides nothing, and cutting it out of every word would make the records unreadable.
        self._secrets = spellings(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
        self._limits = {"timeout": {"connect": min(CONNECT_TIMEOUT, timeout), "read": None, "pool": timeout}}
        self._transport: AiohttpTransport | None = None
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def send(self, call: Call) -> Answer:
        """The answer when it is 2xx; else PlatformError. BudgetWait passes through: nothing was sent then."""
        await self.budget.draw(self.connection, call.cost, self.rate)
        headers = self._headers
        if call.headers:
            headers = httpx.Headers({**self._headers, **call.headers}, encoding="utf-8")
        content = REDACTED if call.private else call.content
        exchange = begin(self.connection, call.log_type, call.method, str(call.url), headers, content, self._secrets)
        started = perf_counter()
        self._in_flight += 1
        self._idle.clear()
        try:
            answer = await self._exchange(call, exchange)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()
            if exchange is not None:
                exchange.duration_ms = (perf_counter() - started) * 1000
        if exchange is not None:
            exchange.status, exchange.response_headers = answer.status, answer.headers
            exchange.response_body = REDACTED if call.private else answer.content
        if not 200 <= answer.status < 300:
            raise await self._turned_down(answer)
        return answer

    async def _exchange(self, call: Call, exchange: Exchange | None) -> Answer:
        headers = self._headers_with_body if call.content else self._headers
        if call.headers:
            headers = httpx.Headers({**headers, **call.headers}, encoding="utf-8")
        request = httpx.Request(
            call.method, call.url, headers=headers, content=call.content or None, extensions=self._limits
        )
        try:
            async with asyncio.timeout(self.timeout):
                # Straight to the transport: we use none of the client's redirects, cookies and authentication.
                response = await self._open().handle_async_request(request)
                response.headers.encoding = "latin-1"
                try:
                    return await self._read(call, response, exchange)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, TimeoutError, OSError) as error:
            row = by_exception(error)
            late = f"no answer within {self.timeout:g} s" if isinstance(error, TimeoutError) else str(error)
            name = type(error.__cause__ or error).__name__
            told = redacted(f"{row.why}: {late or name}".encode(), self._secrets).decode()  # it may name the address
            raise build(call, row, told, exchange) from error
        except asyncio.CancelledError:
            if exchange is not None:
                exchange.outcome, exchange.error = "unknown" if call.effect else "later", "given up by us"
            raise

    async def _read(self, call: Call, response: httpx.Response, exchange: Exchange | None) -> Answer:
        parts: list[bytes] = []
        length = 0
        async for part in response.aiter_bytes():
            parts.append(part)
            length += len(part)
            if length > LONGEST_ANSWER:  # as unpacked: a small body may unpack to one that fills the memory
                message = f"the answer is longer than {LONGEST_ANSWER // 2**20} MiB ({TOO_LONG.why})"
                raise build(call, TOO_LONG, message, exchange, response.status_code)
        return Answer(call, response.status_code, response.headers, b"".join(parts), exchange, self._secrets)

    async def _turned_down(self, answer: Answer) -> PlatformError:
        headers = answer.headers
        wait = seconds_to_wait(headers.get("retry-after"), datetime.now(UTC), headers.get("date"))
        if (own := self._asked(answer.status, headers)) is not None:
            wait = max(own, wait or 0.0)
        code, text = self._describe(answer.content)
        row = self._judge(answer.status, code, text) or by_status(answer.status, wait)
        assert row is not None
        if row.cause == "rate_limit" or (wait is not None and row.family is Family.LATER):
            await self.budget.block(self.connection, DEFAULT_WAIT if wait is None else wait)
        where = f" to {headers.get('location')}" if 300 <= answer.status < 400 else ""
        message = f"HTTP {answer.status}{where}: {text or excerpt(answer.content)} ({row.why})"
        return answer.failed(row, message, code=code, retry_after=wait)

    def _open(self) -> AiohttpTransport:
        if self._transport is None:
            self._transport = guarded_transport()
        return self._transport

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
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()


def guarded_transport() -> AiohttpTransport:
    """httpx's transport that connects only to addresses which this process may call (`waybill_common.addresses`)."""
    return AiohttpTransport(verify=_tls(), client=_session)


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=CONNECTIONS, ssl=_tls(), keepalive_timeout=KEEP_ALIVE, socket_factory=guarded_socket
    )
    session = aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[departure.at_the_door()]
    )
    # aiohttp would send a GET or DELETE again by itself when a kept connection breaks: with a signature that is used
    # up, beside the budget, and unseen in the records. It has no public switch for that.
    session._retry_connection = False
    return session
