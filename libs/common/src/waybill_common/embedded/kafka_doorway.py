"""What stands between clients and librdkafka's mock cluster, and makes three things possible that the mock cannot.

- A port that stays: a broker that was stopped (and forgot everything) comes back under its old address.
- An outage as clients see one: connections cut, new ones refused.
- Groups of several members. The mock answers a group's assignment as soon as the leader sends it, and then refuses the
  members that ask a moment later; here the leader's request waits until theirs have passed.

It reads the first bytes of each request, and whole ones of one kind (SyncGroup); everything else passes as it comes.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar, cast

SYNC_GROUP = 14
LAST_PLAIN_VERSION = 3  # from 4 on requests are written in another form, which no client of ours speaks
HEAD = struct.Struct(">ihh")
LONGEST_WAIT = 2.0
SETTLE = 0.02

T = TypeVar("T")


class Doorway:
    """Runs in a thread of its own; `open`, `close` and `forward_to` may be called from any other."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.rounds = _Rounds()
        self.upstream: tuple[str, int] | None = None
        self.clients: set[_Client] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kafka-doorway", daemon=True)
        self._thread.start()

    def forward_to(self, host: str, port: int) -> None:
        self.upstream = (host, port)

    def open(self) -> None:
        """Accept connections."""
        self._run(self._open())

    def close(self) -> None:
        """Cut all connections and refuse new ones. May be called twice."""
        self._run(self._close())

    def end(self) -> None:
        """Close for good."""
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        if self._server is None:
            self._server = await self._loop.create_server(
                lambda: _Client(self), self.host, self.port, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for client in list(self.clients):
            client.cut()
        await asyncio.sleep(0)


class _Rounds:
    """Who has asked for an assignment in which generation of which group."""

    def __init__(self) -> None:
        self._asked: defaultdict[tuple[bytes, int], set[bytes]] = defaultdict(set)
        self._leaders: dict[tuple[bytes, int], tuple[int, Callable[[], None]]] = {}

    def asked(self, group: bytes, generation: int, member: bytes, members: int, go_on: Callable[[], None]) -> None:
        """`members` is 0 from all but the leader, which names them all. Calls `go_on` when the request may pass."""
        key = (group, generation)
        if members > 1:
            self._leaders[key] = (members - 1, go_on)
            asyncio.get_running_loop().call_later(LONGEST_WAIT, self._pass_leader, key)
        else:
            self._asked[key].add(member)
            go_on()
        needed, _ = self._leaders.get(key, (1 << 30, None))
        if len(self._asked[key]) >= needed:
            # The others' requests are on their way through other sockets: let them arrive first.
            asyncio.get_running_loop().call_later(SETTLE, self._pass_leader, key)

    def _pass_leader(self, key: tuple[bytes, int]) -> None:
        _, go_on = self._leaders.pop(key, (0, None))
        self._asked.pop(key, None)
        if go_on is not None:
            go_on()


class _Client(asyncio.Protocol):
    """A client's connection: reads requests and passes them on."""

    def __init__(self, door: Doorway) -> None:
        self._door = door
        self._transport: asyncio.Transport | None = None
        self._broker: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._passing = 0  # bytes of the present request that still pass as they come
        self._held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._door.clients.add(self)
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        assert self._transport is not None
        try:
            if self._door.upstream is None:
                raise ConnectionRefusedError
            loop = asyncio.get_running_loop()
            broker, _ = await loop.create_connection(lambda: _Broker(self, self._transport), *self._door.upstream)
        except OSError:
            self.cut()
            return
        self._broker = broker
        self._pass_on()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._pass_on()

    def _pass_on(self) -> None:
        while self._broker is not None and not self._held and self._buffer:
            if self._passing == 0 and not self._begin_request():
                return
            chunk = bytes(self._buffer[: self._passing])
            del self._buffer[: len(chunk)]
            self._passing -= len(chunk)
            self._broker.write(chunk)

    def _begin_request(self) -> bool:
        """Look at the next request; False when it has to wait."""
        if len(self._buffer) < HEAD.size:
            return False
        size, kind, version = HEAD.unpack_from(self._buffer)
        if kind == SYNC_GROUP and version <= LAST_PLAIN_VERSION:
            if len(self._buffer) < size + 4:
                return False
            self._held = True
            self._door.rounds.asked(*_sync_group(bytes(self._buffer[4 : size + 4]), version), self._release)
            return False  # passed on by _release, by now or later
        self._passing = size + 4
        return True

    def _release(self) -> None:
        self._held = False
        if len(self._buffer) >= HEAD.size:  # else the connection was cut meanwhile
            self._passing = HEAD.unpack_from(self._buffer)[0] + 4
        self._pass_on()

    def pause_writing(self) -> None:
        if self._broker is not None:
            self._broker.pause_reading()

    def resume_writing(self) -> None:
        if self._broker is not None:
            self._broker.resume_reading()

    def connection_lost(self, _error: Exception | None) -> None:
        self.cut()

    def cut(self) -> None:
        self._door.clients.discard(self)
        for transport in (self._transport, self._broker):
            if transport is not None:
                transport.abort()
        self._broker = None


class _Broker(asyncio.Protocol):
    """The mock's end of a client's connection: answers pass as they come."""

    def __init__(self, client: _Client, transport: asyncio.Transport | None) -> None:
        self._client = client
        self._to_client = transport

    def data_received(self, data: bytes) -> None:
        if self._to_client is not None:
            self._to_client.write(data)

    def pause_writing(self) -> None:
        if self._to_client is not None:
            self._to_client.pause_reading()

    def resume_writing(self) -> None:
        if self._to_client is not None:
            with suppress(RuntimeError):
                self._to_client.resume_reading()

    def connection_lost(self, _error: Exception | None) -> None:
        self._client.cut()


def _sync_group(request: bytes, version: int) -> tuple[bytes, int, bytes, int]:
    """(group, generation, member, number of assignments) of a SyncGroup request of version 0 to 3."""
    at = 8  # kind, version, correlation id

    def text() -> bytes:
        nonlocal at
        (length,) = struct.unpack_from(">h", request, at)
        found = request[at + 2 : at + 2 + max(length, 0)]
        at += 2 + max(length, 0)
        return found

    def number() -> int:
        nonlocal at
        (found,) = struct.unpack_from(">i", request, at)
        at += 4
        return int(found)

    text()  # the client's id
    group, generation, member = text(), number(), text()
    if version >= 3:
        text()  # the group instance's id
    return group, generation, member, number()
