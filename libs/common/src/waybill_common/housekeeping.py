"""The kernel's own worker in each service: overdue receipts, old facts, gauges, the broker's identity."""

import time
from collections.abc import Callable
from datetime import timedelta

from aiokafka.errors import KafkaError

from waybill_common import commands, sweep
from waybill_common.brokers import cluster_id
from waybill_common.db import Pool
from waybill_common.erasing import Eraser
from waybill_common.logs import Log, declare_events
from waybill_common.metrics import Metrics
from waybill_common.settings import ServiceSettings
from waybill_common.workers import Worker

declare_events({"sweep.sent_again": "events were sent again because nobody had confirmed them"})

_LOOK = 10.0
_BROKER_EVERY = 30.0
_PRUNE_EVERY = 300.0
_GAUGES = """
select (select count(*) from outbox) as waiting,
       (select extract(epoch from now() - f.created_at)
          from outbox o join facts f using (position) order by o.position limit 1) as oldest,
       (select count(*) from receipts_due) as receipts,
       (select count(*) from open_alerts) as alerts
"""


class Housekeeping:
    """One turn every ten seconds or so; each replica does it, statements skip what another one has locked."""

    def __init__(
        self, pool: Pool, settings: ServiceSettings, log: Log, metrics: Metrics, eraser: Eraser | None = None
    ) -> None:
        self._eraser = eraser
        self._pool = pool
        self._settings = settings
        self._log = log
        self._metrics = metrics
        self._broker: str | None = None
        self._broker_at = 0.0
        self._pruned_at = time.monotonic()
        self.on_new_broker: Callable[[], None] | None = None

    def worker(self) -> Worker:
        return Worker("housekeeping", self.turn, idle_max=_LOOK)

    async def turn(self) -> int:
        """Everything that is due; returns how many rows it touched."""
        resent = await sweep.resend(self._pool)
        for topic, events in resent.items():
            self._metrics.count("waybill_resent_total", events, topic=topic)
        if resent:
            self._log.warning("sweep.sent_again", events=resent)
        done = sum(resent.values())
        if self._eraser is not None:
            done += await self._eraser.again()
        now = time.monotonic()
        if now - self._pruned_at >= _PRUNE_EVERY:
            kept = timedelta(days=self._settings.facts_kept_days)
            pruned = await sweep.prune(self._pool, kept)
            await commands.prune(self._pool)
            self._pruned_at = now if pruned == 0 else self._pruned_at
            done += pruned
        if now - self._broker_at >= _BROKER_EVERY:
            self._broker_at = now
            await self._look_at_broker()
        await self._gauge()
        return done

    async def _look_at_broker(self) -> None:
        try:
            identity = await cluster_id(self._settings.kafka)
        except (KafkaError, OSError):
            return  # away: the relay and the consumer say so themselves
        known, self._broker = self._broker, identity
        if known is None or known == identity:
            return
        async with self._pool.acquire() as conn:
            again = await sweep.note_broker(conn, identity, self._settings.reemit_hours)
        if again is not None:
            self._log.warning("broker.replaced", broker=identity, events_sent_again=again)
        if self.on_new_broker is not None:
            self.on_new_broker()

    async def _gauge(self) -> None:
        row = await self._pool.fetchrow(_GAUGES)
        assert row is not None
        self._metrics.set("waybill_outbox_rows", row["waiting"])
        self._metrics.set("waybill_outbox_oldest_seconds", float(row["oldest"] or 0))
        self._metrics.set("waybill_receipts_due", row["receipts"])
        self._metrics.set("waybill_alerts_open", row["alerts"])
        self._metrics.set("waybill_database_pool_busy", self._pool.get_size() - self._pool.get_idle_size())
