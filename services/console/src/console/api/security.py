"""Who may call what: API keys (hashed, revocable, with a role) and the page's sessions (OP-10).

A key has 256 random bits, so one SHA-256 is enough to store it; it is shown once. `viewer` reads, `operator` acts,
`admin` configures.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from fastapi import Request

from console.api.problems import ProblemError
from console.api.scopes import allows, scope_of
from console.words import Role
from waybill_common.db import Pool, Queries
from waybill_common.ids import new_id

_RANK = {"viewer": 0, "operator": 1, "admin": 2}
COOKIE = "waybill_session"


class Actor(NamedTuple):
    """Who called."""

    key_id: str
    name: str
    role: str
    stores: tuple[str, ...] | None = None
    """Whose orders are seen; None: all."""
    scopes: tuple[str, ...] | None = None
    """What of the role's is allowed; None: all."""


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


class Keys:
    """Makes, checks and revokes keys."""

    def __init__(self, pool: Pool, q: Queries) -> None:
        self._pool, self._q = pool, q

    async def create(
        self,
        name: str,
        role: Role,
        created_by: str,
        secret: str | None = None,
        stores: Sequence[str] | None = None,
        scopes: Sequence[str] | None = None,
    ) -> tuple[str, str]:
        """(key id, the key itself: shown now and never again)."""
        key = secret or f"wb_{secrets.token_urlsafe(32)}"
        key_id = str(new_id())
        await self._q.add_key(
            self._pool,
            key_id=key_id,
            name=name,
            digest=digest(key),
            role=role,
            stores=stores,
            scopes=scopes,
            created_by=created_by,
        )
        return key_id, key

    async def actor_of(self, request: Request) -> Actor | None:
        header = request.headers.get("authorization", "")
        if header.lower().startswith("bearer "):
            row = await self._q.key_by_digest(self._pool, digest=digest(header[7:].strip()))
        elif (cookie := request.cookies.get(COOKIE)) and request.method in ("GET", "HEAD"):
            # a cookie only reads: nothing can be changed by a page elsewhere that makes the browser send it
            row = await self._q.actor_by_session(self._pool, digest=digest(cookie))
        else:
            return None
        if row is None:
            return None
        stores, scopes = (None if row[name] is None else tuple(row[name]) for name in ("stores", "scopes"))
        return Actor(row["key_id"], row["name"], row["role"], stores, scopes)

    def require(self, role: Role, *, by_store: bool = False) -> Callable[[Request], Awaitable[Actor]]:
        """A dependency: the caller, who has at least this role.

        Whoever is limited to stores reaches only routes that say `by_store`: these look at `actor.stores`.
        """

        async def allowed(request: Request) -> Actor:
            actor = await self.actor_of(request)
            if actor is None:
                text = "There is no API key in the request, or it is mistyped, revoked, or of another Waybill"
                raise ProblemError(401, "Who are you?", text, "Send a valid one: Authorization: Bearer KEY")
            if _RANK[actor.role] < _RANK[role]:
                text = f"Key {actor.name!r} is {actor.role}; this needs {role}."
                raise ProblemError(403, "Not allowed", text, f"Ask somebody who is {role}, or have a key made for it.")
            if not allows(actor.scopes, wanted := scope_of(request.method, request.url.path)):
                has = ", ".join(actor.scopes or ()) or "none"
                text = f"Key {actor.name!r} has the scopes {has}; this needs {wanted}."
                raise ProblemError(403, "Not allowed", text, f"Use a key with the scope {wanted}.")
            if actor.stores is not None and not by_store:
                text = f"{actor.name!r} sees {', '.join(actor.stores)} alone; this shows all stores."
                raise ProblemError(403, "Not allowed", text, "Look at orders, or ask somebody who sees all stores.")
            return actor

        allowed.__name__ = f"require_{role}"
        return allowed
