"""Consuming from a real broker: nothing skipped, nothing half done, whatever happens around it."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from waybill_common.consuming import Record
from waybill_common.embedded.kafka import EmbeddedKafka
from waybill_common.embedded.postgres import EmbeddedPostgres
from waybill_common.ids import new_id
from waybill_common.progress import Mark, mark_of
from waybill_common.records import in_order
from waybill_common.settings import ServiceSettings


async def produce(kafka: str, topic: str, *values: bytes | None, key: bytes | None = None) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for number, value in enumerate(values):
        await producer.send(topic, value, key=key or str(number).encode())
    await producer.stop()


async def seen(run) -> set[str]:  # type: ignore[no-untyped-def]
    return {row["id"] for row in await run.runtime.pool.fetch("select id from seen")}


async def test_what_was_published_before_the_first_start_is_read(start, make_reader, kafka, until) -> None:
    await produce(kafka, "things", *(b"e%d" % n for n in range(50)))
    async with start(make_reader("things")) as run:
        await until(lambda: _has(run, 50))


async def _has(run, count: int) -> bool:
    return len(await seen(run)) == count


async def test_a_topic_that_does_not_exist_yet_is_waited_for_and_keeps_nobody_waiting(
    start, make_reader, kafka, until
) -> None:
    await produce(kafka, "things", b"a")
    async with start(make_reader("things", "later")) as run:
        await until(lambda: _has(run, 1))
        await produce(kafka, "later", b"b")
        await until(lambda: _has(run, 2))


async def test_records_of_one_key_are_handled_in_order(start, make_reader, kafka, until) -> None:
    reader = make_reader("things")
    values = [f"e{n:03}" for n in range(500)]
    await produce(kafka, "things", *(v.encode() for v in values), key=b"one")
    async with start(reader) as run:
        await until(lambda: _has(run, 500))
    assert [event for batch in reader.batches for event in batch] == values


async def test_unreadable_and_poison_records_go_aside_and_all_others_are_handled(
    start, make_reader, kafka, until
) -> None:
    reader = make_reader("things")
    reader.poison["e7"] = lambda: KeyError("e7")
    await produce(kafka, "things", *(b"e%d" % n for n in range(20)), b"unreadable \xff", None)
    async with start(reader) as run:
        await until(lambda: _has(run, 19))
        await until(lambda: run.runtime.pool.fetchval("select count(*) = 2 from dead_letters"))


async def test_a_restart_continues_where_it_stopped_and_handles_nothing_again(start, make_reader, kafka, until) -> None:
    reader = make_reader("things")
    await produce(kafka, "things", *(b"e%d" % n for n in range(30)))
    async with start(reader) as run:
        await until(lambda: _has(run, 30))
    await produce(kafka, "things", *(b"f%d" % n for n in range(30)))
    async with start(reader) as run:
        await until(lambda: _has(run, 60))
    assert sum(len(batch) for batch in reader.batches) == 60


async def test_a_database_outage_pauses_and_loses_nothing(
    start, make_reader, kafka, until, postgres: EmbeddedPostgres
) -> None:
    reader = make_reader("things")
    async with start(reader) as run:
        await produce(kafka, "things", *(b"e%d" % n for n in range(20)))
        await until(lambda: _has(run, 20))
        postgres.stop()
        await produce(kafka, "things", *(b"f%d" % n for n in range(20)), b"unreadable")
        await until(lambda: run.consumer.waiting)
        assert run.consumer.joined, "the membership lives on"
        postgres.start()
        await until(lambda: _has(run, 40), 40)
        await until(lambda: run.runtime.pool.fetchval("select count(*) = 1 from dead_letters"))
        assert run.consumer.waiting is None


async def test_a_trouble_that_passes_is_no_dead_letter(start, make_reader, kafka, until) -> None:
    reader = make_reader("things")
    failures = iter([asyncpg.DeadlockDetectedError("x"), asyncpg.SerializationError("y")])

    def twice() -> Exception:
        error = next(failures, None)
        if error is None:
            reader.poison.clear()
            return asyncpg.DeadlockDetectedError("last")
        return error

    reader.poison["e1"] = twice
    await produce(kafka, "things", b"e0", b"e1", b"e2")
    async with start(reader) as run:
        await until(lambda: _has(run, 3))
        assert await run.runtime.pool.fetchval("select count(*) from dead_letters") == 0


async def test_a_broker_that_goes_away_for_a_while_is_survived(
    start, make_reader, kafka, until, embedded_kafka: EmbeddedKafka
) -> None:
    async with start(make_reader("things")) as run:
        await produce(kafka, "things", b"a")
        await until(lambda: _has(run, 1))
        embedded_kafka.down()
        await asyncio.sleep(3)
        embedded_kafka.up()
        await produce(kafka, "things", b"b")
        await until(lambda: _has(run, 2), 40)


@pytest.mark.connected
async def test_two_replicas_share_the_work_and_a_departing_one_leaves_nothing_half_done(
    start, make_reader, real_kafka: str, until, settings: ServiceSettings
) -> None:
    # Not on the mock broker: a follower whose SyncGroup comes after the leader's is refused there, for ever.
    topic = f"things-{new_id()}"
    given = settings.model_copy(update={"kafka": real_kafka})
    one, two = (make_reader(topic, group=topic) for _ in range(2))
    async with start(one, given=given) as run:
        await until(lambda: run.consumer.joined)
        async with start(two, given=given) as other:
            await until(lambda: other.consumer.joined and run.consumer.joined, 40)
            await produce(real_kafka, topic, *(b"e%d" % n for n in range(200)))
            await until(lambda: _has(run, 200), 40)
        await produce(real_kafka, topic, *(b"f%d" % n for n in range(100)))
        await until(lambda: _has(run, 300), 40)
    handled = [event for batch in one.batches + two.batches for event in batch]
    assert sorted(handled) == sorted(set(handled)), "each once: hand-overs commit their offsets"
    assert len(handled) == 300


async def test_too_many_dead_letters_stop_consuming_until_a_person_lets_it_go_on(
    start, make_reader, kafka, until, settings: ServiceSettings
) -> None:
    strict = settings.model_copy(update={"dead_letter_floor": 10})
    await produce(kafka, "things", *(b"unreadable %d" % n for n in range(30)), b"fine")
    async with start(make_reader("things"), given=strict) as run:
        await until(lambda: run.consumer.stopped)
        assert await run.runtime.pool.fetchval("select count(*) from dead_letters") < 30
        assert await run.runtime.pool.fetchval("select count(*) from open_alerts where key = 'consumer-stopped'") == 1
        await run.steering.resume()
        await until(lambda: _has(run, 1))
        await until(lambda: run.runtime.pool.fetchval("select count(*) = 30 from dead_letters"))
        assert await run.runtime.pool.fetchval("select count(*) from open_alerts where key = 'consumer-stopped'") == 0


KILLER = """
import asyncio, os, sys
from waybill_common.consuming import Subscription
from waybill_common.service import Definition, Parts, running
from waybill_common.settings import ServiceSettings

