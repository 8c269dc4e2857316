"""A batch is one transaction; poison is found, put aside whole, and its neighbours go on."""

from collections.abc import Callable, Sequence

import asyncpg
import pytest

from waybill_common import dead_letters
from waybill_common.alerts import Alerts
from waybill_common.batches import Batches, Guard, Outcome, TooManyDeadLetters
from waybill_common.consuming import Record
from waybill_common.db import Connection, Pool
from waybill_common.logs import Log
from waybill_common.metrics import Metrics


def record(offset: int, value: str | bytes, topic: str = "things", headers: dict[str, str] | None = None) -> Record:
    raw = value if isinstance(value, bytes) else value.encode()
    return Record(topic, 0, offset, b"key", raw, headers or {}, 1_700_000_000_000)


Make = Callable[..., Batches[str]]


@pytest.fixture
def make(pool: Pool, log: Log, metrics: Metrics) -> Make:
    def make_(reader: object, share: float = 1.0, floor: int = 1000) -> Batches[str]:
        return Batches(pool, reader.subscription, Alerts(None), Guard(share, floor), log, metrics)  # type: ignore[attr-defined]

    return make_


async def seen(pool: Pool) -> list[str]:
    return [row["id"] for row in await pool.fetch("select id from seen order by id")]


async def letters(pool: Pool) -> list[tuple[int, str]]:
    async with pool.acquire() as conn:
        rows = await dead_letters.listing(conn)
    return sorted((row["offset"], row["reason"]) for row in rows)


async def test_a_batch_is_handled_in_one_transaction(pool: Pool, make: Make, make_reader: type) -> None:
    reader = make_reader("things")
    outcome = await make(reader).run([record(n, f"e{n}") for n in range(5)], {("things", 0): (5, 1)})
    assert outcome == Outcome(handled=5, skipped=0, dead=0)
    assert reader.batches == [["e0", "e1", "e2", "e3", "e4"]]
    assert await pool.fetchval("select next_offset from consumer_progress") == 5


@pytest.mark.parametrize("bad", [{3}, {0}, {7}, {2, 5}, {0, 1, 2}, set(range(8))])
async def test_poison_alone_becomes_a_dead_letter_and_its_neighbours_are_handled(
    pool: Pool, make: Make, make_reader: type, bad: set[int]
) -> None:
    reader = make_reader("things")
    for n in bad:
        reader.poison[f"e{n}"] = lambda: TypeError("no such thing")
    outcome = await make(reader).run([record(n, f"e{n}") for n in range(8)], {})
    assert outcome == Outcome(8 - len(bad), 0, len(bad))
    assert await seen(pool) == [f"e{n}" for n in range(8) if n not in bad]
    assert await letters(pool) == [(n, "TypeError: no such thing") for n in sorted(bad)]


async def test_a_dead_letter_keeps_the_original_its_position_its_headers_and_the_stack(
    pool: Pool, make: Make, make_reader: type
) -> None:
    reader = make_reader("things")
    reader.poison["bad"] = lambda: ValueError("broken rule")
    await make(reader).run([record(41, "fine"), record(42, "bad", headers={"ce_id": "x", "odd": "a\0b"})], {})
    row = await pool.fetchrow("select * from dead_letters")
    assert row is not None
    assert (row["topic"], row["partition"], row["offset"]) == ("things", 0, 42)
    assert (row["key"], row["value"], row["headers"]["ce_id"]) == (b"key", b"bad", "x")
    assert "raise self.poison" in row["stack"]
    assert await pool.fetchval("select key from open_alerts") == "dead-letters:things"


async def test_op12_what_is_replayed_is_the_record_as_it_came_under_its_key(
    pool: Pool, make: Make, make_reader: type
) -> None:
    """The key is the order: replayed without it, an event would be of nobody and overtake its neighbours."""
    reader = make_reader("things")
    reader.poison["bad"] = lambda: ValueError("not yet")
    came = record(42, "bad", headers={"ce_id": "x", "traceparent": "00-a-b-01"})
    await make(reader).run([came], {})

    async with pool.acquire() as conn, conn.transaction():
        again = dead_letters.record_of(await dead_letters.locked(conn, 1))

    assert (again.topic, again.partition, again.offset) == (came.topic, came.partition, came.offset)
    assert (again.key, again.value, again.headers) == (came.key, came.value, came.headers)


async def test_unreadable_bytes_become_dead_letters_beside_their_neighbours(
    pool: Pool, make: Make, make_reader: type
) -> None:
    reader = make_reader("things")
    garbage = record(1, b"unreadable \xff\xfe\x00")
    outcome = await make(reader).run(
        [record(0, "a"), garbage, record(2, "b"), Record("things", 0, 3, None, None, {}, 0)], {}
    )
    assert outcome == Outcome(handled=2, skipped=1, dead=1)
    assert await seen(pool) == ["a", "b"]
    assert await pool.fetchval("select value from dead_letters") == b"unreadable \xff\xfe\x00"


