"""IN-14, the outward half's rule: whether a channel still shows what it was told. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipment_poller.lifecycle import SyncState
from shipment_poller.model import Bound, Shown, Wanted
from shipment_poller.outward_rules import DRIFTED, Kind, Owed, reason, standing

WANTED = Wanted({"l1": 2}, "UPS", ("1Z1",), "https://t.example/1")
CONFIRMED = Shown("ful-1", True, {"l1": 2}, "UPS (rewritten)", ("1Z1",), ("https://ups.example/1",))
SYNCED = Owed(WANTED, SyncState.SYNCED, False, None, (Bound("ful-1", WANTED),), {"ful-1": CONFIRMED})
FAILED = replace(SYNCED, state=SyncState.FAILED, code="connection", bound=())
GONE = replace(SYNCED, state=SyncState.FAILED, code=DRIFTED, bound=())
OTHERS = Shown("ful-9", True, {"l1": 2}, "UPS", ("1Z1",))


@pytest.mark.parametrize(
    ("owed", "shown", "kind"),
    [
        (SYNCED, [CONFIRMED], Kind.SHOWN),
        (SYNCED, [], Kind.DRIFTED),
        (SYNCED, None, Kind.DRIFTED),
        (SYNCED, [replace(CONFIRMED, live=False)], Kind.DRIFTED),
        (SYNCED, [replace(CONFIRMED, lines={"l1": 1})], Kind.DRIFTED),
        (SYNCED, [replace(CONFIRMED, numbers=("1Z9",))], Kind.DRIFTED),
        (SYNCED, [replace(CONFIRMED, carrier="FedEx")], Kind.DRIFTED),
        (SYNCED, [replace(CONFIRMED, urls=())], Kind.DRIFTED),
        (SYNCED, [replace(CONFIRMED, service="Express")], Kind.DRIFTED),
        (replace(SYNCED, by_number=False), [replace(CONFIRMED, numbers=("1Z9",))], Kind.SHOWN),
        (replace(SYNCED, confirmed={}), [replace(CONFIRMED, carrier="FedEx")], Kind.SHOWN),
        (replace(SYNCED, confirmed={}), [replace(CONFIRMED, lines={"l1": 1})], Kind.DRIFTED),
        (replace(SYNCED, bound=()), [], Kind.DRIFTED),
        (replace(SYNCED, waits=True), [], Kind.PENDING),
        (replace(SYNCED, state=SyncState.CREATING, waits=True), [], Kind.PENDING),
        (replace(SYNCED, state=SyncState.PENDING), [], Kind.MISSING),
        (replace(SYNCED, state=SyncState.CREATING), [], Kind.MISSING),
        (FAILED, [], Kind.FAILED),
        (GONE, [], Kind.DRIFTED),
        (GONE, [OTHERS], Kind.MENDED),
        (GONE, [replace(OTHERS, numbers=("1Z9",))], Kind.DRIFTED),
        (GONE, [replace(OTHERS, live=False)], Kind.DRIFTED),
        (replace(SYNCED, state=SyncState.FAILED, code=DRIFTED), [CONFIRMED], Kind.MENDED),
    ],
)
def test_in14_each_way_to_stand_at_the_channel(owed: Owed, shown: list[Shown] | None, kind: Kind) -> None:
    found = standing(owed, None if shown is None else {one.id: one for one in shown})

    assert found.kind is kind
    assert bool(found.said) is (kind is Kind.DRIFTED)


def test_in14_what_belongs_to_another_shipment_of_ours_does_not_stand_for_this_one() -> None:
    assert standing(GONE, {"ful-9": OTHERS}, taken={"ful-9"}).kind is Kind.DRIFTED


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"live": False}, "fulfillment ful-1 was canceled there"),
        ({"lines": {"l1": 1}}, "lines of fulfillment ful-1: 2 of line l1 became 1 of line l1"),
        ({"numbers": ("1Z9", "1Z8")}, "tracking numbers of fulfillment ful-1: 1Z1 became 1Z8, 1Z9"),
        ({"carrier": ""}, "carrier of fulfillment ful-1: UPS (rewritten) became none"),
    ],
)
def test_in14_drift_is_said_in_sentences(change: dict[str, Any], text: str) -> None:
    assert standing(SYNCED, {"ful-1": replace(CONFIRMED, **change)}).said == (text,)


def test_in14_the_order_says_what_each_choice_is() -> None:
    assert "makes it again" in reason(["gone"], ["ful-1"]).action
    assert "as the channel shows it" in reason(["other number"], []).action
