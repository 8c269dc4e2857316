"""The relay takes the outbox to a real broker: in order, once while nothing fails, one relay at a time."""

import asyncio
import ctypes
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, partitioner
from hypothesis import given
from hypothesis import strategies as st

from waybill_common import dead_letters, outbox, sweep
from waybill_common.alerts import Alerts
from waybill_common.db import Pool, transaction
from waybill_common.embedded.kafka import EmbeddedKafka
from waybill_common.embedded.librdkafka import library
from waybill_common.logs import Log
from waybill_common.metrics import Metrics
from waybill_common.relay import Relay
from waybill_common.sending import murmur2
from waybill_common.settings import ServiceSettings

TOPIC_AUTHORIZATION_FAILED = 29
MESSAGE_TOO_LARGE = 10
PRODUCE = 0  # the request's number in Kafka's protocol

Relaying = Callable[..., AbstractAsyncContextManager[Relay]]


@pytest.fixture
def relaying(settings: ServiceSettings, log: Log, metrics: Metrics) -> Relaying:
    """`async with relaying() as relay`: a relay that runs."""

    @asynccontextmanager
    async def relaying_(**changes: Any) -> AsyncIterator[Relay]:
        given = settings.model_copy(update=changes)
        relay = Relay(given, "kernel_test", alerts=Alerts(None), instance="test", log=log, metrics=metrics)
        stop = asyncio.Event()
        task = asyncio.create_task(relay.run(stop))
        yield relay
        stop.set()
        await asyncio.wait_for(task, 10)

    return relaying_


