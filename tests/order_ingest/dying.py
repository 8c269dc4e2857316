"""Processes that die: everything one does with its database is counted, and at its n-th statement it is gone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

_STATEMENTS = ("execute", "executemany", "fetch", "fetchrow", "fetchval")


class Death(BaseException):
    """The process is gone: no handler of its own hears of it, its open transactions are rolled back."""


class Process:
    """A pool as one process sees it; `lives` is how many statements it has left, None: it does not die.

    A commit counts too: a process may die with everything written and nothing committed.
    """

    def __init__(self, pool: Any, lives: int | None = None) -> None:
        self._pool, self._left, self.dead = pool, lives, False

    def spend(self) -> None:
        self.dead = self.dead or self._left == 0
        if self.dead:
            raise Death
        if self._left is not None:
            self._left -= 1

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        async with self._pool.acquire() as conn:
            yield _Counted(conn, self)

    def __getattr__(self, name: str) -> Any:
        return _counted(getattr(self._pool, name), self) if name in _STATEMENTS else getattr(self._pool, name)


class _Counted:
    """A connection of the process."""

    def __init__(self, conn: Any, process: Process) -> None:
        self._conn, self._process = conn, process

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._conn, name)
        return _counted(found, self._process) if name in _STATEMENTS else found

    def transaction(self) -> "_Transaction":
        return _Transaction(self._conn.transaction(), self._process)


class _Transaction:
    def __init__(self, real: Any, process: Process) -> None:
        self._real, self._process = real, process

    async def start(self) -> None:
        await self._real.start()

    async def commit(self) -> None:
        try:
            self._process.spend()
        except Death:
            await self._real.rollback()
            raise
        await self._real.commit()

    async def rollback(self) -> None:
        await self._real.rollback()

    async def __aenter__(self) -> None:
        await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await (self.commit() if kind is None else self.rollback())


def _counted(call: Any, process: Process) -> Any:
    async def counted(*given: Any, **named: Any) -> Any:
        process.spend()
        return await call(*given, **named)

    return counted
