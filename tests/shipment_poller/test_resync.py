"""Pushing many again (SP-12): piece by piece, watched, canceled; and each try is a row of its own (SP-8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from poller_harness import Stage, later, order_of, refused, submitted

from shipment_poller import resync
from shipment_poller.resync import Resyncs, progress_of


async def _failed(stage: Stage, count: int) -> list[str]:
    """So many orders whose shipments the shop refused."""
    events = []
    for number in range(count):
        order = order_of(f"o{number:05}")
        stage.shop.wanted[order.channel_order_id] = {"l1": 2}
        stage.supplier.ship(f"s{number:05}", f"E-{order.order_id}", {"l1": 2}, [f"1Z{number}"])
        events.append(submitted(order))
    stage.supplier.page_size = 500
    for start in range(0, count, 500):
        await stage.take(*events[start : start + 500])
    stage.shop.faults = [("create", refused()) for _ in range(count)]
    await stage.look()
    await stage.settle()
    await stage.told()
    return await stage.column("select shipment_id from syncs where state = 'failed'")


def _resyncs(stage: Stage) -> Resyncs:
    return Resyncs(stage.pool, stage.tools, lambda: None)


async def test_sp_12_many_begin_piece_by_piece_and_one_that_fails_again_holds_no_other_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resync, "AT_ONCE", 40)
    assert len(await _failed(stage, 120)) == 120
    resyncs = _resyncs(stage)
    begun = await resyncs.begin("ann", "the shop was mended", ids=None, channel=None, code="bad_line")
    assert (begun["shipments"], begun["orders"]) == (120, 120)
    assert await resyncs.turn() == 40
    stage.shop.faults = [("create", refused("still_bad"))]
    await stage.tries()
    half = await resyncs.progress(begun["resync_id"])
    assert half is not None
    assert (half.synced, half.failed, half.pending, half.done) == (39, 1, 80, False)
    while await resyncs.turn():
        await stage.tries()
    end = await resyncs.progress(begun["resync_id"])
    assert end is not None
    assert (end.synced, end.failed, end.pending, end.done) == (119, 1, 0, True)
    assert [(one["code"], one["shipments"]) for one in end.failures] == [("still_bad", 1)]
    assert {len(stage.shop.standing(f"c-o{n:05}")) for n in range(120)} == {0, 1}


async def test_sp_12_a_canceled_one_leaves_what_was_not_tried_as_it_was(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resync, "AT_ONCE", 10)
    await _failed(stage, 30)
    resyncs = _resyncs(stage)
    begun = await resyncs.begin("ann", "", ids=None, channel="shop", code=None)
    await resyncs.turn()
    await stage.tries()
    await resyncs.turn()  # begun, not tried
    assert await resyncs.cancel(begun["resync_id"], "bob")
    assert not await resyncs.cancel(begun["resync_id"], "bob")
    assert await resyncs.turn() == 0
    assert await stage.tries() <= 10  # what is due finds nothing to do
    end = await resyncs.progress(begun["resync_id"])
    assert end is not None
    assert (end.synced, end.canceled, end.pending, end.done) == (10, 20, 0, True)
    assert await stage.column(
        "select count(*) from syncs where state = 'failed' and reason ->> 'code' = 'bad_line'"
    ) == [20]
    assert stage.shop.calls["create"] == 40


async def test_sp_12_only_what_was_chosen_is_pushed_again(stage: Stage) -> None:
    failed = await _failed(stage, 3)
    begun = await _resyncs(stage).begin("ann", "", ids=failed[:1], channel=None, code=None)
    assert begun["shipments"] == 1
    assert (await _resyncs(stage).begin("ann", "", ids=None, channel="other", code=None))["shipments"] == 0
    assert await _resyncs(stage).progress("nothing") is None


async def test_sp_8_each_try_is_a_row_and_a_resync_begins_a_new_round(stage: Stage) -> None:
    order = order_of()
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(submitted(order))
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    stage.shop.faults = [("create", later()) for _ in range(4)]
    await stage.look()
    await stage.settle()
    await stage.resync()
    await stage.settle()
    rows = await stage.pool.fetch(
        "select number, round, state, reason ->> 'code' as code from sync_attempts order by 1"
    )
    assert [tuple(row) for row in rows] == [
        (1, 1, "pending", "server"), (2, 1, "pending", "server"), (3, 1, "pending", "server"),
        (4, 1, "failed", "server"), (5, 2, "synced", None),
    ]  # fmt: skip


NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "because"),
    [
        ({"synced": 900, "pending": 100}, None),
        (
            {"synced": 10, "pending": 990, "per_second": 2.0},
            "the rate budget of channel shop: it grants 2 units/s",
        ),
        ({"synced": 10, "pending": 990, "spent": True}, "the rate budget of channel shop is used up"),
        ({"synced": 10, "pending": 990}, "channel shop answers slowly"),
        ({"synced": 0, "pending": 5, "health": "down", "cause": "HTTP 503"}, "the channel is down: HTTP 503"),
        ({"synced": 1000, "pending": 0, "per_second": 2.0}, None),
    ],
)
def test_sp_12_what_makes_it_take_longer_than_5_minutes_is_named(given: dict[str, Any], because: str | None) -> None:
    counts = {"failed": 0, "canceled": 0, "waiting": 0, "not_needed": 0}
    state = {"health": None, "cause": None, "per_second": None, "spent": None}
    channel = {"channel": "shop", "shipments": 1000, **counts, **state, **given}
    row = {
        "resync_id": "r", "asked_at": NOW - timedelta(seconds=60), "now": NOW, "actor": "ann", "reason": "",
        "canceled_at": None,
    }  # fmt: skip
    [one] = progress_of(row, [channel], []).channels
    if because is None:
        assert one.later_because is None
    else:
        assert (one.later_because or "").startswith(because)
