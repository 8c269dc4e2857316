"""Orders that were announced second-hand: each is read live on its own, and none waits in silence."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from ingest_samples import START, channel, configured, order

from order_ingest.calls import Calls
from order_ingest.live_reads import LiveReads, Wanted, want
from waybill_common.alerts import Alerts
from waybill_common.clock import ManualClock
from waybill_common.db import transaction
from waybill_contracts.config_changed import ChannelConfigured


@dataclass
class Reading:
    """The worker over a house; `readers` are the channels' shelves."""

    house: Any
    reads: LiveReads
    readers: dict[str, Any]
    clock: ManualClock

    async def want(self, *announced: tuple[str, str]) -> None:
        async with transaction(self.house.pool) as conn:
            await want(conn, [Wanted(channel, number, None, "event", None) for channel, number in announced])

    async def turn(self) -> int:
        await self.house.pool.execute("update live_reads set due_at = now()")
        return await self.reads.turn()

    async def alerts(self) -> list[str]:
        return [row["key"] for row in await self.house.pool.fetch("select key from open_alerts order by key")]

    async def waiting(self) -> list[str]:
        return [row["number"] for row in await self.house.pool.fetch("select number from live_reads order by 1")]


@pytest.fixture
async def reading(house: Any, shelf: Any) -> Reading:
    readers = {"shop": shelf}

    async def open_reader(configured: ChannelConfigured) -> Any:
        return readers[configured.channel.id]

    clock = ManualClock(START + timedelta(days=1))
    calls = Calls(house.pool, house.health, Alerts(None), clock, house.telemetry, house.rulebook, open_reader)
    return Reading(house, LiveReads(calls), readers, clock)


async def test_an_announced_order_is_imported_and_forgotten(reading: Reading) -> None:
    reading.readers["shop"].orders = [order("o1")]
    await reading.want(("shop", "#o1"))
    assert await reading.turn() == 1
    assert (await reading.house.row())["via"] == "event"
    assert await reading.waiting() == []


async def test_an_order_that_the_channel_never_shows_is_told_to_a_person(reading: Reading) -> None:
    await reading.want(("shop", "#gone"))
    await reading.turn()
    assert await reading.alerts() == []
    reading.clock.advance(99 * 86_400)
    await reading.turn()
    assert await reading.alerts() == ["not-at-channel/shop/#gone"]
    assert await reading.waiting() == []


async def test_an_order_of_a_channel_that_was_removed_is_told_and_holds_up_no_other(reading: Reading) -> None:
    reading.readers["shop"].orders = [order("o1")]
    await reading.want(("removed", "#o9"), ("shop", "#o1"))
    assert await reading.turn() == 2
    assert len(await reading.house.rows()) == 1
    assert await reading.waiting() == ["#o9"]  # its configuration may be on its way

    reading.clock.advance(99 * 86_400)
    await reading.turn()
    assert await reading.alerts() == ["not-at-channel/removed/#o9"]
    assert await reading.waiting() == []


async def test_an_order_that_nobody_can_read_waits_without_its_lease_and_its_neighbours_go_on(reading: Reading) -> None:
    class Broken:
        async def find_by_number(self, number: str) -> Any:
            raise KeyError(number)

    await reading.house.configure(configured(channel("other")))
    reading.readers |= {"other": Broken()}
    reading.readers["shop"].orders = [order("o1")]
    await reading.want(("other", "#bad"), ("shop", "#o1"))
    with pytest.raises(KeyError):
        await reading.turn()
    assert len(await reading.house.rows()) == 1
    row = await reading.house.pool.fetchrow("select *, due_at > now() as later from live_reads")
    assert (row["number"], row["lease_token"], row["later"]) == ("#bad", None, True)
    assert await reading.alerts() == ["not-at-channel/other/#bad"]

    reading.readers["other"] = type(reading.readers["shop"])(orders=[order("bad")])
    await reading.turn()
    assert await reading.alerts() == []
