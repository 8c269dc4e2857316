"""Errors as problem details (RFC 9457): what is wrong, where, and what to do."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from console.owners import NoSuchPath


class ProblemError(Exception):
    """An answer that is not the one asked for; `extra` are further members of the problem."""

    def __init__(self, status: int, title: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.extra = status, title, detail, extra


def problem(status: int, title: str, detail: str, **extra: Any) -> JSONResponse:
    body = {"type": "about:blank", "status": status, "title": title, "detail": detail, **extra}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Every error of the app becomes a problem."""

    @app.exception_handler(ProblemError)
    async def _ours(_: Request, error: ProblemError) -> JSONResponse:
        return problem(error.status, error.title, error.detail, **error.extra)

    @app.exception_handler(NoSuchPath)
    async def _no_such(_: Request, error: NoSuchPath) -> JSONResponse:
        return problem(404, "No such thing", f"{str(error)[:200]!r} holds characters that no id has")

    @app.exception_handler(StarletteHTTPException)
    async def _theirs(_: Request, error: StarletteHTTPException) -> JSONResponse:
        return problem(error.status_code, "Not possible", str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"path": ".".join(map(str, item["loc"])), "message": item["msg"]} for item in error.errors()]
        return problem(
            422, "The request is not valid", "; ".join(f"{e['path']}: {e['message']}" for e in errors), errors=errors
        )
