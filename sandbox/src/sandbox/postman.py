"""Posts webhooks: in order, each tried a few times, none of them ever in the way of the call that caused it.

A shop signs and addresses a `Post`; this only carries it. Cannot promise delivery, as the platforms cannot: after the
last attempt it is given up, with an entry in the ledger.
"""

import asyncio
from collections import deque

import aiohttp

from sandbox.journal import Journal
from sandbox.shops import Post

WAIT = 0.3
"""Seconds before the second attempt; twice that before the third. The platforms wait for minutes and hours."""
TIMEOUT = 5.0
AT_ONCE = 8


class Postman:
    """`post` may be called at any time; what is posted is carried while `run` runs."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: deque[Post] = deque()
        self._called = asyncio.Event()

    def post(self, post: Post) -> None:
        self._waiting.append(post)
        self._called.set()

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                await self._called.wait()
                self._called.clear()
                while self._waiting:
                    batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                    await asyncio.gather(*(self._carry(http, post) for post in batch))
                self._journal.flush()

    async def _carry(self, http: aiohttp.ClientSession, post: Post) -> None:
        status: int | str = ""
        for attempt in range(1, post.attempts + 1):
            try:
                # Redirects are not followed, as the platforms do not.
                async with http.post(post.url, data=post.body, headers=post.headers, allow_redirects=False) as answer:
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError) as error:
                status = type(error).__name__
            if isinstance(status, int) and 200 <= status < 300:
                break
            if attempt < post.attempts:
                await asyncio.sleep(WAIT * attempt)
        post.answered(isinstance(status, int) and 200 <= status < 300)
        self._journal.note("webhook", topic=post.what, url=post.url, answer=status, attempts=attempt)
