"""What fulfillment-push and shipment-poller say about our FRs becomes moves of stock and due orders (RT-6, RT-13).

Stock is given back once, on `fr.voided` or `fr.canceled` alone; a shipment consumes what it ships, however often it is
told. What is unknown here (an FR of another database) changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from router.ledger import Allocation, Moves
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.configuration import Source
from waybill_contracts.fulfillment_submitted import FrCanceled, FrProgress, FrState, Recall
from waybill_contracts.shipment_synced import (
    Choice,
    ShipmentConflicted,
    ShipmentFact,
    ShipmentRecorded,
    ShipmentWithdrawn,
)

ENDED = (FrState.VOIDED, FrState.CANCELED)
SHIPPED = (ShipmentRecorded, ShipmentConflicted, ShipmentWithdrawn)


@dataclass(slots=True)
class Account:
    """One FR as stored, with its allocations by (line, SKU)."""

    fr_id: str
    order_id: str
    source: str
    state: str
    push_sequence: int
    wish: str | None = None
    allocations: dict[tuple[str, str], Allocation] = field(default_factory=dict)
    changed: bool = False


async def load_accounts(conn: Connection, q: Queries, fr_ids: Sequence[str]) -> dict[str, Account]:
    """The FRs among `fr_ids` that are ours. The caller holds their orders' locks."""
    if not fr_ids:
        return {}
    accounts = {
        row["fr_id"]: Account(
            row["fr_id"], row["order_id"], row["source"], row["state"], row["push_sequence"], row["wish"]
        )
        for row in await rows(q.frs_by_id(conn, fr_ids=list(fr_ids)))
    }
    for row in await rows(q.allocations_of_frs(conn, fr_ids=list(accounts))):
        allocation = Allocation(**dict(row))
        accounts[allocation.fr_id].allocations[(allocation.line_id, allocation.sku)] = allocation
    return accounts


async def take_push_facts(
    conn: Connection,
    q: Queries,
    events: Sequence[FrProgress],
    accounts: Mapping[str, Account],
    sources: Mapping[str, Source],
    moves: Moves,
) -> set[str]:
    """Returns the orders whose plans this concerns."""
    ours = sorted((e for e in events if e.fr_id in accounts), key=lambda e: (e.fr_id, e.sequence))
    partial = [e for e in ours if isinstance(e, FrCanceled) and e.lines and e.state is not FrState.CANCELED]
    fresh: set[tuple[str, int]] = set()
    if partial:
        args = {"fr_ids": [e.fr_id for e in partial], "sequences": [e.sequence for e in partial]}
        fresh = {(row["fr_id"], row["sequence"]) for row in await rows(q.new_cancels(conn, **args))}
    concerned = set()
    for event in ours:
        account = accounts[event.fr_id]
        source = sources.get(account.source)
        killed = source is not None and source.on_source_cancel == "kill"
        if _apply(event, account, moves, killed=killed, fresh=(event.fr_id, event.sequence) in fresh):
            concerned.add(account.order_id)
    told = [account for account in accounts.values() if account.changed]
    if told:
        await q.note_push(
            conn,
            fr_ids=[account.fr_id for account in told],
            sequences=[account.push_sequence for account in told],
            states=[account.state for account in told],
        )
    return concerned


def _apply(event: FrProgress, account: Account, moves: Moves, *, killed: bool, fresh: bool) -> bool:
    """One fact; True when the order has to be looked at again."""
    news = event.sequence > account.push_sequence
    if news:
        account.push_sequence = event.sequence
        account.changed = account.changed or event.recall is Recall.REFUSED or event.state in ENDED
    if event.state in ENDED:
        if account.state == "closed":
            return False
        account.state, account.changed = "closed", True
        by_source = event.state is FrState.CANCELED
        for allocation in account.allocations.values():
            moves.release(allocation, allocation.open, source_canceled=by_source, killed=by_source and killed)
        return True
    if isinstance(event, FrCanceled) and fresh:
        for line in event.lines:
            named = account.allocations.get((line.line_id, line.sku))
            if named is not None:
                moves.release(named, line.quantity, source_canceled=True, killed=killed)
        return True
    if news and event.recall is Recall.REFUSED and account.state == "void_requested":
        account.state = "recall_refused"
        return True
    return False