async def arrived(kafka: str, topic: str, count: int, seconds: float = 60.0) -> list[Any]:
    """The records of a topic, at least `count` of them."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, auto_offset_reset="earliest", fetch_max_wait_ms=50, group_id=None
    )
    await consumer.start()
    found: list[Any] = []
    try:
        async with asyncio.timeout(seconds):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += records
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found += records
    finally:
        await consumer.stop()
    return found


async def empty(pool: Pool) -> bool:
    return bool(await pool.fetchval("select count(*) = 0 from outbox"))


async def test_each_message_arrives_with_its_key_its_value_and_its_own_headers(pool, kafka, relaying, until) -> None:
    async with transaction(pool) as conn:
        await outbox.append(
            conn,
            [
                outbox.Message("one", "things", "k1", {"ce_id": "one", "ce_type": "a"}, b'{"n":1}'),
                outbox.Message("two", "things", "k2", {"ce_id": "two"}, None),
            ],
        )
    async with relaying():
        records = await arrived(kafka, "things", 2)
    by_key = {record.key: record for record in records}
    assert dict(by_key[b"k1"].headers) == {"ce_id": b"one", "ce_type": b"a"}
    assert by_key[b"k1"].value == b'{"n":1}'
    assert by_key[b"k2"].value is None


async def test_one_keys_events_keep_their_order_over_many_batches(pool, kafka, relaying, send) -> None:
    async with relaying():
        for start in range(0, 2000, 250):
            await send(pool, "things", *(f"{n:05}" for n in range(start, start + 250)), key="one")
        records = await arrived(kafka, "things", 2000)
    assert [record.value.decode() for record in records] == [f"{n:05}" for n in range(2000)]


async def test_a_row_that_commits_late_is_not_forgotten(pool, kafka, relaying, send, until) -> None:
    async with relaying():
        async with transaction(pool) as slow:
            await outbox.append(slow, [outbox.Message("slow", "things", "s", {}, b"slow")])
            await send(pool, "things", "fast")
            await arrived(kafka, "things", 1)
        records = await arrived(kafka, "things", 2)
        await until(lambda: empty(pool))
    assert sorted(record.value for record in records) == [b"fast", b"slow"]


async def test_what_is_appended_leaves_at_once(pool, kafka, relaying, send, until) -> None:
    async with relaying() as relay:
        await send(pool, "things", "warm")
        await until(lambda: empty(pool))
        await asyncio.sleep(4)  # it rests as long as it ever does
        loop = asyncio.get_running_loop()
        began = loop.time()
        await send(pool, "things", "now")
        await until(lambda: empty(pool))
        assert loop.time() - began < 0.5
        assert relay.leading


async def test_a_second_relay_waits_and_takes_over_when_the_first_is_gone(pool, kafka, relaying, send, until) -> None:
    async with relaying() as second_holder:
        await until(lambda: second_holder.leading)
        async with relaying() as second:
            await asyncio.sleep(0.5)
            assert not second.leading
            await pool.execute(
                "select pg_terminate_backend(l.pid) from pg_locks l where l.locktype = 'advisory' and l.granted "
                "and l.database = (select oid from pg_database where datname = current_database())"
            )
            await until(lambda: second.leading or second_holder.leading)
            await send(pool, "things", "after")
            await arrived(kafka, "things", 1)
            await until(lambda: empty(pool))
            assert second.leading != second_holder.leading


async def test_a_row_that_the_broker_never_takes_is_put_aside_and_the_others_go_on(
    pool, kafka, relaying, send, until
) -> None:
    await send(pool, "things", "a", "x" * 3000, "b", key="one")
    async with relaying(max_message_bytes=2000):
        records = await arrived(kafka, "things", 2)
        await until(lambda: empty(pool))
    assert [record.value for record in records] == [b"a", b"b"]
    async with pool.acquire() as conn:
        (letter,) = await dead_letters.listing(conn)
    assert (letter["direction"], letter["topic"], letter["value"]) == ("out", "things", b"x" * 3000)
    assert "the limit is 2000" in letter["reason"]
    assert await pool.fetchval("select count(*) from open_alerts") == 1


async def test_a_refused_batch_is_taken_apart_and_only_the_refused_row_put_aside(
    pool, kafka, relaying, send, until, embedded_kafka: EmbeddedKafka
) -> None:
    async with relaying():
        await send(pool, "things", "warm")
        await until(lambda: empty(pool))
        refuse_produce(embedded_kafka, MESSAGE_TOO_LARGE, times=2)  # the batch, then its first row alone
        await send(pool, "things", "a", "b", "c", key="one")
        await until(lambda: empty(pool))
        records = await arrived(kafka, "things", 3)
    assert [record.value for record in records if record.key == b"one"] == [b"b", b"c"]
    assert await pool.fetchval("select value from dead_letters") == b"a"


def refuse_produce(broker: EmbeddedKafka, code: int, times: int) -> None:
    errors = (ctypes.c_int * times)(*[code] * times)
    library().rd_kafka_mock_push_request_errors_array(
        ctypes.c_void_p(broker._cluster), ctypes.c_int16(PRODUCE), ctypes.c_size_t(times), errors
    )


async def test_a_topic_that_is_closed_to_us_waits_and_the_others_go_on(
    pool, kafka, relaying, send, until, embedded_kafka: EmbeddedKafka
) -> None:
    embedded_kafka.create_topics(["closed", "things"])
    embedded_kafka.refuse_topic("closed", TOPIC_AUTHORIZATION_FAILED)
    await send(pool, "closed", "a")
    await send(pool, "things", "b")
    async with relaying():
        await arrived(kafka, "things", 1)
        assert await pool.fetchval("select count(*) from outbox") >= 1
        embedded_kafka.refuse_topic("closed", 0)
        await until(lambda: empty(pool), 40)
        assert [record.value for record in await arrived(kafka, "closed", 1)] == [b"a"]
    assert await pool.fetchval("select count(*) from dead_letters") == 0


async def test_a_broker_outage_loses_nothing_and_keeps_the_order(
    pool, kafka, relaying, send, until, embedded_kafka: EmbeddedKafka
) -> None:
    async with relaying():
        await send(pool, "things", *(f"{n:03}" for n in range(20)), key="one")
        await until(lambda: empty(pool))
        embedded_kafka.down()
        for n in range(20, 120, 20):
            await send(pool, "things", *(f"{m:03}" for m in range(n, n + 20)), key="one")
        await asyncio.sleep(2)
        embedded_kafka.up()
        await until(lambda: empty(pool), 40)
        records = await arrived(kafka, "things", 120)
    firsts = list(dict.fromkeys(record.value.decode() for record in records))
    assert firsts == [f"{n:03}" for n in range(120)]


async def test_a_new_broker_is_told_what_the_old_one_knew(pool, kafka, relaying, send, until) -> None:
    await send(pool, "things", "a", "b")
    async with relaying():
        await until(lambda: empty(pool))
    with EmbeddedKafka() as other:
        async with relaying(kafka=other.bootstrap):
            records = await arrived(other.bootstrap, "things", 2)
    assert {record.value for record in records} == {b"a", b"b"}


async def test_what_is_left_is_sent_when_asked_to_stop(pool, kafka, relaying, send, until) -> None:
    async with relaying() as relay:
        await until(lambda: relay.leading)
        await send(pool, "things", *(f"{n}" for n in range(1200)))
    assert await empty(pool)
    assert len(await arrived(kafka, "things", 1200)) == 1200


async def test_the_sweep_makes_a_lost_event_arrive_again_under_its_id(pool, kafka, relaying, until) -> None:
    async with transaction(pool) as conn:
        receipt = outbox.Receipt("order-1", 1)
        await outbox.append(conn, [outbox.Message("one", "things", "k", {"ce_id": "one"}, b"{}", receipt)])
    async with relaying():
        await until(lambda: empty(pool))
        await pool.execute("update receipts_due set next_at = now()")
        await sweep.resend(pool)
        records = await arrived(kafka, "things", 2)
    assert [dict(record.headers)["ce_id"] for record in records] == [b"one", b"one"]


@given(st.binary(max_size=64))
def test_keys_go_to_the_partitions_where_kafkas_own_clients_put_them(key: bytes) -> None:
    assert murmur2(key) & 0x7FFFFFFF == partitioner.murmur2(key) & 0x7FFFFFFF
