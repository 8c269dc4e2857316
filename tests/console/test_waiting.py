"""What an order waits for, where its stage alone would say that it is over."""

from typing import Any

import pytest

from console.cli.failures import command
from console.cli.importing import next_step
from console.waiting import waiting
from order_ingest.act_on_order import ON_HOLD
from order_ingest.said import WAIVABLE
from waybill_contracts.values import HoldReason

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


def test_an_order_with_many_holds_names_each_reason_once_and_its_first_steps() -> None:
    """An invoice of a hundred unmapped lines must not fill the screen."""
    holds = [{"reason": "unmapped_sku", "value": str(n), "fix": f"map {n}"} for n in range(100)]
    held = _order("held") | {"holds": [*holds, {"reason": "awaiting_payment", "value": None, "fix": "wait"}]}

    shown = waiting(held, [], [])

    assert shown is not None
    assert (shown["reason"], shown["by_whom"]) == ("unmapped_sku (100), awaiting_payment", "person")
    assert shown["next"] == "map 0; map 1; map 2; and 98 more"


@pytest.mark.parametrize("reason", list(HoldReason))
def test_in10_every_hold_has_its_next_step_where_a_file_is_imported_and_where_failures_are_listed(
    reason: HoldReason,
) -> None:
    """A release is offered for those holds alone that a release can end."""
    failure = {"kind": "held", "code": reason.value, "value": "X 1", "channel": "acme-files", "examples": []}

    typed = command(failure)

    assert next_step(reason.value) != next_step("fulfillment_partial"), "it has a step of its own"
    assert ("orders release" in typed) == (reason in WAIVABLE | ON_HOLD)
    if reason is HoldReason.UNMAPPED_SKU:
        assert typed.startswith("waybill channels mappings acme-files skus --set 'X 1'=OURS; ")
