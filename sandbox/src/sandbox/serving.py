"""Answers a call, or misbehaves at it as the fault rules say. The only place that touches the connection itself.

Work is done in one step without awaiting, so that a call either has its whole effect or none. aiohttp's server is used
since it parses HTTP in C (an emulator must not be what a benchmark measures) and lets a connection be cut mid-answer.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import orjson
from aiohttp import web

from sandbox.faults import Call, Faults, Rule
from sandbox.journal import Journal
from sandbox.sight import PLAIN, Sight

UNDER_WAY = 0.1
"""Seconds in which a call may still arrive that was sent before its caller had read a `Retry-After`."""
HTML = b"<!DOCTYPE html><html><head><title>Just a moment</title></head><body><h1>Maintenance</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    @classmethod
    def json(cls, status: int, content: object, headers: Mapping[str, str] | None = None) -> "Answer":
        return cls(status, orjson.dumps(content), headers or {})


Work = Callable[[Sight], Answer]


@dataclass(frozen=True, slots=True)
class Manners:
    """How a platform words the failures that are not its own rules."""

    unauthorized: Callable[[], Answer]
    throttled: Callable[[], Answer]
    internal: Callable[[], Answer]
    too_many: Callable[[], Answer]
    unavailable: Callable[[], Answer]


@dataclass(slots=True)
class Counts:
    """Calls by connection, operation and what came of them, for the report."""

    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    early: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Calls that came before the `Retry-After` which their connection was given was over, by connection and by
    `told->called` operation, as services that share a connection need not share what they were told. Those that may
    have been under way when it was given are not counted."""
    _waits: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    """Connection -> operation that was told to wait -> (from when, until when)."""

    def told_to_wait(self, call: Call, seconds: float) -> None:
        now, waits = time.monotonic(), self._waits.setdefault(call.connection, {})
        begin, until = waits.get(call.operation, (now, now))
        waits[call.operation] = (begin if now < until else now + UNDER_WAY, max(until, now + seconds))

    def arrived(self, call: Call) -> None:
        now = time.monotonic()
        told = [name for name, (begin, until) in self._waits.get(call.connection, {}).items() if begin <= now < until]
        if told:
            first = call.operation if call.operation in told else told[0]
            self.early[call.connection, f"{first}->{call.operation}"] += 1

    def ended(self, call: Call, outcome: str) -> None:
        self.outcomes[call.connection, call.operation, outcome] += 1

    def told(self) -> dict[str, Any]:
        by_connection: dict[str, dict[str, dict[str, int]]] = {}
        for (connection, operation, outcome), number in sorted(self.outcomes.items()):
            by_connection.setdefault(connection, {}).setdefault(operation, {})[outcome] = number
        early: dict[str, dict[str, int]] = {}
        for (connection, pair), number in self.early.items():
            early.setdefault(connection, {})[pair] = number
        return {"calls": by_connection, "early": early}


