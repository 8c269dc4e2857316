"""The rate budget of a connection, shared out between services by declared shares and within one by a row.

Promises: the replicas of a service together spend no more than `share` of the connection's rate; what the platform
itself says about its budget corrects ours; a `Retry-After` is honoured by every replica, by one that drew ahead after
half a second at most. Nobody sleeps long on it: a wait beyond the patience is raised, so the row becomes due later.
It cannot know what other programs spend at the same platform, except through the platform's own answers.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from waybill_common.db import Pool
from waybill_common.metrics import Metrics

PURSE_SECONDS = 0.5
"""For how long a replica may hold tokens that it drew ahead."""
BLOCK_SECONDS = 0.25
"""How much of the refill it may draw ahead."""


_patience: ContextVar[float | None] = ContextVar("waybill_budget_patience", default=None)


@contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Within it a draw itself waits this long before it says "later": for work that begins anew when it is put off."""
    before = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(before)


class BudgetWait(Exception):
    """Not now: nothing was spent, and the call may be made in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the rate budget asks to wait {seconds:.1f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Rate:
    """What the platform grants a connection: a bucket of `capacity` units that fills by `per_second`."""

    capacity: float
    per_second: float

    def __post_init__(self) -> None:
        if self.capacity <= 0 or self.per_second <= 0:
            raise ValueError(f"{self}: capacity and per_second must be greater than 0")


@dataclass(slots=True)
class _Purse:
    """Tokens drawn ahead by this process, and what it last saw of the row."""

    tokens: float = 0.0
    until: float = 0.0
    seen: float = 0.0
    seen_at: float = 0.0
    per_second: float = 0.0


# $1 connection, $2 cost, $3 share, $4 capacity, $5 per second (both of the whole connection), $6 patience,
# $7 seconds of refill to draw ahead at most, $8 tokens drawn ahead earlier and not spent: they come back
_DRAW = """
with row as (
    select *, clock_timestamp() as at from rate_budgets where connection_id = $1 for update
), filled as (
    select r.*, coalesce(r.per_second, $5::float8) * $3::float8 as rate,
           extract(epoch from greatest(r.updated_at - r.at, interval '0'))::float8 as blocked,
           least(coalesce(r.capacity, $4::float8) * $3::float8,
                 r.available + $8::float8 + coalesce(r.per_second, $5::float8) * $3::float8
                 * extract(epoch from greatest(r.at - r.updated_at, interval '0'))::float8) as tokens
    from row r
), decided as (
    select f.*, f.blocked + greatest(0, $2::float8 - f.tokens) / f.rate as wait,
           floor(least(greatest(f.tokens - $2, 0), f.rate * $7::float8) / $2) * $2 as ahead
    from filled f
), spent as (
    update rate_budgets b set available = d.tokens - $2 - case when d.wait > 0 then 0 else d.ahead end,
                              updated_at = greatest(b.updated_at, d.at)
    from decided d where b.connection_id = d.connection_id and d.wait <= $6
)
select wait, case when wait > 0 then 0 else ahead end as ahead, tokens, rate from decided
"""
_CREATE = """
insert into rate_budgets (connection_id, available, updated_at) values ($1, $2, clock_timestamp())
on conflict do nothing
"""
_CORRECT = """
update rate_budgets set available = least($2, available + $5::float8
        * extract(epoch from greatest(clock_timestamp() - updated_at, interval '0'))::float8),
    per_second = coalesce($3, per_second),
    capacity = coalesce($4, capacity), updated_at = greatest(updated_at, clock_timestamp())
where connection_id = $1
"""
_BLOCK = """
insert into rate_budgets as b (connection_id, available, updated_at)
values ($1, 0, clock_timestamp() + make_interval(secs => $2))
on conflict (connection_id) do update set available = least(b.available, 0),
    updated_at = greatest(b.updated_at, excluded.updated_at)
