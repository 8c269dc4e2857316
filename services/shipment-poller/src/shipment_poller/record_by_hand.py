"""A person enters what was shipped (SP-6): for any order whatever its source, once for each key.

Promises: the same key gives the same shipment, another request under it is refused; what breaks a rule is refused whole
and leaves nothing behind; who entered it and why stands on it. It then goes the way of every shipment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from shipment_poller import by_hand, judgement
from shipment_poller.by_hand import NotPossible, Open
from shipment_poller.model import TAKEN, Said, SaidStatus, ShipmentState, Watched
from shipment_poller.not_here import no_such_shipment
from shipment_poller.record_shipments import record_shipments
from shipment_poller.review_orders import Tools, watched_of
from waybill_common.commands import UNNAMED, Command
from waybill_common.db import Connection, Pool, rows
from waybill_common.ids import stable_id
from waybill_contracts.configuration import Platform
from waybill_contracts.fulfillment_submitted import FrState
from waybill_contracts.values import ByHand, Order


@dataclass(frozen=True, slots=True)
class Entry:
    """What the person says. `lines`: line id -> pieces; empty: all that is left of the one FR. `courier`: our name."""

    key: str
    lines: Mapping[str, int]
    fr_id: str | None
    courier: str
    tracking_numbers: tuple[str, ...]
    tracking_url: str | None
    shipped_at: datetime | None
    who: ByHand

    @property
    def content(self) -> dict[str, Any]:
        """What another request under the same key is told apart by."""
        at = self.shipped_at.isoformat() if self.shipped_at else None
        details = {"courier": self.courier, "numbers": list(self.tracking_numbers), "url": self.tracking_url, "at": at}
        return {"lines": dict(sorted(self.lines.items())), "fr": self.fr_id, **details}


async def record_by_hand(
    pool: Pool, tools: Tools, order_id: str, entry: Entry, command: Command = UNNAMED
) -> dict[str, Any]:
    """The shipment as it stands. Raises NotPossible."""

    async def act(conn: Connection) -> dict[str, Any]:
        await tools.configurations.refresh(conn)
        await tools.queries.lock_orders(conn, order_ids=[order_id])
        known = await tools.queries.hand_shipment(conn, key=entry.key)
        if known is not None:
            if known["order_id"] != order_id or orjson.loads(known["content"]) != entry.content:
                reason = "this Idempotency-Key was used for another shipment"
                raise NotPossible(reason, "use a new one for each", status=422, code="key_used_before")
            return await _answer(conn, tools, known["shipment_id"])
        return await _enter(conn, tools, order_id, entry)

    answer: dict[str, Any] = await command.once(pool, act)
    return answer


async def _enter(conn: Connection, tools: Tools, order_id: str, entry: Entry) -> dict[str, Any]:
    order, frs = await _load(conn, tools, order_id)
    by_hand.may_ship(order)
    try:
        chosen, units = by_hand.choose(order, frs, entry.lines, entry.fr_id)
    except NotPossible as refused:
        if refused.code == "no_live_fr":
            refused.more["manual_sources"] = _manual(tools)
        raise
    now = tools.clock.now()
    said = Said(
        id=f"by-hand-{stable_id('by hand', entry.key)}",
        reference=chosen.fr.number,
        status=SaidStatus.SHIPPED,
        lines=by_hand.said_lines(chosen.fr, units),
        carrier=entry.courier,
        tracking_numbers=entry.tracking_numbers,
        tracking_url=entry.tracking_url,
        shipped_at=entry.shipped_at or now,
        updated_at=now,
        by_hand=entry.who,
    )
    source = chosen.watched.source
    await record_shipments(conn, tools, source, {said.id: said})
    shipment_id = str(stable_id("shipment", source, said.id))
    content = orjson.dumps(entry.content).decode()
    await tools.queries.save_hand_shipment(
        conn, key=entry.key, order_id=order_id, shipment_id=shipment_id, content=content
    )
    return await _answer(conn, tools, shipment_id)


async def withdraw_by_hand(
    pool: Pool, tools: Tools, shipment_id: str, who: ByHand, command: Command = UNNAMED
) -> dict[str, Any]:
    """Takes back what a person entered; the channel is told. Raises NotPossible."""

    async def act(conn: Connection) -> dict[str, Any]:
        await tools.configurations.refresh(conn)
        row = await tools.queries.one_shipment(conn, shipment_id=shipment_id)
        if row is None:
            raise no_such_shipment(shipment_id)
        said = Said.model_validate(row["said"])
        if said.by_hand is None:
            reason = f"{row['source']} said that it shipped this: only the source takes it back"
            way = "have it canceled at the source; what it lists is followed"
            raise NotPossible(reason, way, code="not_by_hand")
        await tools.queries.lock_orders(conn, order_ids=[row["order_id"]])
        gone = said.model_copy(update={"status": SaidStatus.CANCELED, "updated_at": tools.clock.now(), "by_hand": who})
        await record_shipments(conn, tools, row["source"], {said.id: gone})
        return await _answer(conn, tools, shipment_id)

    answer: dict[str, Any] = await command.once(pool, act)
    return answer


async def _load(conn: Connection, tools: Tools, order_id: str) -> tuple[Order, list[Open]]:
    q = tools.queries
    found = await rows(q.orders_for_review(conn, order_ids=[order_id]))
    if not found:
        reason = f"order {order_id} is not known to shipment-poller (yet): it comes with its first FR or fact"
        raise NotPossible(reason, "try again in a moment", status=404, code="order_unknown")
    taken: dict[tuple[str, str, str], int] = {}
    for row in await rows(q.shipments_for_review(conn, order_ids=[order_id])):
        if ShipmentState(row["state"]) in TAKEN:
            for line in row["lines"]:
                key = (row["fr_id"], line["line_id"], line["sku"])
                taken[key] = taken.get(key, 0) + line["quantity"]
    watches = [watched_of(row) for row in await rows(q.watches_for_review(conn, order_ids=[order_id]))]
    order = Order.model_validate(found[0]["body"])
    return order, [_open(tools, watched, taken) for watched in watches if _live(watched)]


def _live(watched: Watched) -> bool:
    ended = judgement.ENDED - {FrState.FAILED}  # a failed one keeps its units until somebody voids it
    return watched.fr is not None and watched.state not in ended


def _open(tools: Tools, watched: Watched, taken: Mapping[tuple[str, str, str], int]) -> Open:
    assert watched.fr is not None
    left: dict[tuple[str, str], int] = {}
    for part in watched.fr.lines:
        left[part.line_id, part.sku] = left.get((part.line_id, part.sku), 0) + part.quantity
    left = {key: asked - taken.get((watched.fr_id, *key), 0) for key, asked in left.items()}
    configured = tools.configurations.source(watched.source)
    manual = configured is not None and configured.source.platform is Platform.MANUAL
    return Open(watched, watched.fr, left, manual)


def _manual(tools: Tools) -> list[str]:
    return sorted(one.source.id for one in tools.configurations.sources if one.source.platform is Platform.MANUAL)


async def _answer(conn: Connection, tools: Tools, shipment_id: str) -> dict[str, Any]:
    """As stored. What the rules refuse is not stored at all: a person is there to mend it."""
    row = await tools.queries.one_shipment(conn, shipment_id=shipment_id)
    assert row is not None
    if row["state"] in (ShipmentState.REFUSED, ShipmentState.CONFLICT):
        reason = row["reason"]
        raise NotPossible(reason["message"], reason["action"], status=422, code=reason["code"])
    names = ("shipment_id", "order_id", "fr_id", "source", "state", "lines", "carrier", "sync", "reason", "channel")
    return {name: row[name] for name in names}
