"""What is kept of an exchange: enough to see what happened, no secret, at most 64 KiB of a body."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from aiohttp import web

from waybill_common.budget import Rate
from waybill_platforms.calls import Call
from waybill_platforms.errors import PlatformError
from waybill_platforms.http import Http
from waybill_platforms.recording import LONGEST_BODY, about, recording, redacted, spellings


async def exchanged(serve: Any, ledger: Any, handler: Any, body: bytes = b"") -> Any:
    http = Http(
        "shop", {"Authorization": "Bearer t0ken-1234"}, ("t0ken-1234",), ledger, Rate(10, 10), lambda b: (None, "")
    )
    method = "POST" if body else "GET"
    try:
        with recording(fr_ids=("fr-1",)) as exchanges:
            await http.send(Call("get_order", method, httpx.URL(f"{await serve(handler)}/o?x=1"), body))
        await http.send(Call("get_order", method, httpx.URL(await serve(handler)), body))  # nobody records this one
    finally:
        await http.aclose()
    assert len(exchanges) == 1
    return exchanges[0].event("router")


async def test_headers_that_carry_secrets_are_redacted(serve: Any, ledger: Any) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer t0ken-1234"
        return web.Response(text="{}", headers={"Set-Cookie": "sid=1", "X-Request-Id": "r-1"})

    event = await exchanged(serve, ledger, handler)
    assert event.request_headers["authorization"] == event.response_headers["set-cookie"] == "[redacted]"
    assert event.response_headers["x-request-id"] == "r-1"
    assert (event.method, event.url.endswith("/o?x=1"), event.fr_ids, event.connection) == (
        "GET",
        True,
        ("fr-1",),
        "shop",
    )


async def test_a_token_in_a_body_is_redacted(serve: Any, ledger: Any) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text='{"you": "t0ken-1234"}')

    event = await exchanged(serve, ledger, handler, b'{"me": "t0ken-1234"}')
    assert (event.request_body, event.response_body) == ('{"me": "[redacted]"}', '{"you": "[redacted]"}')


@pytest.mark.parametrize("secret", ['quo"ted-söcret', "plus+and/slash=", "back\\slash-secret"])
@pytest.mark.parametrize(
    "write", [json.dumps, partial(json.dumps, ensure_ascii=False), quote_plus, partial(quote, safe="")]
)
def test_a_secret_is_found_however_it_is_spelled(secret: str, write: Callable[[str], str]) -> None:
    body = f'{{"me": {write(secret)}}}'.encode()
    assert redacted(body, spellings([secret])).count(b"[redacted]") == 1


async def test_a_private_call_is_recorded_without_its_bodies(serve: Any, ledger: Any) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert await request.text() == "name and password"
        return web.Response(text='"token"', status=int(request.query["status"]))

    http = Http("shop", {}, (), ledger, Rate(10, 10), lambda b: (None, "not you"))
    url = await serve(handler)
    with recording() as exchanges:
        for status in ("200", "403"):
            call = Call(
                "renew_token", "POST", httpx.URL(url, params={"status": status}), b"name and password", private=True
            )
            with suppress(PlatformError):
                assert (await http.send(call)).json() == "token"
    await http.aclose()
    bodies = [(one.status, one.request_body, one.response_body) for one in exchanges]
    assert bodies == [(200, b"[redacted]", b"[redacted]"), (403, b"[redacted]", b"[redacted]")]
    assert exchanges[1].error.startswith("HTTP 403: not you")


async def test_a_long_body_is_cut_and_the_cut_is_said(serve: Any, ledger: Any) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="ü" * LONGEST_BODY)

    event = await exchanged(serve, ledger, handler)
    assert event.cut is True
    assert len(event.response_body) <= LONGEST_BODY


async def test_bytes_that_are_no_text_are_kept_as_well_as_possible(serve: Any, ledger: Any) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b"\xff\x00ok")

    event = await exchanged(serve, ledger, handler)
    assert event.response_body.endswith("ok")
    assert "\x00" not in event.response_body  # PostgreSQL's text cannot hold it


async def test_a_short_token_that_is_part_of_words_changes_no_answer(serve: Any, ledger: Any) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text='{"test": true}')

    http = Http("shop", {}, ("t",), ledger, Rate(10, 10), lambda b: (None, ""))
    answer = await http.send(Call("get_order", "GET", httpx.URL(await serve(handler))))
    await http.aclose()
    assert answer.json() == {"test": True}


async def test_calls_side_by_side_keep_their_own_log_types(serve: Any, ledger: Any) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="{}")

    url = httpx.URL(await serve(handler))
    http = Http("shop", {}, (), ledger, Rate(10, 10), lambda b: (None, ""))

    async def renamed(name: str) -> None:
        with about(name):
            await http.send(Call("get_order", "GET", url))

    with recording() as exchanges:
        await asyncio.gather(renamed("find_fulfillment"), http.send(Call("get_order", "GET", url)), renamed("other"))
    await http.aclose()
    assert sorted(exchange.log_type for exchange in exchanges) == ["find_fulfillment", "get_order", "other"]
