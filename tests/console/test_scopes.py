"""OP-10: a key may be limited to scopes, narrower than its role; each route has one by its address, and keeps to it."""

from typing import Any

import pytest

from console.api.scopes import allows, beyond, scope_of


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/orders/{order_id}/timeline", "orders:read"),
        ("POST", "/api/v1/orders:import", "orders:write"),
        ("HEAD", "/api/v1/orders", "orders:read"),
        ("GET", "/v1/excluded-orders", "orders:read"),
        ("PUT", "/api/v1/config", "config:write"),
        ("DELETE", "/v1/keys/{key_id}", "keys:write"),
    ],
)
def test_a_route_has_its_scope_by_its_address(method: str, path: str, scope: str) -> None:
    assert scope_of(method, path) == scope


@pytest.mark.parametrize(
    ("scopes", "wanted", "allowed"),
    [
        (None, "config:write", True),
        (["orders:read"], "orders:read", True),
        (["orders:read"], "orders:write", False),
        (["orders:write"], "orders:read", True),
        (["orders:write"], "frs:read", False),
        ([], "orders:read", False),
    ],
)
def test_who_may_write_may_read_and_nothing_else(scopes: list[str] | None, wanted: str, allowed: bool) -> None:
    assert allows(scopes, wanted) is allowed


def test_nobody_hands_on_more_than_they_have() -> None:
    assert beyond(None, None) == beyond(["config:write"], None) == []
    assert beyond(None, ["keys:write"]) == ["every scope"]
    assert beyond(["keys:read", "config:read"], ["keys:write"]) == ["config:read"]


async def test_every_route_declares_its_scope_and_keeps_to_it(empty_console: Any) -> None:
    """The walk over the whole document, with a key that has every scope but the route's, and one that has it alone."""
    paths = (await empty_console.http.get("/api/openapi.json")).json()["paths"]
    every = sorted({operation["x-scope"] for operations in paths.values() for operation in operations.values()})
    assert {"orders:read", "orders:write", "config:write", "keys:write", "erasures:write"} <= set(every)
    walked = 0
    for scope in every:
        area = scope.partition(":")[0]
        others = [one for one in every if one != scope and not (scope.endswith(":read") and one == f"{area}:write")]
        without, alone = await key(empty_console, others), await key(empty_console, [scope])
        for path, operations in paths.items():
            for method, operation in operations.items():
                if operation["x-scope"] != scope:
                    continue
                walked += 1
                url = "/api" + path.replace("{letter_id}", "1").replace("{", "").replace("}", "")
                refused = await empty_console.http.request(method, url, headers=without, json={})
                assert refused.status_code == 403, (method, path, refused.text)
                assert refused.json()["detail"].endswith(f"this needs {scope}.")
                if scope != "console:write":  # a rebuild would begin
                    let_in = await empty_console.http.request(method, url, headers=alone, json={})
                    assert "has the scopes" not in let_in.text, (method, path, let_in.text)
    assert walked == sum(len(operations) for operations in paths.values())


async def test_a_scope_that_does_not_exist_is_named_with_those_that_do(empty_console: Any) -> None:
    answer = await empty_console.http.post("/api/v1/keys", json={"name": "x", "scopes": ["orders:delete"]})

    assert answer.status_code == 422
    assert "orders:delete" in answer.json()["detail"]
    assert "orders:read" in answer.json()["remedy"]


async def test_a_limited_key_makes_no_wider_key_and_no_user(empty_console: Any) -> None:
    limited = await key(empty_console, ["keys:write", "users:write"])

    wider = await empty_console.http.post("/api/v1/keys", json={"name": "wide", "role": "admin"}, headers=limited)
    user = {"name": "wide", "password": "correct horse battery", "role": "admin"}
    person = await empty_console.http.post("/api/v1/users", json=user, headers=limited)
    same = await empty_console.http.post(
        "/api/v1/keys", json={"name": "narrow", "scopes": ["keys:read"]}, headers=limited
    )

    assert (wider.status_code, person.status_code, same.status_code) == (403, 403, 201)
    assert "every scope" in wider.json()["detail"]


async def test_a_keys_scopes_hold_for_its_sessions_and_are_listed(empty_console: Any) -> None:
    made = (await empty_console.http.post("/api/v1/keys", json={"name": "screen", "scopes": ["orders:read"]})).json()
    items = (await empty_console.get("/keys"))["items"]
    listed = next(one for one in items if one["key_id"] == made["key_id"])
    empty_console.http.headers.pop("authorization")
    await empty_console.http.post("/sign-in", data={"key": made["key"]})

    read = await empty_console.http.get("/api/v1/orders")
    stats = await empty_console.http.get("/api/v1/stats")

    assert listed["scopes"] == ["orders:read"]
    assert (read.status_code, stats.status_code) == (200, 403)


async def key(console: Any, scopes: list[str]) -> dict[str, str]:
    """Headers with a new admin key of these scopes."""
    made = await console.http.post("/api/v1/keys", json={"name": "limited", "role": "admin", "scopes": scopes})
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['key']}"}
