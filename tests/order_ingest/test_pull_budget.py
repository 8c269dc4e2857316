"""IN-2 under a small rate budget: a window longer than the budget ends, and a channel that is down is heard of."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from ingest_samples import START, order

from order_ingest.app import METRICS
from order_ingest.calls import Calls
from order_ingest.poller import Poller
from order_ingest.pull_channel import PullChannel
from waybill_common.alerts import Alerts
from waybill_common.budget import Budget, BudgetWait, Rate
from waybill_common.clock import ManualClock
from waybill_common.logs import make_log
from waybill_common.metrics import Metrics
from waybill_common.retry import Family
from waybill_contracts.config_changed import ChannelConfigured
from waybill_platforms.errors import PlatformError

DOWN = PlatformError("HTTP 502", family=Family.LATER, cause="server", outcome="none", action="get_orders", status=502)
Pull = Callable[[], Awaitable[None]]


@pytest.fixture
def pull(house: Any, shelf: Any) -> Pull:
    """Makes the channel due and gives it one turn."""

    async def open_reader(_: ChannelConfigured) -> Any:
        return shelf

    log, metrics = make_log("test", "ERROR"), Metrics("test")
    metrics.declare(METRICS)
    clock = ManualClock(START + timedelta(days=1))
    calls = Calls(house.pool, house.health, Alerts(None), clock, house.telemetry, house.rulebook, open_reader)
    poller = Poller(calls, PullChannel(calls, log, metrics, (0.0, 0.0)), log)

    async def turn() -> None:
        await house.pool.execute("update channels set due_at = now() where due_at is not null")
        while await poller.turn():
            pass

    return turn


async def test_in2_a_window_dearer_than_the_bucket_is_read_to_its_end_in_one_turn(
    house: Any, shelf: Any, pull: Pull
) -> None:
    """All orders of one moment (a bulk edit): put off, the turn would read the same first pages for ever."""
    budget = Budget(house.pool, patience=0.0)

    async def pay(_: int) -> None:
        await budget.draw("shop", 1, Rate(capacity=1, per_second=10))

    shelf.before_page = pay
    shelf.orders = [order(f"o{i}", minute=0) for i in range(9)]
    await pull()

    assert len(await house.rows()) == 9
    assert len(shelf.asked) == 1


async def test_in12_a_failure_is_told_although_the_budget_has_nothing_left_for_another_try(
    house: Any, shelf: Any, pull: Pull
) -> None:
    tries = []

    async def first_down_then_no_budget(page: int) -> None:
        tries.append(page)
        raise DOWN if len(tries) == 1 else BudgetWait(60.0)

    shelf.before_page = first_down_then_no_budget
    await pull()

    row = await house.pool.fetchrow("select * from channels where channel_id = 'shop'")
    assert (row["last_error"], row["attempts"]) == ("HTTP 502", 1)
    assert await house.pool.fetchval("select failures from connection_health where connection_id = 'shop'") == 1
