"""The yardstick of the whole flow: a bare batched pipeline of the same hops, in one process.

It makes the same platform calls with the same clients, keeps rows and an outbox, sends and reads four topics, and
commits by the batch. It has none of what makes a hub trustworthy: no leases, retries, intents, budgets, records of
exchanges, receipts, dead letters, versions, traces, stock or costs, and it asks one source for everything.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer

from benchmarks.reference_parts import CREATE, Sender, connect, tell
from benchmarks.shop import PULL_SECONDS
from waybill_common.db import Connection
from waybill_contracts.configuration import Channel, Source
from waybill_contracts.values import Address
from waybill_platforms.http import NoBudget
from waybill_platforms.model.fulfillments import FulfillmentDraft
from waybill_platforms.model.orders import ChannelOrder
from waybill_platforms.model.requests import SourceRequest, SourceRequestLine
from waybill_platforms.model.shipments import SourceShipment
from waybill_platforms.registry import open_channel, open_source

BATCH = 200
IN_FLIGHT = 16
IMPORTED, CREATED, SUBMITTED, SYNCED = TOPICS = (
    "reference.imported", "reference.created", "reference.submitted", "reference.synced",
)  # fmt: skip
_POLL = 1.0


class Reference:
    """Runs until `close`; `done` orders have all their units at the channel, told and committed."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", kafka: str, document: dict[str, Any]) -> None:
        self._pool = pool
        self._kafka = kafka
        channel, source = document["stores"][0]["channels"][0], document["sources"][1]
        self._skus: dict[str, str] = channel["skus"]["map"]
        self._carriers: dict[str, str] = channel["couriers"]["map"]
        self._theirs: dict[str, str] = source["couriers"]["map"]
        given = open_channel(Channel.model_validate(channel), channel["credentials"], budget=NoBudget())
        taking = open_source(Source.model_validate(source), source["credentials"], budget=NoBudget())
        assert given is not None
        assert taking is not None
        self._channel, self._source = given, taking
        self._sender = Sender(pool, kafka)
        self._since = datetime.now(UTC) - timedelta(seconds=15)
        self._shipments_since = self._since
        self._open: dict[str, int] = {}  # order id -> units that are not at the channel yet
        self._watched: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.done = 0
        self.commits = 0

    async def start(self) -> None:
        await self._pool.execute(CREATE)
        await self._sender.start()
        ways = (self._pull, self._relay, self._poll_shipments)
        hops = ((IMPORTED, self._route), (CREATED, self._submit), (SUBMITTED, self._watch))
        self._tasks = [asyncio.create_task(way()) for way in ways]
        self._tasks += [asyncio.create_task(self._hop(*hop)) for hop in hops]

    def check(self) -> None:
        """Raises what ended one of the tasks."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sender.stop()
        await self._channel.aclose()
        await self._source.aclose()

    # -- orders in

    async def _pull(self) -> None:
        while True:
            since, page, newest = self._since, None, self._since
            while True:
                found = await self._channel.reader.list_changed(since, page, BATCH)
                rows = [(order.id, order.number, _body(order)) for order in found.orders]
                newest = max([newest, *(order.updated_at for order in found.orders)])
                async with self._transaction() as conn:
                    fresh = await conn.fetch(
                        "insert into orders (id, number, body)"
                        " select * from unnest($1::text[], $2::text[], $3::jsonb[])"
                        " on conflict do nothing returning id",
                        [row[0] for row in rows], [row[1] for row in rows], [row[2].decode() for row in rows],
                    )  # fmt: skip
                    new = {row["id"] for row in fresh}
                    await tell(conn, IMPORTED, [(row[0], row[2]) for row in rows if row[0] in new])
                page = found.next
                if page is None:
                    break
            self._since = newest - timedelta(seconds=2)
            await asyncio.sleep(PULL_SECONDS)

    # -- hops: a batch of records, a transaction, what follows

    async def _hop(self, topic: str, work: Callable[[list[dict[str, Any]]], Awaitable[None]]) -> None:
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self._kafka, group_id=f"reference-{topic}", auto_offset_reset="earliest",
            enable_auto_commit=False, fetch_max_wait_ms=100,
        )  # fmt: skip
        await consumer.start()
        try:
            while True:
                found = await consumer.getmany(timeout_ms=500, max_records=BATCH)
                records = [orjson.loads(record.value) for batch in found.values() for record in batch]
                if records:
                    await work(records)
                    await consumer.commit()
        finally:
            await consumer.stop()

    async def _route(self, orders: list[dict[str, Any]]) -> None:
        """Everything to one source."""
        frs = []
        for order in orders:
            lines = [
                {"line_ref": line["id"], "sku": self._skus[line["sku"]], "quantity": line["quantity"]}
                for line in order["lines"]
            ]
            self._open[order["id"]] = sum(line["quantity"] for line in lines)
            body = orjson.dumps({**order, "reference": f"R-{order['id'].rsplit('/', 1)[-1]}", "lines": lines})
            frs.append((order["id"], body))
        async with self._transaction() as conn:
            await self._store(conn, "frs", frs)
            await tell(conn, CREATED, frs)

    async def _submit(self, frs: list[dict[str, Any]]) -> None:
        async def submit(fr: dict[str, Any]) -> tuple[str, bytes]:
            lines = tuple(SourceRequestLine(**line) for line in fr["lines"])
            request = SourceRequest(fr["reference"], fr["number"], lines, Address(**fr["address"]), "USPS-GA", "USD")
            answer = await self._source.sink.submit(request)
            return fr["id"], orjson.dumps(
                {"id": fr["id"], "reference": fr["reference"], "platform": answer.platform_id}
            )

        told = await self._at_once(submit, frs)
        async with self._transaction() as conn:
            await self._store(conn, "submitted", told)
            await tell(conn, SUBMITTED, told)

    async def _watch(self, submitted: list[dict[str, Any]]) -> None:
        async with self._transaction() as conn:
            await self._store(conn, "watched", [(one["reference"], orjson.dumps(one)) for one in submitted])
        self._watched.update(one["reference"] for one in submitted)

    # -- shipments out

    async def _poll_shipments(self) -> None:
        while True:
            began, page, early = datetime.now(UTC), None, False
            while True:
                found = await self._source.shipments.list_shipments(self._shipments_since, (), page)
                early = early or any(one.reference not in self._watched for one in found.shipments)
                for start in range(0, len(found.shipments), BATCH):
                    await self._sync(found.shipments[start : start + BATCH])
                page = found.next
                if page is None:
                    break
            if not early:
                self._shipments_since = began - timedelta(seconds=1)
            await asyncio.sleep(_POLL)

    async def _sync(self, shipments: Sequence[SourceShipment]) -> None:
        async with self._transaction() as conn:
            rows = await conn.fetch(
                "insert into shipments (id, body) select s.id, w.body from unnest($1::text[], $2::text[])"
                " as s (id, reference) join watched w on w.id = s.reference on conflict do nothing returning id, body",
                [shipment.id for shipment in shipments], [shipment.reference for shipment in shipments],
            )  # fmt: skip
        new = {row["id"]: orjson.loads(row["body"]) for row in rows}
        chosen: dict[str, list[SourceShipment]] = {}
        for shipment in shipments:
            if shipment.id in new:
                chosen.setdefault(new[shipment.id]["id"], []).append(shipment)
        told = [one for order in await self._at_once(self._push, chosen.items()) for one in order]
        async with self._transaction() as conn:
            await conn.execute(
                "update shipments set synced = true where id = any($1::text[])", [row[0] for row in told]
            )
            await tell(conn, SYNCED, told)
        for order_id, parcels in chosen.items():
            self._open[order_id] -= sum(line.quantity for parcel in parcels for line in parcel.lines)
            self.done += self._open[order_id] == 0

    async def _push(self, work: tuple[str, list[SourceShipment]]) -> list[tuple[str, bytes]]:
        """Reads what is open, creates, reads back: the product's calls."""
        order_id, parcels = work
        state = await self._channel.writer.read(order_id)
        assert state is not None
        for parcel in parcels:
            lines = tuple((line.line_ref or "", line.quantity) for line in parcel.lines)
            draft = FulfillmentDraft(
                order_id, lines, self._carrier(parcel.carrier), parcel.tracking_numbers, parcel.tracking_url
            )
            calls = self._channel.writer.calls_for(state, draft)
            state = state.after(calls)
            for call in calls:
                await self._channel.writer.create(call)
        await self._channel.writer.read(order_id)
        return [(parcel.id, orjson.dumps({"id": order_id, "shipment": parcel.id})) for parcel in parcels]

    def _carrier(self, theirs: str) -> str:
        return self._carriers[self._theirs.get(theirs, theirs)]

    # -- what they share

    async def _relay(self) -> None:
        while True:
            self.commits += await self._sender.turn()

    async def _at_once(self, call: Callable[[Any], Awaitable[Any]], items: Iterable[Any]) -> list[Any]:
        gate = asyncio.Semaphore(IN_FLIGHT)

        async def one(item: Any) -> Any:
            async with gate:
                return await call(item)

        return list(await asyncio.gather(*(one(item) for item in items)))

    async def _store(self, conn: Connection, table: str, rows: Sequence[tuple[str, bytes]]) -> None:
        await conn.execute(
            f"insert into {table} (id, body) select * from unnest($1::text[], $2::jsonb[]) on conflict do nothing",
            [row[0] for row in rows], [row[1].decode() for row in rows],
        )  # fmt: skip

    def _transaction(self) -> Any:
        self.commits += 1
        return connect(self._pool, self._sender.woken)


def _body(order: ChannelOrder) -> bytes:
    return orjson.dumps(
        {
            "id": order.id,
            "number": order.number,
            "address": order.addresses[0].model_dump(),
            "lines": [{"id": line.line_id, "sku": line.sku, "quantity": line.quantity} for line in order.lines],
        }
    )