async def main():
    async def handle(conn, events):
        for event in events:
            if event == "killer":
                os._exit(9)
            await conn.execute("insert into seen (id) values ($1) on conflict do nothing", event)

    async def build(runtime):
        await runtime.pool.execute("create table if not exists seen (id text primary key)")
        return Parts(subscription=Subscription("killed", ["things"], lambda r: r.value.decode(), handle))

    settings = ServiceSettings(
        database_url=sys.argv[1], kafka=sys.argv[2], secret_key="k", http_port=0, session_timeout_ms=1000
    )
    async with running(Definition("killed", "killed", "waybill_common", build, 18998), settings) as run:
        while await run.runtime.pool.fetchval("select count(*) from seen") < 40:
            await asyncio.sleep(0.05)

asyncio.run(main())
"""


async def test_a_record_that_kills_the_process_ends_as_a_dead_letter_after_three_tries(
    database_url: str, kafka: str, tmp_path: Path
) -> None:
    script = tmp_path / "killer.py"
    script.write_text(KILLER)
    values = [b"e%d" % n for n in range(20)] + [b"killer"] + [b"f%d" % n for n in range(20)]
    await produce(kafka, "things", *values, key=b"one")
    codes = []
    for _ in range(5):
        process = await asyncio.create_subprocess_exec(sys.executable, str(script), database_url, kafka)
        codes.append(await asyncio.wait_for(process.wait(), 60))
        if codes[-1] == 0:
            break
    assert codes == [9, 9, 9, 0]
    connection = await asyncpg.connect(database_url)
    row = await connection.fetchrow("select value, reason from killed.dead_letters")
    await connection.close()
    assert row is not None
    assert row["value"] == b"killer"
    assert "died 3 times" in row["reason"]


@pytest.mark.parametrize(
    ("first", "stored", "expected"),
    [
        (10, None, Mark(10, 0)),
        (10, (10, 0), Mark(10, 0)),  # an orderly stop
        (10, (10, 2), Mark(10, 2, 200)),  # begun twice by processes that died
        (10, (15, 1), Mark(15, 1, 200)),  # offsets were committed later than the work
        (10, (5, 1), Mark(10, 0)),  # it was handled since
        (0, (5_000_000, 1), Mark(0, 0)),  # another broker's numbering
    ],
)
def test_what_stored_progress_means(first: int, stored: tuple[int, int] | None, expected: Mark) -> None:
    assert mark_of(first, stored, 200) == expected


def test_records_of_several_partitions_are_taken_by_time_but_each_partition_keeps_its_order() -> None:
    def at(topic: str, offset: int, timestamp: int) -> Record:
        return Record(topic, 0, offset, None, None, {}, timestamp)

    orders = [at("orders", 0, 10), at("orders", 1, 30), at("orders", 2, 20)]
    frs = [at("frs", 0, 15), at("frs", 1, 40)]
    taken = [(record.topic, record.offset) for record in in_order([frs, orders])]
    assert taken == [("orders", 0), ("frs", 0), ("orders", 1), ("orders", 2), ("frs", 1)]
