"""What a careless or hostile caller sends: each gets a problem that says what is wrong, none a 500."""

import json
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from console.api.problems import install


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/orders?channel=%00", None, 422, "cannot be stored or looked up"),
        ("GET", "/orders?stage=hold", None, 422, "'held', 'imported'"),
        ("GET", "/orders?hold=unmapped", None, 422, "'unmapped_sku'"),
        ("GET", "/frs?state=SENT", None, 422, "'PROCESSED'"),
        ("GET", "/shipments?status=failed", None, 422, "'sync_failed'"),
        ("GET", "/records?outcome=failed", None, 422, "'unauthorized'"),
        ("GET", "/commands?state=open", None, 422, "'stored'"),
        ("PUT", "/views/mine", {"stage": "hold"}, 422, "'held', 'imported'"),
        ("GET", "/frs?source=a%00b", None, 422, "cannot be stored or looked up"),
        ("POST", "/keys", {"name": "nul\0", "role": "viewer"}, 422, "cannot be stored or looked up"),
        ("GET", "/config/versions?limit=-1", None, 422, "limit"),
        ("GET", "/records?since=0.5", None, 422, "write a moment as"),
        ("GET", "/records?since=2026-11-22T10:00:00", None, 422, "timezone"),
        ("GET", "/orders?cursor=nonsense", None, 422, "leave it out to begin"),
        ("POST", "/dead-letters/router/99999999999999999999/replay", {}, 422, "letter_id"),
        ("GET", "/frs/a%0Ab", None, 404, ""),
        ("PUT", "/config", {"stores": "\ud933"}, 422, "stores"),
    ],
)
async def test_it_is_told_what_is_wrong(
    empty_console: Any, method: str, path: str, body: Any, status: int, says: str
) -> None:
    content = None if body is None else json.dumps(body)  # as ASCII: half a character can be sent so
    headers = {"Content-Type": "application/json"}
    answer = await empty_console.http.request(method, f"/api/v1{path}", content=content, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    told = answer.json()
    assert says in told["detail"] + told["remedy"]
    assert told["remedy"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(asyncpg.CannotConnectNowError("starting up"), 503), (asyncpg.DeadlockDetectedError("deadlock"), 503),
     (asyncpg.InterfaceError("connection is closed"), 503), (asyncpg.UndefinedTableError("a bug of ours"), 500)],
)  # fmt: skip
async def test_a_database_that_cannot_answer_now_is_503_with_when_to_come_again(error: Exception, status: int) -> None:
    app = FastAPI()
    install(app)

    @app.get("/asked")
    async def asked() -> None:
        raise error

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
        answer = await client.get("/asked")

    assert (answer.status_code, answer.headers.get("retry-after")) == (status, "5" if status == 503 else None)


async def test_another_method_is_told_which_ones_there_are(empty_console: Any) -> None:
    answer = await empty_console.http.request("TRACE", "/api/v1/alerts")

    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_the_description_declares_what_may_be_answered_besides(empty_console: Any) -> None:
    described = (await empty_console.http.get("/api/openapi.json")).json()

    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            problems = {s for s, a in operation["responses"].items() if "application/problem+json" in a["content"]}
            assert {"401", "403", "404", "422", "503"} <= problems, (method, path)
    assert "Problem" in described["components"]["schemas"]
