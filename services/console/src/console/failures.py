"""Failures by cause: one cause, N orders, one action (OP-5). Pure."""

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]

_ACTIONS = {
    "unroutable": "Add stock, a source that serves it, or change the rules: the orders are tried again by themselves.",
    "fr_failed": "Mend the cause at the source, then resend the FRs.",
    "fr_outcome_unknown": "Look at the source under each reference; then mark or resend.",
    "shipment_sync_failed": "Mend the cause at the channel, then resync the shipments.",
    "shipment_refused": "Ask the source for a shipment that keeps the rule.",
    "shipment_conflicted": "Compare with the source, then decide: waybill shipments decide.",
}
_UNROUTED = {
    "awaiting_generate": "Generate them: their channel leaves the moment to a person.",
    "voided_by_hand": "Regenerate or create their FRs by hand: a person took them back.",
    "source_canceled": "Generate them again, or cancel them: their source will not ship.",
    "no_address": "Have the address completed at the channel, then generate them.",
}
"""Reasons of the router that only a person can end (console.waiting.BY_A_PERSON)."""
_MAPPINGS = {"unmapped_sku": "skus", "unmapped_shipping_method": "shipping-methods"}
_WHERE = {
    "held": "channel",
    "unroutable": "source",
    "shipment_sync_failed": "channel",
    "fr_failed": "source",
    "fr_outcome_unknown": "source",
    "shipment_refused": "source",
    "shipment_conflicted": "source",
}


def failure_of(row: Row) -> dict[str, Any]:
    """One cause as it is answered. `call` is the API call that acts on all of them, where one does."""
    kind = row["kind"]
    where = _WHERE.get(kind) if row["at"] else None
    return {
        "kind": kind,
        "code": row["code"],
        **({where: row["at"]} if where else {}),
        **({"value": row["value"]} if row["value"] is not None else {}),
        "message": row["message"],
        "orders": row["orders"],
        "since": row["since"],
        "action": _sentence(row["action"]) or _UNROUTED.get(row["code"]) or _ACTIONS.get(kind, ""),
        "call": _call(kind, row),
        "examples": [
            {"order_id": order_id, "number": number}
            for order_id, number in zip(row["order_ids"], row["numbers"], strict=True)
        ],
    }


def _sentence(fix: str) -> str:
    """The services' fixes stand in sentences of their own, or within others."""
    return f"{fix[:1].upper()}{fix[1:]}{'' if fix.endswith('.') else '.'}" if fix else ""


def _call(kind: str, row: Row) -> dict[str, Any] | None:
    if kind == "shipment_sync_failed":
        return {"method": "POST", "path": "/api/v1/shipments:resync", "body": {"shipment_ids": row["things"]}}
    if kind == "held" and row["code"] in _MAPPINGS:
        return {
            "method": "PUT",
            "path": f"/api/v1/channels/{row['at']}/mappings/{_MAPPINGS[row['code']]}",
            "body": None,
        }
    return None
