"""OP-10: people sign in by name and password, may do what their role allows, and see the stores they are given."""

from typing import Any

import httpx
import pytest
from console_samples import LIFE, ORDER, made

from console.api.sign_in import MOST_FAILURES

PASSWORD = "correct horse battery"
OTHER = {**ORDER, "order_id": "other", "channel_order_id": "c-9", "number": "#9001", "store": "globex"}


async def add(console: Any, name: str, **more: Any) -> Any:
    return await console.http.post("/api/v1/users", json={"name": name, "password": PASSWORD, **more})


def browser(console: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=console.http.base_url, timeout=30)


async def test_a_user_signs_in_reads_and_changes_nothing_by_cookie(empty_console: Any) -> None:
    await add(empty_console, "zoe", role="operator")

    async with browser(empty_console) as page:
        entered = await page.post("/sign-in", data={"name": "zoe", "password": PASSWORD})
        read = await page.get("/api/v1/stats")
        written = await page.post("/api/v1/channels/acme-shop/pull")
        await page.post("/sign-out")
        afterwards = await page.get("/api/v1/stats")

    assert entered.status_code == 303
    assert "httponly" in entered.headers["set-cookie"].lower()
    assert (read.status_code, written.status_code, afterwards.status_code) == (200, 401, 401)
    (user,) = [u for u in (await empty_console.get("/users"))["items"] if u["name"] == "zoe"]
    assert user["signed_in_at"]
    assert "password" not in user


async def test_a_wrong_password_and_an_unknown_name_read_alike(empty_console: Any) -> None:
    await add(empty_console, "adam")

    async with browser(empty_console) as page:
        wrong = await page.post("/sign-in", data={"name": "adam", "password": "not it, surely"})
        unknown = await page.post("/sign-in", data={"name": "nobody", "password": "not it, surely"})

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text == unknown.text


async def test_guessing_ends_after_some_tries_also_with_the_right_password(console: Any) -> None:
    await add(console, "target")

    async with browser(console) as page:
        tries = [
            await page.post("/sign-in", data={"name": "target", "password": f"g{n}"}) for n in range(MOST_FAILURES)
        ]
        right = await page.post("/sign-in", data={"name": "target", "password": PASSWORD})

    assert {answer.status_code for answer in tries} == {401}
    assert right.status_code == 429
    assert "Wait 15 minutes" in right.text


@pytest.mark.parametrize("end", ["disabled", "new password"])
async def test_sessions_end_with_the_user_and_with_the_password(empty_console: Any, end: str) -> None:
    name = f"leaver {end}"
    user = (await add(empty_console, name)).json()

    async with browser(empty_console) as page:
        await page.post("/sign-in", data={"name": name, "password": PASSWORD})
        before = await page.get("/api/v1/stats")
        if end == "disabled":
            await empty_console.http.delete(f"/api/v1/users/{user['user_id']}")
        else:
            path = f"/api/v1/users/{user['user_id']}/password"
            await empty_console.http.post(path, json={"password": "another long one"})
        after = await page.get("/api/v1/stats")

    assert (before.status_code, after.status_code) == (200, 401)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"name": "short", "password": "tiny"}, 422, "at least 10 characters"),
        ({"name": "twice", "password": PASSWORD}, 409, "there is a user of that name"),
        ({"name": "king", "password": PASSWORD, "role": "king"}, 422, "role"),
    ],
)
async def test_a_user_that_cannot_be_made_says_why(empty_console: Any, body: Any, status: int, says: str) -> None:
    await add(empty_console, "twice")

    answer = await empty_console.http.post("/api/v1/users", json=body)

    assert answer.status_code == status
    assert says in answer.json()["detail"] + answer.json()["remedy"]
    assert PASSWORD not in answer.text


async def test_who_is_limited_to_a_store_sees_its_orders_and_nothing_of_the_others(console: Any) -> None:
    await console.publish(*LIFE, ("order-ingest", made("order.imported", 1, 0, order=OTHER, via="pull")))
    await console.eventually("/stats", lambda a: a["orders"]["total"] == 2)
    body = {"name": "globex desk", "role": "operator", "stores": ["globex"]}
    key = (await console.http.post("/api/v1/keys", json=body)).json()["key"]
    limited = {"Authorization": f"Bearer {key}"}

    async def ask(path: str) -> httpx.Response:
        answer: httpx.Response = await console.http.get(f"/api/v1{path}", headers=limited)
        return answer

    listed = (await ask("/orders")).json()["items"]
    found = (await ask("/orders?search=1001")).json()["items"]
    closed = [(await ask(path)).status_code for path in ("/stats", "/records", "/frs", "/failures", "/config")]
    others = [(await ask(f"/orders/{ORDER['order_id']}{tail}")).status_code for tail in ("", "/timeline", "/bundle")]

    assert [order["number"] for order in listed] == ["#9001"]
    assert found == []
    assert (await ask("/orders/other")).status_code == 200
    assert set(closed) == {403}
    assert set(others) == {404}
