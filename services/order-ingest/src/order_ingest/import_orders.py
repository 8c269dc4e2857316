"""The one verb in which every way in ends: sightings of orders become our orders, each exactly once (IN-6, IN-16).

One transaction of the caller, a handful of statements for the whole batch. Whatever arrives twice, late or out of
order, the newest sighting of each order is what counts in the end; what is known already costs one read and no write.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from order_ingest import store
from order_ingest.alike import alike_of
from order_ingest.decide import Copy, Judged, first_look, look_again
from order_ingest.erase_person import without_erased
from order_ingest.facts import begin_trace, messages
from order_ingest.lifecycle import Standing
from order_ingest.named import q
from order_ingest.normalize import normalize
from order_ingest.rules import ChannelRules
from order_ingest.said import ASKED_FOR, NOTHING, Said, Word
from order_ingest.seen import Age, Seen, newest
from order_ingest.standing_holds import Known
from order_ingest.store import Glimpse, Stored
from order_ingest.twins import Twins, lock_alike, next_places
from waybill_common import outbox
from waybill_common.db import Connection
from waybill_common.telemetry import Telemetry
from waybill_contracts import tracing
from waybill_contracts.orders_imported import OrderExcluded, OrderImported


@dataclass(frozen=True, slots=True)
class Batch:
    """Sightings, the rules of each of their channels, and what the verb needs of the outside."""

    sightings: Sequence[Seen]
    rules: Mapping[str, ChannelRules]
    telemetry: Telemetry
    now: datetime
    word: Word | None = None
    """Of the person who has it judged; the facts name it."""
    asked: bool = False
    """Somebody asked for the window that these lie in: when they were placed does not keep them out."""


@dataclass(slots=True)
class Counts:
    """What became of the orders of a batch; adds up over the pages of a window."""

    orders: int = 0
    imported: int = 0
    held: int = 0
    excluded: int = 0
    changed: int = 0
    unchanged: int = 0
    order_ids: list[str] = field(default_factory=list)
    """Of orders that came or changed, and of erased ones that were shown: what was read about them is not kept."""
    changed_held: int = 0
    """Of those that changed: they are held now."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why orders that came or changed are held (each of its reasons) or excluded."""

    def add(self, other: "Counts") -> None:
        self.orders += other.orders
        self.imported += other.imported
        self.held += other.held
        self.excluded += other.excluded
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.changed_held += other.changed_held
        self.reasons += other.reasons

    def as_json(self) -> dict[str, int]:
        names = ("orders", "imported", "held", "excluded", "changed", "unchanged")
        return {name: getattr(self, name) for name in names}


async def import_orders(conn: Connection, batch: Batch) -> Counts:
    """Applies the sightings in the caller's transaction and appends the facts that follow to the outbox."""
    sightings, erased = await without_erased(conn, newest(batch.sightings))
    known = await store.known_ages(conn, sightings)
    new = [s for s in sightings if s.key not in known]
    again = [s for s in sightings if s.key in known and _is_news(s, known[s.key].age)]
    before = [known[s.key].alike for s in again]
    await lock_alike(conn, [*before, *(alike_of(s.order, batch.rules[s.channel]) for s in (*new, *again))])
    await store.touch(conn, [s for s in sightings if _only_time_moved(s, known)])
    decided, beaten = await _first_looks(conn, batch, new)
    decided += await _second_looks(conn, batch, [*again, *beaten])
    counts = _counted(len(sightings), decided)
    counts.order_ids += [order_id for order_id in erased if order_id not in counts.order_ids]
    return counts


def _is_news(sighting: Seen, known: Age) -> bool:
    return sighting.digest != known[2] and sighting.age > known


def _only_time_moved(sighting: Seen, known: Mapping[tuple[str, str], Glimpse]) -> bool:
    glimpse = known.get(sighting.key)
    return glimpse is not None and glimpse.age[2] == sighting.digest and glimpse.age[0] < sighting.order.updated_at


async def _first_looks(conn: Connection, batch: Batch, sightings: Sequence[Seen]) -> tuple[list[Judged], list[Seen]]:
    """Stores orders that nobody had; returns the decisions, and the sightings that another importer was faster with."""
    twins = await Twins.find(conn, batch.rules, [(sighting, None) for sighting in sightings])
    looks = [(sighting, _judge_new(batch, sighting, twins)) for sighting in sightings]
    new = await _placed(conn, [_row(batch, sighting, judged.copy, twins) for sighting, judged in looks])
    inserted = await store.insert_new(conn, new)
    kept = [(row, judged) for row, (_, judged) in zip(new, looks, strict=True) if judged.copy.order_id in inserted]
    await store.record_moves(conn, [(None, judged.copy) for _, judged in kept])
    await outbox.append(conn, [m for row, judged in kept for m in messages(judged, row.traceparent)])
    beaten = [sighting for sighting, judged in looks if judged.copy.order_id not in inserted]
    return [judged for _, judged in kept], beaten


async def _second_looks(conn: Connection, batch: Batch, sightings: Sequence[Seen]) -> list[Judged]:
    """Applies newer sightings to orders that are here (or were excluded), under their row locks."""
    held_rows = await store.locked(conn, sightings)
    pairs = [(held_rows[s.key], s) for s in sightings if s.key in held_rows and s.age > held_rows[s.key].age]
    return await apply_looks(conn, batch, pairs)


