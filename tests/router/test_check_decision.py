"""RT-3: a stored decision is solved again by other code, and the answer is a sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from router.check_decision import main
from waybill_common.db import rows

Make = Callable[..., Any]


@pytest.fixture
def check(world: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    async def run(
        order_id: str, sources: list[Any], change: Callable[[Any], None] = lambda _: None, **group: Any
    ) -> tuple[int, str]:
        async with world.pool.acquire() as conn:
            stored = [dict(row) for row in await rows(world.q.decisions_of(conn, order_id=order_id))]
        change(stored)
        body = {
            "sources": [s.model_dump(mode="json", by_alias=True, exclude_defaults=True) for s in sources],
            "routing": {"groups": [{"id": "default", "sources": [s.id for s in sources], **group}]},
        }
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(body))
        (tmp_path / "decisions.json").write_text(json.dumps(stored, default=str))
        code = main([str(tmp_path / "decisions.json"), "--config", str(tmp_path / "config.yaml")])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


async def test_what_was_decided_is_found_to_be_the_cheapest(world: Any, source: Make, order: Make, check: Any) -> None:
    sources = [source("east"), source("west")]
    await world.configure(sources)
    await world.count("east", "A", 10, cost="3.50")
    await world.count("west", "A", 10, cost="3.00")
    placed = order(("A", 3))
    await world.place(placed)
    code, said = await check(placed.order_id, sources)
    assert code == 0
    assert "is right: shipping from west for 15.30 USD is the least" in said
    assert "best other choice of sources costs 16.80" in said


async def test_a_decision_that_was_not_the_cheapest_is_found_out(
    world: Any, source: Make, order: Make, check: Any
) -> None:
    sources = [source("east"), source("west")]
    await world.configure(sources)
    await world.count("east", "A", 10, cost="3.50")
    placed = order(("A", 3))
    await world.place(placed)

    def west_had_some(stored: Any) -> None:
        stored[0]["inputs"]["stock"].append(["west", "A", 10, "3.00", 100])
        stored[0]["event"]["decision"]["excluded"] = []

    code, said = await check(placed.order_id, sources, west_had_some)
    assert code == 1
    assert "shipping from east for 16.80 USD, the least is 15.30" in said


async def test_an_order_that_nobody_could_ship_is_right_to_wait(
    world: Any, source: Make, order: Make, check: Any
) -> None:
    sources = [source("east")]
    await world.configure(sources)
    await world.count("east", "A", 2)
    placed = order(("A", 3))
    await world.place(placed)
    code, said = await check(placed.order_id, sources)
    assert code == 0
    assert "no choice of sources can ship all of it" in said


GROUPS: list[tuple[dict[str, Any], str]] = [
    ({"priorities": [{"single_fr": "preferred"}, "lowest_cost"]}, "east and west"),
    ({"priorities": [{"single_fr": "required"}], "partial": True}, "west"),
    ({"priorities": ["source_priority"]}, "east and west"),
    ({"priorities": ["shipping_method_mapped", "fewest_frs"]}, "east and west"),
    ({"max_frs": 1, "partial": True}, "west"),
    ({"split_lines": False, "partial": True}, "west"),
    ({"partial": True}, "east and west"),
]


@pytest.mark.parametrize(("group", "sources"), GROUPS)
async def test_rt3_a_decision_by_any_rules_is_checked(
    world: Any, source: Make, order: Make, check: Any, group: dict[str, Any], sources: str
) -> None:
    """Seven of A are wanted: east has four, and the names for everything; west has five and is dearer by the unit."""
    both = [source("east", shipping_methods={"map": {"ground": "G"}}), source("west")]
    await world.configure(both, **group)
    await world.count("east", "A", 4, cost="3.00")
    await world.count("west", "A", 5, cost="3.10")
    placed = order(("A", 7))
    await world.place(placed)
    code, said = await check(placed.order_id, both, **group)
    assert code == 0, said
    assert f"is right: shipping from {sources} for" in said
    assert "is the best by what group 'default' asks for (" in said
    assert "the lowest cost), as a second solver (HiGHS) finds too" in said


async def test_rt3_an_order_for_two_addresses_is_checked(world: Any, source: Make, order: Make, check: Any) -> None:
    both = [source("east"), source("west")]
    await world.configure(both)
    await world.count("east", "A", 3, cost="3.00")
    await world.count("west", "A", 9, cost="4.00")
    homes = [{"country": "US", "city": "A"}, {"country": "US", "city": "B"}]
    placed = order(("A", 2, 0), ("A", 2, 1), addresses=homes)
    await world.place(placed)
    code, said = await check(placed.order_id, both)
    assert code == 0, said
    assert "is right: shipping from east and west for 26.40 USD is the least that it can cost" in said


def dearer_than_said(decision: Any) -> None:
    decision["chosen"]["cost"] = "1.00"


def beyond_the_stock(decision: Any) -> None:
    decision["chosen"]["requests"][0]["lines"][0]["quantity"] = 5


def dropped_in_silence(decision: Any) -> None:
    decision["unfulfilled"] = []


def without_its_runner_up(decision: Any) -> None:
    decision["runner_up"] = None


@pytest.mark.parametrize(
    ("change", "asked", "group", "words"),
    [
        (dearer_than_said, 3, {}, "its FRs cost 15.30 together by this file, it says 1.00"),
        (beyond_the_stock, 3, {}, "by the rules in this file east has no 5 × A"),
        (dropped_in_silence, 9, {"partial": True}, "of 9 × A 8 go and 0 are named as staying behind"),
        (without_its_runner_up, 3, {}, "the best other choice of sources costs 16.80, and it names none"),
        (None, 3, {"max_frs": 1, "priorities": ["source_priority"]}, ""),
    ],
)
async def test_rt3_what_is_wrong_about_a_plan_is_named(
    world: Any, source: Make, order: Make, check: Any, change: Any, asked: int, group: dict[str, Any], words: str
) -> None:
    both = [source("east"), source("west")]
    await world.configure(both, **group)
    await world.count("east", "A", 4, cost="3.00")
    await world.count("west", "A", 4, cost="3.50")
    placed = order(("A", asked))
    await world.place(placed)

    def tampered(stored: Any) -> None:
        if change:
            change(stored[0]["event"]["decision"])

    code, said = await check(placed.order_id, both, tampered, **group)
    assert code == (1 if change else 0), said
    assert words in said


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        ({}, {"priorities": [{"single_fr": "preferred"}]}, "it takes several FRs, one for each address would do"),
        ({}, {"priorities": ["fewest_frs"]}, "it takes 2 FRs, 1 would do"),
        ({}, {"max_frs": 1}, "it takes 2 FRs, the group allows 1"),
        ({}, {"split_lines": False}, "it splits a line between sources, the group does not"),
        ({"priorities": ["fewest_frs"]}, {"priorities": ["source_priority"]}, "it takes 0 units at east, 4 could"),
    ],
)
async def test_rt3_a_plan_that_other_rules_would_not_make_is_found_out(
    world: Any, source: Make, order: Make, check: Any, then: dict[str, Any], now: dict[str, Any], words: str
) -> None:
    both = [source("east"), source("west")]
    await world.configure(both, **then)
    await world.count("east", "A", 4, cost="3.00")
    await world.count("west", "A", 9, cost="9.00")
    placed = order(("A", 7))
    await world.place(placed)
    code, said = await check(placed.order_id, both, **now)
    assert code == 1, said
    assert words in said
