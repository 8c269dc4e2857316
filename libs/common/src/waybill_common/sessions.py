"""Work that holds only as long as its database session does: a lock of that session ends with it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg

T = TypeVar("T")


class SessionLost(Exception):
    """The session ended, and its locks with it: whoever takes them goes on."""


async def until_lost(work: Coroutine[Any, Any, T], session: "asyncpg.Connection[asyncpg.Record]") -> T:
    """Runs `work` until it ends or the session does: then it is cancelled and SessionLost raised."""
    task = asyncio.ensure_future(work)
    lost = False

    def ended(_: Any) -> None:
        nonlocal lost
        lost = True
        task.cancel()

    session.add_termination_listener(ended)
    try:
        if session.is_closed():
            ended(session)
        return await task
    except asyncio.CancelledError:
        if lost:
            raise SessionLost("the database session ended: its lock is free for the next one") from None
        task.cancel()
        raise
    finally:
        session.remove_termination_listener(ended)
