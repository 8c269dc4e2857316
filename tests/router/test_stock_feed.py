"""RT-1, RT-6: counts by API are taken as the feed's are; the rounds of a source that keeps canceling."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from waybill_contracts.fr_created import FrCreated
from waybill_contracts.fulfillment_submitted import FrCanceled, FrState

from .test_route_orders import progress

Make = Callable[..., Any]


async def send(http: Any, source: str, *levels: dict[str, Any]) -> Any:
    return await http.post(f"/internal/sources/{source}/stock", json={"levels": list(levels)})


async def test_rt1_counts_by_api_reach_the_shelf_and_wake_who_waits(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    await world.place(order(("A", 2)))
    answer = await send(http, "east", {"sku": "A", "on_hand": 5, "unit_cost": "3.10", "weight_g": 100})
    assert answer.json() == {"source": "east", "taken": 1, "older": []}
    assert any(isinstance(event, FrCreated) for event in await world.play())
    assert await world.shelf("east", "A") == (5, 2, 0)
    [shelf] = (await http.get("/internal/sources/east/stock")).json()
    assert (shelf["unit_cost"], shelf["weight_g"]) == ("3.100000", 100)


async def test_rt6_an_older_count_by_api_changes_nothing_and_is_named(world: Any, http: Any, source: Make) -> None:
    await world.configure([source("east")])
    now = datetime.now(UTC)
    await send(http, "east", {"sku": "A", "on_hand": 5, "counted_at": now.isoformat()})
    old = (now - timedelta(hours=1)).isoformat()
    answer = await send(http, "east", {"sku": "A", "on_hand": 9, "counted_at": old}, {"sku": "B", "on_hand": 1})
    assert answer.json() == {"source": "east", "taken": 1, "older": ["A"]}
    assert await world.shelf("east", "A") == (5, 0, 0)


async def test_rt6_oversold_by_a_count_the_newest_promise_is_listed_first(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    await send(http, "east", {"sku": "A", "on_hand": 5, "unit_cost": "3.10", "weight_g": 100,
        "counted_at": "2026-11-01T00:00:00Z"})  # fmt: skip
    for number in ("1", "2", "3"):
        await world.place(order(("A", 1), number=number))
    await send(http, "east", {"sku": "A", "on_hand": 1})
    listed = (await http.get("/internal/uncovered")).json()
    assert [(row["number"], row["uncovered"]) for row in listed] == [("3", 1), ("2", 1)]
    assert await world.shelf("east", "A") == (1, 1, 2)
    await world.is_conserved()


async def test_rt1_what_cannot_be_taken_says_why(world: Any, http: Any, source: Make) -> None:
    await world.configure([source("east")])
    nowhere = await send(http, "nowhere", {"sku": "A", "on_hand": 1})
    assert (nowhere.status_code, nowhere.json()) == (
        404, {"detail": "'nowhere' is no source", "remedy": "use one of east"}
    )  # fmt: skip
    assert (await send(http, "east", {"sku": "A", "on_hand": -1})).status_code == 422
    assert (await send(http, "east", {"sku": "A", "on_hand": 1, "unit_cost": "1.0000001"})).status_code == 422
    future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert "a count of the future" in (await send(http, "east", {"sku": "A", "on_hand": 1, "counted_at": future})).text


async def test_rt6_after_three_rounds_of_cancellations_the_line_is_held(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    """`fill`: what a source cancels leaves its free stock until its next count; the others are asked, then a person."""
    await world.configure([source(name) for name in ("a", "b", "c", "d")])
    for name in ("a", "b", "c", "d"):
        await world.count(name, "A", 2)
    said = await world.place(order(("A", 2)))
    asked = []
    for _ in range(3):
        created = next(event for event in said if isinstance(event, FrCreated))
        asked.append(created.fr.source)
        await world.tell(progress(created, FrCanceled, FrState.CANCELED))
        assert await world.shelf(created.fr.source, "A") == (0, 0, 0)
        said = await world.play()
    assert asked == ["a", "b", "c"]
    assert [event.reason for event in said] == ["source_canceled"]
    assert "not asked for again: L1" in said[0].detail
    await world.count("a", "A", 2)
    assert await world.shelf("a", "A") == (2, 0, 0)
    await world.is_conserved()
