"""Errors as problem details (RFC 9457): what is wrong, where, and what to do."""

import json
from collections.abc import Mapping
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from console.api import scopes
from console.owners import NoSuchPath
from waybill_common.db import transient


class WrongField(BaseModel):
    """One thing that is wrong with a request."""

    path: str
    message: str


class Problem(BaseModel):
    """Every answer that is not the one asked for (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    status: int
    title: str
    detail: str = Field(description="why")
    remedy: str = Field(description="what would work, or where to look: the next step of whoever asked")
    errors: list[WrongField] = []


_MEANINGS = {
    400: "The request cannot be read",
    401: "No valid API key",
    403: "The key's role or stores do not allow it",
    404: "There is no such thing",
    405: "Not with this method",
    409: "Not possible in this state; the text says why and what would be",
    413: "Longer than is read",
    422: "Something in the request is not valid, each with its path",
    429: "Too many attempts",
    502: "A service's answer could not be read",
    503: "A service that has to answer, or the database, does not",
}
_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
DECLARED: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": _CONTENT} for status, text in _MEANINGS.items()
}
"""What any route may answer beside its own."""


def declare(api: FastAPI) -> None:
    """Puts the form of problems, where the routes' answers point to, and each route's scope into the description."""
    made = api.openapi

    def openapi() -> dict[str, Any]:
        schema = made()
        schema.setdefault("components", {}).setdefault("schemas", {}).update(_SCHEMAS)
        scopes.declared(schema["paths"])
        return schema

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the description


_PROBLEM = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
_SCHEMAS = {**_PROBLEM.pop("$defs"), "Problem": _PROBLEM}


_LOOK = "The description lists what there is: GET /api/openapi.json"
MEND = "Mend these fields and send it again; GET /api/openapi.json describes them"
AGAIN = "See that the service runs, and try again, a POST under the same Idempotency-Key"


class ProblemError(Exception):
    """An answer that is not the one asked for: why, and what would work; `extra` are further members of the problem."""

    def __init__(self, status: int, title: str, detail: str, remedy: str, **extra: Any) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.remedy, self.extra = status, title, detail, remedy, extra


class _Answer(JSONResponse):
    """JSON that can hold whatever a caller sent, half of a character too."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def problem(
    status: int, title: str, detail: str, remedy: str, headers: Mapping[str, str] | None = None, **extra: Any
) -> JSONResponse:
    body = {"type": "about:blank", "status": status, "title": title, "detail": detail, "remedy": remedy, **extra}
    known = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return _Answer(body, status, {**known, **(headers or {})})


def install(app: FastAPI) -> None:
    """Every error of the app becomes a problem."""

    @app.exception_handler(ProblemError)
    async def _ours(_: Request, error: ProblemError) -> JSONResponse:
        return problem(error.status, error.title, error.detail, error.remedy, **error.extra)

    @app.exception_handler(NoSuchPath)
    async def _no_such(_: Request, error: NoSuchPath) -> JSONResponse:
        return problem(404, "No such thing", f"{str(error)[:200]!r} holds characters that no id has", _LOOK)

    @app.exception_handler(StarletteHTTPException)
    async def _theirs(_: Request, error: StarletteHTTPException) -> JSONResponse:
        return problem(error.status_code, "Not possible", str(error.detail), _LOOK, error.headers)

    @app.exception_handler(asyncpg.DataError)
    async def _not_storable(_: Request, error: asyncpg.DataError) -> JSONResponse:
        """A value that is fine as JSON and that no database takes: NUL in a text, a number out of its range."""
        text = f"A value cannot be stored or looked up: {error}"[:300]
        return problem(422, "The request is not valid", text, "Use texts without NUL, and numbers in their range")

    @app.exception_handler(asyncpg.PostgresError)
    @app.exception_handler(asyncpg.InterfaceError)
    async def _database(_: Request, error: Exception) -> JSONResponse:
        if not transient(error):
            raise error
        text, remedy = "The database cannot answer now", "Try again, a POST under the same Idempotency-Key"
        return problem(503, "Not now", text, remedy, {"Retry-After": "5"})

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"path": ".".join(map(str, item["loc"])), "message": item["msg"]} for item in error.errors()]
        words = "; ".join(f"{e['path']}: {e['message']}" for e in errors)
        return problem(422, "The request is not valid", words, MEND, errors=errors)
