"""SP-8 to the letter, on a database whose clock the test sets: nothing is called a moment too early, nor twice.

The statements that claim, wait and resume are those of production; only what time it is for them is the test's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from poller_harness import Stage, later, order_of, submitted

from waybill_common.retry import Family
from waybill_contracts.shipment_synced import ShipmentSynced, ShipmentSyncFailed
from waybill_platforms.errors import PlatformError

MOMENT = 0.001
"""Seconds; less than any wait."""
DAY = 86_400


async def _shipped(stage: Stage, order_id: str = "o1") -> None:
    order = order_of(order_id)
    stage.shop.wanted[order.channel_order_id] = {"l1": 2}
    await stage.take(submitted(order))
    stage.supplier.ship(f"s-{order_id}", f"E-{order_id}", {"l1": 2}, [f"1Z-{order_id}"])
    await stage.look()
    await stage.told()


async def _passes_unused(stage: Stage, seconds: float) -> None:
    """Nothing is tried before this wait is over, and it is tried then."""
    calls = stage.shop.calls.copy()
    await stage.clock.advance(seconds - MOMENT)
    assert await stage.tries() == 0
    assert stage.shop.calls == calls
    await stage.clock.advance(MOMENT)
    assert await stage.tries() == 1


def _rate_limited(retry_after: float | None) -> PlatformError:
    return PlatformError(
        "HTTP 429", family=Family.LATER, cause="rate_limit", outcome="none", action="call", status=429,
        retry_after=retry_after,
    )  # fmt: skip


def _lost() -> PlatformError:
    return PlatformError("connection refused", family=Family.LATER, cause="connection", outcome="none", action="call")


@pytest.mark.parametrize(
    ("failure", "cause"), [(later, "server"), (lambda: _rate_limited(None), "rate_limit"), (_lost, "connection")]
)
@pytest.mark.parametrize(
    ("chance", "waits"), [(0.0, (1.5, 3.0, 4.5)), (0.5, (1.65, 3.3, 4.95)), (1.0, (1.8, 3.6, 5.4))]
)
async def test_sp_8_three_retries_after_the_first_try_wait_attempt_times_1_5_s_and_jitter_then_it_failed(
    timed_stage: Stage, failure: Any, cause: str, chance: float, waits: tuple[float, ...]
) -> None:
    stage = timed_stage
    stage.chance = chance
    await _shipped(stage)
    stage.shop.faults = [("create", failure()) for _ in range(9)]
    assert await stage.tries() == 1
    for wait in waits:
        assert await stage.told() == []
        await _passes_unused(stage, wait)
    [failed] = await stage.told()
    assert isinstance(failed, ShipmentSyncFailed)
    assert (failed.attempts, failed.reason.code) == (4, cause)
    assert stage.shop.calls["create"] == 4
    await stage.clock.advance(30 * DAY)
    assert await stage.tries() == 0  # a person's now; and listed:
    rows = await stage.pool.fetch("select number, round, state from sync_attempts order by number")
    assert [tuple(row) for row in rows] == [(1, 1, "pending"), (2, 1, "pending"), (3, 1, "pending"), (4, 1, "failed")]


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ((30.0, 30.0, 30.0), (30.0, 30.0, 30.0)),
        ((1.0, 1.0, 1.0), (1.5, 3.0, 4.5)),
        ((2.0, None, 60.0), (2.0, 3.0, 60.0)),
    ],
)
async def test_sp_8_a_longer_retry_after_is_waited_for_and_a_shorter_one_shortens_nothing(
    timed_stage: Stage, asked: tuple[float | None, ...], waits: tuple[float, ...]
) -> None:
    stage = timed_stage
    await _shipped(stage)
    stage.shop.faults = [("create", _rate_limited(seconds)) for seconds in asked]
    assert await stage.tries() == 1
    for wait in waits:
        await _passes_unused(stage, wait)
    [synced] = await stage.told()
    assert isinstance(synced, ShipmentSynced)
    assert synced.attempts == 4
    assert stage.shop.shown("c-o1") == {"l1": 2}


async def test_sp_8_chance_lengthens_a_wait_by_a_fifth_at_most_and_never_shortens_it(timed_stage: Stage) -> None:
    stage = timed_stage
    stage.chance = None
    await _shipped(stage)
    stage.shop.faults = [("create", later())]
    await stage.tries()
    await stage.clock.advance(1.5 - MOMENT)
    assert await stage.tries() == 0
    await stage.clock.advance(1.5 * 0.2 + 2 * MOMENT)
    assert await stage.tries() == 1
    assert await stage.column("select state from syncs") == ["synced"]


async def test_sp_8_a_resync_begins_a_new_round_with_the_whole_schedule(timed_stage: Stage) -> None:
    stage = timed_stage
    await _shipped(stage)
    stage.shop.faults = [("create", later()) for _ in range(7)]
    await stage.tries()
    for wait in (1.5, 3.0, 4.5):
        await _passes_unused(stage, wait)
    await stage.resync()
    assert await stage.tries() == 1
    for wait in (1.5, 3.0, 4.5):
        await _passes_unused(stage, wait)
    first, second = [type(one) for one in await stage.told()]
    assert (first, second) == (ShipmentSyncFailed, ShipmentSynced)
    assert await stage.column("select round from sync_attempts order by number") == [1] * 4 + [2] * 4


async def test_sp_8_after_5_failures_in_a_row_the_channel_is_down_and_its_pushes_wait_in_a_slow_lane(
    timed_stage: Stage,
) -> None:
    stage = timed_stage
    await _shipped(stage, "o1")
    await _shipped(stage, "o2")
    stage.shop.faults = [("read", later()) for _ in range(10)]
    await stage.tries()  # both: two failures
    await stage.clock.advance(1.5)
    await stage.tries()  # four
    assert await stage.column("select state from connection_health where connection_id = 'shop'") == ["ok"]
    await stage.clock.advance(3.0)
    await stage.tries()  # six: the fifth in a row makes it down
    looks = await stage.column("select looks from syncs order by shipment_id")
    assert await stage.column("select state from connection_health where connection_id = 'shop'") == ["down"]
    for wait in (5.0, 10.0, 20.0, 40.0):  # one call at a time, further and further apart
        await _passes_unused(stage, wait)
        assert await stage.column("select distinct state from syncs") == ["pending"]
        assert await stage.column("select looks from syncs order by shipment_id") == looks
    lane = [dict(row) async for row in stage.tools.queries.waiting_syncs(stage.pool)]
    [slow] = lane
    assert (slow["channel"], slow["state"], slow["count"], slow["health"]) == ("shop", "pending", 2, "down")
    assert (slow["cause"], slow["next_look_at"]) == ("HTTP 503", stage.clock.now() + timedelta(seconds=60))
    await stage.clock.advance(60.0 - MOMENT)
    assert await stage.tries() == 0
    await stage.clock.advance(MOMENT)
    assert await stage.tries() == 2  # the probe is answered, and what waits resumes by itself
    assert await stage.column("select state from connection_health where connection_id = 'shop'") == ["ok"]
    assert [type(one) for one in await stage.told()] == [ShipmentSynced, ShipmentSynced]
    assert "failed" not in await stage.column("select state from sync_attempts")