"""


class Budget:
    """The budgets of one service. `share` (0 to 1) of each connection's rate is its own.

    `patience` is how many seconds `draw` itself waits before it says "later".
    """

    def __init__(
        self, pool: Pool, share: float = 1.0, *, patience: float = 2.0, metrics: Metrics | None = None
    ) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share={share}: use a number greater than 0 and at most 1")
        self._pool = pool
        self._share = share
        self._patience = patience
        self._metrics = metrics
        self._purses: dict[str, _Purse] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._blocked_until: dict[str, float] = {}

    async def draw(self, connection_id: str, cost: float, rate: Rate) -> None:
        """Returns when a call of this cost may be sent; BudgetWait when that takes longer than the patience."""
        if cost <= 0:
            return
        longer = _patience.get()
        patience = self._patience if longer is None else longer
        if longer is not None and 0 < (left := self._blocked_for(connection_id)) <= longer:
            await asyncio.sleep(left + 0.01)
        async with self._locks[connection_id]:
            self._refuse_blocked(connection_id)
            purse = self._purses.get(connection_id)
            if purse is not None and purse.tokens >= cost and time.monotonic() < purse.until:
                purse.tokens -= cost
                return
            wait = await self._draw_from_row(connection_id, cost, rate, patience, purse=purse)
        if wait > patience:
            raise BudgetWait(wait)
        if wait > 0:
            if self._metrics is not None:
                self._metrics.observe("waybill_budget_wait_seconds", wait)
            await asyncio.sleep(wait)
            self._refuse_blocked(connection_id)  # an answer may have said so meanwhile

    def _blocked_for(self, connection_id: str) -> float:
        return self._blocked_until.get(connection_id, 0.0) - time.monotonic()

    def _refuse_blocked(self, connection_id: str) -> None:
        left = self._blocked_for(connection_id)
        if left > 0:
            raise BudgetWait(left)

    async def correct(
        self,
        connection_id: str,
        available: float,
        per_second: float | None = None,
        capacity: float | None = None,
    ) -> None:
        """The platform said what is left of the whole connection's budget (and how it fills): never spend more.

        Costs a statement only where it says clearly less than we thought.
        """
        purse = self._purses.get(connection_id)
        ours = available * self._share
        if purse is not None and not capacity:
            guess = purse.seen + purse.per_second * (time.monotonic() - purse.seen_at)
            same_rate = per_second is None or abs(per_second * self._share - purse.per_second) < 0.01
            if same_rate and ours >= min(guess, purse.seen) * 0.9:
                return
        await self._pool.execute(_CREATE, connection_id, ours)
        await self._pool.execute(
            _CORRECT, connection_id, ours, per_second, capacity, purse.per_second if purse is not None else 0.0
        )
        if purse is not None:
            purse.seen, purse.seen_at, purse.tokens = ours, time.monotonic(), min(purse.tokens, ours)
            purse.per_second = per_second * self._share if per_second is not None else purse.per_second

    async def block(self, connection_id: str, seconds: float) -> None:
        """The platform said when to come back (`Retry-After`): no replica of this service calls before."""
        self._purses.pop(connection_id, None)
        until = time.monotonic() + seconds
        self._blocked_until[connection_id] = max(until, self._blocked_until.get(connection_id, 0.0))
        await self._pool.execute(_BLOCK, connection_id, float(seconds))

    async def _draw_from_row(
        self, connection_id: str, cost: float, rate: Rate, patience: float, *, purse: _Purse | None
    ) -> float:
        """Seconds to wait before the call; nothing is spent when they exceed `patience`."""
        if purse is None:
            await self._pool.execute(_CREATE, connection_id, rate.capacity * self._share)
        row = await self._pool.fetchrow(
            _DRAW,
            connection_id,
            cost,
            self._share,
            rate.capacity,
            rate.per_second,
            patience,
            BLOCK_SECONDS,
            purse.tokens if purse is not None else 0.0,
        )
        if row is None:  # somebody removed it (the connection was deleted and came again)
            self._purses.pop(connection_id, None)
            return await self._draw_from_row(connection_id, cost, rate, patience, purse=None)
        if purse is not None and row["wait"] > patience:
            return float(row["wait"])  # nothing was spent, and what was drawn ahead is still ours
        now = time.monotonic()
        self._purses[connection_id] = _Purse(row["ahead"], now + PURSE_SECONDS, row["tokens"] - cost, now, row["rate"])
        return float(row["wait"])
