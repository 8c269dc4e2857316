"""`Idempotency-Key` on every POST: the same key with the same request gives the first answer again (DESIGN section 7).

Promises: two calls with one key do not run side by side; what was done, or refused for good, is answered again for two
days, marked `Idempotency-Replayed: true`; the same key with another request is refused. After a refusal of the moment,
a 5xx, or a console that died in between, the call runs again: owners' actions are fenced by their life cycles.
Keys belong to the caller (its credential) and the route.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from console.api.problems import problem
from console.command_rules import OF_THE_MOMENT
from waybill_common.db import Pool, Queries

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LONGEST_KEY = 200
SHOWN_ONCE = "(shown once)"
_API_KEY = re.compile(r"wb_[A-Za-z0-9_-]{20,}")
"""A key that was made is in its first answer alone: what is stored has none."""
_FOR_NOW = OF_THE_MOMENT | {401, 403, 404, 409}
"""Refusals that may be otherwise the next time: nothing was done, and the key stays free."""
LONGEST_BODY = 32 * 2**20
"""Bytes of any request; a configuration with a hundred thousand stock levels has a third of it."""


class Idempotency:
    """ASGI middleware; also the one place that bounds how much of a request is read."""

    def __init__(self, app: App, pool: Pool, q: Queries) -> None:
        self._app, self._pool, self._q = app, pool, q

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        key = headers.get("idempotency-key")
        body = await _read(receive)
        if body is None:
            text = f"The request is longer than {LONGEST_BODY // 2**20} MiB"
            await problem(413, "Too long", text, "Send it in parts")(scope, receive, send)
        elif scope["method"] != "POST" or key is None:
            await self._app(scope, _replayed(body, receive), send)
        elif not 0 < len(key) <= LONGEST_KEY:
            text, way = f"Idempotency-Key has {len(key)} characters", f"Use 1 to {LONGEST_KEY}"
            await problem(422, "Wrong Idempotency-Key", text, way)(scope, receive, send)
        else:
            named = {"actor": _actor(headers), "route": scope["path"], "key": key}
            await self._once(named, body, scope, receive, send)

    async def _once(self, named: dict[str, str], body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        digest = hashlib.sha256(scope["query_string"] + b"\n" + body).digest()
        if await self._q.take_idempotency_key(self._pool, **named, digest=digest) is None:
            await self._known(named, digest, scope, send)
            return
        answer = _Kept(send)
        try:
            await self._app(scope, _replayed(body, receive), answer)
        except BaseException:
            await self._q.free_idempotency_key(self._pool, **named)
            raise
        if answer.status >= 500 or answer.status in _FOR_NOW:
            await self._q.free_idempotency_key(self._pool, **named)
        else:
            kept = _API_KEY.sub(SHOWN_ONCE, answer.body.decode("utf-8", "replace"))
            stored = {"type": answer.content_type, "body": kept}
            await self._q.store_idempotency_answer(self._pool, answer=stored, status=answer.status, **named)
        await answer.end()

    async def _known(self, named: dict[str, str], digest: bytes, scope: Scope, send: Send) -> None:
        row = await self._q.idempotency_answer(self._pool, **named)
        if row is None or (row["status"] is None and row["request_digest"] == digest):
            text = "A call with this Idempotency-Key is under way"
            await problem(409, "Under way", text, "Ask again in a moment")(scope, _nothing, send)
        elif row["request_digest"] != digest:
            text = f"Idempotency-Key {named['key']!r} was used for another request"
            await problem(422, "Key used before", text, "Use a new one for each request")(scope, _nothing, send)
        else:
            await _send(send, row["status"], row["answer"]["type"], row["answer"]["body"].encode())


class _Kept:
    """Passes an answer on and keeps it. Its end is held back: whoever has it all may send the same key again."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 500
        self.content_type = ""
        self.body = b""
        self._last: MutableMapping[str, Any] | None = None

    async def end(self) -> None:
        if self._last is not None:
            await self._send(self._last)

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.content_type = dict(message["headers"]).get(b"content-type", b"").decode("latin-1")
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                self._last = message
                return
        await self._send(message)


async def _send(send: Send, status: int, content_type: str, body: bytes) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"idempotency-replayed", b"true"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when it is longer than we read."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LONGEST_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that was read before, and then whatever comes: a caller that is gone, at most.

    An answer that is streamed listens for that all along; told at once that the caller is gone, it would break off.
    """
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> MutableMapping[str, Any]:
        return messages.pop() if messages else await receive()

    return again


async def _nothing() -> MutableMapping[str, Any]:
    return {"type": "http.disconnect"}


def _actor(headers: dict[str, str]) -> str:
    return hashlib.sha256(orjson.dumps(headers.get("authorization", ""))).hexdigest()
