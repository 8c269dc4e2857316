"""`python -m benchmarks [--only G6,G9] [--quick] [--orders N] [--keep DIR] [--list]`.

Each benchmark runs in a process of its own with a time limit; one that breaks is named, and the exit code is 1. A goal
that is missed is printed with its figure: that is a result, not a failure.
"""

import argparse
import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.child import finish
from benchmarks.goals import GOALS, Goal, Result
from benchmarks.machine import line, machine
from benchmarks.measure import Size
from waybill_common.embedded.librdkafka import KafkaFailed

OUT = Path(__file__).parent / "out" / "results.json"
BENCHMARKS = {
    "routing": (("G8", "G9", "G9-p99"), 180),
    "platform_call": (("G7",), 60),
    "consuming": (("G6",), 90),
    "relaying": (("G12",), 90),
    "importing": (("G16", "G16-events"), 90),
    "flow": (("G1", "G2", "G4"), 420),
    "one_sku": (("G13",), 240),
    "idle": (("G14",), 120),
    "polling": (("POLL", "POLL-round"), 120),
    "resyncing": (("RESYNC",), 400),
    "intake": (("INTAKE-events", "INTAKE-file"), 900),
    "arriving": (("ARRIVE", "ARRIVE-other"), 1800),
    "auditing": (("AUDIT",), 3600),
    "reading": (("READ-search", "READ-lists", "READ-pages", "G11-reads"), 5400),
}
"""Module -> the goals that it measures, and after how many seconds it is ended."""
LONG = frozenset({"intake", "arriving", "auditing", "reading"})
"""Those that a quick run leaves out, unless it asks for their goals."""


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures Waybill against bare yardsticks"
    )
    parser.add_argument("--only", help="goals, separated by commas: G6,G9")
    parser.add_argument("--orders", type=int, help="orders a try, where a benchmark takes orders")
    parser.add_argument(
        "--keep", type=Path, help="READ: a directory whose filled database is made once, kept and found again"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, not how fast")
    parser.add_argument("--list", action="store_true", help="the goals, and which benchmark measures each")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    options = arguments(given)
    size = Size(options.quick, options.orders, options.keep)
    if options.run:
        return _run_here(options.run, size, options.into)
    if options.list:
        return _list()
    chosen = choose(options.only)
    if isinstance(chosen, str):
        print(chosen, file=sys.stderr)
        return 2
    found = machine()
    print(line(found), flush=True)
    results: dict[str, Any] = {}
    broken = []
    for name in [one for one in chosen if options.only or not (size.quick and one in LONG)]:
        with tempfile.TemporaryDirectory() as scratch:
            into = Path(scratch) / "results.json"
            command = [sys.executable, "-m", "benchmarks", "--run", name, "--into", str(into)]
            command += ["--quick"] if size.quick else []
            command += ["--orders", str(size.orders)] if size.orders else []
            command += ["--keep", str(size.keep.absolute())] if size.keep else []
            trouble = finish(command, BENCHMARKS[name][1])
            if trouble:
                broken.append(name)
                print(f"{name} broke: {trouble}", file=sys.stderr, flush=True)
            else:
                results |= json.loads(into.read_text())
    _write(results, found, size)
    missed = [goal for goal, result in results.items() if not result["held"]]
    print(f"\n{len(results) - len(missed)} held, missed: {', '.join(missed) or 'none'}; figures in {OUT}")
    return 1 if broken else 0


def choose(only: str | None) -> list[str] | str:
    """The benchmarks that measure these goals; a sentence where a goal is not known."""
    if not only:
        return list(BENCHMARKS)
    wanted = [goal.strip().upper() for goal in only.split(",") if goal.strip()]
    known = {goal.split("-")[0] for goal in GOALS}
    unknown = [goal for goal in wanted if goal.split("-")[0] not in known]
    if unknown:
        return f"{', '.join(unknown)}: not measured here; --list shows what is"
    return [name for name, (goals, _) in BENCHMARKS.items() if {goal.split("-")[0] for goal in goals} & set(wanted)]


def _run_here(name: str, size: Size, into: Path) -> int:
    """A module has `run(size)`, or `measure(size)` to be awaited."""
    module = importlib.import_module(f"benchmarks.{name}")
    results: list[Result] = []
    try:
        results = module.run(size) if hasattr(module, "run") else uvloop.run(module.measure(size))
    except KafkaFailed as error:
        print(f"\nnot measured here: {', '.join(BENCHMARKS[name][0])}: {error}", flush=True)
    for number, result in enumerate(results):
        alike = number > 0 and result.raw is results[number - 1].raw
        print(shown(GOALS[result.goal], result, raw=not alike), flush=True)
    into.write_text(json.dumps({result.goal: result.as_json() for result in results}))
    return 0


def shown(goal: Goal, result: Result, *, raw: bool = True) -> str:
    """A goal's line, and what was measured below it."""
    mark = "held  " if result.held else "MISSED"
    head = f"\n{mark} {goal.id:10} {goal.what}: {result.value:.4g} {goal.unit} (wanted {goal.wish})"
    return "\n".join([head, *(f"         {name}: {value}" for name, value in result.raw.items() if raw)])


def _write(results: dict[str, Any], found: dict[str, Any], size: Size) -> None:
    """Results of other goals that an earlier run wrote stay, each with the machine that it was measured on."""
    OUT.parent.mkdir(exist_ok=True)
    kept = json.loads(OUT.read_text()) if OUT.exists() else {}
    for result in results.values():
        result["machine"], result["quick"] = found, size.quick
    OUT.write_text(json.dumps(kept | results, indent=2) + "\n")


def _list() -> int:
    for name, (goals, _) in BENCHMARKS.items():
        for goal in (GOALS[goal] for goal in goals):
            print(f"{goal.id:11} {goal.what}, {goal.unit}, {goal.wish}  [{name}]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
