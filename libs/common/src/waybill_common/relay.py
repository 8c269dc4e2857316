"""The relay: takes what the outbox holds to Kafka, in order, and removes it when the broker has answered.

Promises: one active relay per schema (a session lock; claims and deletions run on that very session, and losing it
cancels the sends); rows leave in position order, so one key's events keep their order; a row is removed only after the
broker acknowledged it on all in-sync replicas; a row that the broker refuses for good becomes a dead letter with an
alert while other rows go on. A crash between acknowledgement and removal sends a row twice.
It never remembers "the last position sent": positions commit out of order.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
import orjson
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from waybill_common import dead_letters, outbox, sweep
from waybill_common.alerts import Alerts
from waybill_common.brokers import cluster_id
from waybill_common.db import open_session
from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metrics
from waybill_common.sending import Row, Sender, SendFailed
from waybill_common.sessions import until_lost
from waybill_common.settings import ServiceSettings
from waybill_common.workers import wait_any

declare_events(
    {
        "relay.failed": "the relay lost its broker or its session; it starts again",
        "relay.drained": "what was left in the outbox at the end was sent",
        "relay.topic_held": "a topic is missing or closed to us; its events wait, the others go on",
        "event.dead_lettered": "the broker refuses one of our events for good; it was put aside whole",
        "broker.replaced": "the broker is another one than before: everything recent is sent again",
    }
)
_LOCK = "select pg_try_advisory_lock(hashtextextended('waybill relay ' || current_schema(), 0))"
_LOCK_RETRY = 2.0
_IDLE_MIN, _IDLE_MAX = 0.1, 2.0
_FAILURE_WAITS = (0.1, 0.5, 1.0, 2.0, 5.0)
_HOLDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

# Removing what was sent and claiming the next rows is one statement. No row lock: this session is the only claimer.
_TURN = """
with sent as (delete from outbox where position = any($1::bigint[]))
select o.position, f.topic, f.key, f.headers::text as headers, f.value,
       extract(epoch from clock_timestamp() - f.created_at)::float8 as age
