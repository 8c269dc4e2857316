"""The internal HTTP of a service: is it alive, is it ready, its metrics, and what operators steer.

`/livez`, `/readyz` and `/metrics` are open; everything under `/internal` needs the service token
(`Authorization: Bearer TOKEN`). The server runs in the service's own loop and answers `/livez` from the first moment,
also while the dependencies are being waited for.
"""

import asyncio
import contextlib
import hmac
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from typing import Annotated, Any

import asyncpg
import uvicorn
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from waybill_common.metrics import Metrics
from waybill_common.refusals import Refused

Check = Callable[[], Awaitable[str | None]]  # None = fine, else what is wrong
Asgi = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


class PortTaken(OSError):
    """Somebody else listens on the port that was asked for: stop them or set another one."""


def service_token_guard(tokens: Sequence[str]) -> Callable[..., None]:
    """A FastAPI dependency that lets only holders of a service token in."""

    def guard(authorization: Annotated[str, Header()] = "") -> None:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not any(hmac.compare_digest(given.encode(), t.encode()) for t in tokens):
            raise Refused("the service token is missing or wrong", "send it: Authorization: Bearer TOKEN", status=401)

    return guard


def make_app(name: str, metrics: Metrics, checks: Callable[[], dict[str, Check]]) -> FastAPI:
    """The app with its three open routes; `checks` gives the readiness checks by name, asked afresh each time."""
    app = FastAPI(title=name, docs_url=None, redoc_url=None, openapi_url="/internal/openapi.json")
    answer_refusals(app)

    @app.get("/livez")
    async def livez() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    @app.get("/readyz")
    async def readyz() -> Response:
        answers = {name: await _answer(check) for name, check in checks().items()}
        ready = all(answer == "ok" for answer in answers.values())
        metrics.set("waybill_ready", float(ready))
        return JSONResponse({"ready": ready, "checks": answers}, 200 if ready else 503)

    @app.get("/metrics")
    async def metrics_text() -> Response:
        return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return app


def answer_refusals(app: FastAPI) -> None:
    """A refusal is answered with its status, why, and what would work."""

    @app.exception_handler(Refused)
    async def refused(_: Request, refusal: Refused) -> JSONResponse:
        return JSONResponse(refusal.told, refusal.status)

    @app.exception_handler(asyncpg.DataError)
    async def not_storable(_: Request, error: asyncpg.DataError) -> JSONResponse:
        """A value that is fine as JSON and that no database takes: NUL in a text, a number out of its range."""
        reason = f"a value cannot be stored or looked up: {error}"[:300]
        return JSONResponse(Refused(reason, "use texts without NUL and numbers in their range").told, 422)


def internal(tokens: Sequence[str]) -> list[Any]:
    """The dependencies of every route under `/internal`."""
    return [Depends(service_token_guard(tokens))]


async def _answer(check: Check) -> str:
    try:
        return await asyncio.wait_for(check(), 2.0) or "ok"
    except TimeoutError:
        return "no answer within 2 s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the service has its own drain."""

    ending: asyncio.Event

    async def main_loop(self) -> None:
        """uvicorn's own wakes ten times a second to look whether it should end; here it is told."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), 1.0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves an ASGI app on one socket until closed."""

    def __init__(self, app: Asgi, sock: socket.socket) -> None:
        self._sock = sock
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
            server_header=False,
        )
        self._server = _Server(config)
        self._server.ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        return int(self._sock.getsockname()[1])

    async def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve(sockets=[self._sock]))
        while not self._server.started and not self._task.done():  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        self._server.should_exit = True
        self._server.ending.set()
        if self._task is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._task, 4.0)
        self._sock.close()


def bind(host: str, wanted: int | None, default: int) -> socket.socket:
    """A bound socket: on the wanted port (PortTaken if it is taken), else the default one, else any free one."""
    if wanted is not None:
        try:
            return _bound(host, wanted)
        except OSError as error:
            raise PortTaken(
                f"port {wanted} on {host} cannot be used ({error.strerror}): set WAYBILL_HTTP_PORT or "
                "WAYBILL_CONSOLE_PORT to another one, or leave it out for any free one"
            ) from error
    try:
        return _bound(host, default)
    except OSError:
        return _bound(host, 0)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
