"""What the kernel needs of a broker, on the embedded one and on Apache Kafka alike."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from waybill_common.brokers import cluster_id
from waybill_common.embedded import artifacts, real_kafka
from waybill_common.embedded.kafka import EmbeddedKafka
from waybill_common.embedded.librdkafka import KafkaFailed

PRODUCE = 0


async def roundtrip(bootstrap: str, topic: str) -> None:
    """An idempotent producer's records come back once each, with headers and in each key's order."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all")
    await producer.start()
    sent = [(b"key-%d" % (n % 5), b"%d" % n) for n in range(500)]
    await asyncio.gather(*[await producer.send(topic, key=k, value=v, headers=[("ce_id", v)]) for k, v in sent])
    await producer.stop()
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"group-{uuid.uuid4().hex}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    got: list[Any] = []
    async with asyncio.timeout(30):
        while len(got) < len(sent):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                got += records
    await consumer.commit()
    await consumer.stop()
    assert all(record.headers == (("ce_id", record.value),) for record in got)
    by_key: dict[bytes, list[bytes]] = {}
    for record in got:
        by_key.setdefault(record.key, []).append(record.value)
    assert by_key == {key: [v for k, v in sent if k == key] for key in {k for k, _ in sent}}


async def test_the_embedded_broker_speaks_the_protocol(embedded_kafka: EmbeddedKafka) -> None:
    embedded_kafka.create_topics(["orders", "orders"], 3)
    await roundtrip(embedded_kafka.bootstrap, "orders")


async def test_a_topic_gets_the_partitions_it_was_created_with(embedded_kafka: EmbeddedKafka) -> None:
    embedded_kafka.create_topics(["seven"], 7)
    producer = AIOKafkaProducer(bootstrap_servers=embedded_kafka.bootstrap)
    await producer.start()
    assert await producer.partitions_for("seven") == set(range(7))
    await producer.stop()


async def test_records_wait_out_an_outage_of_the_embedded_broker(embedded_kafka: EmbeddedKafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=embedded_kafka.bootstrap, enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait("orders", b"before")
    embedded_kafka.down()
    waiting = await producer.send("orders", b"during")
    await asyncio.sleep(0.5)
    assert not waiting.done()
    embedded_kafka.up()
    await asyncio.wait_for(waiting, 20)
    await producer.stop()


async def test_a_refusal_can_be_played(embedded_kafka: EmbeddedKafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=embedded_kafka.bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait("orders", b"before")
    embedded_kafka.refuse_next(PRODUCE, MessageSizeTooLargeError.errno)
    with pytest.raises(MessageSizeTooLargeError):
        await producer.send_and_wait("orders", b"refused")
    await producer.send_and_wait("orders", b"after")
    await producer.stop()


def test_the_embedded_broker_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    port_file = tmp_path / "bootstrap"
    command = [sys.executable, "-m", "waybill_common.embedded.kafka", "--port-file", str(port_file), "--topic", "a:2"]
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 20
        while not port_file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        real_kafka.wait_until_ready(port_file.read_text(), lambda: process.poll() is None, seconds=10)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("missing", "said"),
    [("mvn", "no `mvn` on PATH"), ("java", "no `java` on PATH")],
)
def test_what_is_missing_for_apache_kafka_is_said_in_one_line(
    missing: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pom = tmp_path / "deploy/kafka/pom.xml"
    pom.parent.mkdir(parents=True)
    pom.write_text("<kafka.version>0</kafka.version>")
    which: Callable[[str], str | None] = lambda name: None if name == missing else "/bin/true"  # noqa: E731
    monkeypatch.setattr("shutil.which", which)
    with pytest.raises(KafkaFailed) as failure:
        artifacts.artifacts(pom)
    assert said in str(failure.value)
    assert "\n" not in str(failure.value)
    assert "WAYBILL_KAFKA" in str(failure.value)


@pytest.mark.connected
async def test_apache_kafka_speaks_the_protocol(real_kafka: str) -> None:
    await roundtrip(real_kafka, f"roundtrip-{uuid.uuid4().hex}")


@pytest.mark.connected
async def test_apache_kafka_keeps_its_records_over_a_crash(tmp_path: Path) -> None:
    if os.environ.get("WAYBILL_KAFKA"):
        pytest.skip("the broker of WAYBILL_KAFKA is not ours to kill")
    with real_kafka.RealKafka(tmp_path / "kafka", topics={"kept": 2}) as broker:
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
        await producer.start()
        assert await producer.partitions_for("kept") == {0, 1}
        await producer.send_and_wait("kept", b"7")
        broker.kill()
        broker.start()
        await producer.send_and_wait("kept", b"8")
        await producer.stop()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.05)


async def member(bootstrap: str, name: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        "orders",
        bootstrap_servers=bootstrap,
        group_id="group",
        client_id=name,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=1500,
        heartbeat_interval_ms=200,
    )
    await consumer.start()
    return consumer


async def test_two_members_of_a_group_share_its_partitions_and_one_inherits_them(
    embedded_kafka: EmbeddedKafka,
) -> None:
    embedded_kafka.create_topics(["orders"], 4)
    one = await member(embedded_kafka.bootstrap, "one")
    two = await asyncio.wait_for(member(embedded_kafka.bootstrap, "two"), 20)
    await until(lambda: len(one.assignment()) == len(two.assignment()) == 2)
    assert not one.assignment() & two.assignment()
    await one.stop()
    await until(lambda: len(two.assignment()) == 4)
    await two.stop()


async def test_a_restarted_embedded_broker_has_its_address_and_nothing_else(embedded_kafka: EmbeddedKafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=embedded_kafka.bootstrap, acks="all")
    await producer.start()
    for _ in range(3):
        await producer.send_and_wait("orders", b"x")
    before, address = await cluster_id(embedded_kafka.bootstrap), embedded_kafka.bootstrap
    embedded_kafka.restart()
    assert embedded_kafka.bootstrap == address
    assert await cluster_id(embedded_kafka.bootstrap) != before
    stored = await asyncio.wait_for(producer.send_and_wait("orders", b"y"), 20)
    assert stored.offset == 0
    await producer.stop()


async def test_brokers_one_after_the_other_are_never_taken_for_one_another() -> None:
    """Each object is another broker: where one was freed the next is made, and ids are made of places in memory."""
    identities = []
    for _ in range(6):
        with EmbeddedKafka() as broker:
            identities.append(await cluster_id(broker.bootstrap))

    assert len(set(identities)) == 6
