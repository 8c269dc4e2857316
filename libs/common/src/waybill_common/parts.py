"""What a service is made of: its definition, what it is given to build from, what it builds, and all of it running."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fastapi import APIRouter, FastAPI

from waybill_common.alerts import Alerts, Notices
from waybill_common.breaker import Health
from waybill_common.budget import Budget
from waybill_common.clock import Clock
from waybill_common.consumer import Consumer
from waybill_common.consuming import Subscription
from waybill_common.db import Connection, Pool
from waybill_common.erasing import Redact
from waybill_common.freshness import Freshness
from waybill_common.logs import Log
from waybill_common.metrics import Metrics
from waybill_common.relay import Relay
from waybill_common.settings import ServiceSettings
from waybill_common.steering import Steering
from waybill_common.telemetry import Telemetry
from waybill_common.vault import Vault
from waybill_common.workers import Worker

S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True)
class Runtime(Generic[S]):
    """What a service's `build` is given to build its parts from."""

    name: str
    schema: str
    instance: str
    settings: S
    pool: Pool
    vault: Vault
    clock: Clock
    health: Health
    budget: Budget
    telemetry: Telemetry
    metrics: Metrics
    log: Log
    alerts: Alerts
    freshness: Freshness = field(default_factory=Freshness)

    async def alert(self, conn: Connection, key: str, title: str, detail: str) -> None:
        """Raises an alert in the caller's transaction; one that is open is not raised again."""
        await self.alerts.raised(conn, key, title, detail)

    async def clear_alert(self, conn: Connection, key: str) -> None:
        """Clears an alert in the caller's transaction, if it is open."""
        await self.alerts.cleared(conn, key)


@dataclass(frozen=True)
class Parts:
    """What a service consists of. `routes` are mounted as they are: guard them, e.g. with `http.internal(tokens)`.

    `mount` may do more to the app (pages, middleware). At a stop, once consumer and workers have ended, `finishers` are
    awaited, and what they append still goes out with the relay; `closers` are awaited last, in reverse order. `redact`
    takes a person's data out of the service's documents, when somebody's is erased.
    """

    subscription: Subscription[Any] | None = None
    workers: Sequence[Worker] = ()
    routes: APIRouter | None = None
    closers: Sequence[Callable[[], Awaitable[None]]] = ()
    mount: Callable[[FastAPI], None] | None = None
    finishers: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    redact: Redact | None = None


@dataclass(frozen=True)
class Definition(Generic[S]):
    """A service as its `app.py` states it: `package` holds its `migrations/`, `notices` write its alerts as events."""

    name: str
    schema: str
    package: str
    build: Callable[[Runtime[S]], Awaitable[Parts]]
    default_port: int
    notices: Notices | None = None
    budget_share: float = 1.0


@dataclass(frozen=True)
class Running(Generic[S]):
    """A service that runs: for tests and for `main`."""

    runtime: Runtime[S]
    parts: Parts
    port: int
    steering: Steering
    relay: Relay
    consumer: Consumer[Any] | None
    died: asyncio.Future[str]  # done when a part ended that never should
