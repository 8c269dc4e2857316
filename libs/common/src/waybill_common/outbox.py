"""Events leave a service only through its outbox: appended in the transaction that changed the rows, sent by the relay.

Promises: an event is stored if and only if the change is; positions of one aggregate follow its sequence as long as the
caller holds that aggregate's row lock; a batch costs one statement and one NOTIFY. It cannot promise a single delivery:
consumers deduplicate by id and sequence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from waybill_common import commands
from waybill_common.db import Connection

CHANNEL = "outbox"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Somebody must confirm this: the event is sent again, with growing waits, until `settle` is told so."""

    subject: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Message:
    """One event as it goes to Kafka. `value` None is a tombstone. Headers are CloudEvents in binary mode."""

    id: str
    topic: str
    key: str
    headers: Mapping[str, str]
    value: bytes | None
    receipt: Receipt | None = None
    about: tuple[str, ...] = ()
    """Further keys that it tells of, beside its own: what is erased about one of them is erased in it."""


# nextval is called row by row in the order given, so positions follow the order of the messages.
_APPEND = """
with m as (
    select nextval('facts_position') as position, u.*
    from unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::bytea[], $6::text[], $7::bigint[],
                $8::text[])
        as u (id, topic, key, headers, value, subject, sequence, about)
), f as (
    insert into facts (position, id, topic, key, headers, value)
    select position, id, topic, key, headers, value from m
), r as (
    insert into receipts_due (position, subject, sequence, next_at)
    select position, subject, sequence, now() + interval '30 seconds' from m where subject is not null
), o as (
    insert into outbox (position) select position from m
), e as (
    insert into erase_again (position) select position from m
    where exists (select 1 from erased_keys k where k.key = any(string_to_array(m.about, E'\n')))
)
select pg_notify('outbox_' || current_schema(), ''), max(position) from m
"""

_SETTLE = """
delete from receipts_due r
using unnest($1::text[], $2::bigint[]) as s (subject, sequence)
where r.subject = s.subject and r.sequence <= s.sequence
"""


async def append(conn: Connection, messages: Sequence[Message]) -> None:
    """Stores the messages, in order, in the caller's transaction. Nothing to store costs nothing."""
    if not messages:
        return
    await conn.execute(
        _APPEND,
        [m.id for m in messages],
        [m.topic for m in messages],
        [m.key for m in messages],
        [dict(m.headers) for m in messages],
        [m.value for m in messages],
        [None if m.receipt is None else m.receipt.subject for m in messages],
        [None if m.receipt is None else m.receipt.sequence for m in messages],
        ["\n".join((m.key, *m.about)) for m in messages],
    )
    commands.note_told(m.headers for m in messages)


async def settle(conn: Connection, receipts: Sequence[Receipt]) -> None:
    """The receipts have come: what they confirm (same subject, same or lower sequence) is not sent again."""
    if not receipts:
        return
    newest: dict[str, int] = {}
    for receipt in receipts:
        newest[receipt.subject] = max(receipt.sequence, newest.get(receipt.subject, receipt.sequence))
    await conn.execute(_SETTLE, list(newest), list(newest.values()))


def channel_of(schema: str) -> str:
    """The NOTIFY channel that wakes the relay of a schema."""
    return f"{CHANNEL}_{schema}"
