"""Many orders under way at once commit together: one transaction for all that wait when it begins.

Promises: `store` returns after the commit of its item, or raises why it failed; one bad item fails alone. The more is
under way, the longer a group may gather (up to `longest` seconds); a lone item is committed at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from waybill_common.db import Connection, Pool, in_transaction, transient

T = TypeVar("T")
_ALONE = 4


class GroupCommit(Generic[T]):
    """`write` stores a group inside one transaction; `under_way` says how many could still join."""

    def __init__(
        self,
        pool: Pool,
        write: Callable[[Connection, Sequence[T]], Awaitable[None]],
        under_way: Callable[[], int],
        *,
        longest: float = 0.15,
        most: int = 256,
    ) -> None:
        self._pool = pool
        self._write = write
        self._under_way = under_way
        self._longest = longest
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self.commits = 0

    async def store(self, item: T) -> None:
        """Committed when this returns."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        while self._waiting:
            await self._gather()
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._commit(group)

    async def _gather(self) -> None:
        deadline = asyncio.get_running_loop().time() + min(self._longest, 0.004 * self._under_way())
        while self._under_way() > _ALONE and len(self._waiting) < min(self._under_way(), self._most):
            if asyncio.get_running_loop().time() >= deadline:
                return
            await asyncio.sleep(0.005)

    async def _written(self, items: Sequence[T]) -> None:
        """What was surely rolled back for another's sake is written again: no call's outcome may be lost to that."""
        await in_transaction(self._pool, lambda conn: self._write(conn, items))

    async def _commit(self, group: list[tuple[T, "asyncio.Future[None]"]]) -> None:
        try:
            await self._written([item for item, _ in group])
            self.commits += 1
        except BaseException as error:
            if len(group) > 1 and isinstance(error, Exception) and not transient(error):
                for one in group:  # one of them is bad: each alone
                    await self._commit([one])
                return
            for _, done in group:
                if not done.done():
                    done.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            if not isinstance(error, Exception):
                raise
            return
        for _, done in group:
            if not done.done():
                done.set_result(None)
