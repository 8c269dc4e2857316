"""FP-6: what sources cancel for good becomes canceled pieces of the order, whatever the channel shows next."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
import pytest_asyncio
from ingest_samples import configured, line, order, sighting
from tests.router.conftest import World, make_source
from tests.router.test_route_orders import progress

from order_ingest.act_on_order import ActOnOrder
from order_ingest.consumer import Doorway
from waybill_common.clock import ManualClock
from waybill_common.db import open_pool, transaction
from waybill_common.migrations import migrate
from waybill_contracts.envelope import Received
from waybill_contracts.event import Event
from waybill_contracts.fr_created import Decision, FrCreated, KilledLine, OrderDecision, OrderRouted
from waybill_contracts.fulfillment_submitted import CanceledLine, FrCanceled, FrState

FIVE = order(lines=(line(quantity=5),))


@pytest.fixture
def doorway(house: Any) -> Doorway:
    clock = ManualClock(order().updated_at)
    act = ActOnOrder(house.pool, house.rulebook, house.telemetry, clock)
    return Doorway(house.rulebook, house.health, house.telemetry, clock, act)


async def hear(house: Any, doorway: Doorway, *events: Event) -> None:
    batch = [Received(event, f"{event.aggregate}:{event.sequence}", "router", None) for event in events]
    async with transaction(house.pool) as conn:
        await doorway.handle(conn, batch)


async def shown(house: Any) -> tuple[str, int, int, int]:
    row = await house.row()
    one = row["body"]["lines"][0]
    return row["standing"], row["version"], one["canceled"], one["killed"]


def told(order_id: str, sequence: int, canceled: int) -> OrderRouted:
    killed = (KilledLine(line_id="l1", canceled=canceled),)
    decision = Decision(decision_id=f"d{sequence}", group="uk", config_version=1)
    return OrderRouted(
        at=order().updated_at, sequence=sequence, order_id=order_id, order_version=1, order_sequence=1,
        decision=decision, killed=killed,
    )  # fmt: skip


@pytest.mark.parametrize("turns", list(permutations(range(3))))
async def test_fp6_totals_count_in_any_order_and_twice(house: Any, doorway: Doorway, turns: tuple[int, ...]) -> None:
    await house.see(sighting(FIVE))
    order_id = str((await house.row())["order_id"])
    facts = [told(order_id, 2, 3), told(order_id, 3, 0), told(order_id, 4, 2)]
    for turn in (*turns, *turns):
        await hear(house, doorway, facts[turn])
    standing, _, canceled, killed = await shown(house)
    assert (standing, canceled, killed) == ("imported", 2, 2)


async def test_fp6_a_sighting_afterwards_keeps_them_and_the_same_pieces_are_not_canceled_twice(
    house: Any, doorway: Doorway
) -> None:
    await house.see(sighting(FIVE))
    await hear(house, doorway, told(str((await house.row())["order_id"]), 2, 2))
    assert await shown(house) == ("imported", 2, 2, 2)
    seen_again = replace(FIVE, note="leave it at the door", updated_at=order(minute=1).updated_at)
    await house.see(sighting(seen_again))
    assert await shown(house) == ("imported", 2, 2, 2)
    refunded = order(minute=2, lines=(line(quantity=5, canceled=2),))
    await house.see(sighting(refunded))
    assert await shown(house) == ("imported", 3, 2, 0)  # the router has to know whose they are
    await house.see(sighting(order(minute=3, lines=(line(quantity=5, canceled=3),))))
    assert await shown(house) == ("imported", 4, 3, 0)


async def test_fp6_an_order_of_which_all_was_killed_is_canceled_and_goes_on_when_it_is_asked_for_again(
    house: Any, doorway: Doorway
) -> None:
    await house.see(sighting(FIVE))
    order_id = str((await house.row())["order_id"])
    await hear(house, doorway, told(order_id, 2, 5))
    assert await shown(house) == ("canceled", 2, 5, 5)
    assert (await house.told_names())[-1] == "OrderCanceled"
    await hear(house, doorway, told(order_id, 3, 0))
    assert await shown(house) == ("imported", 3, 0, 0)
    await hear(house, doorway, told("0198c5a0-0000-7000-8000-00000000dead", 2, 1))  # of another database


@pytest_asyncio.fixture
async def router(database_url: str, ingest_pool: Any) -> AsyncIterator[World]:
    await migrate(database_url, "router", ["router"])
    pool = await open_pool(database_url, "router", size=4, name="test")
    yield World(pool)
    pool.terminate()


async def test_fp6_router_and_order_ingest_agree_until_all_of_the_order_is_canceled(
    house: Any, doorway: Doorway, router: World
) -> None:
    """Both services on one database: two pieces are killed, the merchant cancels them too, then the rest is killed."""
    heard = 0

    async def settle() -> list[Event]:
        """Facts go to and fro until neither has anything to say; what the router said."""
        nonlocal heard
        said: list[Event] = []
        for _ in range(20):
            news = (await house.told())[heard:]
            heard += len(news)
            if news:
                await router.tell(*news)
            answers = await router.play()
            if not news and not answers:
                return said
            said += answers
            await hear(house, doorway, *(a for a in answers if isinstance(a, FrCreated | OrderDecision)))
        raise AssertionError("they never come to rest")

    await router.configure([make_source("east", on_source_cancel="kill")])
    await router.count("east", "SKU-1", 20)
    await house.configure(configured())
    await house.see(sighting(FIVE))
    [created] = [fact for fact in await settle() if isinstance(fact, FrCreated)]

    two = (CanceledLine(line_id="l1", sku="SKU-1", quantity=2),)
    await router.tell(progress(created, FrCanceled, FrState.ACKNOWLEDGED, lines=two))
    said = await settle()
    assert await shown(house) == ("imported", 2, 2, 2)
    assert (said[-1].TYPE, said[-1].order_version) == (OrderRouted.TYPE, 2)  # type: ignore[attr-defined]

    await house.see(sighting(order(minute=1, lines=(line(quantity=5, canceled=2),))))
    assert not any(isinstance(fact, FrCreated) for fact in await settle())
    assert await shown(house) == ("imported", 3, 2, 0)

    await router.tell(progress(created, FrCanceled, FrState.CANCELED, sequence=3))
    await settle()
    assert await shown(house) == ("canceled", 4, 5, 3)
    await router.is_conserved()
