"""The retry schedule to the letter, causes told apart, unknown outcomes read back (SP-8, SP-9, SP-11)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from poller_harness import AT, Died, Stage, channel_of, later, order_of, refused, submitted, unauthorized

from shipment_poller import failures
from shipment_poller.lifecycle import SyncState
from shipment_poller.store_sync import SyncStore
from waybill_common.breaker import Health
from waybill_common.db import transaction
from waybill_common.retry import Family
from waybill_contracts.shipment_synced import ShipmentSynced
from waybill_platforms import departure
from waybill_platforms.model.fulfillments import ChannelFulfillments

_REASON = failures.reason_for("server", "HTTP 503")


async def _ready(stage: Stage, order_id: str = "o1", pieces: int = 2) -> None:
    order = order_of(order_id)
    stage.shop.wanted[order.channel_order_id] = {"l1": 2}
    await stage.take(submitted(order))
    stage.supplier.ship(f"s-{order_id}", f"E-{order_id}", {"l1": pieces}, [f"1Z-{order_id}"])
    await stage.look()
    await stage.told()


async def _wait(stage: Stage) -> float:
    """Seconds until the one push is due."""
    [row] = await stage.pool.fetch("select extract(epoch from due_at - now())::float8 as wait from push_turns")
    return row["wait"]


async def _let_pass(stage: Stage) -> None:
    await stage.pool.execute("update syncs set due_at = now() where due_at is not null")
    await stage.pool.execute("update push_turns set due_at = now() where due_at is not null")


@pytest.mark.parametrize(
    ("attempts", "retry_after", "random", "wait"),
    [
        (0, None, 0.0, 1.5),
        (1, None, 0.0, 3.0),
        (2, None, 0.0, 4.5),
        (0, None, 1.0, 1.8),
        (0, 30.0, 0.0, 30.0),
        (2, 1.0, 0.0, 4.5),
    ],
)
def test_sp_8_the_wait_is_attempt_times_1_5_seconds_or_what_retry_after_says(
    attempts: int, retry_after: float | None, random: float, wait: float
) -> None:
    finish = failures.after_failure(
        Family.LATER, attempts, _REASON, retry_after=retry_after, random=random, blocked=False
    )
    assert finish.state is SyncState.PENDING
    assert finish.due_in == timedelta(seconds=wait)
    assert finish.attempts == attempts + 1


@pytest.mark.parametrize(
    ("family", "attempts", "blocked", "state", "after"),
    [
        (Family.LATER, 3, False, SyncState.FAILED, 4),
        (Family.LATER, 3, True, SyncState.PENDING, 3),
        (Family.REFUSED, 0, False, SyncState.FAILED, 1),
        (Family.UNAUTHORIZED, 0, False, SyncState.PENDING, 0),
        (Family.UNREADABLE, 0, False, SyncState.PENDING, 1),
        (Family.UNREADABLE, 3, False, SyncState.FAILED, 4),
    ],
)
def test_sp_9_only_what_can_pass_by_itself_is_tried_again(
    family: Family, attempts: int, blocked: bool, state: SyncState, after: int
) -> None:
    finish = failures.after_failure(family, attempts, _REASON, retry_after=None, random=0, blocked=blocked)
    assert (finish.state, finish.attempts) == (state, after)


async def test_sp_8_waiting_for_budget_is_no_attempt(stage: Stage) -> None:
    from waybill_common.budget import BudgetWait

    await _ready(stage)
    real = stage.shop.create
    waits = [BudgetWait(7.0)]

    async def create(call):
        if waits:
            raise waits.pop()
        return await real(call)

    stage.shop.create = create  # type: ignore[method-assign]
    await stage.tries()
    assert 6 < await _wait(stage) <= 7
    assert await stage.column("select attempts from syncs") == [0]
    assert await stage.column("select state from intents") == ["dropped"]
    await stage.settle()
    stage = stage.restarted()  # the channel rests in this process for as long as the budget said
    await stage.settle()
    [synced] = await stage.told()
    assert isinstance(synced, ShipmentSynced)
    assert synced.attempts == 1


async def test_sp_8_a_channel_that_is_down_keeps_its_rows_pending_and_resumes_by_itself(stage: Stage) -> None:
    for number in range(8):
        await _ready(stage, f"o{number}")
    stage.shop.faults = [("read", later()) for _ in range(30)]
    for _ in range(6):
        await stage.tries()
        await _let_pass(stage)
    assert await stage.column("select state from connection_health where connection_id = 'shop'") == ["down"]
    assert "failed" not in await stage.column("select state from syncs")
    stage.shop.faults.clear()
    await stage.settle()
    assert await stage.column("select distinct state from syncs") == ["synced"]
    assert await stage.column("select state from connection_health where connection_id = 'shop'") == ["ok"]


async def test_sp_9_expired_credentials_pause_the_channel_and_new_ones_resume_all(stage: Stage) -> None:
    for number in range(3):
        await _ready(stage, f"o{number}")
    stage.shop.faults = [("read", unauthorized()) for _ in range(3)]
    await stage.tries()
    assert await stage.column("select distinct attempts from syncs") == [0]
    calls = stage.shop.calls["read"]
    await stage.settle()
    assert stage.shop.calls["read"] == calls  # paused: nothing is called
    stage.shop.faults.clear()
    await stage.take(channel_of(2, credential_version=2))
    await stage.settle()
    assert await stage.column("select distinct state from syncs") == ["synced"]


async def test_sp_9_a_call_with_the_old_credentials_does_not_lock_the_new_ones_out(stage: Stage) -> None:
    await _ready(stage)
    read = stage.shop.read

    async def answered_late(order_id: str) -> ChannelFulfillments | None:
        stage.shop.read = read  # type: ignore[method-assign]
        await stage.take(channel_of(2, credential_version=2))
        await stage.tools.configurations.refresh(stage.pool)  # type: ignore[arg-type]
        raise unauthorized()

    stage.shop.read = answered_late  # type: ignore[method-assign]
    await stage.tries()
    await stage.settle()
    assert await stage.column("select state from syncs") == ["synced"]


async def test_sp_9_a_refusal_is_never_retried(stage: Stage) -> None:
    await _ready(stage)
    stage.shop.faults = [("create", refused())]
    await stage.settle()
    assert stage.shop.calls["create"] == 1
    assert [type(one).__name__ for one in await stage.told()] == ["ShipmentSyncFailed"]


async def test_sp_11_a_lost_answer_is_read_back_and_adopted_never_sent_again(stage: Stage) -> None:
    await _ready(stage)
    stage.shop.faults = [("create", "lost")]
    await stage.settle()
    [synced] = await stage.told()
    assert isinstance(synced, ShipmentSynced)
    assert synced.adopted
    assert stage.shop.calls["create"] == 1
    assert stage.shop.shown("c-o1") == {"l1": 2}


async def test_sp_11_an_effect_that_lands_after_the_timeout_is_adopted(stage: Stage) -> None:
    await _ready(stage)
    stage.shop.faults = [("create", "late")]
    await stage.tries()
    stage.shop.land()
    await stage.settle()
    assert stage.shop.calls["create"] == 1
    assert await stage.column("select state from syncs") == ["synced"]


async def test_sp_11_not_found_is_believed_the_second_time_only_and_after_the_timeout(stage: Stage) -> None:
    await _ready(stage)
    stage.shop.faults = [("create", "late")]
    await stage.tries()
    assert await stage.column("select state from intents") == ["open"]
    await stage.pool.execute("update intents set ended_at = now() + interval '10 seconds'")
    await _let_pass(stage)
    await stage.tries()  # too early to prove anything
    assert await stage.column("select missing_at from intents") == [None]
    assert 9 < await _wait(stage) < 11
    await stage.pool.execute("update intents set ended_at = now() - interval '10 seconds'")
    await _let_pass(stage)
    await stage.tries()  # missing once
    assert stage.shop.calls["create"] == 1
    assert (await stage.column("select missing_at from intents"))[0] is not None
    await stage.pool.execute("update intents set missing_at = now() - interval '10 seconds'")
    await _let_pass(stage)
    await stage.tries()
    assert stage.shop.calls["create"] == 2
    assert sorted(await stage.column("select state from intents")) == ["done", "forgotten"]
    assert stage.shop.shown("c-o1") == {"l1": 2}


@pytest.mark.parametrize("moment", ["died before", "died after"])
async def test_sp_11_a_crash_around_the_create_ends_with_one_fulfillment(stage: Stage, moment: str) -> None:
    await _ready(stage)
    stage.shop.faults = [("create", moment)]
    await stage.push.crew.turn()
    with contextlib.suppress(Died):
        await stage.push.crew.drain()
    stage = stage.restarted()
    await stage.pool.execute("update push_turns set lease_until = now() - interval '1 second'")
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 2}
    assert len(stage.shop.standing("c-o1")) == 1
    assert await stage.column("select state from syncs") == ["synced"]


async def test_sp_11_a_worker_that_was_frozen_until_its_lease_was_over_sends_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the platforms' HTTP client asks right before it writes (`departure.at_the_door`)."""
    await _ready(stage)
    real = stage.shop.create

    async def frozen(call: Any) -> Any:
        stage.shop.create = real  # type: ignore[method-assign]
        with monkeypatch.context() as later_on:
            later_on.setattr(departure, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 3600))
            with pytest.raises(departure.TooLate):
                departure.check()
        raise later("none", cause="connection")

    stage.shop.create = frozen  # type: ignore[method-assign]
    await stage.settle()
    assert stage.shop.calls["create"] == 1
    assert stage.shop.shown("c-o1") == {"l1": 2}
    assert sorted(await stage.column("select state from intents")) == ["done", "dropped"]


