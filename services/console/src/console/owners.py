"""Questions to the services that own the answer, by their internal HTTP (DESIGN section 6)."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

_PATH = re.compile(r"/internal(/[A-Za-z0-9_.~:@!$&'()*+,;=%-]+)+")
"""What a path may hold: ids of callers are part of it, and must not reach another route."""


class OwnerSilent(Exception):
    """A service does not answer: its name and address are in the text."""


class NoSuchPath(ValueError):
    """An id with characters that no id has."""


class Owners:
    """One client for all services; the service token is sent with every question."""

    def __init__(self, urls: dict[str, str], token: str) -> None:
        self.urls = urls
        self._http = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=10.0)

    @staticmethod
    def check(path: str) -> None:
        """Raises NoSuchPath."""
        if not _PATH.fullmatch(path) or ".." in path.split("/"):
            raise NoSuchPath(path)

    async def ask(self, service: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Raises OwnerSilent when nobody answers there, NoSuchPath when an id cannot be one."""
        self.check(path)
        url = self.urls[service].rstrip("/") + path
        try:
            return await self._http.request(method, url, **options)
        except httpx.HTTPError as error:
            raise OwnerSilent(f"{service} does not answer at {url} ({type(error).__name__}); is it running?") from error

    @asynccontextmanager
    async def stream(self, service: str, method: str, path: str, **options: Any) -> AsyncIterator[httpx.Response]:
        """An answer that comes line by line, for as long as it takes. Raises OwnerSilent when nobody answers there."""
        url = self.urls[service].rstrip("/") + path
        try:
            async with self._http.stream(method, url, timeout=httpx.Timeout(10.0, read=600.0), **options) as answer:
                yield answer
        except httpx.HTTPError as error:
            raise OwnerSilent(f"{service} does not answer at {url} ({type(error).__name__}); is it running?") from error

    async def aclose(self) -> None:
        await self._http.aclose()
