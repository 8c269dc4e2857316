"""What a browser on a hostile page, or a caller with patience, tries: each ends where it begins (issue 8, security)."""

import gzip
import json
from typing import Any

import httpx
import pytest

from console.api.idempotency import LONGEST_BODY

PASSWORD = "correct horse battery"
SECRETS = ("shpat_very_secret", "wb_test_admin_key_of_the_tests", PASSWORD)


async def signed_in(console: Any, name: str) -> httpx.AsyncClient:
    await console.http.post("/api/v1/users", json={"name": name, "password": PASSWORD, "role": "admin"})
    page = httpx.AsyncClient(base_url=console.http.base_url, timeout=30)
    entered = await page.post("/sign-in", data={"name": name, "password": PASSWORD})
    assert entered.status_code == 303
    return page


async def test_csrf_no_call_that_changes_something_is_let_in_by_a_cookie(empty_console: Any) -> None:
    """A page elsewhere makes the browser send the cookie, if anything does; it cannot send the key."""
    paths = (await empty_console.http.get("/api/openapi.json")).json()["paths"]
    page = await signed_in(empty_console, "csrf")
    hostile = {"Origin": "https://evil.example", "Content-Type": "text/plain"}

    answers = {}
    for path, operations in paths.items():
        for method in set(operations) - {"get"}:
            url = "/api" + path.replace("{letter_id}", "1").replace("{", "").replace("}", "")
            answers[method, path] = (await page.request(method, url, content="{}", headers=hostile)).status_code
    cookie = (await page.post("/sign-in", data={"name": "csrf", "password": PASSWORD})).headers["set-cookie"].lower()
    await page.aclose()

    assert len(answers) > 20
    assert set(answers.values()) == {401}, {route for route, status in answers.items() if status != 401}
    assert "samesite=strict" in cookie
    assert "httponly" in cookie


@pytest.mark.parametrize("path", ["/", "/sign-in"])
async def test_clickjacking_no_page_may_be_framed(empty_console: Any, path: str) -> None:
    method = "GET" if path == "/" else "POST"
    answer = await empty_console.http.request(method, path, data={"key": "nonsense"} if method == "POST" else None)

    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "order_id",
    [
        "..%2F..%2Fconsumer%2Fresume", "..%5C..%5Cfacts", "%2e%2e%2f%2e%2e%2fdead-letters", "a%2F..%2F..%2Fmetrics",
        "a%3Fx=1", "a%23b", "a%0d%0aX-Evil:%201", "%00",
    ],
)  # fmt: skip
async def test_path_injection_an_id_leads_to_no_other_route_of_a_service(empty_console: Any, order_id: str) -> None:
    for call in (f"/orders/{order_id}/bundle", f"/orders/{order_id}/actions/hold", f"/frs/{order_id}/actions/void"):
        method = "GET" if call.endswith("bundle") else "POST"
        answer = await empty_console.http.request(method, f"/api/v1{call}", json={"reason": "r"})
        assert answer.status_code in (404, 405, 422), (call, answer.text)


async def test_header_injection_what_a_caller_sends_becomes_no_header(empty_console: Any) -> None:
    for path in ("/sign-in", "/api/v1/orders?cursor=a%0d%0aSet-Cookie:%20x=1", "/api/v1/frs/a%0d%0aSet-Cookie:%20x=1"):
        method = "POST" if path == "/sign-in" else "GET"
        given = {"key": "k\r\nSet-Cookie: x=1"} if method == "POST" else None
        answer = await empty_console.http.request(method, path, data=given)
        assert "set-cookie" not in answer.headers


async def test_oversized_a_body_is_read_no_further_than_allowed(empty_console: Any) -> None:
    async def endless() -> Any:
        for _ in range(LONGEST_BODY // 2**20 + 2):
            yield b" " * 2**20

    answer = await empty_console.http.put("/api/v1/config", content=endless())

    assert answer.status_code == 413
    assert "MiB" in answer.json()["detail"]


async def test_bomb_a_packed_body_is_not_unpacked(empty_console: Any) -> None:
    """A megabyte of zeros in a kilobyte: nothing here unpacks what a caller sends."""
    packed = gzip.compress(json.dumps({"name": " " * 2**24}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}

    answer = await empty_console.http.post("/api/v1/keys", content=packed, headers=headers)

    assert answer.status_code in (400, 415, 422), answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users", {"name": "echo", "password": PASSWORD, "role": "king"}),
        ("POST", "/users", {"name": ["echo"], "password": PASSWORD}),
        ("PUT", "/config", {"stores": [{"id": "a", "channels": [{
            "id": "c", "platform": "nowhere", "url": "https://x.example",
            "credentials": {"access_token": "shpat_very_secret"}}]}]}),
        ("PUT", "/config", {"stores": [{"id": "a", "channels": [{
            "id": "c", "platform": "shopify", "url": "https://x.example",
            "credentials": {"acess_token": "shpat_very_secret"}}]}]}),
        ("PUT", "/config", {"stores": [{"id": "a", "channels": [{
            "id": "c", "platform": "shopify", "url": "https://x.example",
            "credentials": {"access_token": ["shpat_very_secret"]}}]}]}),
        ("GET", "/orders?cursor=wb_nonsense", None),
    ],
)  # fmt: skip
async def test_a_problem_never_repeats_a_secret(empty_console: Any, method: str, path: str, body: Any) -> None:
    answer = await empty_console.http.request(method, f"/api/v1{path}", json=body)

    assert answer.status_code == 422, answer.text
    assert not [secret for secret in SECRETS if secret in answer.text]


async def test_a_session_ends_after_twelve_hours(empty_console: Any) -> None:
    page = await signed_in(empty_console, "sleeper")
    before = (await page.get("/api/v1/stats")).status_code
    pool = empty_console.run.runtime.pool
    left = await pool.fetchval("select max(expires_at) - now() from sessions")
    await pool.execute("update sessions set expires_at = now() - interval '1 second'")
    after = (await page.get("/api/v1/stats")).status_code
    await page.aclose()

    assert (before, after) == (200, 401)
    assert 11 < left.total_seconds() / 3600 <= 12


async def test_passwords_are_kept_as_argon2id(empty_console: Any) -> None:
    await (await signed_in(empty_console, "argon")).aclose()

    stored = await empty_console.run.runtime.pool.fetchval("select password from users where name = 'argon'")

    assert stored.startswith("$argon2id$v=19$")
    assert PASSWORD not in stored
