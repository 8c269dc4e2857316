"""Forgets what has served its time: webhook deliveries, keys of orders placed by hand, old audits and counts."""

from datetime import timedelta

from order_ingest.named import q
from waybill_common.db import Pool, affected

KEEP_DELIVERIES = timedelta(days=7)
KEEP_KEYS = timedelta(days=30)
KEEP_AUDITS = timedelta(days=90)
KEEP_PREVIEWS = timedelta(days=1)


async def tidy(pool: Pool) -> int:
    """Returns how many rows went; called again while there are more."""
    gone = [
        await q().forget_deliveries(pool, keep=KEEP_DELIVERIES),
        await q().forget_placed(pool, keep=KEEP_KEYS),
        await q().forget_audits(pool, keep=KEEP_AUDITS),
        await q().forget_previews(pool, keep=KEEP_PREVIEWS),
    ]
    return sum(affected(status) for status in gone)
