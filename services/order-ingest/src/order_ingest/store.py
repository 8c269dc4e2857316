"""Orders in the database: rows to copies and back, whole batches a statement.

The caller owns the transaction. Rows are written in key order, so that two importers never wait for each other in a
circle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from order_ingest.decide import Copy
from order_ingest.lifecycle import Standing
from order_ingest.named import q
from order_ingest.said import NOTHING, Said, said_of
from order_ingest.seen import Age, Seen
from waybill_common.db import Connection, rows
from waybill_common.ids import new_id
from waybill_contracts.values import Order


@dataclass(frozen=True, slots=True)
class Stored:
    """One row: our copy, the sighting it stands for, and what goes with it."""

    copy: Copy
    number: str
    age: Age
    snapshot: Any
    """JSON: a mapping as read, or a fragment as seen."""
    rules_version: int
    via: str
    traceparent: str
    placed_at: datetime
    said: Said = NOTHING
    alike: bytes | None = None
    """What orders with its address and items have in common with it."""
    here: int | None = None
    """Its place among the orders that came, once it came."""


def unseen(sighting: Seen, store: str) -> Copy:
    """The copy of an order that nobody has seen before: nothing yet."""
    return Copy(
        order_id=new_id(), store=store, channel=sighting.channel, channel_order_id=sighting.order.id,
        standing=Standing.EXCLUDED, version=0, sequence=0, order=None, baseline={}, reason="", detail="",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What was read of a row without a lock: enough to leave most of a window alone."""

    age: Age
    alike: bytes | None


async def known_ages(conn: Connection, sightings: Sequence[Seen]) -> dict[tuple[str, str], Glimpse]:
    """How old what we hold of these orders is; unknown orders are missing."""
    found = await rows(q().known_ages(conn, **_keys(sightings)))
    return {(row["channel"], row["channel_order_id"]): Glimpse(_age(row), row["alike"]) for row in found}


async def touch(conn: Connection, sightings: Sequence[Seen]) -> None:
    """Nothing but the platform's time moved."""
    if sightings:
        await q().touch(
            conn, **_keys(sightings),
            updated=[s.order.updated_at for s in sightings],
            read=[s.read_at for s in sightings],
            digests=[s.digest for s in sightings],
        )  # fmt: skip


async def insert_new(conn: Connection, new: Sequence[Stored]) -> set[UUID]:
    """Stores orders nobody had; returns the ids of those that were really new: another importer may have been first."""
    if not new:
        return set()
    found = await rows(
        q().insert_new(
            conn, **_columns(new),
            stores=[s.copy.store for s in new],
            channels=[s.copy.channel for s in new],
            ids=[s.copy.channel_order_id for s in new],
            vias=[s.via for s in new],
            traceparents=[s.traceparent for s in new],
            placed=[s.placed_at for s in new],
        )
    )  # fmt: skip
    return {row["order_id"] for row in found}


async def locked(conn: Connection, sightings: Sequence[Seen]) -> dict[tuple[str, str], Stored]:
    """The rows of these orders, locked until the transaction ends."""
    if not sightings:
        return {}
    found = [stored(row) for row in await rows(q().locked(conn, **_keys(sightings)))]
    return {(s.copy.channel, s.copy.channel_order_id): s for s in found}


async def save(conn: Connection, changed: Sequence[Stored]) -> None:
    """Writes locked rows back."""
    if changed:
        await q().save(conn, **_columns(changed))


async def record_moves(conn: Connection, moves: Sequence[tuple[Copy | None, Copy]]) -> None:
    """Notes each change of standing: (before, after)."""
    if moves:
        await q().record_moves(
            conn,
            order_ids=[after.order_id for _, after in moves],
            sequences=[after.sequence for _, after in moves],
            before=[None if before is None else before.standing.value for before, _ in moves],
            standings=[after.standing.value for _, after in moves],
            versions=[after.version for _, after in moves],
            reasons=[after.reason for _, after in moves],
        )


def stored(row: Mapping[str, Any]) -> Stored:
    """A row as a value."""
    copy = Copy(
        order_id=row["order_id"], store=row["store"], channel=row["channel"],
        channel_order_id=row["channel_order_id"], standing=Standing(row["standing"]), version=row["version"],
        sequence=row["sequence"], order=None if row["body"] is None else Order.model_validate(row["body"]),
        baseline=row["baseline"], reason=row["reason"], detail=row["detail"],
    )  # fmt: skip
    return Stored(
        copy=copy, number=row["number"], age=_age(row), snapshot=row["snapshot"], rules_version=row["rules_version"],
        via=row["via"], traceparent=row["traceparent"], placed_at=row["placed_at"], said=said_of(row["said"]),
        alike=row["alike"], here=row["here"],
    )  # fmt: skip


def _age(row: Mapping[str, Any]) -> Age:
    return row["updated_at"], row["read_at"], bytes(row["digest"])


def _keys(sightings: Sequence[Seen]) -> dict[str, list[str]]:
    return {"channels": [s.channel for s in sightings], "ids": [s.order.id for s in sightings]}


def _columns(changed: Sequence[Stored]) -> dict[str, list[Any]]:
    copies = [s.copy for s in changed]
    return {
        "order_ids": [c.order_id for c in copies],
        "numbers": [s.number for s in changed],
        "standings": [c.standing.value for c in copies],
        "versions": [c.version for c in copies],
        "sequences": [c.sequence for c in copies],
        "updated": [s.age[0] for s in changed],
        "read": [s.age[1] for s in changed],
        "digests": [s.age[2] for s in changed],
        "snapshots": [s.snapshot for s in changed],
        "bodies": [None if c.order is None else orjson.Fragment(c.order.model_dump_json()) for c in copies],
        "baselines": [dict(c.baseline) for c in copies],
        "reasons": [c.reason for c in copies],
        "details": [c.detail for c in copies],
        "rules": [s.rules_version for s in changed],
        "said": [s.said.as_json() for s in changed],
        "alikes": [s.alike for s in changed],
        "heres": [s.here for s in changed],
    }
