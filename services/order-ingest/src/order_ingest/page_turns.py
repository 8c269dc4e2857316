"""Which channel has a page in hand: so many at a time, and channels in turns (no I/O of its own).

Promises: whoever has had a page goes behind everybody who waits for one, so a channel that has one page to read waits
for one page of each other channel at most, however many pages those have. A page that is long in coming (a slow shop,
a rate budget) is awaited without a turn, so that shops that do not answer hold up none that do.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

AT_ONCE = 16
"""Pages in hand of one process: what bounds its memory and its connections to the database."""
LENT_AFTER = 1.0  # seconds for which a page that has not come keeps its turn
MOST_AWAITED = 64
"""Pages awaited without a turn: they too are memory once they come. Beyond them a turn is kept while its page comes."""

T = TypeVar("T")


class PageTurns:
    """The turns of one process."""

    def __init__(self, at_once: int = AT_ONCE, lent_after: float = LENT_AFTER) -> None:
        self._free = asyncio.Semaphore(at_once)  # first come, first served: that is what makes it fair
        self._lent_after = lent_after
        self._awaited = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["PageTurn"]:
        """Waits until it is the caller's turn, and ends it."""
        turn = PageTurn(self)
        await turn.take()
        try:
            yield turn
        finally:
            turn.leave()


class PageTurn:
    """One channel's turn for one page."""

    def __init__(self, turns: PageTurns) -> None:
        self._turns = turns
        self._held = False

    async def take(self) -> None:
        await self._turns._free.acquire()
        self._held = True

    def leave(self) -> None:
        if self._held:
            self._held = False
            self._turns._free.release()

    async def awaited(self, page: Coroutine[Any, Any, T]) -> T:
        """What `page` gives or raises; while it is long in coming, others have the turn."""
        coming = asyncio.ensure_future(page)
        try:
            await asyncio.wait([coming], timeout=self._turns._lent_after)
            if not coming.done() and self._turns._awaited < MOST_AWAITED:
                await self._without_turn(coming)
            return await coming
        finally:
            coming.cancel()

    async def _without_turn(self, coming: "asyncio.Future[T]") -> None:
        self.leave()
        self._turns._awaited += 1
        try:
            await asyncio.wait([coming])
            await self.take()  # it still counts as awaited: it is in memory
        finally:
            self._turns._awaited -= 1
