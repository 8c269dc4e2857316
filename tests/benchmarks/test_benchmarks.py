"""The benchmarks' own tools, and one of them run small on real parts; `make bench ARGS=--quick` runs them all."""

import json
import sys
from pathlib import Path

import benchmarks.__main__ as command
import pytest
from benchmarks.child import finish
from benchmarks.goals import GOALS, Result
from benchmarks.measure import Pairs, Size, in_turn, quantile

from benchmarks import importing


def test_yardstick_and_product_take_turns_and_the_first_pair_only_warms_up() -> None:
    import asyncio

    turns: list[str] = []

    async def take(name: str) -> float:
        turns.append(name)
        return float(len(turns))

    pairs = asyncio.run(in_turn(2, lambda: take("A"), lambda: take("B")))
    assert turns == ["A", "B"] * 3
    assert pairs == Pairs([3.0, 5.0], [4.0, 6.0])


def test_a_slow_moment_that_hits_both_of_a_pair_leaves_the_ratio_alone() -> None:
    assert Pairs([1.0, 10.0, 1.0], [2.0, 20.0, 2.0]).ratio == 2.0


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.99, 100), (1.0, 100)])
def test_a_quantile_is_one_of_the_values(share: float, value: int) -> None:
    assert quantile([float(n) for n in range(1, 101)], share) == value


@pytest.mark.parametrize(
    ("goal", "value", "held"), [("G1", 0.6, True), ("G1", 0.59, False), ("G2", 2.0, True), ("G2", 2.01, False)]
)
def test_a_goal_is_held_up_to_its_bound(goal: str, value: float, held: bool) -> None:
    result = Result(goal, value, {"tried": [1.0]})
    assert result.held is held
    assert result.as_json().keys() == {"value", "unit", "wanted", "held", "raw"}
    assert ("MISSED" in command.shown(GOALS[goal], result)) is not held


@pytest.mark.parametrize(
    ("only", "chosen"), [("G6, g9", ["routing", "consuming"]), ("G16", ["importing"]), ("G1,G2,G4", ["flow"])]
)
def test_goals_choose_their_benchmarks(only: str, chosen: list[str]) -> None:
    assert command.choose(only) == chosen


def test_an_unknown_goal_is_refused_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "G99"]) == 2
    assert "G99: not measured here; --list shows what is" in capsys.readouterr().err


def test_every_goal_is_measured_by_one_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    measured = [goal for goals, _ in command.BENCHMARKS.values() for goal in goals]
    assert sorted(measured) == sorted(GOALS)
    assert command.main(["--list"]) == 0
    assert all(f"[{name}]" in capsys.readouterr().out for name in ["routing"])


@pytest.mark.parametrize(
    ("program", "trouble"),
    [("pass", None), ("raise SystemExit(3)", "it ended with code 3"), ("while 1: pass", "not done after 1 s")],
)
def test_a_benchmark_that_breaks_or_hangs_is_named_and_ended(program: str, trouble: str | None) -> None:
    assert finish([sys.executable, "-c", program], 1 if "while" in program else 20) == trouble


async def test_importing_again_costs_less_and_tells_nothing() -> None:
    cost, events = await importing.measure(Size(quick=True))
    assert cost.value < 1
    assert events.held


def test_results_of_other_goals_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "OUT", tmp_path / "out" / "results.json")
    for goal in ("G6", "G7"):
        command._write({goal: Result(goal, 3.0, {}).as_json()}, {"cores": 2}, Size())
    assert json.loads((tmp_path / "out" / "results.json").read_text()).keys() == {"G6", "G7"}
