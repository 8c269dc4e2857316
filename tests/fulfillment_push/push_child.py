"""The service in a process of its own that dies, or freezes, at a named step: `serve` is what a forked child runs.

Steps are the statements that it sends to PostgreSQL, named by their beginning (a COMMIT by the statement before it),
and the steps of a call to a source. `before` or `after` the n-th time that a step is taken, the process kills itself
with SIGKILL, or stops itself with SIGSTOP: nothing of Python runs between the step and its end.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import uvloop
from asyncpg.connection import Connection

from fulfillment_push.app import definition
from fulfillment_push.settings import PushSettings
from waybill_common.budget import Budget
from waybill_common.service import running
from waybill_platforms.http_source import client

WORDS = 9


@dataclass(frozen=True)
class Step:
    """The n-th time of a step, before or after it."""

    moment: str
    name: str
    time: int = 1

    def __str__(self) -> str:
        return f"{self.moment} {self.name} #{self.time}"


@dataclass(frozen=True)
class Orders:
    """What the child is told: how to reach its parts, where to end, and where to write down the steps it took."""

    database_url: str
    kafka: str
    end_at: Step | None = None
    signal: int = signal.SIGKILL
    notes: str = ""
    lease: float = 60.0
    indexed: float | None = None
    """The source keeps no reference, and its index lags so many seconds."""


class Steps:
    """Counts steps, and ends the process at the one that was ordered."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._taken: Counter[tuple[str, str]] = Counter()

    def take(self, moment: str, name: str) -> None:
        self._taken[(moment, name)] += 1
        step = Step(moment, name, self._taken[(moment, name)])
        if self._orders.notes:
            with open(self._orders.notes, "a") as notes:
                notes.write(f"{step.moment}\t{step.name}\t{step.time}\n")
        if step == self._orders.end_at:
            os.kill(os.getpid(), self._orders.signal)


def serve(orders: Orders) -> None:
    """Runs the whole service until somebody ends the process."""
    steps = Steps(orders)
    _watch_statements(steps)
    _watch_calls(steps)
    PushSettings.hold = property(lambda self: timedelta(seconds=orders.lease))  # type: ignore[method-assign, assignment]
    if orders.indexed is not None:
        lag = timedelta(seconds=orders.indexed)
        client.FEATURES = replace(
            client.FEATURES, find="indexed", index_lag=lag, dedupes_by_reference=False, call_timeout=1.0
        )
    settings = PushSettings(
        database_url=orders.database_url, kafka=orders.kafka, secret_key="k", http_port=0, log_level="ERROR",
        idle_max=0.1, instance=f"child-{os.getpid()}",
    )  # fmt: skip

    async def for_ever() -> None:
        async with running(definition(), settings):
            await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(for_ever())


def _watch_statements(steps: Steps) -> None:
    plain, prepared = Connection.execute, Connection._execute
    last: dict[int, str] = {}

    def name_of(connection: Any, query: str, args: Any) -> str:
        name = " ".join(query.split()[:WORDS])
        if name.startswith("with sent as (delete from outbox"):
            return "relay: removes what was sent, claims more" if args and args[0] else "relay: claims"
        if name.startswith("COMMIT"):
            return f"COMMIT after {last.get(id(connection), 'nothing')}"
        last[id(connection)] = name
        return name

    async def execute(self: Any, query: str, *args: Any, **more: Any) -> Any:
        if args:
            return await plain(self, query, *args, **more)
        name = name_of(self, query, args)
        steps.take("before", name)
        result = await plain(self, query, **more)
        steps.take("after", name)
        return result

    async def _execute(self: Any, query: str, args: Any, *more: Any, **named: Any) -> Any:
        name = name_of(self, query, args)
        steps.take("before", name)
        result = await prepared(self, query, args, *more, **named)
        steps.take("after", name)
        return result

    Connection.execute = execute
    Connection._execute = _execute


def _watch_calls(steps: Steps) -> None:
    """The budget's draw is the last thing before the transport: what is `after` it was checked and is not sent."""
    draw = Budget.draw
    submit = client.HttpSource.submit

    async def drawn(self: Any, *args: Any, **more: Any) -> None:
        steps.take("before", "draw")
        await draw(self, *args, **more)
        steps.take("after", "draw")

    async def submitted(self: Any, request: Any) -> Any:
        steps.take("before", "submit")
        answer = await submit(self, request)
        steps.take("after", "submit")
        return answer

    Budget.draw = drawn  # type: ignore[method-assign]
    client.HttpSource.submit = submitted  # type: ignore[method-assign]
