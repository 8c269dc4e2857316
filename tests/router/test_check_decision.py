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
    async def run(order_id: str, sources: list[Any], change: Callable[[Any], None] = lambda _: None) -> tuple[int, str]:
        async with world.pool.acquire() as conn:
            stored = [dict(row) for row in await rows(world.q.decisions_of(conn, order_id=order_id))]
        change(stored)
        body = {
            "sources": [s.model_dump(mode="json", by_alias=True, exclude_defaults=True) for s in sources],
            "routing": {"groups": [{"id": "default", "sources": [s.id for s in sources]}]},
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
    assert "it ships from east for 16.80 USD, the least is 15.30" in said


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
