"""The promised times, on a database whose clock the test sets: seen in 15 minutes, corrected in an hour, settled in 5.

Nothing is made due by hand: the stage's own due times alone say when something happens.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from poller_harness import Stage, later, order_of, submitted

MINUTE, DAY = 60, 86_400


async def _poll(stage: Stage) -> int:
    """What is due at sources, and nothing else."""
    done = 0
    while begun := await stage.poll.crew.turn():
        done += begun
        await stage.poll.crew.drain()
    return done


async def _pass(stage: Stage, seconds: float, step: float = MINUTE) -> None:
    """Time passes, and whatever is due meanwhile is done."""
    for _ in range(int(seconds / step)):
        await stage.clock.advance(step)
        await _poll(stage)
        await stage.tries()


async def _until_settled(stage: Stage) -> float:
    """Seconds until nothing is due at channels any more; the clock jumps from one due time to the next."""
    began = stage.clock.now()
    for _ in range(400):
        begun = await stage.tries()
        [due] = await stage.column("select min(due_at) from push_turns where due_at is not null")
        if due is None:
            return float((stage.clock.now() - began).total_seconds())
        # what is due and not begun waits for its channel, which is down and looked at from time to time
        await stage.clock.advance(max((due - stage.clock.now()).total_seconds(), 0.001 if begun else 1.0))
    raise AssertionError("it does not settle")


async def _submit(stage: Stage, pieces: int = 2) -> None:
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(submitted(order_of()))
    await _poll(stage)


def _numbers(stage: Stage) -> list[str]:
    return [number for record in stage.shop.standing("c-o1") for number in record.tracking_numbers]


async def test_sp_1_an_open_fr_is_asked_for_every_15_minutes_and_a_shipment_is_at_the_channel_then(
    timed_stage: Stage,
) -> None:
    stage = timed_stage
    await _submit(stage)
    await stage.clock.advance(15 * MINUTE)
    assert await _poll(stage) == 1
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z1"])
    await stage.clock.advance(15 * MINUTE - 1)
    assert await _poll(stage) == 0
    await stage.clock.advance(1)
    assert await _poll(stage) == 1
    await stage.tries()
    assert _numbers(stage) == ["1Z1"]


async def test_sp_5_a_correction_is_through_within_the_hour_for_30_days_and_then_nobody_asks(
    timed_stage: Stage,
) -> None:
    stage = timed_stage
    await _submit(stage)
    stage.supplier.ship("s0", "E-o1", {"l1": 2}, ["1Z0"])
    await _pass(stage, 16 * MINUTE)
    assert _numbers(stage) == ["1Z0"]
    for number, days in enumerate((0, 1, 8, 20)):  # the last one 29 days after it was shipped
        await stage.clock.advance(days * DAY)
        await _poll(stage)
        stage.supplier.take_back(f"s{number}")
        stage.supplier.ship(f"s{number + 1}", "E-o1", {"l1": 2}, [f"1Z{number + 1}"])
        await _pass(stage, 60 * MINUTE)
        assert _numbers(stage) == [f"1Z{number + 1}"]
    await stage.clock.advance(31 * DAY)
    assert await _poll(stage) == 1  # the turn that was still due
    assert await stage.column("select due_at from source_turns") == [None]


async def test_sp_5_taken_back_without_a_replacement_the_15_minute_poll_begins_again(timed_stage: Stage) -> None:
    stage = timed_stage
    await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z1"])
    await _pass(stage, 16 * MINUTE)
    stage.supplier.take_back("s1")
    await _pass(stage, 31 * MINUTE)
    assert _numbers(stage) == []
    [due] = await stage.column("select due_at from source_turns")
    assert due - stage.clock.now() <= timedelta(minutes=15)


@pytest.mark.parametrize(
    ("faults", "end"),
    [
        ([("create", later())] * 4, "failed"),
        ([("create", later(retry_after=40.0))] * 3, "synced"),
        ([("create", "lost")], "synced"),
        ([("create", "late")], "synced"),
        ([("create", "late"), ("create", later()), ("create", later())], "synced"),
        ([("create", "lost"), ("read", None), *[("read", later())] * 5], "synced"),  # down before it is read back
        ([("read", later())] * 3, "synced"),
        ([("read", later())] * 4, "failed"),
    ],
)
async def test_sp_12_a_resent_one_is_settled_within_5_minutes_whatever_is_answered(
    timed_stage: Stage, faults: list[tuple[str, Any]], end: str
) -> None:
    """With a real platform's timeout and lag, and the longest waits that chance can give."""
    stage = timed_stage
    stage.chance = 1.0
    stage.shop.features = replace(stage.shop.features, call_timeout=20.0, index_lag=timedelta(seconds=5))
    await _submit(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2}, ["1Z1"])
    stage.shop.faults = [("create", later()) for _ in range(4)]
    await stage.look()
    await _until_settled(stage)
    await stage.resync()
    stage.shop.faults = list(faults)
    assert await _until_settled(stage) <= 300
    assert await stage.column("select state from syncs") == [end]
    assert len(stage.shop.standing("c-o1")) == (end == "synced")
