"""The sweep heals what transport lost: events without a receipt are sent again, and so is everything recent when the
broker turns out to be another one.

Promises: the same event (same id) goes out again, never a new one; never while it is still pending in the outbox; with
waits that double from 30 s to 1 h; at most `limit` a pass. Callers tell and count what it did.
It cannot know whether the event or its receipt was lost, so consumers answer a known event with its receipt again.
"""

from datetime import timedelta

from waybill_common.db import Connection, Queryable, affected

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)

_RESEND = """
with due as (
    select r.position from receipts_due r
    where r.next_at <= now() and not exists (select from outbox o where o.position = r.position)
    order by r.next_at limit $1 for update skip locked
), again as (
    update receipts_due r
    set attempts = attempts + 1,
        next_at = now() + least($2::interval * power(2, least(attempts + 1, 12)), $3::interval)
    from due where r.position = due.position
    returning r.position
), sent as (
    insert into outbox (position) select position from again on conflict do nothing
)
select f.topic, count(*) as events, pg_notify('outbox_' || current_schema(), '')
from again join facts f using (position) group by f.topic
"""

_REEMIT = """
with again as (
    insert into outbox (position) select f.position from facts f where f.position >= $1
    on conflict do nothing returning position
)
select count(*) as events, case when count(*) > 0 then pg_notify('outbox_' || current_schema(), '') end from again
"""

_REEMIT_RECENT = """
with again as (
    insert into outbox (position)
    select position from facts where created_at > now() - $1::interval
    union select position from receipts_due
    on conflict do nothing returning position
)
select count(*) from again
"""

_PRUNE = """
delete from facts where position in (
    select f.position from facts f
    where f.created_at < now() - $1::interval
      and not exists (select from outbox o where o.position = f.position)
      and not exists (select from receipts_due r where r.position = f.position)
      and not exists (select from dead_letters d where d.fact_position = f.position and d.state = 'open')
    order by f.position limit $2
)
"""


async def resend(conn: Queryable, limit: int = 200) -> dict[str, int]:
    """Puts events whose receipt is overdue into the outbox again; returns how many by topic, for the caller to tell."""
    rows = await conn.fetch(_RESEND, limit, FIRST_WAIT, LONGEST_WAIT)
    return {row["topic"]: row["events"] for row in rows}


async def reemit(conn: Connection, since_position: int) -> int:
    """Puts all kept events from a position on into the outbox again; returns how many."""
    row = await conn.fetchrow(_REEMIT, since_position)
    assert row is not None
    return int(row["events"])


async def note_broker(conn: Connection, cluster_id: str, hours: float) -> int | None:
    """Remembers which broker we talk to; when it is another one than before, everything recent is sent again.

    Returns how many events that were; None when it is the known broker or the first one.
    """
    async with conn.transaction():
        known = await conn.fetchval("select cluster_id from broker_identity for update")
        if known == cluster_id:
            return None
        await conn.execute(
            "insert into broker_identity (cluster_id) values ($1) "
            "on conflict (only_one) do update set cluster_id = excluded.cluster_id, seen_at = now()",
            cluster_id,
        )
        if known is None:
            return None
        await conn.execute("delete from consumer_progress")  # offsets of the old broker's numbering
        return int(await conn.fetchval(_REEMIT_RECENT, timedelta(hours=hours)))


async def prune(conn: Queryable, kept: timedelta, limit: int = 5000) -> int:
    """Forgets sent events older than `kept`, unless something still needs them; returns how many."""
    return affected(await conn.execute(_PRUNE, kept, limit))