from outbox o join facts f using (position)
where o.position <> all($1::bigint[]) and f.topic <> all($3::text[])
order by o.position limit $2
"""


class Relay:
    """Relays one schema's outbox for as long as it holds the lock."""

    def __init__(
        self,
        settings: ServiceSettings,
        schema: str,
        *,
        alerts: Alerts,
        instance: str,
        log: Log,
        metrics: Metrics,
        batch: int = 500,
    ) -> None:
        self._url = settings.database_url
        self._log = log
        self._metrics = metrics
        self._schema = schema
        self._bootstrap = settings.kafka
        self._alerts = alerts
        self._instance = instance
        self._batch = batch
        self._max_bytes = settings.max_message_bytes
        self._reemit_hours = settings.reemit_hours
        self._woken = asyncio.Event()
        self._oldest = 0.0  # seconds since the transaction of the oldest row in hand
        self._held: dict[str, tuple[int, float]] = {}  # topic -> how often it failed, when to try again (monotonic)
        self._drain_until: float | None = None
        self.leading = False
        self.trouble: str | None = None

    def wake(self) -> None:
        """There are new rows (an in-process shortcut for NOTIFY)."""
        self._woken.set()

    async def run(self, stop: asyncio.Event, *, drain_seconds: float = 3.0) -> None:
        """Relays until `stop`, then what is left, for at most `drain_seconds`."""
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                await self._lead(stop, drain_seconds)
            except Exception as error:
                # An outage of either side, or a lost lock: nothing is lost, the rows are still there.
                failures = 0 if time.monotonic() - began > 30 else failures + 1
                self.trouble = repr(error)
                self._metrics.count("waybill_relay_failures_total", reason=type(error).__name__)
                self._log.warning("relay.failed", error=repr(error), failures=failures)
                await wait_any(_FAILURE_WAITS[min(failures, len(_FAILURE_WAITS) - 1)], stop)

    async def _lead(self, stop: asyncio.Event, drain_seconds: float) -> None:
        session = await open_session(self._url, self._schema, name=f"{self._schema}/relay")
        try:
            while not await session.fetchval(_LOCK):
                if await wait_any(_LOCK_RETRY, stop):
                    return
            # A removal lost in a crash of the server means one more delivery, which consumers expect anyway.
            await session.execute("set synchronous_commit = off")
            # The claim walks the outbox in order and looks each fact up: never a scan of the facts, whatever the
            # statistics of a table that is empty most of the time say.
            await session.execute("set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off")
            await session.add_listener(outbox.channel_of(self._schema), lambda *_: self._woken.set())
            self.leading = True
            self._metrics.set("waybill_relay_active", 1)
            await until_lost(self._relay(session, stop, drain_seconds), session)
        finally:
            self.leading = False
            self._metrics.set("waybill_relay_active", 0)
            with suppress(Exception):
                await session.close(timeout=2.0)

    async def _relay(
        self, session: "asyncpg.Connection[asyncpg.Record]", stop: asyncio.Event, drain_seconds: float
    ) -> None:
        identity = await cluster_id(self._bootstrap)
        again = await sweep.note_broker(session, identity, self._reemit_hours)
        if again is not None:
            self._log.warning("broker.replaced", broker=identity, events_sent_again=again)
        sender = Sender(self._bootstrap, self._instance, self._max_bytes)
        await sender.start()
        self.trouble = None
        try:
            await self._turns(session, sender, stop)
            sent = await self._drain(session, sender, drain_seconds)
            if sent:
                self._log.info("relay.drained", rows=sent)
            await sender.stop()
        finally:
            await sender.abandon()  # does nothing after a stop

    async def _turns(self, session: "asyncpg.Connection[asyncpg.Record]", sender: Sender, stop: asyncio.Event) -> None:
        rest = _IDLE_MIN
        sent: list[int] = []
        while not stop.is_set():
            self._woken.clear()
            rows = await self._claim(session, sent)
            sent = []
            if rows:
                began = time.monotonic()
                sent = await self._send(session, sender, rows)
                self._count(rows, sent)
                self._metrics.observe("waybill_relay_seconds", self._oldest + time.monotonic() - began)
                rest = _IDLE_MIN
                continue
            woken = await wait_any(rest, stop, self._woken)
            rest = _IDLE_MIN if woken else min(rest * 2, _IDLE_MAX)
        if sent:
            await self._forget(session, sent)

    async def _drain(self, session: "asyncpg.Connection[asyncpg.Record]", sender: Sender, seconds: float) -> int:
        total = 0
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and (rows := await self._claim(session, [])):
            sent = await asyncio.wait_for(self._send(session, sender, rows), max(deadline - time.monotonic(), 0.1))
            await self._forget(session, sent)
            self._count(rows, sent)
            total += len(sent)
            if not sent:
                break
        return total

    async def _claim(self, session: "asyncpg.Connection[asyncpg.Record]", sent: Sequence[int]) -> list[Row]:
        now = time.monotonic()
        held = [topic for topic, (_, until) in self._held.items() if until > now]
        rows = await session.fetch(_TURN, sent, self._batch, held)
        self._oldest = max((row["age"] for row in rows), default=0.0)
        return [row_of(*row[:5]) for row in rows]

    def _count(self, rows: Sequence[Row], sent: Sequence[int]) -> None:
        done = set(sent)
        for topic, count in Counter(row.topic for row in rows if row.position in done).items():
            self._metrics.count("waybill_relayed_total", count, topic=topic)
            self._held.pop(topic, None)

    async def _forget(self, session: "asyncpg.Connection[asyncpg.Record]", sent: Sequence[int]) -> None:
        await session.execute("delete from outbox where position = any($1::bigint[])", sent)

    async def _send(
        self, session: "asyncpg.Connection[asyncpg.Record]", sender: Sender, rows: Sequence[Row]
    ) -> list[int]:
        """Sends the rows; returns the positions done with. Raises what makes a fresh producer necessary."""
        done: list[int] = []
        failure: SendFailed | None = None
        for sent, failed in await sender.send(rows):
            done += sent
            failure = failure or failed
        if failure is None:
            return done
        await self._forget(session, done)  # these were acknowledged, whatever becomes of the others
        await self._deal_with(session, sender, failure)
        return []

    async def _deal_with(
        self, session: "asyncpg.Connection[asyncpg.Record]", sender: Sender, failure: SendFailed
    ) -> None:
        if isinstance(failure.cause, UnknownTopicOrPartitionError) or failure.topic_refused:
            topic = failure.rows[0].topic
            times, _ = self._held.get(topic, (0, 0.0))
            wait = _HOLDS[min(times, len(_HOLDS) - 1)]
            self._held[topic] = (times + 1, time.monotonic() + wait)
            if times:  # once is a topic that is just being created
                self._log.warning("relay.topic_held", topic=topic, seconds=wait, error=repr(failure.cause))
            return
        if not failure.row_refused:
            raise failure.cause
        # A refused batch leaves a gap in the producer's numbering: start afresh, then find the row by sending singly.
        await sender.restart()
        for row in failure.rows:
            try:
                await sender.send_alone(row)
            except KafkaError as error:
                single = SendFailed([row], error)
                if not single.row_refused:
                    raise
                await self._bury(session, row, error)
                await sender.restart()
            else:
                await self._forget(session, [row.position])

    async def _bury(self, session: "asyncpg.Connection[asyncpg.Record]", row: Row, error: Exception) -> None:
        reason = f"the broker refuses this event: {error!r}"
        async with session.transaction():
            await dead_letters.save_unsendable(session, row.position, reason)
            await self._forget(session, [row.position])
            await self._alerts.raised(
                session, f"dead-letters:{row.topic}", f"An event could not be sent to {row.topic}", reason[:300]
            )
        self._log.error("event.dead_lettered", topic=row.topic, position=row.position, reason=reason)


def row_of(position: int, topic: str, key: str, headers: str, value: bytes | None) -> Row:
    """A row of the claim as the sender takes it."""
    named = [(name, text.encode()) for name, text in orjson.loads(headers).items()]
    size = len(headers) * 2 + len(key) * 3 + len(value or b"") + 64  # an upper bound, cheaply
    return Row(position, topic, key.encode(), named, value, size)