async def test_sp_10_what_was_made_and_is_not_shown_yet_is_no_reason_to_make_it_again(stage: Stage) -> None:
    await _ready(stage)
    made = stage.shop.made
    stage.shop.made = {}
    real = stage.shop.create

    async def hidden(call):
        record = await real(call)
        made["c-o1"] = stage.shop.made.pop("c-o1")
        return record

    stage.shop.create = hidden  # type: ignore[method-assign]
    await stage.tries()
    assert await stage.column("select state from syncs") == ["pending"]
    stage.shop.made = made
    await stage.settle()
    assert stage.shop.calls["create"] == 1
    assert await stage.column("select state from syncs") == ["synced"]


async def test_the_second_location_may_fail_after_the_first_worked(stage: Stage) -> None:
    from poller_harness import line_of

    order = order_of("o1", [line_of("l1", 1), line_of("l2", 1)])
    stage.shop.wanted["c-o1"] = {"l1": 1, "l2": 1}
    stage.shop.where = {"l1": "a", "l2": "b"}
    await stage.take(submitted(order))
    stage.supplier.ship("s1", "E-o1", {"l1": 1, "l2": 1})
    await stage.look()
    real, calls = stage.shop.create, []

    async def create(call):
        calls.append(call)
        if len(calls) == 2:
            raise later()
        return await real(call)

    stage.shop.create = create  # type: ignore[method-assign]
    await stage.settle()
    assert stage.shop.shown("c-o1") == {"l1": 1, "l2": 1}
    assert len(stage.shop.standing("c-o1")) == 2
    [synced] = [one for one in await stage.told() if isinstance(one, ShipmentSynced)]
    assert len(synced.fulfillment_ids) == 2


