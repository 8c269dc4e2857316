"""Fix once, heal all (IN-11): a change of rules judges again what is held, and what is excluded and may be let in.

Nothing is fetched: the snapshot as the channel last showed it is judged by the new rules. An order remembers the
version of the rules that judged it, so the work is found by a query, survives a crash, and ends by itself. One that
cannot be judged stays as it was, with an alert, and keeps no other from being healed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from order_ingest import store
from order_ingest.import_orders import Batch, apply_looks
from order_ingest.named import q
from order_ingest.rulebook import Rulebook
from order_ingest.seen import Seen, restored
from order_ingest.store import Stored
from order_ingest.twins import lock_alike
from waybill_common.alerts import Alerts
from waybill_common.db import Connection, Pool, rows, transaction, transient
from waybill_common.telemetry import Telemetry

PAGE = 200


@dataclass(frozen=True, slots=True)
class Healer:
    """Judges again what older rules have judged."""

    pool: Pool
    rulebook: Rulebook
    telemetry: Telemetry
    alerts: Alerts

    async def heal(self, now: datetime) -> int:
        """One page of each channel that has orders to judge again; returns how many were looked at."""
        waiting = await rows(q().channels_to_judge(self.pool))
        return sum([await self._heal_channel(row["channel_id"], now) for row in waiting])

    async def _heal_channel(self, channel: str, now: datetime) -> int:
        async with transaction(self.pool) as conn:
            waiting = await rows(q().to_judge_again(conn, channel=channel, limit=PAGE))
            await lock_alike(conn, [row["alike"] for row in waiting])
            found = await rows(q().lock_to_judge(conn, order_ids=[row["order_id"] for row in waiting]))
            if await self._judged(conn, found, now) is not None:
                for row in found:  # one of them is poison: each alone
                    error = await self._judged(conn, [row], now)
                    if error is not None:
                        await self._leave(conn, row, error)
        return len(found)

    async def _judged(self, conn: Connection, found: Sequence[Any], now: datetime) -> Exception | None:
        """Applies the present rules, or nothing at all: then it says why."""
        try:
            async with conn.transaction():
                held = [store.stored(row) for row in found]
                sightings = [as_last_seen(one) for one in held]
                rules = await self.rulebook.of(conn, sightings)
                if held and held[0].copy.channel in rules:  # else it was removed a moment ago
                    batch = Batch(sightings, rules, self.telemetry, now)
                    await apply_looks(conn, batch, list(zip(held, sightings, strict=True)))
        except Exception as error:
            if transient(error):
                raise
            return error
        return None

    async def _leave(self, conn: Connection, row: Any, error: Exception) -> None:
        await q().cannot_judge(conn, order_id=row["order_id"])
        await self.alerts.raised(
            conn,
            f"not-judged/{row['order_id']}",
            f"Order {row['number'][:100]} of channel {row['channel']} cannot be judged by the new rules",
            f"{type(error).__name__}: {error}"[:1000],
        )


def as_last_seen(row: Stored) -> Seen:
    """The sighting that the row stands for, to be judged once more."""
    updated_at, read_at, digest = row.age
    return Seen(row.copy.channel, restored(row.snapshot, updated_at), read_at, row.via, row.snapshot, digest)