async def take_shipments(
    conn: Connection, q: Queries, events: Sequence[ShipmentFact], accounts: Mapping[str, Account], moves: Moves
) -> tuple[set[str], list[ShipmentFact]]:
    """The difference to what was booked before. Returns the orders whose plans this concerns, and what to store."""
    newest: dict[str, ShipmentFact] = {}
    for event in sorted(events, key=lambda event: event.sequence):
        if isinstance(event, SHIPPED) and event.shipment.fr_id in accounts:
            newest[event.shipment.shipment_id] = event
    if not newest:
        return set(), []
    before = await _booked(conn, q, list(newest))
    concerned: set[str] = set()
    booked: list[ShipmentFact] = []
    for shipment_id, event in sorted(newest.items()):
        old = before.get(shipment_id, Booked())
        if event.sequence > old.sequence:
            booked.append(event)
            account = accounts[event.shipment.fr_id]
            moved = _book(event, old, account, moves)
            if moved and (account.state == "closed" or account.wish == "overridden" or is_astray(event) or old.astray):
                concerned.add(account.order_id)
    return concerned, booked


@dataclass(slots=True)
class Booked:
    """What a shipment was booked as until now: units by (line, SKU)."""

    sequence: int = 0
    astray: bool = False
    units: dict[tuple[str, str], int] = field(default_factory=dict)


async def _booked(conn: Connection, q: Queries, shipment_ids: list[str]) -> dict[str, Booked]:
    found: dict[str, Booked] = {}
    for row in await rows(q.known_shipments(conn, shipment_ids=shipment_ids)):
        known = found.setdefault(row["shipment_id"], Booked(row["sequence"], row["astray"]))
        if row["line_id"] is not None:
            known.units[(row["line_id"], row["sku"])] = row["quantity"]
    return found


def is_astray(event: ShipmentFact) -> bool:
    """A person decided that it does not count: what was in it is asked for again."""
    decided = event.decided if isinstance(event, ShipmentConflicted) else None
    return decided is not None and decided.choice is Choice.SHIP_REPLACEMENT


def units_of(event: ShipmentFact) -> dict[tuple[str, str], int]:
    """Units by (line, SKU); none when it was withdrawn."""
    units: dict[tuple[str, str], int] = {}
    if not isinstance(event, ShipmentWithdrawn):
        for line in event.shipment.lines:
            units[(line.line_id, line.sku)] = units.get((line.line_id, line.sku), 0) + line.quantity
    return units


def _book(event: ShipmentFact, old: Booked, account: Account, moves: Moves) -> bool:
    """Whether it is other than it was: in units, or in whether they count."""
    new = units_of(event)
    moved = False
    for key in sorted(old.units.keys() | new.keys()):
        was, now = old.units.get(key, 0), new.get(key, 0)
        gone_astray = (now if is_astray(event) else 0) - (was if old.astray else 0)
        allocation = account.allocations.get(key)
        if allocation is None or (now == was and not gone_astray):
            continue
        if now != was:
            moves.ship(allocation, now - was, event.shipment.shipped_at, live=account.state != "closed")
        allocation.astray += gone_astray
        moves.touch(allocation)
        moved = True
    return moved


async def store_shipments(
    conn: Connection, q: Queries, events: Sequence[ShipmentFact], accounts: Mapping[str, Account]
) -> None:
    """After the shelves were counted, under their locks: a count adds what it finds stored since it was taken."""
    if not events:
        return
    await q.take_shipments(
        conn,
        shipment_ids=[event.shipment.shipment_id for event in events],
        sequences=[event.sequence for event in events],
        fr_ids=[event.shipment.fr_id for event in events],
        withdrawn=[isinstance(event, ShipmentWithdrawn) for event in events],
        astray=[is_astray(event) for event in events],
    )
    await q.forget_shipment_lines(conn, shipment_ids=[event.shipment.shipment_id for event in events])
    lines: list[tuple[str, str, str, str, int, datetime]] = [
        (e.shipment.shipment_id, line_id, sku, accounts[e.shipment.fr_id].source, units, e.shipment.shipped_at)
        for e in events
        for (line_id, sku), units in units_of(e).items()
    ]
    columns: list[list[Any]] = [list(column) for column in zip(*lines, strict=True)] or [[]] * 6
    names = ("shipment_ids", "line_ids", "skus", "sources", "quantities", "shipped_at")
    await q.add_shipment_lines(conn, **dict(zip(names, columns, strict=True)))
