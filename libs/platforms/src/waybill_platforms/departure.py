"""Until when a request may leave this process: the last look before its bytes go.

A worker checks its lease before it calls (`waybill_common.leases`), but may be frozen between that check and the
socket, and wake when another holds the row. `leaving_before` sets the moment (by the monotonic clock) for the calls
made inside; `TooLate` is raised instead of sending: when the connection is ready, and nothing but the write is left.

It cannot see a process that is frozen within the few instructions of that write, nor the network behind it: for those
the next holder waits before it believes that nothing is there (DESIGN section 5).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp

_LATEST: ContextVar[float | None] = ContextVar("latest_departure", default=None)


class TooLate(aiohttp.ClientError):
    """The moment until which this request might leave is over; nothing was sent."""


@contextmanager
def leaving_before(moment: float) -> Iterator[None]:
    """Requests made inside leave before `moment` (`time.monotonic()`), or not at all."""
    token = _LATEST.set(moment)
    try:
        yield
    finally:
        _LATEST.reset(token)


def check() -> None:
    """Raises TooLate when the moment is over."""
    latest = _LATEST.get()
    if latest is not None and time.monotonic() >= latest:
        raise TooLate("it would leave after its worker's lease was over; nothing was sent")


def at_the_door() -> aiohttp.TraceConfig:
    """For a client session: looks once more when a connection is at hand, right before the request is written."""
    trace = aiohttp.TraceConfig()

    async def look(_session: aiohttp.ClientSession, _context: Any, _params: Any) -> None:
        check()

    trace.on_connection_create_end.append(look)
    trace.on_connection_reuseconn.append(look)
    return trace
