"""Where consuming stands in each partition, and how often its next record was begun by a process that then died.

The trick that costs no commit: the transaction that finishes a batch also stores "the next record, first attempt", so
the attempt is on disk before the try. A process that stops in an orderly way takes that back (`rest`). What a new owner
finds with attempts above 0 was begun by a process that died: from there on it goes record by record (cautiously), and
a record begun `LIMIT` times becomes a dead letter without another try.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from waybill_common.db import Connection

LIMIT = 3
_SAME_BROKER = 100_000  # a stored offset further ahead than this belongs to another broker's numbering


@dataclass(slots=True)
class Mark:
    """One partition: where caution begins, the attempts found there, how many records still need care."""

    suspect: int
    attempts: int
    careful: int = 0
    entered: bool = False  # the suspect itself has been dealt with


_STORE = """
insert into consumer_progress (topic, partition, next_offset, attempts)
select * from unnest($1::text[], $2::int[], $3::bigint[], $4::int[])
on conflict (topic, partition) do update
set next_offset = excluded.next_offset, attempts = excluded.attempts, updated_at = now()
"""

Partition = tuple[str, int]


async def load(conn: Connection, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
    """(next offset, attempts) of the given partitions, where known."""
    wanted = list(partitions)
    rows = await conn.fetch(
        "select topic, partition, next_offset, attempts from consumer_progress "
        "join unnest($1::text[], $2::int[]) as w (topic, partition) using (topic, partition)",
        [topic for topic, _ in wanted],
        [number for _, number in wanted],
    )
    return {(row["topic"], row["partition"]): (row["next_offset"], row["attempts"]) for row in rows}


async def store(conn: Connection, begun: Mapping[Partition, tuple[int, int]]) -> None:
    """Stores (next offset, attempts) of partitions; one statement for all."""
    if not begun:
        return
    ordered = sorted(begun.items())  # one lock order for all
    await conn.execute(
        _STORE,
        [topic for (topic, _), _ in ordered],
        [number for (_, number), _ in ordered],
        [offset for _, (offset, _) in ordered],
        [attempts for _, (_, attempts) in ordered],
    )


async def rest(conn: Connection, partitions: Iterable[Partition]) -> None:
    """An orderly stop or hand-over: nothing is being tried in these partitions."""
    wanted = sorted(partitions)
    await conn.execute(
        "update consumer_progress p set attempts = 0 from unnest($1::text[], $2::int[]) as w (topic, partition) "
        "where p.topic = w.topic and p.partition = w.partition and p.attempts <> 0",
        [topic for topic, _ in wanted],
        [number for _, number in wanted],
    )


def mark_of(first: int, stored: tuple[int, int] | None, careful: int) -> Mark:
    """What the stored state means for a partition whose first fetched offset is `first` (pure).

    A stored offset behind the first fetched one is past; one far ahead belongs to another broker.
    """
    if stored is None:
        return Mark(first, 0)
    offset, attempts = stored
    if attempts <= 0 or offset < first or offset - first > _SAME_BROKER:
        return Mark(first, 0)
    return Mark(offset, attempts, careful)
