"""What an order waits for, since when, what comes next and who takes it (DESIGN section 6, console). Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

_NEXT: dict[str, tuple[str, str]] = {
    "imported": ("It is routed as soon as the router has it.", "system"),
    "routed": ("It is sent with the source's next send run.", "system"),
    "submitted": ("The source ships; it is asked at every poll.", "source"),
    "shipped": ("It is pushed to the channel.", "system"),
}

_SHOWN = 3
"""Steps that are named; the order's holds have all."""

BY_A_PERSON = ("awaiting_generate", "voided_by_hand", "source_canceled", "no_address")
"""Reasons of the router that only a person can end, with the order itself."""

BY_ITSELF = ("no_stock", "cannot_be_planned")
"""Reasons that end without anybody's word. The others end when somebody changes the sources or the rules."""


def waiting(
    order: Mapping[str, Any], requests: Sequence[Mapping[str, Any]], shipments: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """None when nothing is open. `order` has stage, stage_since, holds, unroutable."""
    stage, since = order["stage"], order["stage_since"]
    if stage == "settled":
        return None
    if stage == "canceled":  # over for us, unless something left all the same
        return _shipment_in_trouble(shipments)
    if stage == "held":
        return _wait(", ".join(reasons_of(order["holds"])), since, _steps(order["holds"]), "person")
    for request in requests:
        if request["state"] == "FAILED" or request["outcome"] == "unknown":
            reason = request["reason"] or {}
            code = reason.get("code", request["state"].lower())
            return _wait(code, request["updated_at"], reason.get("action") or "Look at the FR and resend it.", "person")
    trouble = _shipment_in_trouble(shipments)
    if trouble is not None:
        return trouble
    if stage == "imported" and order.get("unroutable"):
        return _unrouted(order, since)
    step, by_whom = _NEXT[stage]
    return _wait(stage, since, step, by_whom)


def reasons_of(holds: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each reason once; one that stands more than once says how often."""
    counted = Counter(hold["reason"] for hold in holds)
    return [reason if count == 1 else f"{reason} ({count})" for reason, count in counted.items()]


def _steps(holds: Sequence[Mapping[str, Any]]) -> str:
    fixes = list(dict.fromkeys(hold["fix"] for hold in holds))
    return "; ".join(fixes[:_SHOWN]) + (f"; and {len(fixes) - _SHOWN} more" if len(fixes) > _SHOWN else "")


def _unrouted(order: Mapping[str, Any], since: Any) -> dict[str, Any]:
    """What is wanting, and what a person does about it; goods that are out of stock come in without a word to us."""
    detail = order.get("unroutable_detail") or "It is tried again when stock, sources or rules change."
    fix = order.get("unroutable_fix")
    by_whom = "system" if order["unroutable"] in BY_ITSELF else "person"
    return _wait(order["unroutable"], since, f"{detail}. What to do: {fix}." if fix else detail, by_whom)


def _shipment_in_trouble(shipments: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The first shipment that a person has to look at."""
    for shipment in shipments:
        if shipment["status"] in ("sync_failed", "refused", "conflicted"):
            reason = shipment["reason"] or {}
            code = reason.get("code", shipment["status"])
            return _wait(code, shipment["updated_at"], reason.get("action") or "Resync the shipment.", "person")
    return None


def _wait(reason: str, since: Any, step: str, by_whom: str) -> dict[str, Any]:
    return {"reason": reason, "since": since, "next": step, "by_whom": by_whom}
