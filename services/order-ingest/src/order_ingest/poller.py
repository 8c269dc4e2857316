"""The scheduled pull: takes up channels that are due, several at once, so that a slow one does not hold up the others.

A channel is a leased row: of many replicas one alone pulls it. One that is down waits for its probe, one that is locked
out for new credentials (IN-12).
"""

import asyncio
import time
from datetime import timedelta

from order_ingest.calls import Calls, NotConfigured
from order_ingest.pull_channel import HOLD, PullChannel, TurnLost
from waybill_common.budget import BudgetWait
from waybill_common.leases import Lease, LeasedTable, claim, extend, give_up
from waybill_common.logs import Log
from waybill_platforms.errors import PlatformError

TABLE = LeasedTable(table="channels", id="channel_id", connection="channel_id", where="t.active and t.polled")
AT_ONCE = 16
"""Channels pulled at the same time by one replica: some that do not answer must not starve the others."""
_LOOK_UP = 0.5  # seconds after which a running pull is left alone and other channels are looked for
_LAST = 3.0  # seconds that running pulls get at the end


class Poller:
    """The worker that gives channels their turns."""

    def __init__(self, calls: Calls, pull: PullChannel, log: Log) -> None:
        self._calls = calls
        self._pull = pull
        self._log = log
        self._running: dict[asyncio.Task[None], Lease] = {}
        self._extended_at = 0.0

    @property
    def busy(self) -> bool:
        """Whether a pull is under way."""
        return bool(self._running)

    async def turn(self) -> int:
        """Starts what is due and waits a moment for what runs; returns how many were started or ended."""
        started = await self._start_due()
        if not self._running:
            return 0
        ended, _ = await asyncio.wait(self._running, timeout=_LOOK_UP, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            del self._running[task]
        await self._extend()
        for task in ended:
            task.result()  # what nobody expected is the worker's to log
        return started + len(ended)

    async def close(self) -> None:
        """Ends what runs: soon by itself, else cut off; its channel is due again at once."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_LAST)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_LAST)

    async def _start_due(self) -> int:
        free = AT_ONCE - len(self._running)
        if free <= 0:
            return 0
        async with self._calls.pool.acquire() as conn:
            blocked = await self._calls.health.blocked(conn)
            leases = await claim(conn, TABLE, limit=free, per_connection=1, hold=HOLD, exclude_connections=blocked)
        for lease in leases:
            self._running[asyncio.create_task(self._run(lease), name=f"pull {lease.id}")] = lease
        return len(leases)

    async def _extend(self) -> None:
        """A slow page must not cost the turn: what runs keeps its lease."""
        if self._running and time.monotonic() - self._extended_at > HOLD.total_seconds() / 4:
            async with self._calls.pool.acquire() as conn:
                await extend(conn, TABLE, list(self._running.values()), HOLD)
            self._extended_at = time.monotonic()

    async def _run(self, lease: Lease) -> None:
        try:
            await self._pull.pull(lease)
        except BudgetWait as wait:
            await self._return(lease, timedelta(seconds=wait.seconds))
        except PlatformError:
            pass  # noted with its row
        except TurnLost as error:
            self._log.warning("pull.turn_lost", channel=lease.id, error=str(error))
        except NotConfigured:
            await self._return(lease, lease.row["poll_every"])
        except asyncio.CancelledError:
            await self._return(lease, timedelta(0))
            raise
        except Exception:
            await self._return(lease, lease.row["poll_every"])
            raise

    async def _return(self, lease: Lease, due_in: timedelta) -> None:
        async with self._calls.pool.acquire() as conn:
            await give_up(conn, TABLE, [lease], due_in)
