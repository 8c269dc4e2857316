"""Whose orders are whose, for a person who wants to be forgotten, and orders that stay without them (OP-16).

An erased order keeps its id, number, lines, amounts and states. What its shop shows of it from then on is taken in
without the person: its digest is of the order without them, so that a second look finds nothing new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from order_ingest.named import q
from order_ingest.seen import Seen, restored, seen
from waybill_common.db import Connection, Pool, rows, transaction
from waybill_common.erasing import Eraser, Subject
from waybill_contracts import personal
from waybill_platforms.model.orders import ChannelOrder


@dataclass(frozen=True, slots=True)
class ErasePerson:
    """The two verbs and what they need."""

    pool: Pool
    eraser: Eraser

    async def find(
        self, channel: str, email: str, order_ids: Sequence[UUID], channel_order_ids: Sequence[str]
    ) -> dict[str, Any]:
        """Orders by id, by the shop's id, or by e-mail, and what names their buyers in any version of them."""
        named = await rows(
            q().orders_named(self.pool, channel=channel, order_ids=order_ids, channel_order_ids=channel_order_ids)
        )
        theirs = await rows(q().orders_of_email(self.pool, channel=channel, email=email.lower())) if email else []
        found = {row["order_id"]: row for row in (*named, *theirs)}
        facts = await rows(q().facts_of_orders(self.pool, order_ids=[str(order_id) for order_id in found]))
        documents = [orjson.loads(row["value"]) for row in facts if row["value"]]
        documents += [row[name] for row in found.values() for name in ("snapshot", "body")]
        return {
            "orders": [
                {"order_id": str(row["order_id"]), "number": row["number"], "standing": row["standing"]}
                for row in sorted(found.values(), key=lambda row: row["order_id"])
            ],
            "words": sorted(personal.words_of(documents)),
            "marks": sorted(personal.marks_of(documents)),
        }

    async def erase(self, subject: Subject) -> dict[str, int]:
        """Rows changed, by table."""
        changed = await self.eraser.erase(subject)
        async with transaction(self.pool) as conn:
            ids = [UUID(key) for key in subject.keys]
            found = await rows(q().orders_named(conn, channel="", order_ids=ids, channel_order_ids=[]))
            digests = [_digest(row) for row in found]
            await q().stamp(conn, order_ids=[row["order_id"] for row in found], digests=digests)
        return changed


async def without_erased(conn: Connection, sightings: Sequence[Seen]) -> tuple[list[Seen], list[str]]:
    """The sightings, those of erased orders without the person; and the ids of these orders."""
    channels, ids = [s.channel for s in sightings], [s.order.id for s in sightings]
    found = await rows(q().erased_among(conn, channels=channels, ids=ids))
    if not found:
        return list(sightings), []
    erased = {(row["channel"], row["channel_order_id"]) for row in found}
    return [_plain(s) if s.key in erased else s for s in sightings], [str(row["order_id"]) for row in found]


def _plain(sighting: Seen) -> Seen:
    snapshot = orjson.loads(orjson.dumps(sighting.snapshot))
    order = _order(snapshot, sighting.order.updated_at)
    return seen(sighting.channel, order, read_at=sighting.read_at, via=sighting.via, traceparent=sighting.traceparent)


def _order(snapshot: Any, updated_at: Any) -> ChannelOrder:
    return restored(personal.without_person(snapshot), updated_at)


def _digest(row: Any) -> bytes:
    order = _order(row["snapshot"], row["updated_at"])
    return seen(row["channel"], order, read_at=row["updated_at"], via="").digest
