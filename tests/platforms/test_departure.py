"""No request leaves after the moment until which it may: on no new connection, and on none that stands open. (FP-5)"""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from aiohttp import web

from waybill_common.retry import Family
from waybill_platforms.calls import Call
from waybill_platforms.departure import leaving_before
from waybill_platforms.errors import PlatformError
from waybill_platforms.http import Http, NoBudget
from waybill_platforms.http_source.client import RATE
from waybill_platforms.http_source.mapping import described


@pytest.mark.parametrize("warm", [False, True])
async def test_a_request_that_is_late_does_not_leave_and_had_no_effect(serve: Any, warm: bool) -> None:
    came: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        came.append(request.path)
        return web.json_response({})

    http = Http("east", {}, (), NoBudget(), RATE, described)
    url = httpx.URL(await serve(answer) + "/requests")
    if warm:
        await http.send(Call("submit_request", "POST", url, b"{}", effect=True))
    with leaving_before(time.monotonic() - 0.001), pytest.raises(PlatformError) as raised:
        await http.send(Call("submit_request", "POST", url, b"{}", effect=True))
    assert (raised.value.outcome, raised.value.family, raised.value.cause) == ("none", Family.LATER, "connection")
    assert len(came) == warm
    with leaving_before(time.monotonic() + 60):  # the client goes on
        await http.send(Call("submit_request", "POST", url, b"{}", effect=True))
    assert len(came) == warm + 1
    await http.aclose()
