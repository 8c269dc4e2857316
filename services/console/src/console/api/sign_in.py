"""Signing in to the page: by name and password, or with an API key; sessions end after 12 hours (OP-10).

Passwords are kept as Argon2id. Ten failures within 15 minutes under one name or from one address stop further tries
from there until they are that old; an unknown name costs as much time as a wrong password.
"""

import asyncio
import secrets
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from console.api.problems import ProblemError
from console.api.security import digest
from waybill_common.db import Pool, Queries, transaction

MOST_FAILURES = 10
SHORTEST_PASSWORD = 10
_HASHER = PasswordHasher()


def hashed(password: str) -> str:
    """Raises ProblemError when it is too short to be one."""
    if len(password) < SHORTEST_PASSWORD:
        raise ProblemError(422, "Too short", "password is too short", f"Use at least {SHORTEST_PASSWORD} characters")
    return _HASHER.hash(password)


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe())


def matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


class SignIn:
    """Opens and ends sessions."""

    def __init__(self, pool: Pool, q: Queries) -> None:
        self._pool, self._q = pool, q

    async def by_password(self, name: str, password: str, address: str) -> str | None:
        """A session's secret; None when name or password is wrong. Raises ProblemError 429 after too many failures."""
        whos = (f"name/{name[:200]}", f"address/{address}")
        await self._bounded(whos)
        user = await self._q.user_by_name(self._pool, name=name)
        right = await asyncio.to_thread(matches, user["password"] if user else _nobody(), password)
        if user is None or not right:
            await self._failed(whos)
            return None
        return await self._opened(user, whos[0])

    async def by_key(self, key: str, address: str) -> str | None:
        """As `by_password`, for an API key."""
        whos = (f"address/{address}",)
        await self._bounded(whos)
        row = await self._q.key_by_digest(self._pool, digest=digest(key))
        if row is None:
            await self._failed(whos)
            return None
        session = secrets.token_urlsafe(32)
        await self._q.add_session(self._pool, digest=digest(session), key_id=row["key_id"])
        return session

    async def end(self, session: str) -> None:
        await self._q.end_session(self._pool, digest=digest(session))

    async def _opened(self, user: Any, who: str) -> str:
        session = secrets.token_urlsafe(32)
        async with transaction(self._pool) as conn:
            await self._q.add_user_session(conn, digest=digest(session), user_id=user["user_id"])
            await self._q.note_signed_in(conn, user_id=user["user_id"])
            await self._q.forget_failed_sign_ins(conn, who=who)
        return session

    async def _bounded(self, whos: tuple[str, ...]) -> None:
        for who in whos:
            if await self._q.failed_lately(self._pool, who=who) >= MOST_FAILURES:
                raise ProblemError(429, "Too many attempts", "Too many failed attempts", "Wait 15 minutes")

    async def _failed(self, whos: tuple[str, ...]) -> None:
        for who in whos:
            await self._q.note_failed_sign_in(self._pool, who=who)
