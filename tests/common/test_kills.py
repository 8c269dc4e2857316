"""Replicas that are killed at any moment: every record is handled, its effect is there once, and none is blamed.

On real Kafka: the mock broker does not keep a group with several members.
"""

import asyncio
import random
import sys
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from waybill_common import progress
from waybill_common.db import open_pool
from waybill_common.ids import new_id
from waybill_common.migrations import migrate

RECORDS, KILLS = 3000, 8

REPLICA = """
import asyncio, sys
from waybill_common import outbox
from waybill_common.consuming import Subscription
from waybill_common.outbox import Message
from waybill_common.service import Parts, main
from waybill_common.settings import ServiceSettings

topic = sys.argv[1]

async def build(runtime):
    async def handle(conn, events):
        new = await conn.fetch(
            "insert into seen (id) select unnest($1::text[]) on conflict do nothing returning id", list(events)
        )
        await asyncio.sleep(0.02)
        answers = [Message(r["id"], topic + "-out", r["id"], {"ce_id": r["id"]}, r["id"].encode()) for r in new]
        await outbox.append(conn, answers)

    return Parts(subscription=Subscription(topic, [topic], lambda r: r.value.decode(), handle))

sys.exit(main("killed", "killed", "waybill_common", build, ServiceSettings, default_port=18996))
"""


@pytest.mark.connected
@pytest.mark.timeout(240)
async def test_replicas_that_are_killed_lose_nothing_double_nothing_and_blame_no_record(
    database_url: str, real_kafka: str, tmp_path: Path, until
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    topic = f"kills-{new_id()}"
    await migrate(database_url, "killed", [])
    pool = await open_pool(database_url, "killed", size=2, name="test")
    await pool.execute("create table seen (id text primary key)")
    script = tmp_path / "replica.py"
    script.write_text(REPLICA)
    environment = {
        "WAYBILL_DATABASE_URL": database_url,
        "WAYBILL_KAFKA": real_kafka,
        "WAYBILL_SECRET_KEY": "k",
        "WAYBILL_HTTP_PORT": "0",
        "WAYBILL_BATCH_SIZE": "20",
        "WAYBILL_SESSION_TIMEOUT_MS": "6000",
        "WAYBILL_LOG_LEVEL": "ERROR",
    }

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(sys.executable, str(script), topic, env=environment)

    replicas = [await start(), await start()]
    producer = AIOKafkaProducer(bootstrap_servers=real_kafka)
    await producer.start()
    for number in range(KILLS):
        for n in range(number * RECORDS // KILLS, (number + 1) * RECORDS // KILLS):
            await producer.send(topic, b"%d" % n, key=b"%d" % (n % 50))
        await producer.flush()
        await asyncio.sleep(chance.uniform(1.0, 4.0))
        victim = chance.randrange(2)
        replicas[victim].kill()
        await replicas[victim].wait()
        replicas[victim] = await start()
    await producer.stop()

    async def everything() -> bool:
        handled = await pool.fetchval("select count(*) from seen")
        waiting = await pool.fetchval("select count(*) from outbox")
        return bool(handled == RECORDS and waiting == 0)

    try:
        await until(everything, 90)
        assert await pool.fetchval("select count(*) from facts") == RECORDS, "each answered once"
        assert await pool.fetchval("select count(*) from dead_letters") == 0
    finally:
        for replica in replicas:
            replica.terminate()
        codes = [await asyncio.wait_for(replica.wait(), 15) for replica in replicas]
        pool.terminate()
    assert codes == [0, 0]


async def test_the_database_tells_the_survivors_that_nothing_is_tried(database_url: str) -> None:
    # What an orderly stop writes is what the next owner needs to go on at full speed.
    await migrate(database_url, "killed", [])
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "killed"})
    await progress.store(connection, {("things", 0): (10, 1), ("things", 1): (20, 2)})
    await progress.rest(connection, [("things", 0)])
    assert await progress.load(connection, [("things", 0), ("things", 1), ("things", 2)]) == {
        ("things", 0): (10, 0),
        ("things", 1): (20, 2),
    }
    await connection.close()
