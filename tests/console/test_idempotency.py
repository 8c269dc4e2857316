"""`Idempotency-Key` on every POST, and what a request may hold at most."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse

from console.api import idempotency
from waybill_common.db import queries


async def post(console: Any, key: str, body: Any = None, **headers: str) -> Any:
    """Makes an API key that is named like the idempotency key."""
    body = body or {"name": f"made by {key}", "role": "viewer"}
    return await console.http.post("/api/v1/keys", json=body, headers={"Idempotency-Key": key, **headers})


async def made_by(console: Any, key: str) -> int:
    return sum(made["name"] == f"made by {key}" for made in (await console.get("/keys"))["items"])


async def test_the_same_key_gives_the_first_answer_and_does_nothing_more(empty_console: Any) -> None:
    first, again = await post(empty_console, "once"), await post(empty_console, "once")

    assert (again.status_code, again.json()) == (first.status_code, first.json() | {"key": "(shown once)"})
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await made_by(empty_console, "once") == 1


async def test_calls_with_one_key_side_by_side_have_one_effect(empty_console: Any) -> None:
    answers = await asyncio.gather(*(post(empty_console, "race") for _ in range(8)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert await made_by(empty_console, "race") == 1


async def test_another_request_under_a_used_key_is_refused(empty_console: Any) -> None:
    await post(empty_console, "used")

    other = await post(empty_console, "used", {"name": "else", "role": "admin"})

    assert other.status_code == 422
    assert "'used' was used for another request" in other.json()["detail"]


async def test_a_key_belongs_to_who_used_it_and_a_refusal_uses_none(empty_console: Any) -> None:
    refused = await post(empty_console, "mine", Authorization="Bearer wb_nobody_of_ours")
    made = (await post(empty_console, "mine")).json()
    viewer = await post(empty_console, "mine", Authorization=f"Bearer {made['key']}")

    assert (refused.status_code, viewer.status_code) == (401, 403)


async def test_a_refusal_of_the_moment_leaves_the_key_free(empty_console: Any) -> None:
    path, headers = "/api/v1/users/nobody/password", {"Idempotency-Key": "not yet"}
    answers = [await empty_console.http.post(path, json={"password": "long enough"}, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "idempotency-replayed" not in answers[1].headers


@pytest.mark.parametrize(
    ("status", "used_up"),
    [(408, False), (425, False), (429, False), (500, False), (503, False), (400, True), (422, True), (202, True)],
)
async def test_an_answer_of_the_moment_uses_up_no_key(empty_console: Any, status: int, used_up: bool) -> None:
    asked = 0

    async def owner(scope: Any, receive: Any, send: Any) -> None:
        nonlocal asked
        asked += 1
        await JSONResponse({"time": asked}, status if asked == 1 else 202)(scope, receive, send)

    guarded = idempotency.Idempotency(owner, empty_console.run.runtime.pool, queries("console"))
    transport = httpx.ASGITransport(guarded)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as http:
        named = {"Idempotency-Key": f"answered {status} first"}
        answers = [await http.post("/act", json={}, headers=named) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [status, status if used_up else 202]
    assert asked == (1 if used_up else 2)


@pytest.mark.parametrize("key", ["", "k" * 201], ids=["empty", "too long"])
async def test_a_key_has_a_length(empty_console: Any, key: str) -> None:
    assert (await post(empty_console, key)).status_code == 422


async def test_a_request_without_end_is_not_read_to_its_end(
    empty_console: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_BODY", 1000)

    answer = await empty_console.http.post("/api/v1/keys", content=b"x" * 1001)

    assert answer.status_code == 413


@pytest.mark.parametrize("channel", ["..", "a%2F..%2Fb", "a%3Fforce=1", "a%23", "a%0d%0aX: y", "a b"])
async def test_an_id_cannot_lead_to_another_route_of_an_owner(empty_console: Any, channel: str) -> None:
    answer = await empty_console.http.post(f"/api/v1/channels/{channel}/pull")

    assert answer.status_code in (404, 405)
