"""Every refusal of every service says what would work: its `remedy` is given where it is raised."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import console
import fulfillment_push
import order_ingest
import router
import shipment_poller
import waybill_common
from console.api.problems import Problem, ProblemError
from waybill_common.refusals import Refused

ROOT = Path(__file__).parents[2]
SOURCES = [
    path for part in ("services/*", "libs/common", "libs/platforms") for path in ROOT.glob(f"{part}/src/**/*.py")
]
PLACE = {
    "NotTaken": 1,
    "HooksRefused": 1,
    "MappingRefused": 1,
    "ReplayFailed": 1,
    "Refused": 1,
    "ProblemError": 3,
    "problem": 3,
    "fail": 1,
    "ActionRefused": 1,
    "MoveRefused": 1,
    "NotPossible": 1,
}
"""Where the remedy stands among the arguments."""
OWN_WORDS = frozenset({"lifecycle.py"})
"""Tables of moves whose refusal is a bug of ours, told to nobody."""


def remedies(tree: ast.AST) -> Iterator[tuple[int, ast.expr | None]]:
    """(line, the remedy) of each refusal that is made in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PLACE:
            at = PLACE[node.func.id]
            named = {keyword.arg: keyword.value for keyword in node.keywords}
            if not any(isinstance(argument, ast.Starred) for argument in node.args):
                yield node.lineno, node.args[at] if len(node.args) > at else named.get("remedy")


def without_remedy(source: str) -> list[int]:
    return [
        line
        for line, remedy in remedies(ast.parse(source))
        if remedy is None or (isinstance(remedy, ast.Constant) and len(str(remedy.value).strip()) < 5)
    ]


def test_every_refusal_of_every_service_names_what_would_work() -> None:
    walked = 0
    for path in SOURCES:
        if path.name in OWN_WORDS and "fulfillment_push" not in path.parts:
            continue
        source = path.read_text()
        walked += len(list(remedies(ast.parse(source))))
        assert without_remedy(source) == [], path
    assert walked > 150


def test_no_service_refuses_in_another_way() -> None:
    """FastAPI's own HTTPException has no place for a remedy."""
    others = [
        path
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id == "HTTPException"
    ]

    assert others == []


@pytest.mark.parametrize(
    "planted",
    ['raise Refused("no")', 'raise Refused("no", "")', 'raise ProblemError(409, "No", "no", " ")', 'fail("no")'],
)
def test_a_refusal_that_leaves_out_the_way_on_is_seen(planted: str) -> None:
    assert without_remedy(planted) == [1]


def test_each_kind_of_refusal_tells_its_remedy_to_whoever_asked() -> None:
    for package in (waybill_common, order_ingest, router, fulfillment_push, shipment_poller, console):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    kinds = {Refused, *_below(Refused)}

    assert {"NotPossible", "MoveRefused", "ActionRefused", "NoSuchChannel", "LetterNotOpen"} <= {
        k.__name__ for k in kinds
    }
    for kind in kinds:
        assert kind.told is Refused.told, f"{kind} tells a refusal in its own way"
    assert Refused("why", "what would work", code="c", fr_id="f").told == {
        "detail": "why", "remedy": "what would work", "code": "c", "fr_id": "f",
    }  # fmt: skip
    assert ProblemError(409, "No", "why", "what would work").remedy == "what would work"
    assert "remedy" in Problem.model_json_schema()["required"]


def _below(kind: type[Refused]) -> Iterator[type[Refused]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