async def test_sp_1_a_failed_list_moves_no_cursor_and_comes_again(stage: Stage) -> None:
    await _ready(stage)
    before = await stage.column("select cursor from source_turns")
    stage.supplier.page_size = 1
    for number in range(3):
        stage.supplier.ship(f"x{number}", "E-none", {"l1": 1})
    stage.supplier.faults = [None, later()]
    await stage.look()
    assert await stage.column("select cursor from source_turns") == before
    assert await stage.column("select attempts from source_turns") == [1]
    await stage.look()
    assert await stage.column("select attempts from source_turns") == [0]
    assert (await stage.column("select cursor from source_turns"))[0] > AT


async def test_replicas_that_note_failures_of_the_same_channels_do_not_wait_for_each_other(stage: Stage) -> None:
    class SlowHealth(Health):
        async def note(self, *args: Any, **more: Any) -> Any:
            change = await super().note(*args, **more)
            await asyncio.sleep(0.3)
            return change

    async def note(*channels: str) -> None:
        jobs = [SimpleNamespace(channel=one, credential_version=1, health=[(Family.LATER, "503")]) for one in channels]
        async with transaction(stage.pool) as conn:
            await SyncStore(stage.tools, SlowHealth())._healths(conn, jobs)  # type: ignore[arg-type]

    await asyncio.gather(note("shop", "other"), note("other", "shop"))
    assert await stage.column("select failures from connection_health where failures > 0") == [2, 2]
