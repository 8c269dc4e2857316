"""IN-15: why is this fulfillment not at the channel? None exists, not yet due, or failed with the next step."""

from typing import Any

import pytest

from console.at_channel import at_channel

WAITING = {"reason": "submitted", "since": None, "next": "The source ships.", "by_whom": "source"}
UNMAPPED = {"code": "COURIER_NOT_MAPPED", "message": "'ups' has no name at shop", "action": "map it in couriers.map"}


def shipment(status: str, reason: Any = None, shipment_id: str = "s1") -> dict[str, Any]:
    return {"shipment_id": shipment_id, "status": status, "reason": reason}


def test_in15_none_exists_and_what_the_order_waits_for() -> None:
    assert at_channel([], WAITING) == [
        {
            "answer": "none_exists",
            "reason": "nothing of it has shipped: the order waits for submitted",
            "next": "The source ships. (source)",
        }
    ]
    assert at_channel([], None)[0]["next"] == ""


@pytest.mark.parametrize(
    ("status", "reason", "answer", "next_step"),
    [
        ("recorded", None, "not_yet_due", "none: it goes on by itself"),
        ("sync_failed", UNMAPPED, "failed", "map it in couriers.map"),
        ("refused", UNMAPPED, "failed", "map it in couriers.map"),
        ("conflicted", UNMAPPED, "failed", "map it in couriers.map"),
        ("withdrawn", UNMAPPED, "withdrawn", ""),
        ("not_needed", None, "nothing_to_tell", ""),
        ("synced", None, "shown", ""),
    ],
)
def test_in15_each_shipment_has_its_answer(status: str, reason: Any, answer: str, next_step: str) -> None:
    [found] = at_channel([shipment(status, reason)], None)

    assert (found["answer"], found["next"]) == (answer, next_step)
    assert found["reason"]


def test_in15_what_a_person_has_to_see_comes_first() -> None:
    found = at_channel([shipment("synced", None, "s1"), shipment("sync_failed", UNMAPPED, "s2")], WAITING)

    assert [one["shipment_id"] for one in found] == ["s2", "s1"]
