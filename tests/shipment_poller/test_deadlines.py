"""Deadlines of this stage: missed ones raise an alert that says what is in the way, and clear by themselves."""

from __future__ import annotations

import pytest
from poller_harness import AT, Stage, later, order_of, source_of, submitted, unauthorized

from shipment_poller import schedule
from shipment_poller.watch_deadlines import Deadlines


async def _open(stage: Stage) -> None:
    stage.shop.wanted["c-o1"] = {"l1": 2}
    await stage.take(submitted(order_of()))


async def test_sp_1_a_source_that_is_not_read_in_time_is_told_with_the_cause(stage: Stage) -> None:
    deadlines = Deadlines(stage.pool, stage.tools)
    await _open(stage)
    await deadlines.turn()
    assert await stage.alerts() == {}
    await stage.pool.execute("update watches set known_at = now() - interval '21 minutes'")
    stage.supplier.faults = [unauthorized()]
    await stage.look()
    await deadlines.turn()
    await deadlines.turn()
    found = await stage.alerts()
    assert found["late_poll/east"] == "east was last read 21 min ago: shipments are seen late"
    assert "enter new credentials" in (await stage.column("select detail from open_alerts where key like 'late%'"))[0]
    await stage.take(source_of(2))
    await stage.pool.execute("update connection_health set state = 'ok'")
    await stage.look()
    await deadlines.turn()
    assert "late_poll/east" not in await stage.alerts()


async def test_sp_5_a_source_whose_corrections_would_miss_their_hour_is_told_until_it_is_read(stage: Stage) -> None:
    deadlines = Deadlines(stage.pool, stage.tools)
    await _open(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    await stage.settle()
    for minutes, late in ((59, False), (61, True)):
        past = f"now() - interval '{minutes} minutes'"
        await stage.pool.execute(f"update source_turns set read_at = {past}")
        await stage.pool.execute(f"update watches set shipped_at = {past}")
        await deadlines.turn()
        assert ("late_poll/east" in await stage.alerts()) is late
    assert (await stage.alerts())["late_poll/east"] == "east was last read 61 min ago: corrections are seen late"
    await stage.pool.execute("update watches set shipped_at = now() - interval '31 days'")
    await deadlines.turn()
    assert await stage.alerts() == {}, "after 30 days it is not looked for any more"


async def test_a_source_with_nothing_to_ship_is_never_late(stage: Stage) -> None:
    await stage.pool.execute("update source_turns set read_at = now() - interval '9 days'")
    await Deadlines(stage.pool, stage.tools).turn()
    assert await stage.alerts() == {}


async def test_sp_12_what_is_not_settled_within_5_minutes_is_told_and_clears_when_it_is(stage: Stage) -> None:
    deadlines = Deadlines(stage.pool, stage.tools)
    await _open(stage)
    stage.supplier.ship("s1", "E-o1", {"l1": 2})
    await stage.look()
    stage.shop.faults = [("create", later())]
    await stage.tries()
    await deadlines.turn()
    assert await stage.alerts() == {}
    await stage.pool.execute("update syncs set asked_at = now() - interval '6 minutes'")
    await deadlines.turn()
    assert (await stage.alerts())["late_sync/shop"] == "1 shipments wait for shop for more than 5 minutes"
    assert "HTTP 503" in (await stage.column("select detail from open_alerts"))[0]
    await stage.settle()
    await deadlines.turn()
    assert await stage.alerts() == {}


async def test_sp_1_an_early_shipment_that_stays_early_is_told_once(stage: Stage) -> None:
    await _open(stage)
    stage.supplier.ship("s9", "E-nobody", {"l1": 1})
    await stage.look()
    await stage.pool.execute("update early_shipments set deadline = now() - interval '1 second'")
    deadlines = Deadlines(stage.pool, stage.tools)
    await deadlines.turn()
    await deadlines.turn()
    told = await stage.column("select value from facts where topic = 'alerts.raised'")
    assert sum(b"early_shipment/east/s9" in one for one in told) == 1


@pytest.mark.parametrize(
    ("minutes", "poll_every", "late"),
    [(19, 15, False), (21, 15, True), (21, 60, False), (81, 60, True), (19, 1, False)],
)
def test_the_polls_deadline_follows_the_sources_own_pace(minutes: int, poll_every: int, late: bool) -> None:
    from datetime import timedelta

    now = AT + timedelta(minutes=minutes)
    assert schedule.late(AT, timedelta(minutes=poll_every), now) is late
