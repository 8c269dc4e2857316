"""Many at once: commits are shared, a slow order holds nobody up, replicas share the work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import asyncpg
from poller_harness import Stage, order_of, submitted

from shipment_poller.group_commit import GroupCommit
from waybill_common.db import Connection


async def _ready(stage: Stage, count: int) -> None:
    events = []
    for number in range(count):
        order = order_of(f"o{number:04}")
        stage.shop.wanted[order.channel_order_id] = {"l1": 2}
        stage.supplier.ship(f"s{number}", f"E-o{number:04}", {"l1": 2}, [f"1Z{number}"])
        events.append(submitted(order))
    for start in range(0, count, 200):
        await stage.take(*events[start : start + 200])
    stage.supplier.page_size = 200
    await stage.look()


def _slow(stage: Stage, seconds: float) -> None:
    real = {name: getattr(stage.shop, name) for name in ("read", "create")}

    def slowed(name: str):
        async def call(argument):
            await asyncio.sleep(seconds)
            return await real[name](argument)

        return call

    for name in real:
        setattr(stage.shop, name, slowed(name))


async def _work(stage: Stage, seconds: float = 60) -> None:
    """Turns until nothing is pending: on a busy machine a row may wait a moment before it is due again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        busy = await stage.push.crew.turn() or stage.push.crew.under_way
        if not busy and not (await stage.column("select count(*) from orders where sync = 'pending'"))[0]:
            return
        await asyncio.sleep(0.02)


async def test_a_backlog_takes_a_tenth_of_a_commit_an_order(stage: Stage) -> None:
    await _ready(stage, 600)
    stage = stage.restarted()
    _slow(stage, 0.03)
    started = time.monotonic()
    await _work(stage)
    took = time.monotonic() - started
    assert await stage.column("select distinct sync from orders") == ["synced"]
    commits = stage.push.announcements.commits + stage.push.outcomes.commits
    assert (commits + stage.push.claims) / 600 <= 0.1, f"{600 / took:.0f} orders/s"


async def test_two_replicas_share_the_work_and_double_nothing(stage: Stage) -> None:
    await _ready(stage, 120)
    other = stage.restarted()
    _slow(stage, 0.01)
    await asyncio.gather(_work(stage), _work(other))
    assert stage.shop.calls["create"] == 120
    assert all(len(stage.shop.standing(f"c-o{n:04}")) == 1 for n in range(120))
    assert await stage.column("select distinct sync from orders") == ["synced"]
    assert stage.push.outcomes.commits
    assert other.push.outcomes.commits


async def test_sp_12_an_order_whose_call_hangs_holds_no_other_up(stage: Stage) -> None:
    await _ready(stage, 40)
    hanging = asyncio.Event()
    real = stage.shop.read

    async def read(order_id: str):
        if order_id == "c-o0000":
            await hanging.wait()
        return await real(order_id)

    stage.shop.read = read  # type: ignore[method-assign]
    deadline = time.monotonic() + 20
    while (await stage.column("select count(*) from syncs where state = 'synced'"))[0] < 39:
        await stage.push.crew.turn()
        await asyncio.sleep(0.02)
        assert time.monotonic() < deadline
    hanging.set()
    await stage.push.crew.drain()
    assert await stage.column("select distinct sync from orders") == ["synced"]


async def test_a_group_that_a_deadlock_rolled_back_is_stored_again(stage: Stage) -> None:
    tries: list[Sequence[int]] = []

    async def write(conn: Connection, items: Sequence[int]) -> None:
        tries.append(items)
        if len(tries) == 1:
            raise asyncpg.DeadlockDetectedError("deadlock detected")

    await GroupCommit(stage.pool, write, lambda: 1).store(7)
    assert tries == [[7], [7]]
