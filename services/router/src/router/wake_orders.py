"""What has come (a SKU, a rule) wakes the orders that wait for it, and only those (RT-7)."""

from waybill_common.db import Pool, Queries, rows, transaction

KEYS_A_TURN = 500


class WakeOrders:
    """Turns keys into due orders, after the transaction that brought them: by then every wait before it is visible."""

    def __init__(self, pool: Pool, queries: Queries) -> None:
        self._pool = pool
        self._q = queries

    async def turn(self) -> int:
        """How many keys were dealt with."""
        async with transaction(self._pool) as conn:
            keys = [row["key"] for row in await rows(self._q.take_wakes(conn, most=KEYS_A_TURN))]
            if keys:
                await rows(self._q.wake_orders(conn, keys=sorted(set(keys))))
        return len(keys)
