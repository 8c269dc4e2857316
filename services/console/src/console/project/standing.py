"""After a batch: where each order it touched stands now, and what it can be found by."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from console.project.folding import columns
from console.search import digest, terms_of
from console.stage import standing
from console.troubles import Trouble, Unrouted, troubles_of
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.envelope import Received

_NAMES = (
    "order_ids", "stages", "fulfillments", "syncs", "since", "routed", "submitted", "shipped", "settled", "imported",
    "told", "traceparents", "unrouted", "troubled",
)  # fmt: skip
_TERMS = ("terms", "times", "order_ids", "kinds", "stores", "channels")
_TROUBLES = (
    "order_ids", "stores", "channels", "placed", "kinds", "codes", "at", "values", "actions", "messages", "numbers",
    "since", "things",
)  # fmt: skip


async def project_standings(conn: Connection, q: Queries, batch: Sequence[Received]) -> None:
    """Derived, never counted up: the same rows give the same standing, in whatever order they came."""
    ids = sorted({item.event.key for item in batch if _about_order(item)})
    if not ids:
        return
    orders = await rows(q.lock_orders(conn, order_ids=ids))
    heard = _grouped(await rows(q.frs_of(conn, order_ids=ids)))
    shipments = _grouped(await rows(q.shipments_of(conn, order_ids=ids)))
    decisions = {row["order_id"]: row for row in await rows(q.decisions_of(conn, order_ids=ids))}
    requests = {key: [row for row in found if row["lines"] is not None] for key, found in heard.items()}
    saved, troubles = [], {}
    for order in orders:
        key = order["order_id"]
        told = order["told_at"] or order["updated_at"]  # the order itself may come after what its copies travel with
        since = order["state_since"] or told
        decided = decisions.get(key)
        routed_at = decided["at"] if decided and decided["routed"] else None
        now = standing(order["snapshot"], requests.get(key, []), shipments[key], routed_at, since)
        unrouted = _unrouted(decided) if decided is not None and now.stage == "imported" else None
        troubles[key] = troubles_of(order["snapshot"], now.stage, now.since, unrouted, heard[key], shipments[key])
        reason = unrouted.reason if unrouted else None
        saved.append((key, *now, order["imported_at"], told, order["traceparent"], reason, bool(troubles[key])))
    if saved:
        await q.save_standings(conn, **dict(zip(_NAMES, columns(saved, len(_NAMES)), strict=True)))
    await _save_troubles(conn, q, orders, troubles)
    await _save_terms(conn, q, orders, requests, shipments)


def _unrouted(decided: Any) -> Unrouted | None:
    """Why the order, or with `partial` the rest of it, is not routed."""
    if decided["routed"] and not decided["reason"]:
        return None
    return Unrouted(decided["reason"] or "", decided["at"], decided["lacks"])


async def _save_troubles(
    conn: Connection, q: Queries, orders: Sequence[Any], troubles: Mapping[str, Sequence[Trouble]]
) -> None:
    """Most orders never have any: only those that have, or had, are written."""
    had = [order["order_id"] for order in orders if order["troubled"]]
    if had:
        await q.forget_troubles(conn, order_ids=had)
    found = [
        (order["order_id"], order["snapshot"]["store"], order["snapshot"]["channel"], order["placed_at"], *one)
        for order in orders
        for one in troubles[order["order_id"]]
    ]
    if found:
        await q.add_troubles(conn, **dict(zip(_TROUBLES, columns(found, len(_TROUBLES)), strict=True)))


async def _save_terms(
    conn: Connection, q: Queries, orders: Sequence[Any], requests: Mapping[str, Any], shipments: Mapping[str, Any]
) -> None:
    """What these orders can be found by, where that changed."""
    changed, digests = [], []
    for order in orders:
        key = order["order_id"]
        terms = terms_of(order["snapshot"], requests.get(key, []), shipments[key])
        if digest(terms) != order["terms_digest"]:
            digests.append((key, digest(terms)))
            place = order["snapshot"]["store"], order["snapshot"]["channel"]
            changed += [(term, order["placed_at"], key, kind, *place) for term, kind in terms.items()]
    if digests:
        terms_in_order = sorted(changed)  # one order for all writers
        await q.add_terms(conn, **dict(zip(_TERMS, columns(terms_in_order, len(_TERMS)), strict=True)))
        await q.note_terms(conn, order_ids=[key for key, _ in digests], digests=[number for _, number in digests])


def _about_order(item: Received) -> bool:
    event = item.event
    return hasattr(event, "order_id") or hasattr(event, "order") or hasattr(event, "shipment")


def _grouped(found: Sequence[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in found:
        groups[row["order_id"]].append(row)
    return groups
