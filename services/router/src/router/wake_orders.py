"""What has come (a SKU, a rule) wakes the orders that wait for it, and only those that it may serve (RT-7).

The oldest waiters of a key are woken first, in portions: as many as there are free units of the SKU, none that needs
more than there is. The next portion comes when the one before has been planned, and only while units are left. So a
count of ten costs ten plans, however many orders wait. A wake that comes meanwhile begins again from the oldest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.rulebooks import Rulebooks
from router.store import load_offers
from waybill_common.db import Connection, Pool, Queries, rows, transaction

KEYS_A_TURN = 500
PORTION = 500
"""So many waiters of one key are woken at a time, at most."""

EVERYBODY = 2**31 - 1
"""Room of what is not counted: rules, and SKUs of untracked sources."""


@dataclass(frozen=True, slots=True)
class Call:
    """One key to wake for: the row that keeps its place, and the ids of those that say the same."""

    id: int
    key: str
    after: str
    woken: list[str]
    same: list[int]


class WakeOrders:
    """Makes waiting orders due after the transaction that brought what they wait for: all waits before are visible."""

    def __init__(self, pool: Pool, queries: Queries, books: Rulebooks) -> None:
        self._pool = pool
        self._q = queries
        self._books = books

    async def turn(self) -> int:
        """How many keys moved on; 0 also while the last portions are still being planned."""
        async with transaction(self._pool) as conn:
            calls = calls_of(await rows(self._q.hold_wakes(conn, most=KEYS_A_TURN)))
            if not calls:
                return 0
            busy = await self._busy(conn, calls)
            ready = [call for call in calls if not busy.intersection(call.woken)]
            await self._wake(conn, ready)
            doubled = [id_ for call in calls for id_ in call.same]
            if doubled:
                await self._q.forget_wakes(conn, ids=doubled)
        return len(ready)

    async def _busy(self, conn: Connection, calls: Sequence[Call]) -> set[str]:
        """Orders that were woken and are not planned yet."""
        woken = [order_id for call in calls for order_id in call.woken]
        if not woken:
            return set()
        return {row["order_id"] for row in await rows(self._q.still_due(conn, order_ids=woken))}

    async def _wake(self, conn: Connection, calls: Sequence[Call]) -> None:
        rooms = await self._rooms(conn, [call.key for call in calls])
        open_ = [call for call in calls if rooms[call.key] > 0]
        found: dict[str, list[str]] = {}
        if open_:
            names = {"keys": [c.key for c in open_], "afters": [c.after for c in open_]}
            room = [rooms[call.key] for call in open_]
            for row in await rows(self._q.waiters(conn, **names, rooms=room, most=PORTION)):
                found.setdefault(row["key"], []).append(row["order_id"])
        over = [call.id for call in calls if call.key not in found]
        if over:
            await self._q.forget_wakes(conn, ids=over)
        if found:
            await rows(self._q.wake_orders(conn, order_ids=sorted({one for ids in found.values() for one in ids})))
            going = [call for call in open_ if call.key in found]
            await self._q.note_woken(
                conn,
                ids=[call.id for call in going],
                afters=[max(found[call.key]) for call in going],
                woken=[" ".join(found[call.key]) for call in going],
            )

    async def _rooms(self, conn: Connection, keys: Sequence[str]) -> Mapping[str, int]:
        """Units that are free of each key's SKU anywhere, safety stock left out."""
        skus = sorted({key.removeprefix("sku/") for key in keys if key.startswith("sku/")})
        rooms = {key: 0 if key.startswith("sku/") else EVERYBODY for key in keys}
        if skus:
            _, book = await self._books.current(conn)
            for (_, sku), offer in (await load_offers(conn, self._q, skus, book)).items():
                more = EVERYBODY if offer.available is None else max(offer.available, 0)
                rooms[f"sku/{sku}"] = min(rooms[f"sku/{sku}"] + more, EVERYBODY)
        return rooms


def calls_of(wakes: Sequence[Any]) -> list[Call]:
    """One call for each key: that which is under way, else the first; of those that wait behind it one is kept."""
    by_key: dict[str, list[Any]] = {}
    for row in wakes:
        by_key.setdefault(row["key"], []).append(row)
    calls = []
    for key, found in by_key.items():
        under_way = next((row for row in found if row["woken"]), None)
        first = under_way or found[0]
        others = [row["id"] for row in found if row is not first]
        same = others[1:] if under_way else others
        calls.append(Call(first["id"], key, first["after"] or "", list(first["woken"] or ()), same))
    return calls
