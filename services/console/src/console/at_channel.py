"""Why is this fulfillment not at the channel? None exists, not yet due, or failed with the next step (IN-15). Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Answer = Literal["none_exists", "not_yet_due", "failed", "withdrawn", "nothing_to_tell", "shown"]
_ANSWERS: Mapping[str, Answer] = {
    "recorded": "not_yet_due",
    "refused": "failed",
    "conflicted": "failed",
    "set_aside": "nothing_to_tell",
    "sync_failed": "failed",
    "withdrawn": "withdrawn",
    "not_needed": "nothing_to_tell",
    "synced": "shown",
}
_SAID: Mapping[Answer, str] = {
    "not_yet_due": "it was recorded, and is pushed now",
    "withdrawn": "its source took it back",
    "nothing_to_tell": "it was recorded; the channel has no API to be told by, or shows it as a part of others",
    "shown": "the channel shows it",
}
_BY_ITSELF = "none: it goes on by itself"


def at_channel(shipments: Sequence[Mapping[str, Any]], waiting: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """One answer a shipment, those that a person has to see first; one in all where nothing has shipped.

    `waiting` is what the order waits for: what a fulfillment that does not exist yet waits for too.
    """
    if not shipments:
        why = f": the order waits for {waiting['reason']}" if waiting else ""
        return [{"answer": "none_exists", "reason": f"nothing of it has shipped{why}", "next": _step(waiting)}]
    found = [_answer(one) for one in shipments]
    return sorted(found, key=lambda one: one["answer"] != "failed")


def _answer(shipment: Mapping[str, Any]) -> dict[str, Any]:
    answer = _ANSWERS[shipment["status"]]
    reason = shipment["reason"] or {}
    said = None if shipment["status"] == "set_aside" else _SAID.get(answer)
    return {
        "shipment_id": shipment["shipment_id"],
        "answer": answer,
        "reason": said or reason.get("message", shipment["status"]),
        "next": reason.get("action", "") if answer == "failed" else _BY_ITSELF if answer == "not_yet_due" else "",
    }


def _step(waiting: Mapping[str, Any] | None) -> str:
    return f"{waiting['next']} ({waiting['by_whom']})" if waiting else ""
