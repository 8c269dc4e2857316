"""RT-14, RT-15: other rules over past decisions, on the stock and costs of then; and what each decision was made by."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from waybill_contracts.config_changed import EntityRemoved

from .conftest import START

Make = Callable[..., Any]
DAY = timedelta(days=1)


async def ask(world: Any, http: Any, **what: Any) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """(summary, changes, progress)."""
    since = await world.pool.fetchval("select min(at) from decisions")
    until = await world.pool.fetchval("select max(at) from decisions")
    window = {"since": (since - DAY).isoformat(), "until": (until + DAY).isoformat()}
    answer = await http.post("/internal/routing/simulate", json={**window, **what})
    assert answer.status_code == 200, answer.text
    said = [json.loads(line) for line in answer.text.splitlines()]
    return (
        said[-1]["summary"],
        [one["change"] for one in said if "change" in one],
        [one["progress"] for one in said if "progress" in one],
    )


async def three_decisions(world: Any, source: Make, order: Make) -> None:
    """1 goes to east for 9.10; 2 waits, since only north has B, which is in no group; 3 takes the last A of east."""
    await world.configure([source("north")])
    await world.configure([source("east"), source("west")], version=2)
    await world.count("east", "A", 2, cost="3.00")
    await world.count("west", "A", 9, cost="4.00")
    await world.count("north", "B", 9, cost="2.00")
    for number, sku in (("1", "A"), ("2", "B"), ("3", "A")):
        await world.place(order((sku, 1), number=number))


async def test_rt14_a_draft_says_which_orders_would_move_and_what_that_costs(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await three_decisions(world, source, order)
    await world.count("east", "A", 0)  # what is there now does not count: the stock of then does
    dearer = source("east", costs={"currency": "USD", "fee": "3.00", "shipping": [{"zone": ["*"], "base": "5.00"}]})
    draft = {"sources": [dearer.model_dump(mode="json", by_alias=True)]}
    summary, changes, progress = await ask(world, http, draft=draft)
    assert [(c["number"], c["kind"], c["from"], c["to"]) for c in changes] == [
        ("1", "moved", ["east"], ["west"]),
        ("3", "moved", ["east"], ["west"]),
    ]
    assert {(c["cost_then"], c["cost_now"], c["difference"]) for c in changes} == {("9.10", "10.10", "1.00")}
    assert summary["costs"] == [
        {"currency": "USD", "decisions": 2, "then": "18.20", "now": "20.20", "difference": "2.00"}
    ]
    assert (summary["decisions"], summary["orders"], summary["moved"], summary["same"]) == (3, 3, 2, 1)
    assert progress[-1] == {"done": 3, "of": 3}


async def test_rt14_new_holds_and_ended_ones_are_named(world: Any, http: Any, source: Make, order: Make) -> None:
    await three_decisions(world, source, order)
    groups = [{"id": "only-north", "sources": ["north"], "priorities": ["lowest_cost"]}]
    summary, changes, _ = await ask(world, http, draft={"routing": {"groups": groups}})
    assert {c["number"]: (c["kind"], c["reason"]) for c in changes} == {
        "1": ("new_hold", "source_not_in_group"),
        "2": ("no_longer_held", ""),
        "3": ("new_hold", "source_not_in_group"),
    }
    assert (summary["new_hold"], summary["no_longer_held"], summary["costs"]) == (2, 1, [])


async def test_rt14_another_safety_stock_leaves_another_part_of_the_same_units_free(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east", stock={"safety": 5}), source("west")])
    await world.count("east", "A", 4, cost="3.00")  # one less than the safety stock: none is free
    await world.count("west", "A", 9, cost="4.00")
    await world.place(order(("A", 3)))
    for safety, moved in ((5, 0), (2, 0), (1, 1), (0, 1)):
        east = source("east", stock={"safety": safety}).model_dump(mode="json", by_alias=True)
        summary, _, _ = await ask(world, http, draft={"sources": [east]})
        assert summary["moved"] == moved, f"safety {safety} leaves {4 - safety} free, 3 are wanted"


async def test_rt15_each_decision_names_the_version_it_was_made_by_and_any_version_can_be_run(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    await world.configure([source("west")], version=2)
    await world.count("east", "A", 9, cost="3.00")
    await world.count("west", "A", 9, cost="4.00")
    first = (await world.place(order(("A", 1), number="1")))[-1].decision
    await world.configure([source("east"), source("west")], version=3)
    second = (await world.place(order(("A", 1), number="2")))[-1].decision
    assert first.rules_version < second.rules_version
    newest, oldest, _ = (await http.get("/internal/routing/versions")).json()
    assert (newest["revision"], oldest["revision"]) == (second.rules_version, first.rules_version)
    assert newest["changed"] == ["routing", "source/east", "source/west"]

    summary, changes, _ = await ask(world, http, version=first.rules_version)
    assert [(c["number"], c["to"]) for c in changes] == [("2", ["west"])]
    summary, changes, _ = await ask(world, http, version=second.rules_version)
    assert [(c["number"], c["to"]) for c in changes] == [("1", ["east"])]
    assert summary["same"] == 1
    then = (await http.get(f"/internal/routing/versions/{first.rules_version}")).json()
    assert [group["sources"] for group in then["routing"]["groups"]] == [["west"]]


async def test_rt15_a_source_that_was_removed_is_in_the_versions_before_it_alone(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east"), source("west")])
    version = await world.pool.fetchval("select revision from rulebook")
    await world.tell(EntityRemoved(at=START, sequence=2, removed="source/west"))
    now = await world.pool.fetchval("select revision from rulebook")
    names = {
        at: [one["id"] for one in (await http.get(f"/internal/routing/versions/{at}")).json()["sources"]]
        for at in (version, now)
    }
    assert names == {version: ["east", "west"], now: ["east"]}


async def test_rt14_what_cannot_be_compared_is_counted_by_reason(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await world.configure([source("east")])
    await world.count("east", "A", 9)
    placed = order(("A", 2), number="1", auto_generate=False)
    await world.place(placed)
    body = {"source": "east", "lines": [{"line_id": "L1", "quantity": 1}], "actor": "ann", "reason": "phone"}
    await http.post(f"/internal/orders/{placed.order_id}/frs", json=body)
    await world.place(order(("A", 1), number="2"))
    await world.pool.execute("update decisions set inputs = inputs - 'number' where event->>'order_id' <> $1",
        placed.order_id)  # fmt: skip
    summary, _, _ = await ask(world, http, version=await world.pool.fetchval("select revision from rulebook"))
    assert summary["skipped"] == {
        "nothing was planned": 2,
        "made by hand": 1,
        "recorded before all of its inputs were kept": 1,
    }


async def test_rt14_a_wrong_draft_names_its_mistakes_and_a_dry_run_stores_nothing(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await three_decisions(world, source, order)
    window = {"since": START.isoformat(), "until": (START + DAY).isoformat()}
    groups = [{"id": "g", "sources": ["nowhere"], "prioritys": []}]
    wrong = await http.post("/internal/routing/simulate", json={**window, "draft": {"routing": {"groups": groups}}})
    assert (wrong.status_code, wrong.json()["detail"]) == (
        422, "draft: routing.groups[0].prioritys: is no known key; check its spelling"
    )  # fmt: skip
    groups = [{"id": "g", "sources": ["nowhere"]}]
    unknown = await http.post("/internal/routing/simulate", json={**window, "draft": {"routing": {"groups": groups}}})
    assert "'nowhere' is no source" in unknown.json()["detail"]
    assert (await http.post("/internal/routing/simulate", json={**window, "version": 0})).status_code == 404
    both = await http.post("/internal/routing/simulate", json={**window, "version": 1, "draft": {}})
    assert both.status_code == 422
    facts = await world.pool.fetchval("select count(*) from facts")
    await ask(world, http, version=await world.pool.fetchval("select revision from rulebook"))
    assert await world.pool.fetchval("select count(*) from facts") == facts


async def test_rt14_the_window_is_read_by_an_index_page_by_page(
    world: Any, http: Any, source: Make, order: Make
) -> None:
    await three_decisions(world, source, order)
    await world.pool.execute(
        """insert into decisions select 'x' || n, 'o' || n, 1, at + n * interval '1 second', type, order_version,
        config_revision, event, inputs, stages from decisions, generate_series(1, 450) n where order_version = 1
        and sequence = 1 and decision_id = (select min(decision_id) from decisions)"""
    )
    await world.pool.execute("analyze decisions")
    plan = await world.pool.fetch(
        "explain select decision_id from decisions where (at, decision_id) > (now(), '') and at < now() "
        "order by at, decision_id limit 200"
    )
    assert "decisions_by_time" in str([row[0] for row in plan])
    _, _, progress = await ask(world, http, version=await world.pool.fetchval("select revision from rulebook"))
    assert [step["done"] for step in progress] == [200, 400, 453]
