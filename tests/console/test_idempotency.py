"""`Idempotency-Key` on every POST, and what a request may hold at most."""

import asyncio
from typing import Any

import pytest

from console.api import idempotency

NEW = {"name": "reporting", "role": "viewer"}


async def post(console: Any, key: str, body: Any = NEW, **headers: str) -> Any:
    return await console.http.post("/api/v1/keys", json=body, headers={"Idempotency-Key": key, **headers})


async def test_the_same_key_gives_the_first_answer_and_does_nothing_more(console: Any) -> None:
    first, again = await post(console, "once"), await post(console, "once")

    assert (again.status_code, again.json()) == (first.status_code, first.json() | {"key": "(shown once)"})
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    made = [key for key in (await console.get("/keys"))["items"] if key["name"] == "reporting"]
    assert len(made) == 1


async def test_calls_with_one_key_side_by_side_have_one_effect(console: Any) -> None:
    answers = await asyncio.gather(*(post(console, "race") for _ in range(8)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [key for key in (await console.get("/keys"))["items"] if key["name"] == "reporting"]
    assert len(made) == 1


async def test_another_request_under_a_used_key_is_refused(console: Any) -> None:
    await post(console, "once")

    other = await post(console, "once", {"name": "else", "role": "admin"})

    assert other.status_code == 422
    assert "'once' was used for another request" in other.json()["detail"]


async def test_a_key_belongs_to_who_used_it_and_a_refusal_uses_none(console: Any) -> None:
    refused = await post(console, "mine", Authorization="Bearer wb_nobody_of_ours")
    made = (await post(console, "mine")).json()
    viewer = await post(console, "mine", Authorization=f"Bearer {made['key']}")

    assert (refused.status_code, viewer.status_code) == (401, 403)


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_has_a_length(console: Any, key: str) -> None:
    assert (await post(console, key)).status_code == 422


async def test_a_request_without_end_is_not_read_to_its_end(console: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_BODY", 1000)

    answer = await console.http.post("/api/v1/keys", content=b"x" * 1001)

    assert answer.status_code == 413


@pytest.mark.parametrize("channel", ["..", "a%2F..%2Fb", "a%3Fforce=1", "a%23", "a%0d%0aX: y", "a b"])
async def test_an_id_cannot_lead_to_another_route_of_an_owner(console: Any, channel: str) -> None:
    answer = await console.http.post(f"/api/v1/channels/{channel}/pull")

    assert answer.status_code in (404, 405)
