"""An order as it was at a moment (OP-13): the copy of then, and what its activities up to then say. Pure.

FRs and shipments keep their content for ever; what moves is told by their activities, of which each holds the whole
event. So their state then is what the last activity before the moment said.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from console.stage import Standing, standing

Row = Mapping[str, Any]
_FR_FIELDS = ("state", "outcome", "recall", "attempt", "reason", "platform_id")


class Past(NamedTuple):
    """What `GET /orders/{id}` is made of, at a moment."""

    standing: Standing
    requests: list[dict[str, Any]]
    shipments: list[dict[str, Any]]
    decision: dict[str, Any] | None
    unroutable: str | None


def as_of(
    snapshot: Row, requests: Sequence[Row], shipments: Sequence[Row], activities: Sequence[Row], state_since: datetime
) -> Past:
    """`activities` are those up to the moment, in order; rows of FRs and shipments are those of today."""
    by_fr = _grouped(activities, "fr_id", "fr_")
    by_shipment = _grouped(activities, "shipment_id", "shipment_")
    then = [_request(row, by_fr[row["fr_id"]]) for row in requests if row["fr_id"] in by_fr and row["body"]]
    left = [_shipment(row, by_shipment[row["shipment_id"]]) for row in shipments if row["shipment_id"] in by_shipment]
    decided = [a for a in activities if a["activity"] in ("order_routed", "order_unroutable")]
    newest = decided[-1] if decided else None
    routed_at = _first_at(a for a in decided if a["activity"] == "order_routed")
    decision = newest["detail"].get("decision") if newest else None
    unroutable = _unroutable(newest) if newest else None
    return Past(standing(snapshot, then, left, routed_at, state_since), then, left, decision, unroutable)


def _unroutable(newest: Row) -> str | None:
    """Why it was not routed, or a part of it."""
    if newest["activity"] == "order_unroutable":
        return str(newest["detail"]["reason"])
    lacks = (newest["detail"].get("decision") or {}).get("unfulfilled")
    return str(lacks[0]["reason"]) if lacks else None


def _grouped(activities: Iterable[Row], name: str, prefix: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for activity in activities:
        if activity[name] and activity["activity"].startswith(prefix):
            groups.setdefault(activity[name], []).append(activity)
    return groups


def _request(row: Row, told: Sequence[Row]) -> dict[str, Any]:
    """Facts of fulfillment-push carry the state; until the first of them it was new."""
    new: dict[str, Any] = {"state": "UNPROCESSED", "outcome": "none", "recall": "none", "attempt": 0}
    now = dict.fromkeys(_FR_FIELDS) | new
    for activity in told:
        if "state" in activity["detail"]:
            now |= new | {"reason": None} | {n: activity["detail"][n] for n in _FR_FIELDS if n in activity["detail"]}
    submitted = _first_at(a for a in told if a["activity"] == "fr_submitted")
    lines = row["body"]["lines"]
    return {**row, **now, "lines": lines, "submitted_at": submitted, "updated_at": told[-1]["at"]}


def _shipment(row: Row, told: Sequence[Row]) -> dict[str, Any]:
    newest, detail = told[-1], told[-1]["detail"]
    status = str(newest["activity"]).removeprefix("shipment_")
    if status == "recorded" and detail.get("sync") in ("not_needed", "synced"):
        status = "not_needed"
    done = newest["at"] if status in ("synced", "not_needed") else None
    ids: list[str] = next(
        (a["detail"]["fulfillment_ids"] for a in reversed(told) if a["detail"].get("fulfillment_ids")), []
    )
    body = detail["shipment"]
    return {
        **row,
        "body": body,
        "lines": body["lines"],
        "status": status,
        "reason": detail.get("reason"),
        "fulfillment_ids": ids,
        "attempts": detail.get("attempts", 0),
        "notes": detail.get("notes", []),
        "recorded_at": told[0]["at"],
        "synced_at": done,
        "updated_at": newest["at"],
    }


def _first_at(activities: Iterable[Row]) -> datetime | None:
    return next((activity["at"] for activity in activities), None)
