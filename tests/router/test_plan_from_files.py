"""`waybill routing plan`: what it prints, to the cent, and what it says of files that are not as they should be."""

import json
from pathlib import Path
from typing import Any

import pytest

from router.plan import main

CONFIG = """
sources:
  - {id: east, platform: manual, costs: {currency: USD, fee: "1.50",
     shipping: [{zone: [US], base: "4.00", per_kg: "0.80"}, {zone: [US, CA], base: "0", per_kg: "0"}]}}
  - {id: west, platform: manual, costs: {currency: USD, shipping: [{zone: ["*"], base: "5.005"}]}}
routing:
  groups: [{id: default, sources: [east, west]}]
stock:
  - {source: east, sku: A, on_hand: 4, unit_cost: "3.10", weight_g: 250}
  - {source: west, sku: A, on_hand: 40, unit_cost: "3.40", weight_g: 250}
"""


@pytest.fixture
def plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(orders: list[Any] | str, config: str = CONFIG, *flags: str) -> tuple[int, list[Any], list[str]]:
        files = tmp_path / "config.yaml", tmp_path / "orders.jsonl"
        files[0].write_text(config)
        files[1].write_text(orders if isinstance(orders, str) else "\n".join(map(json.dumps, orders)))
        code = main(["--config", str(files[0]), "--orders", str(files[1]), *flags])
        out = capsys.readouterr()
        errors = [line.replace(f"{tmp_path}/", "") for line in out.err.splitlines()]
        return code, [json.loads(line) for line in out.out.splitlines()], errors

    return run


def order(*lines: tuple[str, int], country: str = "US") -> dict[str, Any]:
    named = [{"line": str(at), "sku": sku, "quantity": units} for at, (sku, units) in enumerate(lines, start=1)]
    return {"number": "1", "country": country, "lines": named}


def test_a_decision_has_its_proof_and_its_runner_up(plan: Any) -> None:
    code, [decision], errors = plan([order(("A", 3))])
    assert (code, errors) == (0, [])
    # 10.20 + 5.005 is exact for the FR; only the total is rounded, half-even
    assert decision["frs"] == [{"source": "west", "cost": "15.205", "lines": [{"line": "1", "quantity": 3}]}]
    assert (decision["cost"], decision["lower_bound"], decision["gap"]) == ("15.20", "15.20", "0.00")
    assert (decision["runner_up"]["cost"], decision["runner_up"]["sources"]) == ("15.40", ["east"])
    assert decision["excluded"] == [
        {"source": "east", "reason": "dearer", "detail": "alone it costs 15.40, the plan 15.205"}
    ]


@pytest.mark.parametrize(
    ("given", "cost", "reasons"),
    [
        (order(), "0.00", []),
        (order(("A", 1), country="CA"), "4.60", []),  # the first zone that names CA
        (order(("A", 45)), None, ["no_stock"]),
        (order(("B", 1)), None, ["no_stock"]),
        (order(("A", 2), ("A", 3)), "22.00", []),
    ],
)
def test_edges(plan: Any, given: dict[str, Any], cost: str | None, reasons: list[str]) -> None:
    code, [decision], _ = plan([given])
    assert (code, decision["cost"]) == (0, cost)
    assert [lack["reason"] for lack in decision["unfulfilled"]] == reasons


def test_in_sequence_earlier_orders_use_the_stock_up(plan: Any) -> None:
    orders = [order(("A", 3)), order(("A", 3))]
    config = CONFIG.replace("on_hand: 40", "on_hand: 4")
    assert [d["frs"][0]["source"] for d in plan(orders, config)[1]] == ["west", "west"]
    assert [d["frs"][0]["source"] for d in plan(orders, config, "--sequential")[1]] == ["west", "east"]


def test_every_wrong_order_is_named_and_nothing_is_planned(plan: Any) -> None:
    twice = order(("A", 1), ("A", 1))
    twice["lines"][1]["line"] = "1"
    rows = [order(("A", 1)), order(("A", 0)), order(("A", 1), country="usa"), {"number": "4", "country": "US"}, twice]
    code, decisions, errors = plan("\n".join(map(json.dumps, rows)) + "\nnot json\n")
    assert (code, decisions) == (2, [])
    assert [error.split(": ")[:2] for error in errors] == [
        ["orders.jsonl:2", "lines[0].quantity"],
        ["orders.jsonl:3", "country"],
        ["orders.jsonl:4", "lines"],
        ["orders.jsonl:5", "lines"],
        ["orders.jsonl:6", "(all of it)"],
    ]


@pytest.mark.parametrize(
    ("wrong", "right", "error"),
    [
        ('fee: "1.50"', "fee: x", "sources[0].costs.fee: Input should be a valid decimal"),
        ("sources: [east, west]", "sources: [east, north]", "'north' is no source of this file"),
        ("sources: [east, west]", "sources: [east, east]", "routing.groups[0].sources[1]: 'east' is used at"),
        ("sku: A, on_hand: 40", "sku: A, onhand: 40", "stock[1].onhand: is no known key"),
        ("source: west, sku: A", "source: east, sku: A", "stock[1]: 'east/A' is used at stock[0] already"),
        (
            "sources: [east, west]",
            "sources: [east], priorities: [cheapest]",
            "routing.groups[0].priorities[0]: Input should be 'lowest_cost'",
        ),
    ],
)
def test_a_wrong_configuration_names_the_place_and_the_fix(plan: Any, wrong: str, right: str, error: str) -> None:
    code, decisions, errors = plan([order(("A", 1))], CONFIG.replace(wrong, right))
    assert (code, decisions) == (2, [])
    assert any(error in line for line in errors), errors


def test_rt5_a_priority_without_effect_is_warned_of(plan: Any) -> None:
    config = CONFIG.replace("sources: [east, west]", "sources: [east, west], priorities: [source_priority, fewest_frs]")
    code, _, errors = plan([order(("A", 1))], config)
    assert code == 0
    assert errors == [
        "warning: routing.groups[0].priorities: fewest_frs stands below source_priority and has no effect; "
        "move it up or remove it"
    ]