async def test_the_same_record_again_is_not_put_aside_twice(pool: Pool, make: Make, make_reader: type) -> None:
    batches = make(make_reader("things"))
    for _ in range(2):
        await batches.run([record(1, "unreadable")], {})
    assert len(await letters(pool)) == 1
    await batches.run([record(1, "unreadable, and another one: the broker is new")], {})
    assert len(await letters(pool)) == 2


async def test_a_constraint_that_a_record_breaks_is_the_records_fault(
    pool: Pool, make: Make, make_reader: type
) -> None:
    await pool.execute("create table amounts (id text, amount int check (amount > 0))")
    reader = make_reader("things")

    async def handle(conn: Connection, events: Sequence[str]) -> None:
        for event in events:
            await conn.execute("insert into amounts values ($1, $2)", event, int(event))

    object.__setattr__(reader.subscription, "handle", handle)
    await make(reader).run([record(n, str(n - 2)) for n in range(6)], {})
    assert [row["id"] for row in await pool.fetch("select id from amounts")] == ["1", "2", "3"]
    assert [offset for offset, _ in await letters(pool)] == [0, 1, 2]


async def test_a_deferred_constraint_speaks_where_its_record_is_found(
    pool: Pool, make: Make, make_reader: type
) -> None:
    await pool.execute("create table parents (id text primary key)")
    await pool.execute("create table children (id text references parents deferrable initially deferred)")
    await pool.execute("insert into parents values ('e0'), ('e2')")
    reader = make_reader("things")

    async def handle(conn: Connection, events: Sequence[str]) -> None:
        await conn.executemany("insert into children values ($1)", [(event,) for event in events])

    object.__setattr__(reader.subscription, "handle", handle)
    await make(reader).run([record(n, f"e{n}") for n in range(3)], {})
    assert await pool.fetchval("select count(*) from children") == 2
    assert [offset for offset, _ in await letters(pool)] == [1]


@pytest.mark.parametrize(
    "trouble", [asyncpg.DeadlockDetectedError("x"), ConnectionResetError(), asyncpg.QueryCanceledError("timeout")]
)
async def test_trouble_of_the_database_is_never_blamed_on_a_record(
    pool: Pool, make: Make, make_reader: type, trouble: Exception
) -> None:
    reader = make_reader("things")
    reader.poison["e1"] = lambda: trouble
    with pytest.raises(type(trouble)):
        await make(reader).run([record(0, "e0"), record(1, "e1"), record(2, "unreadable")], {})
    assert await seen(pool) == []
    assert await letters(pool) == []


async def test_trouble_while_looking_for_the_poison_leaves_everything_as_it_was(
    pool: Pool, make: Make, make_reader: type
) -> None:
    reader = make_reader("things")
    calls = 0

    def first_a_bug_then_an_outage() -> Exception:
        nonlocal calls
        calls += 1
        return TypeError("x") if calls == 1 else ConnectionResetError()

    reader.poison["e3"] = first_a_bug_then_an_outage
    with pytest.raises(ConnectionResetError):
        await make(reader).run([record(n, f"e{n}") for n in range(4)], {})
    assert await seen(pool) == []


async def test_too_many_dead_letters_of_our_own_stop_before_they_are_written(
    pool: Pool, make: Make, make_reader: type
) -> None:
    reader = make_reader("things")
    batches = make(reader, share=0.2, floor=10)
    await batches.run([record(n, f"e{n}" if n % 10 else "unreadable") for n in range(100)], {})
    with pytest.raises(TooManyDeadLetters, match="30 of the newest 120"):
        await batches.run([record(n, "unreadable") for n in range(100, 120)], {})
    assert len(await letters(pool)) == 10


async def test_dead_letters_of_others_topics_never_stop_us(pool: Pool, make: Make, make_reader: type) -> None:
    reader = make_reader("things", "inbound", upstream=frozenset({"inbound"}))
    batches = make(reader, share=0.2, floor=10)
    await batches.run([record(n, "unreadable", topic="inbound") for n in range(150)], {})
    assert await pool.fetchval("select count(*) from dead_letters") == 150


async def test_after_a_person_looked_consuming_goes_on(pool: Pool, make: Make, make_reader: type) -> None:
    batches = make(make_reader("things"), share=0.2, floor=10)
    bad = [record(n, "unreadable") for n in range(20)]
    with pytest.raises(TooManyDeadLetters):
        await batches.run(bad, {})
    batches._guard.forgive()
    await batches.run(bad, {})
    assert len(await letters(pool)) == 20
