"""Fix once, heal all (IN-11): a change of rules judges again what is held, and what is excluded and may be let in.

Nothing is fetched: the snapshot as the channel last showed it is judged by the new rules. An order remembers the
version of the rules that judged it, so the work is found by a query, survives a crash, and ends by itself.
"""

from datetime import datetime

from order_ingest import store
from order_ingest.import_orders import Batch, apply_looks
from order_ingest.named import q
from order_ingest.rulebook import Rulebook
from order_ingest.seen import Seen, restored
from order_ingest.store import Stored
from waybill_common.db import Pool, rows, transaction
from waybill_common.telemetry import Telemetry

PAGE = 200


async def heal_orders(pool: Pool, rulebook: Rulebook, telemetry: Telemetry, now: datetime) -> int:
    """One page of each channel that has orders to judge again; returns how many were judged."""
    waiting = await rows(q().channels_to_judge(pool))
    return sum([await _heal_channel(pool, rulebook, telemetry, now, row["channel_id"]) for row in waiting])


async def _heal_channel(pool: Pool, rulebook: Rulebook, telemetry: Telemetry, now: datetime, channel: str) -> int:
    async with transaction(pool) as conn:
        found = await store.to_judge_again(conn, channel, PAGE)
        sightings = [_as_last_seen(one) for one in found]
        rules = await rulebook.of(conn, sightings)
        if channel not in rules:
            return 0
        batch = Batch(sightings, rules, telemetry, now)
        return len(await apply_looks(conn, batch, list(zip(found, sightings, strict=True))))


def _as_last_seen(row: Stored) -> Seen:
    updated_at, read_at, digest = row.age
    return Seen(row.copy.channel, restored(row.snapshot, updated_at), read_at, row.via, row.snapshot, digest)
