"""What an order waits for, where its stage alone would say that it is over."""

from typing import Any

import pytest

from console.waiting import waiting

AT = "2026-11-22T09:30:00Z"
LATE: dict[str, Any] = {
    "status": "sync_failed",
    "updated_at": AT,
    "reason": {"code": "order_canceled_at_channel", "action": "call the parcel back, or settle it with the buyer"},
}


def _order(stage: str) -> dict[str, Any]:
    return {"stage": stage, "stage_since": AT, "holds": [], "unroutable": None}


def test_a_canceled_order_that_was_shipped_all_the_same_waits_for_a_person() -> None:
    shown = waiting(_order("canceled"), [], [LATE])
    assert shown is not None
    assert (shown["reason"], shown["by_whom"]) == ("order_canceled_at_channel", "person")
    assert shown["next"] == "call the parcel back, or settle it with the buyer"


@pytest.mark.parametrize("stage", ["settled", "canceled"])
def test_what_is_over_waits_for_nothing(stage: str) -> None:
    assert waiting(_order(stage), [], [LATE | {"status": "synced"}]) is None