class Server:
    """Serves calls under the faults in force."""

    def __init__(self, journal: Journal, faults: Faults) -> None:
        self.journal = journal
        self.faults = faults
        self.counts = Counts()
        self._landing: set[asyncio.Task[None]] = set()

    async def serve(self, request: web.Request, call: Call, manners: Manners, work: Work) -> web.StreamResponse:
        self.counts.arrived(call)
        rule = self.faults.biting(call)
        if rule is None:
            return self._answer(call, self._do(work))
        self.journal.note("fault", kind=rule.kind, rule=rule.id, connection=call.connection, operation=call.operation)
        return await self._misbehave(rule, request, call, manners, work)

    def _do(self, work: Work, sight: Sight = PLAIN) -> Answer:
        answer = work(sight)
        self.journal.flush()
        return answer

    def _answer(self, call: Call, answer: Answer, outcome: str = "") -> web.Response:
        self.counts.ended(call, outcome or str(answer.status))
        return web.Response(
            status=answer.status, body=answer.body, headers=answer.headers, content_type=answer.content_type
        )

    async def _misbehave(
        self, rule: Rule, request: web.Request, call: Call, manners: Manners, work: Work
    ) -> web.StreamResponse:
        kind, params = rule.kind, rule.params
        if kind == "slow":
            await asyncio.sleep(float(params.get("seconds", 2.0)))
            return self._answer(call, self._do(work), "slow")
        if kind in {"lost", "late", "reset", "black_hole"}:
            return await self._cut_off(rule, request, call, work)
        if (sight := _bent(kind, params)) is not None:
            return self._answer(call, self._do(work, sight), kind)
        answer = self._spoilt(kind, params, call, manners, work)
        return self._answer(call, answer, kind)

    async def _cut_off(self, rule: Rule, request: web.Request, call: Call, work: Work) -> web.StreamResponse:
        """No answer comes. `late`: the connection is cut after `hang` seconds, the effect lands after `seconds`."""
        seconds, hang = float(rule.params.get("seconds", 3.0)), float(rule.params.get("hang", 0.0))
        self.counts.ended(call, rule.kind)
        if rule.kind == "lost":
            self._do(work)
        elif rule.kind == "late":
            task = asyncio.create_task(self._land(seconds, work))
            self._landing.add(task)
            task.add_done_callback(self._landing.discard)
        elif rule.kind == "black_hole":
            hang = float(rule.params.get("seconds", 3600.0))
        if hang:
            await asyncio.sleep(hang)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _land(self, seconds: float, work: Work) -> None:
        await asyncio.sleep(seconds)
        self._do(work)

    def _spoilt(self, kind: str, params: Mapping[str, Any], call: Call, manners: Manners, work: Work) -> Answer:
        if kind in {"429", "503"}:
            base = manners.too_many() if kind == "429" else manners.unavailable()
            return Answer(base.status, base.body, self._retry_after(params, call), base.content_type)
        if kind == "html":
            return Answer(200, HTML, content_type="text/html")
        if kind == "cut":
            done = self._do(work)
            return Answer(done.status, done.body[: max(len(done.body) // 2, 1)], done.headers)
        if kind == "wrong_type":
            return Answer(200, b'["unexpected"]')
        if kind == "big":
            return Answer(200, orjson.dumps({"padding": "x" * 1_000_000}))
        if kind == "gone":
            return Answer(404, b"<html><body>404 Not Found</body></html>", content_type="text/html")
        if kind == "redirect":
            return Answer(302, b"", {"Location": call.path})
        named = {"unauthorized": manners.unauthorized, "throttled": manners.throttled, "internal": manners.internal}
        return named[kind]()

    def _retry_after(self, params: Mapping[str, Any], call: Call) -> dict[str, str]:
        """`retry_after`: seconds, "date" (with `seconds`), "empty", or none at all."""
        wanted = params.get("retry_after")
        if wanted is None:
            return {}
        if wanted == "empty":
            return {"Retry-After": ""}
        seconds = float(params.get("seconds", 2.0)) if wanted == "date" else float(wanted)
        self.counts.told_to_wait(call, seconds)
        if wanted == "date":
            return {"Retry-After": formatdate(time.time() + seconds, usegmt=True)}
        return {"Retry-After": f"{seconds:g}"}


def _bent(kind: str, params: Mapping[str, Any]) -> Sight | None:
    if kind == "lag":
        return Sight(hides_newer_than=float(params.get("seconds", 5.0)))
    if kind == "stale":
        return Sight(stale=True, hides_newer_than=float(params.get("seconds", 5.0)))
    if kind == "forget":
        return Sight(forgets=_names(params, "orders"), trims=_names(params, "last_lines_of"))
    return Sight(twice=True) if kind == "duplicate" else None


def _names(params: Mapping[str, Any], of: str) -> frozenset[str]:
    return frozenset(str(name) for name in params.get(of, ()))
