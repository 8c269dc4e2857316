"""Dead letters: what could not be taken in or sent, kept whole, listed, tried again or discarded by a person.

Promises: a letter is stored once however often its record comes again; nothing of the original is changed. `state` goes
from `open` to `replayed` or `discarded` and never back.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from waybill_common.consuming import Record
from waybill_common.db import Connection, Queryable
from waybill_common.refusals import Refused

REASON_LIMIT = 2000
STACK_LIMIT = 16_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that is set aside, with the reason."""

    record: Record
    reason: str
    stack: str | None = None
    cause: str = "failed"  # for counting: unreadable, failed, killed


class LetterNotOpen(Refused):
    """There is no open dead letter of this number: it is unknown, or was replayed or discarded before."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"dead letter {number} is not open: it is unknown, or was replayed or discarded before",
            "list the open ones and use one of their numbers: `waybill dead-letters list`",
            status=404,
        )


_SAVE_IN = """
insert into dead_letters (direction, topic, partition, "offset", key, value, headers, reason, stack, digest)
select 'in', * from unnest($1::text[], $2::int[], $3::bigint[], $4::bytea[], $5::bytea[], $6::jsonb[], $7::text[],
                           $8::text[], $9::bytea[])
on conflict do nothing
"""

_SAVE_OUT = """
insert into dead_letters (direction, topic, key, value, headers, reason, fact_position, digest)
select 'out', f.topic, convert_to(f.key, 'UTF8'), f.value, f.headers::jsonb, $2, f.position, ''
from facts f where f.position = $1
on conflict do nothing
"""

_LIST = """
select id, direction, topic, partition, "offset", key, value, headers, reason, stack, state, created_at, resolved_at,
       resolved_reason, replays
from dead_letters
where id > $1 and ($3::text is null or state = $3)
order by id limit $2
"""


async def save(conn: Connection, letters: Sequence[Letter]) -> None:
    """Stores letters of records that came in, in the caller's transaction; known ones are left as they are."""
    if not letters:
        return
    records = [letter.record for letter in letters]
    await conn.execute(
        _SAVE_IN,
        [r.topic for r in records],
        [r.partition for r in records],
        [r.offset for r in records],
        [r.key for r in records],
        [r.value for r in records],
        [_storable(dict(r.headers)) for r in records],
        [_storable(letter.reason)[:REASON_LIMIT] for letter in letters],
        [None if letter.stack is None else _storable(letter.stack)[-STACK_LIMIT:] for letter in letters],
        [_digest(r) for r in records],
    )


async def save_unsendable(conn: Connection, position: int, reason: str) -> None:
    """Stores an event of ours that the broker refused for good."""
    await conn.execute(_SAVE_OUT, position, _storable(reason)[:REASON_LIMIT])


async def listing(conn: Queryable, *, after: int = 0, limit: int = 100, state: str | None = "open") -> list[Any]:
    """Letters with a number above `after`, oldest first; `state` None lists all."""
    return list(await conn.fetch(_LIST, after, limit, state))


async def locked(conn: Connection, number: int) -> asyncpg.Record:
    """The open letter of this number, locked for the caller's transaction; raises LetterNotOpen."""
    row = await conn.fetchrow("select * from dead_letters where id = $1 and state = 'open' for update", number)
    if row is None:
        raise LetterNotOpen(number)
    return row


async def resolve(conn: Connection, number: int, state: str, reason: str) -> None:
    """The letter is replayed or discarded now, for this reason."""
    await conn.execute(
        "update dead_letters set state = $2, resolved_reason = $3, resolved_at = now(), replays = replays + $4 "
        "where id = $1",
        number,
        state,
        reason,
        1 if state == "replayed" else 0,
    )


async def note_failed_replay(conn: Connection, number: int, reason: str, stack: str | None) -> None:
    """A replay did not succeed: the letter stays open, with the newer reason."""
    await conn.execute(
        "update dead_letters set replays = replays + 1, reason = $2, stack = coalesce($3, stack) where id = $1",
        number,
        _storable(reason)[:REASON_LIMIT],
        None if stack is None else _storable(stack)[-STACK_LIMIT:],
    )


async def open_count(conn: Connection, topic: str) -> int:
    """How many letters of a topic are open."""
    count = await conn.fetchval("select count(*) from dead_letters where topic = $1 and state = 'open'", topic)
    return int(count)


def record_of(row: asyncpg.Record) -> Record:
    """The record that a letter keeps, as it came."""
    stamp = int(row["created_at"].timestamp() * 1000)
    return Record(row["topic"], row["partition"], row["offset"], row["key"], row["value"], dict(row["headers"]), stamp)


def _digest(record: Record) -> bytes:
    return hashlib.sha256((record.key or b"") + b"\0" + (record.value or b"")).digest()[:16]


def _storable(value: Any) -> Any:
    """Text columns take no NUL and no lone surrogates; garbage must not make its own dead letter fail."""
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    return str(value).replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")
