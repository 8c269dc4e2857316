"""Where an order stands, from its copy, its FRs and its shipments (DESIGN section 6). Pure.

`stage` is that of the least advanced line that is not canceled; `fulfillment` and `sync` are the two axes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

STAGES = ("held", "imported", "routed", "submitted", "shipped", "settled", "canceled")
_SENT = frozenset({"PROCESSED", "ACKNOWLEDGED"})
_LIVE = _SENT | {"UNPROCESSED", "PROCESSING", "FAILED"}
_DONE = frozenset({"synced", "not_needed"})
_LEFT = _DONE | {"recorded", "sync_failed"}

Row = Mapping[str, Any]
Units = Mapping[tuple[str, str], int]


class Standing(NamedTuple):
    """What is shown of an order, and since when it reached each step (none while it has not)."""

    stage: str
    fulfillment: str
    sync: str
    since: datetime
    """when it came to this stage, this time"""
    routed_at: datetime | None
    submitted_at: datetime | None
    shipped_at: datetime | None
    settled_at: datetime | None


def standing(
    order: Row, requests: Sequence[Row], shipments: Sequence[Row], routed_at: datetime | None, state_since: datetime
) -> Standing:
    """`order` is a snapshot of our copy, which is in its state (held, imported, canceled) since `state_since`.

    Requests have state, lines, created_at, updated_at, submitted_at; shipments status, lines, recorded_at, synced_at.
    """
    wanted = _wanted(order["lines"])
    shipped = _sum(s["lines"] for s in shipments if s["status"] in _LEFT)
    stage = _stage(order, wanted, requests, shipments, shipped)
    submitted = _latest(r["submitted_at"] for r in requests) if stage in ("submitted", "shipped", "settled") else None
    left = _latest(s["recorded_at"] for s in shipments) if stage in ("shipped", "settled") else None
    settled = _latest(s["synced_at"] for s in shipments) if stage == "settled" else None
    since = {
        "imported": _latest(r["updated_at"] for r in requests if r["state"] not in _LIVE),
        "routed": _latest(r["created_at"] for r in requests if r["state"] in _LIVE),
        "submitted": submitted,
        "shipped": left,
        "settled": settled,
    }.get(stage)
    return Standing(
        stage,
        _fulfillment(order, wanted, shipped),
        _sync(shipments),
        max(since or state_since, state_since) if stage in ("imported", "routed") else since or state_since,
        routed_at if requests else None,
        submitted,
        left,
        settled,
    )


def _stage(order: Row, wanted: Units, requests: Sequence[Row], shipments: Sequence[Row], shipped: Units) -> str:
    if order["state"] in ("canceled", "held"):
        return str(order["state"])
    if _sync(shipments) not in ("synced", "not_needed") and _covers(shipped, wanted):
        return "shipped"
    if _covers(_sum(s["lines"] for s in shipments if s["status"] in _DONE), wanted):
        return "settled"
    if _covers(shipped, wanted):
        return "shipped"
    if _covers(_sum(r["lines"] for r in requests if r["state"] in _SENT), wanted):
        return "submitted"
    if _covers(_sum(r["lines"] for r in requests if r["state"] in _LIVE), wanted):
        return "routed"
    return "imported"


def _fulfillment(order: Row, wanted: Units, shipped: Units) -> str:
    if order["state"] == "canceled" and not shipped:
        return "canceled"
    if not wanted and not shipped:
        return "canceled" if all(line["quantity"] <= line.get("canceled", 0) for line in order["lines"]) else "shipped"
    if _covers(shipped, wanted):
        return "shipped"
    return "partial" if shipped else "unfulfilled"


def _sync(shipments: Sequence[Row]) -> str:
    """The worst of its fulfillments."""
    statuses = {s["status"] for s in shipments}
    if "sync_failed" in statuses:
        return "failed"
    if "recorded" in statuses:
        return "pending"
    return "synced" if "synced" in statuses else "not_needed"


def _wanted(lines: Iterable[Row]) -> Units:
    wanted: dict[tuple[str, str], int] = defaultdict(int)
    for line in lines:
        pieces = max(line["quantity"] - line.get("canceled", 0), 0)
        if line.get("service") or not pieces:
            continue
        # an unmapped line still wants something: nothing can cover its empty SKU
        unmapped: Sequence[Row] = ({"sku": "", "quantity": 1},)
        for component in line.get("components") or unmapped:
            wanted[line["line_id"], component["sku"]] += pieces * component["quantity"]
    return wanted


def _sum(groups: Iterable[Sequence[Row]]) -> Units:
    units: dict[tuple[str, str], int] = defaultdict(int)
    for lines in groups:
        for line in lines:
            units[line["line_id"], line["sku"]] += line["quantity"]
    return units


def _covers(units: Units, wanted: Units) -> bool:
    return all(units.get(key, 0) >= quantity for key, quantity in wanted.items())


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return max(known) if known else None