async def apply_looks(conn: Connection, batch: Batch, pairs: Sequence[tuple[Stored, Seen]]) -> list[Judged]:
    """Judges locked rows by these sightings, saves them and tells what follows; `lock_alike` came before the rows."""
    twins = await Twins.find(conn, batch.rules, [(sighting, row.here) for row, sighting in pairs])
    judged = [_judge(batch, row, sighting, twins) for row, sighting in pairs]
    changed = await _placed(
        conn,
        [_seen_as(batch, row, sighting, one.copy, twins) for (row, sighting), one in zip(pairs, judged, strict=True)],
    )
    await store.save(conn, changed)
    moves = [
        (row.copy, one.copy) for (row, _), one in zip(pairs, judged, strict=True)
        if row.copy.standing is not one.copy.standing
    ]  # fmt: skip
    await store.record_moves(conn, moves)
    gone = [after.order_id for _, after in moves if after.standing is Standing.CANCELED]
    if gone:
        await q().judge_alike_again(conn, order_ids=gone)
    await outbox.append(conn, [m for row, one in zip(changed, judged, strict=True) for m in _told(batch, row, one)])
    return judged


def _judge_new(batch: Batch, sighting: Seen, twins: Twins) -> Judged:
    copy = store.unseen(sighting, batch.rules[sighting.channel].store)
    return _first(batch, sighting, copy, _said(batch, sighting, NOTHING), twins)


def _first(batch: Batch, sighting: Seen, copy: Copy, said: Said, twins: Twins) -> Judged:
    known = Known(said, twins.twin_of(sighting, here=False))
    outcome = normalize(sighting.order, batch.rules[sighting.channel], None, known)
    about = {"number": sighting.order.number or sighting.order.id, "placed_at": sighting.order.placed_at}
    judged = first_look(copy, outcome, about, via=sighting.via, now=batch.now)
    twins.came(sighting, judged.copy.standing)
    return judged


def _judge(batch: Batch, row: Stored, sighting: Seen, twins: Twins) -> Judged:
    if row.copy.standing is Standing.EXCLUDED:
        return _first(batch, sighting, row.copy, _said(batch, sighting, row.said), twins)
    known = Known(row.said, twins.twin_of(sighting, here=True))
    outcome = normalize(sighting.order, batch.rules[sighting.channel], row.copy.baseline, known)
    return look_again(row.copy, outcome, now=batch.now, word=batch.word)


def _said(batch: Batch, sighting: Seen, known: Said) -> Said:
    return replace(known, asked=known.asked or batch.asked or sighting.via in ASKED_FOR)


async def _placed(conn: Connection, judged: Sequence[Stored]) -> list[Stored]:
    """Orders that came now get their places, in the batch's order; likeness alone needs them."""
    came = [s for s in judged if s.alike and s.here is None and s.copy.standing is not Standing.EXCLUDED]
    places = dict(zip((s.copy.order_id for s in came), await next_places(conn, len(came)), strict=True))
    return [replace(s, here=places.get(s.copy.order_id, s.here)) for s in judged] if came else list(judged)


def _row(batch: Batch, sighting: Seen, copy: Copy, twins: Twins) -> Stored:
    about = {
        tracing.ORDER_ID: str(copy.order_id),
        tracing.ORDER_NUMBER: sighting.order.number,
        tracing.CHANNEL: copy.channel,
    }
    trace = begin_trace(batch.telemetry, "order.import", sighting.traceparent, about)
    return Stored(
        copy=copy, number=sighting.order.number or sighting.order.id, age=sighting.age, snapshot=sighting.snapshot,
        rules_version=batch.rules[sighting.channel].version, via=sighting.via, traceparent=trace,
        placed_at=sighting.order.placed_at, said=_said(batch, sighting, NOTHING), alike=twins.alike(sighting),
    )  # fmt: skip


def _seen_as(batch: Batch, row: Stored, sighting: Seen, copy: Copy, twins: Twins) -> Stored:
    return replace(
        row, copy=copy, number=sighting.order.number or sighting.order.id, age=sighting.age,
        snapshot=sighting.snapshot, rules_version=batch.rules[sighting.channel].version,
        said=_said(batch, sighting, row.said),
        alike=twins.alike(sighting),
    )  # fmt: skip


def _told(batch: Batch, row: Stored, judged: Judged) -> list[outbox.Message]:
    if not judged.events:
        return []
    about = {tracing.ORDER_ID: str(row.copy.order_id), tracing.CHANNEL: row.copy.channel}
    with batch.telemetry.span("order.update", parent=row.traceparent, kind="producer", attributes=about) as span:
        return messages(judged, span.traceparent)


def _counted(orders: int, decided: Sequence[Judged]) -> Counts:
    counts = Counts(orders=orders)
    for one in decided:
        for event in one.events:
            counts.excluded += isinstance(event, OrderExcluded)
            new = isinstance(event, OrderImported)
            counts.held += new and one.copy.standing is Standing.HELD
            counts.imported += new and one.copy.standing is not Standing.HELD
        if one.events:
            counts.reasons.update(_reasons(one.copy))
        if one.events and not isinstance(one.events[0], OrderExcluded):
            counts.order_ids.append(str(one.copy.order_id))
            changed = not isinstance(one.events[0], OrderImported)
            counts.changed += changed
            counts.changed_held += changed and one.copy.standing is Standing.HELD
    counts.unchanged = orders - counts.imported - counts.held - counts.excluded - counts.changed
    return counts


def _reasons(copy: Copy) -> set[str]:
    if copy.standing is Standing.EXCLUDED:
        return {copy.reason}
    return {hold.reason.value for hold in copy.order.holds} if copy.order is not None else set()
