"""A service, run: what `python -m <package>` calls, and what a test runs in-process.

Promises, in order of start: the internal HTTP answers `/livez` at once; the database and the broker are waited for, for
a bounded time; the schema is migrated; the relay, the workers and the consumer run until SIGTERM or SIGINT; then
consuming stops after the batch in hand, workers finish their turn, the relay sends what is left, and the process ends
with code 0 within `drain_timeout`. What prevents a start is said in one line, with exit code 2.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvloop
from fastapi import FastAPI

from waybill_common import addresses, starting
from waybill_common.alerts import Alerts, Notices
from waybill_common.batches import Batches, Guard, TooManyDeadLetters
from waybill_common.breaker import Health
from waybill_common.budget import Budget
from waybill_common.clock import SystemClock
from waybill_common.consumer import Consumer
from waybill_common.db import Pool, transaction
from waybill_common.erasing import Eraser
from waybill_common.http import Check, HttpServer, bind, internal, make_app
from waybill_common.logs import Log, adopt_standard_logging, declare_events, make_log
from waybill_common.metrics import Metrics
from waybill_common.parts import Definition, Parts, Running, Runtime, S
from waybill_common.relay import Relay
from waybill_common.settings import MissingSettings, load_settings
from waybill_common.steering import Steering
from waybill_common.tasks import Tasks
from waybill_common.telemetry import Telemetry
from waybill_common.vault import Vault

__all__ = ["Definition", "Parts", "Running", "Runtime", "main", "running"]

declare_events(
    {
        "service.started": "everything runs; says where the internal HTTP listens",
        "service.draining": "asked to stop: what is in hand is finished",
        "service.stopped": "the end, in order",
    }
)


def main(
    name: str,
    schema: str,
    package: str,
    build: Callable[[Runtime[S]], Awaitable[Parts]],
    settings: type[S],
    *,
    default_port: int,
    notices: Notices | None = None,
    budget_share: float = 1.0,
) -> int:
    """Runs the service until it is told to stop; returns the exit code (0 drained, 1 broke, 2 could not start)."""
    definition = Definition(name, schema, package, build, default_port, notices, budget_share)
    try:
        given = load_settings(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_until_signal(definition, given))
    except (MissingSettings, starting.StartFailed) as error:
        print(f"{name} cannot start: {error}", file=sys.stderr)  # noqa: T201  the one line
        return 2


async def _until_signal(definition: Definition[S], settings: S) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    stopping: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
    service = running(definition, settings)
    start: asyncio.Future[Any] = asyncio.ensure_future(service.__aenter__())
    await asyncio.wait({start, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not start.done():  # told to stop while still waiting for something
        start.cancel()
        await asyncio.wait([start])
        return 0
    run = start.result()
    try:
        await asyncio.wait({stopping, run.died}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        await service.__aexit__(None, None, None)
    return 1 if run.died.done() else 0


_FAILING = 5  # turns in a row that raised, before a worker makes the service not ready


@asynccontextmanager
async def running(definition: Definition[S], settings: S, *, log: Log | None = None) -> AsyncIterator[Running[S]]:
    """The service, started; leaving the block drains it. Raises StartFailed."""
    instance = settings.instance or f"{definition.name}-{socket.gethostname()}-{os.getpid()}"
    if log is None:
        log = make_log(definition.name, settings.log_level, instance=instance)
        adopt_standard_logging(log)
    metrics = Metrics(definition.name)
    addresses.decide(addresses.policy_of(settings.private_addresses, settings.database_url))
    async with AsyncExitStack() as stack:
        checks: dict[str, Check] = {"started": _not_yet}
        doorway = _Doorway(make_app(definition.name, metrics, lambda: checks))
        with starting.as_failure():
            sock = bind(settings.http_host, settings.http_port, definition.default_port)
        server = HttpServer(doorway, sock)
        stack.push_async_callback(server.close)
        await server.start()
        pool = await starting.prepare(definition.schema, definition.package, settings, instance, log)
        stack.push_async_callback(_close_pool, pool)
        telemetry = Telemetry.start(definition.name, instance=instance)
        stack.push_async_callback(asyncio.to_thread, telemetry.shutdown)
        runtime = Runtime(
            definition.name,
            definition.schema,
            instance,
            settings,
            pool,
            Vault(settings.secret_key.get_secret_value()),
            SystemClock(),
            Health(metrics),
            Budget(pool, definition.budget_share, metrics=metrics),
            telemetry,
            metrics,
            log,
            Alerts(definition.notices),
        )
        parts = await definition.build(runtime)
        for closer in parts.closers:
            stack.push_async_callback(closer)
        run = _assemble(runtime, parts, server.port)
        app = make_app(definition.name, metrics, lambda: checks)
        app.include_router(run.steering.routes(), dependencies=internal(settings.service_tokens))
        if parts.routes is not None:
            app.include_router(parts.routes)
        if parts.mount is not None:
            parts.mount(app)
        await stack.enter_async_context(app.router.lifespan_context(app))
        doorway.app = app
        tasks = Tasks(run, settings, log, metrics)
        stack.push_async_callback(tasks.drain)
        tasks.start()
        checks.clear()
        checks.update(_checks(run))
        log.info("service.started", http=f"http://{settings.http_host}:{server.port}")
        yield run
        log.info("service.draining")
    log.info("service.stopped")


def _assemble(runtime: Runtime[S], parts: Parts, port: int) -> Running[S]:
    settings, log, metrics = runtime.settings, runtime.log, runtime.metrics
    relay = Relay(settings, runtime.schema, alerts=runtime.alerts, instance=runtime.instance, log=log, metrics=metrics)
    consumer: Consumer[Any] | None = None
    batches: Batches[Any] | None = None
    guard = Guard(settings.dead_letter_share, settings.dead_letter_floor)

    async def tell(error: TooManyDeadLetters) -> None:
        async with transaction(runtime.pool) as conn:
            await runtime.alert(conn, "consumer-stopped", f"{runtime.name} has stopped consuming", str(error))

    eraser = Eraser(runtime.pool, parts.redact)
    if parts.subscription is not None:
        batches = Batches(runtime.pool, parts.subscription, runtime.alerts, guard, log, metrics, eraser)
        consumer = Consumer(
            settings,
            runtime.pool,
            parts.subscription,
            batches,
            instance=runtime.instance,
            on_stopped=tell,
            log=log,
            metrics=metrics,
            freshness=runtime.freshness,
        )
    steering = Steering(runtime.pool, runtime.alerts, log, batches, consumer, guard, eraser)
    return Running(runtime, parts, port, steering, relay, consumer, asyncio.get_running_loop().create_future())


def _checks(run: Running[Any]) -> dict[str, Check]:
    async def database() -> str | None:
        await run.runtime.pool.fetchval("select 1")
        return None

    async def relay() -> str | None:
        return run.relay.trouble

    async def consumer() -> str | None:
        if run.consumer is None:
            return None
        if run.consumer.stopped:
            return f"stopped: {run.consumer.stopped}"
        return run.consumer.waiting or (None if run.consumer.joined else "not in its group yet")

    async def workers() -> str | None:
        failing = [f"{w.name} ({w.failures} in a row)" for w in run.parts.workers if w.failures >= _FAILING]
        return f"failing: {', '.join(failing)}; the log says why" if failing else None

    return {"database": database, "relay": relay, "consumer": consumer, "workers": workers}


class _Doorway:
    """The ASGI app that is served: a small one while the service starts, then the whole."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


async def _not_yet() -> str | None:
    return "still starting"


async def _close_pool(pool: Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), 2.0)
    except TimeoutError:
        pool.terminate()
