"""Claiming rows that are due, so that of many workers in many replicas one alone works on each.

A claimable table has `due_at timestamptz` (null = nothing to do), `lease_token uuid`, `lease_until timestamptz`,
`attempts int not null`, and usually a column that names the connection; an index on (connection, due_at) keeps a claim
cheap however many rows wait.

Promises: the database's clock alone decides; a row is given to one claimer until its lease ends, then to any; every
connection with due rows gets its share of a claim; claiming uses up no attempt. Whoever finishes a row does so with
`... and lease_token = $n`, so that a worker that lost its lease changes nothing.
It cannot fence the call itself: before it sends, a worker asks `lease.outlives(the call's total timeout)`, and else
gives the row up.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import asyncpg

from waybill_common.breaker import Blocked
from waybill_common.db import Connection

_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class LeasedTable:
    """Which rows can be claimed. `where` is SQL of the service's own code, over the alias `t`, without parameters."""

    table: str
    id: str
    connection: str | None
    where: str = "true"

    def __post_init__(self) -> None:
        for name in (self.table, self.id, self.connection):
            if name is not None and not _NAME.match(name):
                raise ValueError(f"{name!r} is no plain SQL name: use lower-case letters, digits and _")


@dataclass(frozen=True, slots=True)
class Lease:
    """A row that is ours until `until` (the database's time). `row` is the whole row as claimed."""

    id: Any
    token: uuid.UUID
    until: datetime
    attempts: int
    row: asyncpg.Record
    # The end by this process's own clock, counted from before the claim was sent: never later than the true one.
    ends: float = field(repr=False, default=0.0)

    def outlives(self, seconds: float) -> bool:
        """Whether the lease holds for that many seconds more."""
        return time.monotonic() + seconds < self.ends


# The connections are found by jumping through the index from one to the next, not by reading all due rows.
_FAIR = """
with recursive connections as (
    (select t.{connection} as name from {table} t where t.due_at is not null order by t.{connection} limit 1)
    union all
    select (select t.{connection} from {table} t where t.due_at is not null and t.{connection} > c.name
            order by t.{connection} limit 1)
    from connections c where c.name is not null
), due as (
    select r.id, r.due_at, row_number() over (partition by c.name order by r.due_at, r.id) as place
    from connections c cross join lateral (
        select t.{id} as id, t.due_at from {table} t
        where t.{connection} = c.name and t.due_at <= clock_timestamp()
          and (t.lease_until is null or t.lease_until <= clock_timestamp()) and ({where})
        order by t.due_at limit case when c.name = any($5) then 1 else $2::bigint end
        for update skip locked
    ) r
    where c.name is not null and c.name <> all($6)
), picked as (select id, place from due order by place, due_at limit $1::bigint)
"""
_PLAIN = """
with due as (
    select t.{id} as id, t.due_at from {table} t
    where t.due_at <= clock_timestamp() and (t.lease_until is null or t.lease_until <= clock_timestamp()) and ({where})
    order by t.due_at limit $1::bigint for update skip locked
), picked as (select id, row_number() over (order by due_at) as place from due where $2::bigint > 0)
"""
_TAKE = """
update {table} t set lease_token = $3, lease_until = clock_timestamp() + $4
from picked where t.{id} = picked.id
returning t.*, picked.place as lease_place
"""
_RETURN = """
update {table} set lease_token = null, lease_until = null,
    due_at = case when $3::interval is null then due_at else clock_timestamp() + $3 end
where {id} = any($1) and lease_token = any($2)
"""
_EXTEND = """
update {table} set lease_until = clock_timestamp() + $3 where {id} = any($1) and lease_token = any($2)
returning {id} as id, lease_until
"""
_PROBES = """
select connection_id from connection_health
where connection_id = any($1) and state = 'down' and coalesce(probe_at, '-infinity') <= clock_timestamp()
for update skip locked
"""
_PROBE_TAKEN = """
update connection_health set probe_at = clock_timestamp() + $2, probing = true
where connection_id = any($1) and state = 'down'
"""


@cache
def _sql(template: str, table: LeasedTable) -> str:
    return template.format(table=table.table, id=table.id, connection=table.connection, where=table.where)


async def claim(
    conn: Connection,
    table: LeasedTable,
    *,
    limit: int,
    per_connection: int,
    hold: timedelta,
    exclude_connections: Collection[Any] = (),
) -> list[Lease]:
    """Up to `limit` due rows, at most `per_connection` of one connection, the longest due of each first, in turns.

    `exclude_connections` takes what `Health.blocked` returned: a connection that is down and may be probed then gives
    one row, to one claimer. Run it in a transaction of its own, or none: the lease counts from the commit on.
    """
    started = time.monotonic()
    token = uuid.uuid4()
    probing = exclude_connections.probing if isinstance(exclude_connections, Blocked) else frozenset()
    if table.connection is None:
        rows = await conn.fetch(_sql(_PLAIN + _TAKE, table), limit, per_connection, token, hold)
    elif not probing:
        rows = await _claim_fair(conn, table, limit, per_connection, token, hold, [], list(exclude_connections))
    else:
        async with conn.transaction():
            ours = [row["connection_id"] for row in await conn.fetch(_PROBES, list(probing))]
            excluded = [*exclude_connections, *(probing - set(ours))]
            rows = await _claim_fair(conn, table, limit, per_connection, token, hold, ours, excluded)
            used = {row[table.connection] for row in rows} & set(ours)
            if used:
                await conn.execute(_PROBE_TAKEN, list(used), hold)
    ends = started + hold.total_seconds()
    rows.sort(key=lambda row: (row["lease_place"], row["due_at"]))
    return [Lease(row[table.id], token, row["lease_until"], row["attempts"], row, ends) for row in rows]


async def _claim_fair(
    conn: Connection,
    table: LeasedTable,
    limit: int,
    per_connection: int,
    token: uuid.UUID,
    hold: timedelta,
    probing: Sequence[Any],
    excluded: Sequence[Any],
) -> list[asyncpg.Record]:
    sql = _sql(_FAIR + _TAKE, table)
    return list(await conn.fetch(sql, limit, per_connection, token, hold, probing, excluded))


async def give_up(conn: Connection, table: LeasedTable, leases: Sequence[Lease], due_in: timedelta | None) -> None:
    """Return rows untouched, no attempt used: due after `due_in`, or as they were (None)."""
    if leases:
        ids, tokens = [lease.id for lease in leases], [lease.token for lease in leases]
        await conn.execute(_sql(_RETURN, table), ids, tokens, due_in)


async def extend(conn: Connection, table: LeasedTable, leases: Sequence[Lease], hold: timedelta) -> list[Lease]:
    """Hold rows longer, counted from now; those whose lease was lost meanwhile are left out of the answer."""
    started = time.monotonic()
    ids, tokens = [lease.id for lease in leases], [lease.token for lease in leases]
    kept = {row["id"]: row["lease_until"] for row in await conn.fetch(_sql(_EXTEND, table), ids, tokens, hold)}
    ends = started + hold.total_seconds()
    return [
        Lease(lease.id, lease.token, kept[lease.id], lease.attempts, lease.row, ends)
        for lease in leases
        if lease.id in kept
    ]
