"""Forgets what has served its time: answers kept for `Idempotency-Key`, ended sessions, old transaction records."""

from datetime import datetime, timedelta

from waybill_common.clock import Clock
from waybill_common.db import Pool, Queries

EVERY = timedelta(minutes=10)


class Tidy:
    """A worker's turn."""

    def __init__(self, pool: Pool, q: Queries, clock: Clock, records_kept_days: float = 90.0) -> None:
        self._pool, self._q, self._clock, self._records = pool, q, clock, records_kept_days
        self._last: datetime | None = None

    async def turn(self) -> int:
        now = self._clock.now()
        if self._last is not None and now - self._last < EVERY:
            return 0
        self._last = now
        await self._q.prune_idempotency_keys(self._pool)
        await self._q.prune_sessions(self._pool)
        await self._q.prune_failed_sign_ins(self._pool)
        await self._q.prune_alert_changes(self._pool)
        await self._q.prune_partner_news(self._pool)
        await self._q.prune_commands(self._pool)
        await self._q.prune_records(self._pool, days=self._records)
        return 0
