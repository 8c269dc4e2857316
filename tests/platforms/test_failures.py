"""What each bad answer means, told by real servers: family, cause, and whether the call may have had an effect."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from aiohttp import web

from waybill_common.budget import Rate
from waybill_common.retry import Family
from waybill_platforms.calls import Call
from waybill_platforms.errors import PlatformError
from waybill_platforms.failures import BY_STATUS, by_status, seconds_to_wait
from waybill_platforms.http import Http
from waybill_platforms.recording import recording

LATER, REFUSED, UNAUTHORIZED = Family.LATER, Family.REFUSED, Family.UNAUTHORIZED
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

Try = Callable[..., Awaitable[PlatformError]]


@pytest.fixture
async def failing(ledger: Any) -> AsyncIterator[Try]:
    """`await failing(origin, effect=True)` -> the error that a call there ends with."""
    opened: list[Http] = []

    async def attempt(origin: str, *, effect: bool = True, method: str = "POST", timeout: float = 5) -> PlatformError:
        http = Http("shop", {}, ("s3cret-token",), ledger, Rate(10, 10), lambda body: (None, ""), timeout)
        opened.append(http)
        call = Call("submit_request", method, httpx.URL(f"{origin}/x"), b"{}" if method == "POST" else b"", effect)
        with pytest.raises(PlatformError) as raised:
            (await http.send(call)).json()
        return raised.value

    yield attempt
    for http in opened:
        await http.aclose()


def answering(status: int, body: str = "no", **headers: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handler


@pytest.mark.parametrize(
    ("status", "retry_after", "family", "cause", "outcome"),
    [
        (301, None, REFUSED, "configuration", "none"),
        (400, None, REFUSED, "refused", "none"),
        (401, None, UNAUTHORIZED, "unauthorized", "none"),
        (402, None, LATER, "server", "none"),
        (403, None, UNAUTHORIZED, "unauthorized", "none"),
        (404, None, REFUSED, "configuration", "none"),
        (408, None, LATER, "connection", "none"),
        (409, None, REFUSED, "refused", "none"),
        (418, None, REFUSED, "refused", "none"),
        (422, None, REFUSED, "refused", "none"),
        (423, None, LATER, "server", "none"),
        (429, "2", LATER, "rate_limit", "none"),
        (429, None, LATER, "rate_limit", "none"),
        (500, None, LATER, "server", "unknown"),
        (502, None, LATER, "server", "unknown"),
        (503, None, LATER, "server", "unknown"),
        (503, "", LATER, "server", "unknown"),
        (503, "3", LATER, "server", "none"),
        (504, None, LATER, "server", "unknown"),
        (520, None, LATER, "server", "unknown"),
    ],
)
async def test_each_status_has_its_family_cause_and_outcome(
    serve: Any, failing: Try, status: int, retry_after: str | None, family: Family, cause: str, outcome: str
) -> None:
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    origin = await serve(answering(status, **headers))
    error = await failing(origin)
    assert (error.family, error.cause, error.outcome, error.status) == (family, cause, outcome, status)
    assert str(status) in error.message


@pytest.mark.parametrize("status", [*BY_STATUS, 520])
async def test_a_read_never_leaves_an_effect_behind(serve: Any, failing: Try, status: int) -> None:
    error = await failing(await serve(answering(status)), effect=False)
    assert error.outcome == "none"


def test_the_table_says_why_for_each_status() -> None:
    assert all(row.why for row in BY_STATUS.values())
    assert by_status(204, None) is None


async def test_a_refused_connection_left_nothing_behind(failing: Try) -> None:
    with socket.socket() as held:  # bound, but nobody listens
        held.bind(("127.0.0.1", 0))
        error = await failing(f"http://127.0.0.1:{held.getsockname()[1]}")
    assert (error.family, error.cause, error.outcome, error.status) == (LATER, "connection", "none", None)


async def test_a_name_that_does_not_resolve_left_nothing_behind(failing: Try) -> None:
    error = await failing("http://shop.invalid")
    assert (error.family, error.cause, error.outcome) == (LATER, "connection", "none")


async def test_a_connection_closed_after_the_request_left_is_unknown(serve: Any, failing: Try) -> None:
    async def drop(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    error = await failing(await serve(drop))
    assert (error.family, error.cause, error.outcome) == (LATER, "connection", "unknown")


async def test_a_reset_after_the_request_left_is_unknown(serve: Any, failing: Try) -> None:
    async def reset(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    error = await failing(await serve(reset))
    assert (error.family, error.cause, error.outcome) == (LATER, "connection", "unknown")


async def test_an_answer_that_stops_in_the_middle_is_unknown(serve: Any, failing: Try) -> None:
    async def stop(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"data":')
        assert request.transport is not None
        request.transport.close()
        return response

    error = await failing(await serve(stop))
    assert (error.family, error.cause, error.outcome) == (LATER, "connection", "unknown")


async def test_the_timeout_is_total_and_its_outcome_unknown(serve: Any, failing: Try) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):  # each byte is in time, all together are not
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    error = await failing(await serve(drip), timeout=0.3)
    assert (error.family, error.outcome) == (LATER, "unknown")
    assert "0.3 s" in error.message


@pytest.mark.parametrize("body", ["<html><body>Maintenance</body></html>", '{"data": {"order', ""])
async def test_a_200_without_json_passes_by_itself_and_is_unknown(serve: Any, failing: Try, body: str) -> None:
    error = await failing(await serve(answering(200, body)))
    assert (error.family, error.cause, error.outcome, error.status) == (LATER, "server", "unknown", 200)


async def test_redirects_are_not_followed_and_name_their_target(serve: Any, failing: Try) -> None:
    error = await failing(await serve(answering(308, Location="https://elsewhere.example/")), method="GET")
    assert error.cause == "configuration"
    assert "https://elsewhere.example/" in error.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("2", 2.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30.0),
        (format_datetime(NOW - timedelta(seconds=30), usegmt=True), 0.0),
    ],
)
def test_retry_after_is_seconds_a_date_or_nothing(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header, NOW) == seconds


def test_a_retry_after_date_is_measured_by_the_servers_own_clock() -> None:
    theirs = NOW + timedelta(hours=1)
    until = format_datetime(theirs + timedelta(seconds=5), usegmt=True)
    assert seconds_to_wait(until, NOW, format_datetime(theirs, usegmt=True)) == 5.0


@pytest.mark.parametrize(("header", "blocked"), [({"Retry_After": "7"}, 7.0), ({"Retry_After": ""}, 1.5), ({}, 1.5)])
async def test_every_replica_hears_of_a_rate_limit(
    serve: Any, failing: Try, ledger: Any, header: dict[str, str], blocked: float
) -> None:
    await failing(await serve(answering(429, **header)))
    assert ledger.blocks == [blocked]


async def test_a_failed_exchange_is_recorded_without_the_secret(serve: Any, failing: Try) -> None:
    with recording(attempt=2, order_ids=("o-1",)) as exchanges:
        await failing(await serve(answering(500, "token s3cret-token is fine, I am not", X_Auth_Token="s3cret-token")))
    event = exchanges[0].event("fulfillment-push")
    assert (event.outcome, event.status, event.attempt, event.order_ids) == ("unknown", 500, 2, ("o-1",))
    assert "s3cret-token" not in event.model_dump_json()
    assert event.duration_ms > 0


async def test_an_answer_that_would_fill_the_memory_is_dropped(
    serve: Any, failing: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waybill_platforms.http.LONGEST_ANSWER", 1000)
    error = await failing(await serve(answering(200, "x" * 1001)))
    assert (error.family, error.outcome, error.status) == (Family.UNREADABLE, "unknown", 200)
