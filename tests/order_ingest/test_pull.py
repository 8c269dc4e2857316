"""IN-2, IN-12, IN-16: the scheduled pull on a real database, against a channel that a test fills and breaks."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from ingest_samples import START, channel, configured, line, order

from order_ingest.calls import Calls
from order_ingest.poller import Poller
from order_ingest.pull_channel import PullChannel
from waybill_common.alerts import Alerts
from waybill_common.clock import ManualClock
from waybill_common.logs import make_log
from waybill_common.metrics import Metrics
from waybill_common.retry import Family
from waybill_contracts.alerts_raised import ConnectionStateChanged
from waybill_contracts.config_changed import ChannelConfigured
from waybill_platforms.errors import PlatformError


def failure(family: Family, *, retry_after: float | None = None) -> PlatformError:
    return PlatformError(
        f"the channel says {family}", family=family, cause="server", outcome="none", action="get_orders",
        retry_after=retry_after,
    )  # fmt: skip


@dataclass
class Pulling:
    """A poller over a house and a shelf."""

    house: Any
    shelf: Any
    poller: Poller

    async def pull(self) -> None:
        """Makes the channel due and gives it its turn."""
        await self.house.pool.execute("update channels set due_at = now() where due_at is not null")
        await self.turn()

    async def turn(self) -> int:
        started = 0
        while (done := await self.poller.turn()) or self.poller.busy:
            started += done
        return started

    async def channel(self) -> Any:
        return await self.house.pool.fetchrow("select * from channels where channel_id = 'shop'")

    async def states(self) -> list[str]:
        events = await self.house.told("alerts.raised")
        return [event.state for event in events if isinstance(event, ConnectionStateChanged)]


@pytest.fixture
def waits() -> tuple[float, ...]:
    return ()


@pytest.fixture
async def pulling(house: Any, shelf: Any, waits: tuple[float, ...]) -> Pulling:
    async def open_reader(_: ChannelConfigured) -> Any:
        return shelf

    log = make_log("test", "ERROR")
    metrics = Metrics("test")
    from order_ingest.app import METRICS

    metrics.declare(METRICS)
    clock = ManualClock(START + timedelta(days=1))
    calls = Calls(house.pool, house.health, Alerts(None), clock, house.telemetry, house.rulebook, open_reader)
    return Pulling(house, shelf, Poller(calls, PullChannel(calls, log, metrics, waits), log))


async def test_in2_a_window_of_several_pages_is_imported_and_moves_the_cursor(pulling: Pulling) -> None:
    pulling.shelf.orders = [order(f"o{i}", minute=i) for i in range(5)]
    await pulling.pull()

    row = await pulling.channel()
    assert len(await pulling.house.rows()) == 5
    assert (row["cursor_at"], row["cursor_id"]) == (pulling.shelf.orders[-1].updated_at, "o4")
    assert row["last_counts"]["imported"] == 5
    assert row["due_at"] - row["last_pull_at"] == row["poll_every"]
    assert row["lease_token"] is None


async def test_in2_a_window_that_failed_never_moves_the_cursor_and_keeps_its_pages(pulling: Pulling) -> None:
    pulling.shelf.orders = [order(f"o{i}", minute=i) for i in range(5)]
    pulling.shelf.trouble = {2: failure(Family.LATER)}
    await pulling.pull()

    row = await pulling.channel()
    assert len(await pulling.house.rows()) == 4
    assert (row["cursor_at"], row["attempts"], row["last_success_at"]) == (None, 1, None)
    assert row["last_error"] == "the channel says later"
    assert row["due_at"] - row["last_pull_at"] < timedelta(seconds=3)

    pulling.shelf.trouble = {}
    await pulling.pull()
    assert len(await pulling.house.rows()) == 5
    assert await pulling.house.told_names() == ["OrderImported"] * 5
    assert (await pulling.channel())["attempts"] == 0


@pytest.mark.parametrize("waits", [(0.0, 0.0)])
async def test_in2_one_lost_answer_does_not_begin_the_window_anew(pulling: Pulling) -> None:
    async def hiccup(page: int) -> None:
        if page == 1 and len(seen_pages) < 2:
            seen_pages.append(page)
            raise failure(Family.LATER)

    seen_pages: list[int] = []
    pulling.shelf.before_page = hiccup
    pulling.shelf.orders = [order(f"o{i}", minute=i) for i in range(5)]
    await pulling.pull()

    assert len(pulling.shelf.asked) == 1
    assert (await pulling.channel())["cursor_id"] == "o4"


async def test_in2_a_long_window_that_fails_is_taken_up_where_its_pages_end(pulling: Pulling) -> None:
    pulling.shelf.orders = [order(f"o{i}", minute=10 * i) for i in range(8)]
    pulling.shelf.trouble = {2: failure(Family.LATER)}
    await pulling.pull()
    pulling.shelf.trouble = {}
    await pulling.pull()

    row = await pulling.channel()
    assert pulling.shelf.asked[1] == pulling.shelf.orders[3].updated_at - timedelta(minutes=5)
    assert (row["cursor_id"], row["resume_at"], len(await pulling.house.rows())) == ("o7", None, 8)


async def test_in2_the_next_window_reaches_back_over_the_last_one(pulling: Pulling) -> None:
    pulling.shelf.orders = [order("o1", minute=0)]
    await pulling.pull()
    late = order("late", minute=-2)  # its index entry came after the window
    pulling.shelf.orders.append(late)
    await pulling.pull()

    assert pulling.shelf.asked == [
        START - timedelta(minutes=5),
        pulling.shelf.orders[0].updated_at - timedelta(minutes=5),
    ]
    assert len(await pulling.house.rows()) == 2


async def test_in2_the_cursor_is_taken_before_any_filter(pulling: Pulling) -> None:
    pulling.shelf.orders = [order("o1"), order("o2", minute=9, canceled=True)]
    await pulling.pull()

    assert (await pulling.channel())["cursor_id"] == "o2"


async def test_in6_importing_again_what_is_there_sends_no_order_event(pulling: Pulling) -> None:
    pulling.shelf.orders = [order(f"o{i}") for i in range(4)]
    await pulling.pull()
    before = await pulling.house.pool.fetchval("select count(*) from outbox")
    await pulling.pull()

    assert await pulling.house.pool.fetchval("select count(*) from outbox") == before


async def test_in2_a_turn_that_lost_its_lease_writes_nothing(pulling: Pulling) -> None:
    async def steal(page: int) -> None:
        if page == 1:
            await pulling.house.pool.execute("update channels set lease_token = gen_random_uuid()")

    pulling.shelf.orders = [order(f"o{i}", minute=i) for i in range(4)]
    pulling.shelf.before_page = steal
    await pulling.pull()

    row = await pulling.channel()
    assert row["cursor_at"] is None
    assert len(await pulling.house.rows()) == 2


async def test_in2_pages_that_go_in_a_circle_are_refused(pulling: Pulling) -> None:
    from waybill_platforms.model.orders import OrderPage

    async def circle(*_: Any) -> OrderPage:
        return OrderPage((order(),), "same")

    pulling.shelf.list_changed = circle
    await pulling.pull()
    assert "circle" in (await pulling.channel())["last_error"]


async def test_in2_run_now_while_running_is_followed_by_another(pulling: Pulling) -> None:
    async def ask(page: int) -> None:
        if len(pulling.shelf.asked) == 1:
            await pulling.house.pool.execute("update channels set again = true")

    pulling.shelf.before_page = ask
    await pulling.pull()
    assert len(pulling.shelf.asked) == 2


async def test_in12_lost_authentication_pauses_until_new_credentials_and_then_fills_the_gap(pulling: Pulling) -> None:
    pulling.shelf.trouble = {0: failure(Family.UNAUTHORIZED)}
    await pulling.pull()
    pulling.shelf.orders = [order("o1")]
    pulling.shelf.trouble = {}
    await pulling.pull()  # due, and still locked out

    assert await pulling.states() == ["unauthorized"]
    assert await pulling.house.rows() == []

    await pulling.house.configure(configured(version=2))  # the same credentials
    await pulling.turn()
    assert await pulling.house.rows() == []

    await pulling.house.configure(configured(version=3, credentials=2))
    await pulling.turn()
    assert await pulling.states() == ["unauthorized", "ok"]
    assert len(await pulling.house.rows()) == 1


async def test_sp9_a_channel_that_does_not_answer_is_down_after_five_failures_and_comes_back(pulling: Pulling) -> None:
    pulling.shelf.trouble = {0: failure(Family.LATER)}
    for _ in range(7):
        await pulling.pull()
    assert await pulling.states() == ["down"]
    assert len(pulling.shelf.asked) == 5  # then it waits for its probe

    pulling.shelf.trouble = {}
    await pulling.house.pool.execute("update connection_health set probe_at = now()")
    await pulling.pull()
    assert await pulling.states() == ["down", "ok"]


async def test_a_retry_after_is_honoured(pulling: Pulling) -> None:
    pulling.shelf.trouble = {0: failure(Family.LATER, retry_after=77)}
    await pulling.pull()

    row = await pulling.channel()
    assert row["due_at"] - row["last_pull_at"] >= timedelta(seconds=77)


async def test_an_order_that_cannot_be_stored_keeps_neither_its_neighbours_nor_the_cursor(pulling: Pulling) -> None:
    await pulling.house.pool.execute("alter table orders add constraint poison check (number <> '#bad')")
    pulling.shelf.orders = [order("bad"), order("good", minute=1)]
    await pulling.pull()

    row = await pulling.channel()
    assert [r["channel_order_id"] for r in await pulling.house.rows()] == ["good"]
    assert (row["cursor_id"], row["last_counts"]["unreadable"]) == ("good", 1)
    assert "not-importable" in await pulling.house.pool.fetchval("select key from open_alerts")


async def test_a_removed_channel_is_pulled_no_more_and_comes_back_with_its_cursor(pulling: Pulling) -> None:
    from order_ingest.configure import apply_configuration
    from waybill_common.db import transaction
    from waybill_contracts.config_changed import removal
    from waybill_contracts.envelope import Received

    pulling.shelf.orders = [order("o1")]
    await pulling.pull()
    gone = Received(removal("channel/shop", 2, START), "console:channel/shop:2", "", None)
    async with transaction(pulling.house.pool) as conn:
        await apply_configuration(conn, [gone], pulling.house.health, START)
    await pulling.pull()
    assert len(pulling.shelf.asked) == 1

    await pulling.house.configure(configured(channel(poll_every="1m"), version=3))
    await pulling.turn()
    assert pulling.shelf.asked[1] > pulling.shelf.asked[0]


async def test_in2_an_earlier_start_lets_the_window_begin_anew(pulling: Pulling) -> None:
    pulling.shelf.orders = [order("o1")]
    await pulling.pull()
    await pulling.house.configure(configured(version=2).model_copy(update={"starts_at": START - timedelta(days=9)}))
    await pulling.turn()

    assert pulling.shelf.asked[-1] == START - timedelta(days=9, minutes=5)


async def test_in2_a_channel_whose_replica_died_is_taken_up_when_its_short_lease_ends(pulling: Pulling) -> None:
    await pulling.house.pool.execute(
        "update channels set lease_token = gen_random_uuid(), lease_until = now() + interval '0.3 s', due_at = now()"
    )
    assert await pulling.turn() == 0
    await asyncio.sleep(0.4)
    assert await pulling.turn() > 0


async def test_in2_a_slow_channel_keeps_its_turn_and_does_not_hold_up_the_others(pulling: Pulling) -> None:
    gate = asyncio.Event()

    async def slow(page: int) -> None:
        await gate.wait()

    pulling.shelf.before_page = slow
    pulling.shelf.orders = [order("o1")]
    assert await pulling.poller.turn() == 1
    held_until = (await pulling.channel())["lease_until"]
    async with asyncio.timeout(100):
        while (await pulling.channel())["lease_until"] == held_until:
            assert await pulling.poller.turn() == 0  # nothing else is due

    gate.set()
    await pulling.turn()
    assert len(await pulling.house.rows()) == 1


async def test_memory_is_bounded_by_a_page_not_by_the_window(pulling: Pulling) -> None:
    pulling.shelf.page_size = 50
    pulling.shelf.orders = [order(f"o{i:04}", minute=i, lines=(line(quantity=i % 5 + 1),)) for i in range(400)]
    await pulling.pull()

    row = await pulling.channel()
    assert (row["last_counts"]["imported"], pulling.shelf.pages) == (400, 8)


async def test_in12_a_call_with_the_old_credentials_does_not_lock_the_new_ones_out(pulling: Pulling) -> None:
    async def meanwhile(page: int) -> None:
        pulling.shelf.before_page = None
        await pulling.house.configure(configured(version=2, credentials=2))
        raise failure(Family.UNAUTHORIZED)  # says the answer to the call with the old ones

    pulling.shelf.before_page = meanwhile
    pulling.shelf.orders = [order("o1")]
    await pulling.pull()
    assert len(await pulling.house.rows()) == 1


async def test_in2_an_earlier_start_that_comes_while_a_window_is_read_is_not_passed_over(pulling: Pulling) -> None:
    async def meanwhile(page: int) -> None:
        pulling.shelf.before_page = None
        earlier = configured(version=2).model_copy(update={"starts_at": START - timedelta(days=9)})
        await pulling.house.configure(earlier)

    pulling.shelf.before_page = meanwhile
    pulling.shelf.orders = [order("o1")]
    await pulling.pull()
    await pulling.turn()
    assert pulling.shelf.asked[-1] == START - timedelta(days=9, minutes=5)


async def test_in2_an_order_from_the_future_does_not_carry_the_cursor_beyond_the_present(pulling: Pulling) -> None:
    pulling.shelf.orders = [order("o1", updated_at=START + timedelta(days=9999))]
    await pulling.pull()
    pulling.shelf.orders.append(order("o2", minute=24 * 60))
    await pulling.pull()
    assert [row["channel_order_id"] for row in await pulling.house.rows()] == ["o1", "o2"]
