"""The reference's tables, and its outbox: rows told in the caller's transaction, sent in batches by one task."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from zlib import crc32

import asyncpg
from aiokafka import AIOKafkaProducer

from waybill_common.db import Connection
from waybill_contracts.topics import PARTITIONS

CREATE = """
create table orders (id text primary key, number text not null, body jsonb not null);
create table frs (id text primary key, body jsonb not null);
create table submitted (id text primary key, body jsonb not null);
create table watched (id text primary key, body jsonb not null);
create table shipments (id text primary key, body jsonb not null, synced boolean not null default false);
create table outbox (position bigint generated always as identity primary key, topic text not null, key text not null,
    value bytea not null);
"""
_ROWS = 500
_TAKE = "select position, topic, key, value from outbox order by position limit $1"
_FORGET = "delete from outbox where position = any($1::bigint[])"


@asynccontextmanager
async def connect(pool: "asyncpg.Pool[asyncpg.Record]", committed: asyncio.Event) -> AsyncIterator[Connection]:
    """A connection in a transaction; `committed` is set after it."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection
    committed.set()


async def tell(conn: Connection, topic: str, events: Sequence[tuple[str, bytes]]) -> None:
    """Appends events (key, value) in the caller's transaction."""
    if events:
        await conn.execute(
            "insert into outbox (topic, key, value) select $1, * from unnest($2::text[], $3::bytea[])",
            topic, [key for key, _ in events], [value for _, value in events],
        )  # fmt: skip


class Sender:
    """Takes rows in order, sends a batch for each partition, forgets them when all are acknowledged."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", kafka: str) -> None:
        self._pool = pool
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None
        self.woken = asyncio.Event()

    async def start(self) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka, enable_idempotence=True, acks="all", max_batch_size=512 * 1024
        )
        await self._producer.start()

    async def stop(self) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def turn(self) -> int:
        """Sends what is there; transactions written. Waits a moment when nothing is."""
        self.woken.clear()
        rows = await self._pool.fetch(_TAKE, _ROWS)
        if not rows:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.woken.wait(), 0.5)
            return 0
        await self._send(rows)
        await self._pool.execute(_FORGET, [row["position"] for row in rows])
        return 1

    async def _send(self, rows: Sequence[asyncpg.Record]) -> None:
        assert self._producer is not None
        grouped: dict[tuple[str, int], list[asyncpg.Record]] = {}
        for row in rows:
            grouped.setdefault((row["topic"], crc32(row["key"].encode()) % PARTITIONS), []).append(row)
        flights = []
        for (topic, partition), group in grouped.items():
            batch = self._producer.create_batch()
            for row in group:
                if batch.append(key=row["key"].encode(), value=row["value"], timestamp=None) is None:
                    flights.append(await self._producer.send_batch(batch, topic, partition=partition))
                    batch = self._producer.create_batch()
                    batch.append(key=row["key"].encode(), value=row["value"], timestamp=None)
            flights.append(await self._producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*flights)
