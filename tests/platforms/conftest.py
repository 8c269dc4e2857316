"""Small real servers that misbehave on purpose, and a budget that remembers."""

import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import web

from waybill_common.budget import Rate

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@dataclass
class Ledger:
    """A budget that permits everything and keeps what it was told."""

    draws: list[tuple[str, float]] = field(default_factory=list)
    corrections: list[tuple[float, float | None, float | None]] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)

    async def draw(self, connection_id: str, cost: float, rate: Rate) -> None:
        self.draws.append((connection_id, cost))

    async def correct(
        self, connection_id: str, available: float, per_second: float | None = None, capacity: float | None = None
    ) -> None:
        self.corrections.append((available, per_second, capacity))

    async def block(self, connection_id: str, seconds: float) -> None:
        self.blocks.append(seconds)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """`await serve(handler)` -> origin of a server on a free loopback port, for every path and method."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@cache
def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tests_platforms_{name}", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load() -> Callable[[str], ModuleType]:
    """`load("shopify_payloads")` -> that file beside the tests, as a module."""
    return _load
