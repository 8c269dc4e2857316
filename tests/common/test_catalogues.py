"""What operators read is a closed set: every event that the kernel logs is declared, every metric is written somewhere.

This reads the source, so it sees literal names only; a name built at run time would escape it (there is none).
"""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import waybill_common
from waybill_common.logs import EVENTS
from waybill_common.metrics import KERNEL

SOURCE = Path(waybill_common.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
METHODS = {"count", "set", "observe"}
# Written by the library that talks to platforms, one floor up.
ELSEWHERE = {"waybill_calls_total", "waybill_call_seconds"}


def calls(methods: set[str], owner: str) -> Iterator[tuple[str, str]]:
    """(file, first argument) of every `…owner.method("literal", …)` in the kernel."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in methods
                and ast.unparse(node.func.value).endswith(owner)
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield path.name, str(node.args[0].value)


def test_every_event_that_the_kernel_logs_is_declared_with_its_meaning() -> None:
    for path in SOURCE.glob("*.py"):
        importlib.import_module(f"waybill_common.{path.stem}")
    logged = list(calls(LEVELS, "log"))
    assert len(logged) > 10
    assert [(file, event) for file, event in logged if event not in EVENTS] == []


def test_every_declared_event_is_logged_somewhere() -> None:
    logged = {event for _, event in calls(LEVELS, "log")} | {"library.said"}
    kernels = {event for event, meaning in EVENTS.items() if meaning and event.split(".")[0] in _subjects()}
    assert kernels - logged == set()


def test_every_metric_of_the_kernel_is_written_and_every_written_one_is_declared() -> None:
    written = {name for _, name in calls(METHODS, "metrics") if name.startswith("waybill_")}
    assert written <= {metric.name for metric in KERNEL}
    assert {metric.name for metric in KERNEL} - written - ELSEWHERE == set()


def _subjects() -> set[str]:
    return {event.split(".")[0] for _, event in calls(LEVELS, "log")}
