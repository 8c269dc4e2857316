"""Forgets what has served its time: webhook deliveries and keys of orders placed by hand."""

from datetime import timedelta

from order_ingest.named import q
from waybill_common.db import Pool, affected

KEEP_DELIVERIES = timedelta(days=7)
KEEP_KEYS = timedelta(days=30)


async def tidy(pool: Pool) -> int:
    """Returns how many rows went; called again while there are more."""
    return affected(await q().forget_deliveries(pool, keep=KEEP_DELIVERIES)) + affected(
        await q().forget_placed(pool, keep=KEEP_KEYS)
    )
