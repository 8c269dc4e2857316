"""OP-10: nothing is open by accident; keys are shown once, have a role, and end when revoked."""

from typing import Any

import pytest

OPEN = {"/api/openapi.json"}


async def test_every_route_of_the_api_wants_a_key(empty_console: Any) -> None:
    empty_console.http.headers.pop("authorization")
    paths = (await empty_console.http.get("/api/openapi.json")).json()["paths"]

    answers = {}
    for path, methods in paths.items():
        for method in methods:
            url = "/api" + path.replace("{letter_id}", "1").replace("{", "").replace("}", "")
            answers[method, path] = (await empty_console.http.request(method, url, json={})).status_code

    assert len(answers) > 15
    assert set(answers.values()) == {401}, {route for route, status in answers.items() if status != 401}


@pytest.mark.parametrize(
    ("role", "method", "path", "allowed"),
    [
        ("viewer", "GET", "/stats", True),
        ("viewer", "PUT", "/config", False),
        ("viewer", "POST", "/dead-letters/router/1/replay", False),
        ("operator", "POST", "/keys", False),
        ("operator", "PUT", "/config", False),
        ("operator", "POST", "/channels/acme/webhooks", False),
        ("operator", "DELETE", "/channels/acme/webhooks", False),
        ("operator", "POST", "/sources/depot/webhooks", False),
        ("admin", "GET", "/keys", True),
    ],
)
async def test_a_role_may_do_what_it_may(empty_console: Any, role: str, method: str, path: str, allowed: bool) -> None:
    made = (await empty_console.http.post("/api/v1/keys", json={"name": "someone", "role": role})).json()
    answer = await empty_console.http.request(
        method, f"/api/v1{path}", headers={"Authorization": f"Bearer {made['key']}"}, json={"name": "x"}
    )

    assert (answer.status_code == 403) is not allowed
    if not allowed:
        assert "this needs" in answer.json()["detail"]


async def test_a_revoked_key_opens_nothing(empty_console: Any) -> None:
    made = (await empty_console.http.post("/api/v1/keys", json={"name": "leaver", "role": "admin"})).json()
    await empty_console.http.delete(f"/api/v1/keys/{made['key_id']}")

    answer = await empty_console.http.get("/api/v1/stats", headers={"Authorization": f"Bearer {made['key']}"})
    listed = (await empty_console.get("/keys"))["items"]

    assert answer.status_code == 401
    assert made["key"] not in str(listed)
    assert next(key for key in listed if key["key_id"] == made["key_id"])["revoked_at"]


async def test_the_page_wants_a_sign_in_and_its_cookie_only_reads(empty_console: Any) -> None:
    key = empty_console.http.headers.pop("authorization").removeprefix("Bearer ")
    closed = await empty_console.http.get("/")
    wrong = await empty_console.http.post("/sign-in", data={"key": "nonsense"})
    entered = await empty_console.http.post("/sign-in", data={"key": key})
    opened = await empty_console.http.get("/")

    assert "API key" in closed.text
    assert wrong.status_code == 401
    assert "not valid" in wrong.text
    assert entered.status_code == 303
    assert 'id="flow"' in opened.text
    assert "frame-ancestors 'none'" in opened.headers["content-security-policy"]
    assert (await empty_console.http.get("/api/v1/stats")).status_code == 200
    assert (await empty_console.http.put("/api/v1/config", json={})).status_code == 401


async def test_a_silent_service_is_named_and_the_others_still_answer(empty_console: Any) -> None:
    answer = await empty_console.get("/dead-letters")

    assert any("order-ingest does not answer at http://127.0.0.1:9" in text for text in answer["unanswered"])
