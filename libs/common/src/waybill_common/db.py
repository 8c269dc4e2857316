"""PostgreSQL, as every service uses it: one pool bound to one schema, named queries, and one answer to "is it down?".

Pooled connections are not reset when they are given back (a round trip saved on each use), so a pooled connection must
never take a session-level lock, LISTEN, or SET outside a transaction. Parts that need those open their own session
with `open_session`.
"""

import asyncio
import decimal
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast
from uuid import UUID

import aiosql
import asyncpg
import orjson
from aiosql.adapters.asyncpg import AsyncPGAdapter

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Queryable: TypeAlias = "Connection | Pool"  # for single statements that need no transaction of the caller
Queries: TypeAlias = Any  # aiosql makes its methods from the SQL files: nothing to type statically

T = TypeVar("T")

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
_CONNECT_TIMEOUT = 10.0
_AGAIN = 4


class _PooledConnection(asyncpg.Connection):
    """A connection that is given back without a reset: see the module's promise."""

    def get_reset_query(self) -> str:
        return ""


def check_schema(schema: str) -> str:
    """Returns the schema's name if it is a plain lower-case identifier, else raises ValueError."""
    if not _SCHEMA.match(schema):
        raise ValueError(f"schema={schema!r} is no plain identifier: use lower-case letters, digits and underscores")
    return schema


async def open_pool(url: str, schema: str, *, size: int, name: str) -> Pool:
    """A pool whose connections see `schema` first. Raises what asyncpg raises when the database is not reachable."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=set_codecs,
        connection_class=_PooledConnection,
        timeout=_CONNECT_TIMEOUT,
        command_timeout=60.0,
        max_inactive_connection_lifetime=300.0,
        server_settings=_server_settings(schema, name),
    )


async def open_session(url: str, schema: str, *, name: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection of one's own, for session locks and LISTEN. The caller closes it."""
    session = await asyncpg.connect(
        url, timeout=_CONNECT_TIMEOUT, command_timeout=60.0, server_settings=_server_settings(schema, name)
    )
    await set_codecs(session)
    return session


def _server_settings(schema: str, name: str) -> dict[str, str]:
    # jit: our statements are short, compiling one costs more than it saves
    return {"search_path": f"{check_schema(schema)},public", "application_name": name, "jit": "off", "timezone": "UTC"}


async def set_codecs(connection: Connection) -> None:
    """json and jsonb travel as Python objects (encoded by orjson; Decimal and others as text)."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=_to_json, decoder=orjson.loads, format="binary"
    )


def _to_json(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain)


def _to_jsonb(value: Any) -> bytes:
    return b"\x01" + orjson.dumps(value, default=_plain)


def _from_jsonb(data: bytes) -> Any:
    return orjson.loads(data[1:])


def _plain(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, UUID):
        return str(value)  # asyncpg's own class, which orjson does not know
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no JSON form: convert it before storing it")


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection inside a transaction: committed at the end, rolled back when the block raises."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection


async def in_transaction(pool: Pool, work: Callable[[Connection], Awaitable[T]]) -> T:
    """`work` in a transaction; what was surely rolled back for another's sake (a deadlock) is done again."""
    for _ in range(_AGAIN):
        with suppress(asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            async with transaction(pool) as conn:
                return await work(conn)
    async with transaction(pool) as conn:
        return await work(conn)


class _Adapter(AsyncPGAdapter):
    """aiosql's asyncpg adapter without its acquire: pools and connections answer the same calls themselves."""

    def _ordered(self, name: str, parameters: Any) -> Any:
        return self.maybe_order_params(name, parameters)  # type: ignore[no-untyped-call]

    async def select_one(self, conn: Any, name: str, sql: str, parameters: Any, record_class: Any = None) -> Any:
        row = await conn.fetchrow(sql, *self._ordered(name, parameters))
        return row if row is None or record_class is None else record_class(**dict(row))

    async def select_value(self, conn: Any, name: str, sql: str, parameters: Any) -> Any:
        return await conn.fetchval(sql, *self._ordered(name, parameters))

    async def select(
        self, conn: Any, name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> AsyncIterator[Any]:
        for row in await conn.fetch(sql, *self._ordered(name, parameters)):
            yield row if record_class is None else record_class(**dict(row))

    async def insert_update_delete(self, conn: Any, name: str, sql: str, parameters: Any) -> Any:
        return await conn.execute(sql, *self._ordered(name, parameters))

    async def insert_returning(self, conn: Any, name: str, sql: str, parameters: Any) -> Any:
        row = await conn.fetchrow(sql, *self._ordered(name, parameters))
        return None if row is None else row[0] if len(row) == 1 else row


def queries(package: str) -> Queries:
    """The named queries in `<package>/sql/*.sql` as methods: `await q.name(connection, parameter=...)`.

    aiosql's suffixes apply: none = many rows (`async for`, or `await rows(...)`), `^` one row, `$` one value, `!` none.
    """
    folder = resources.files(package) / "sql"
    with resources.as_file(cast("Any", folder)) as path:
        if not path.is_dir():
            raise ValueError(f"{package} has no folder sql/: put its named queries there")
        return aiosql.from_path(path, cast("Any", _Adapter))


async def rows(found: AsyncIterator[Any]) -> list[Any]:
    """All rows of a query of many rows: `await rows(q.open_orders(connection))`."""
    return [row async for row in found]


def affected(status: str) -> int:
    """How many rows a command touched, from PostgreSQL's own words ('UPDATE 3')."""
    return int(status.rsplit(" ", 1)[-1])


# Classes of SQLSTATE that say "the database, not the statement": connection, resources, operator intervention,
# system error, transaction rollback (serialization, deadlock).
_TRANSIENT_CLASSES = ("08", "53", "57", "58", "40")
_TRANSIENT_CODES = ("55P03", "25006", "25P03", "25P04")  # lock not available, standby, idle and transaction timeouts
_LOST = (
    "connection is closed",
    "connection has been",
    "connection was closed",
    "pool is clos",
    "underlying connection",
)


def transient(error: BaseException) -> bool:
    """True when trying the same again later may work: an outage, a serialization failure, a deadlock, a timeout.

    False for everything that the same statement would meet again: a constraint, a wrong type, a bug.
    """
    if isinstance(error, BaseExceptionGroup):
        return any(transient(inner) for inner in error.exceptions)
    if isinstance(error, asyncpg.PostgresError):
        code = error.sqlstate or ""
        return (code[:2] in _TRANSIENT_CLASSES and code != "40002") or code in _TRANSIENT_CODES
    if isinstance(error, asyncpg.InterfaceError):
        return any(words in str(error) for words in _LOST)
    if isinstance(error, asyncpg.InternalClientError):
        return "got result for unknown protocol state" in str(error)
    # OSError covers refused, reset and a socket file that is gone while the server restarts.
    return isinstance(error, OSError | asyncio.TimeoutError | EOFError)
