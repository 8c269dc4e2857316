"""A connection's rate, shared by services and replicas, never exceeded."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from waybill_common.budget import PURSE_SECONDS, Budget, BudgetWait, Rate, patient
from waybill_common.db import Pool, open_pool
from waybill_common.migrations import migrate


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    await migrate(database_url, "kernel", [])
    pool = await open_pool(database_url, "kernel", size=8, name="test")
    yield pool
    await pool.close()


async def spend(budget: Budget, rate: Rate, until: float, cost: float = 1) -> float:
    spent = 0.0
    while time.monotonic() < until:
        try:
            await budget.draw("shop", cost, rate)
        except BudgetWait as wait:
            await asyncio.sleep(min(wait.seconds, until - time.monotonic(), 0.05))
        else:
            if time.monotonic() < until:
                spent += cost
    return spent


async def test_replicas_together_keep_to_the_share_of_the_rate(pool: Pool) -> None:
    rate = Rate(capacity=20, per_second=100)
    replicas = [Budget(pool, share=0.5) for _ in range(3)]
    started = time.monotonic()
    spent = sum(await asyncio.gather(*[spend(budget, rate, started + 1.5) for budget in replicas for _ in range(4)]))
    allowed = 0.5 * (20 + 100 * 1.5)
    assert 0.8 * allowed <= spent <= allowed + 1


async def test_a_full_bucket_is_spent_at_once_and_then_waits(pool: Pool) -> None:
    budget = Budget(pool, patience=0.0)
    rate = Rate(capacity=5, per_second=1)
    for _ in range(5):
        await budget.draw("shop", 1, rate)
    with pytest.raises(BudgetWait) as wait:
        await budget.draw("shop", 1, rate)
    assert 0.5 < wait.value.seconds <= 1


async def test_a_wait_within_patience_is_waited_out(pool: Pool) -> None:
    budget = Budget(pool, patience=1.0)
    rate = Rate(capacity=1, per_second=5)
    await budget.draw("shop", 1, rate)
    started = time.monotonic()
    await budget.draw("shop", 1, rate)
    assert 0.1 <= time.monotonic() - started < 0.6


async def test_a_refused_draw_spends_nothing(pool: Pool) -> None:
    budget = Budget(pool, patience=0.0)
    rate = Rate(capacity=2, per_second=0.5)
    await budget.draw("shop", 2, rate)
    waits = []
    for _ in range(3):
        with pytest.raises(BudgetWait) as wait:
            await budget.draw("shop", 1, rate)
        waits.append(wait.value.seconds)
    assert max(waits) <= 2.0


async def test_retry_after_is_honoured_by_every_replica_and_by_the_next_process(pool: Pool) -> None:
    rate = Rate(capacity=1000, per_second=1000)
    ours, other = Budget(pool), Budget(pool)
    await other.draw("shop", 1, rate)
    await ours.block("shop", 30)
    for budget in (ours, Budget(pool)):
        with pytest.raises(BudgetWait) as wait:
            await budget.draw("shop", 1, rate)
        assert 29 < wait.value.seconds <= 31
    await asyncio.sleep(PURSE_SECONDS)
    with pytest.raises(BudgetWait):
        await other.draw("shop", 1, rate)


async def test_a_shorter_retry_after_does_not_end_a_longer_one(pool: Pool) -> None:
    budget = Budget(pool)
    await budget.block("shop", 30)
    await budget.block("shop", 1)
    with pytest.raises(BudgetWait) as wait:
        await budget.draw("shop", 1, Rate(10, 10))
    assert wait.value.seconds > 25


async def test_calls_resume_when_the_block_has_ended(pool: Pool) -> None:
    budget = Budget(pool, patience=1.0)
    await budget.block("shop", 0.2)
    await asyncio.sleep(0.25)
    await budget.draw("shop", 1, Rate(10, 100))


async def test_what_the_platform_says_is_left_corrects_what_we_thought(pool: Pool) -> None:
    budget = Budget(pool, share=0.5, patience=0.0)
    rate = Rate(capacity=1000, per_second=10)
    await budget.draw("shop", 1, rate)
    await budget.correct("shop", available=4)
    await asyncio.sleep(PURSE_SECONDS)
    with pytest.raises(BudgetWait) as wait:
        await budget.draw("shop", 100, rate)
    assert 10 < wait.value.seconds < 20


async def test_a_platforms_faster_rate_is_taken_over(pool: Pool) -> None:
    budget = Budget(pool, patience=0.0)
    rate = Rate(capacity=10, per_second=1)
    await budget.draw("shop", 10, rate)
    await budget.correct("shop", available=0, per_second=100)
    with pytest.raises(BudgetWait) as wait:
        await budget.draw("shop", 10, rate)
    assert wait.value.seconds < 0.2


async def test_many_small_calls_share_few_statements(pool: Pool) -> None:
    budget = Budget(pool)
    rate = Rate(capacity=10_000, per_second=4_000)
    before = await pool.fetchval("select updated_at from rate_budgets")
    assert before is None
    started = time.monotonic()
    for _ in range(500):
        await budget.draw("shop", 1, rate)
    assert time.monotonic() - started < 0.5


async def test_connections_do_not_share_a_budget(pool: Pool) -> None:
    budget = Budget(pool, patience=0.0)
    rate = Rate(capacity=1, per_second=0.1)
    await budget.draw("one", 1, rate)
    await budget.draw("two", 1, rate)


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_a_share_outside_its_range_is_refused(share: float, pool: Pool) -> None:
    with pytest.raises(ValueError, match="share"):
        Budget(pool, share)


async def test_work_that_must_not_begin_anew_waits_longer_itself(pool: Pool) -> None:
    budget = Budget(pool, patience=0.0)
    rate = Rate(capacity=1, per_second=5)
    await budget.draw("shop", 1, rate)
    started = time.monotonic()
    with patient(1.0):
        await budget.draw("shop", 1, rate)
        await budget.block("shop", 0.2)
        await budget.draw("shop", 1, rate)
    assert 0.5 <= time.monotonic() - started < 1.5
    with pytest.raises(BudgetWait):
        await budget.draw("shop", 1, rate)


async def test_patience_has_an_end(pool: Pool) -> None:
    budget = Budget(pool, patience=0.0)
    await budget.block("shop", 30.0)
    with patient(1.0), pytest.raises(BudgetWait) as wait:
        await budget.draw("shop", 1, Rate(capacity=1, per_second=5))
    assert wait.value.seconds > 25
