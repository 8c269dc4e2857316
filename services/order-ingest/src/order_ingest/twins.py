"""Orders alike, judged one after the other: who came first goes on, a later one is suspected (IN-10).

Two importers that bring an order each at the same moment take the same lock, so one of them sees the other's order.
Within a batch the earlier one counts. An order that is here already is compared with those alone that came before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from order_ingest.alike import alike_of
from order_ingest.lifecycle import Standing
from order_ingest.named import q
from order_ingest.rules import ChannelRules
from order_ingest.seen import Seen
from waybill_common.db import Connection, rows

Key = tuple[str, str]
_LATEST = 2**63 - 1
"""The place of an order that is not here yet: everybody came before it."""


async def lock_alike(conn: Connection, alikes: Sequence[bytes | None]) -> None:
    """Takes these orders' turns until the transaction ends; before any row of theirs is locked."""
    keys = {int.from_bytes(alike[:8], "big", signed=True) for alike in alikes if alike is not None}
    if keys:
        await q().lock_alike(conn, keys=sorted(keys))


@dataclass(slots=True)
class Twins:
    """Which of a batch's orders have one alike before them. Build it with `find`, after `lock_alike`."""

    rules: Mapping[str, ChannelRules]
    _stored: dict[Key, str] = field(default_factory=dict)
    _batch: dict[tuple[str, bytes], Seen] = field(default_factory=dict)

    @classmethod
    async def find(
        cls, conn: Connection, rules: Mapping[str, ChannelRules], looks: Sequence[tuple[Seen, int | None]]
    ) -> "Twins":
        """`looks`: each sighting with its order's place among those that came, if it is here already."""
        twins = cls(rules)
        asked = [(s, here, twins.alike(s)) for s, here in looks]
        wanted: list[tuple[Seen, int | None, bytes]] = [(s, here, a) for s, here, a in asked if a is not None]
        if wanted:
            twins._stored = await _stored_twins(conn, rules, wanted)
        return twins

    def alike(self, sighting: Seen) -> bytes | None:
        """What its order is found by."""
        return alike_of(sighting.order, self.rules[sighting.channel])

    def twin_of(self, sighting: Seen, *, here: bool) -> str | None:
        """The number of the order alike that was before this one."""
        stored = self._stored.get(sighting.key)
        alike = None if here or stored is not None else self.alike(sighting)
        if alike is None:
            return stored
        other = self._batch.get((sighting.channel, alike))
        if other is None or other.key == sighting.key:
            return None
        within = self.rules[sighting.channel].channel.duplicates.within
        near = abs(other.order.placed_at - sighting.order.placed_at) <= within
        return (other.order.number or other.order.id) if near else None

    def came(self, sighting: Seen, standing: Standing) -> None:
        """This order of the batch is here now: later ones are compared with it."""
        alike = self.alike(sighting)
        if alike is not None and standing in (Standing.HELD, Standing.IMPORTED):
            self._batch.setdefault((sighting.channel, alike), sighting)


async def _stored_twins(
    conn: Connection, rules: Mapping[str, ChannelRules], wanted: Sequence[tuple[Seen, int | None, bytes]]
) -> dict[Key, str]:
    columns: dict[str, list[Any]] = {
        "alikes": [alike for _, _, alike in wanted],
        "channels": [s.channel for s, _, _ in wanted],
        "ids": [s.order.id for s, _, _ in wanted],
        "heres": [_LATEST if here is None else here for _, here, _ in wanted],
        "placed": [s.order.placed_at for s, _, _ in wanted],
        "within": [rules[s.channel].channel.duplicates.within for s, _, _ in wanted],
    }
    found = await rows(q().twins(conn, **columns))
    return {(row["channel"], row["id"]): row["number"] for row in found}


async def next_places(conn: Connection, count: int) -> list[int]:
    """Places for orders that come now, in this order."""
    return [row["here"] for row in await rows(q().next_here(conn, count=count))] if count else []
