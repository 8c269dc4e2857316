"""The scheduled pull: takes up channels that are due, several at once, so that a slow one does not hold up the others.

A channel is a leased row: of many replicas one alone pulls it. One that is down waits for its probe, one that is locked
out for new credentials (IN-12). Windows of many pages stay open beside those that begin: they keep no channel from
being taken up, and their next pages come in turns with it (`page_turns.py`).
"""

import asyncio
from datetime import timedelta
from functools import partial

from order_ingest.calls import Calls, NotConfigured
from order_ingest.pull_channel import HOLD, PullChannel, TurnLost
from order_ingest.side_by_side import SideBySide
from waybill_common.budget import BudgetWait
from waybill_common.leases import Lease, LeasedTable, claim, give_up
from waybill_common.logs import Log
from waybill_platforms.errors import PlatformError

TABLE = LeasedTable(table="channels", id="channel_id", connection="channel_id", where="t.active and t.polled")
BEGINNING = 16
"""Channels taken up whose first turn has not come yet; further ones are left to other replicas meanwhile."""


class Poller:
    """The worker that gives channels their turns."""

    def __init__(self, calls: Calls, pull: PullChannel, log: Log) -> None:
        self._calls = calls
        self._pull = pull
        self._log = log
        self._running = SideBySide(calls.pool, TABLE, HOLD)
        self._beginning: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether a pull is under way."""
        return len(self._running) > 0

    async def turn(self) -> int:
        """Starts what is due and waits a moment for what runs; returns how many were started or ended."""
        started = await self._start_due()
        return started + await self._running.look()

    async def close(self) -> None:
        """Ends what runs: soon by itself, else cut off; its channel is due again at once."""
        await self._running.close()

    async def _start_due(self) -> int:
        free = BEGINNING - len(self._beginning)
        if free <= 0:
            return 0
        async with self._calls.pool.acquire() as conn:
            blocked = await self._calls.health.blocked(conn)
            leases = await claim(conn, TABLE, limit=free, per_connection=1, hold=HOLD, exclude_connections=blocked)
        for lease in leases:
            self._beginning.add(lease.id)
            self._running.start(lease, self._run(lease))
        return len(leases)

    async def _run(self, lease: Lease) -> None:
        begun = partial(self._beginning.discard, lease.id)
        try:
            await self._pull.pull(lease, begun)
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
        finally:
            begun()

    async def _return(self, lease: Lease, due_in: timedelta) -> None:
        async with self._calls.pool.acquire() as conn:
            await give_up(conn, TABLE, [lease], due_in)
