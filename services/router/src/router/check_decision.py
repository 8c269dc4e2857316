"""`python -m router.check_decision FILE --config C.yaml`: was a stored decision the cheapest there was? (RT-3)

FILE is what the router gives at GET /internal/orders/{id}/decisions: one decision or a list. Each is solved again with
HiGHS (`check`), from the stock that is stored with it and the costs in the configuration file: it must be the one that
the decision was made by. Prints one sentence a decision; exit code 0 = all hold, 1 = one does not, 2 = cannot be read.

Can check: one address, whole orders, lines that may be split, cost as the only priority. It takes from the decision
which sources were barred as a whole, and why.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from router.check import Shelf, SolverMissing, cheapest
from router.plan_files import FileRefused, read_configuration
from waybill_contracts.configuration import Configuration, Group, Source

CLOSE = 0.001
"""HiGHS computes in floating point: the tenth of a cent counts as equal."""

COMPARED = ("dearer", "tie_break", "not_preferred", "not_better")
"""Reasons of sources that could have shipped; the others were barred."""

UNTRACKED = 1e9


@dataclass(frozen=True, slots=True)
class Finding:
    """`holds` None = this program cannot tell."""

    holds: bool | None
    sentence: str


def check_decision(row: Mapping[str, Any], configuration: Configuration) -> Finding:
    """Solves again what the decision solved. Raises SolverMissing, KeyError where the row is no stored decision."""
    decision, inputs = row["event"]["decision"], row["inputs"]
    name = f"Decision {decision['decision_id']}"
    if decision.get("by_hand") and not decision["group"]:
        who = decision["by_hand"]["actor"]
        return Finding(None, f"{name} was made by hand ({who}): no rule chose, so there is no least cost to check.")
    if not inputs:
        return Finding(None, f"{name} planned nothing: there is nothing to check.")
    group = next((group for group in configuration.routing.groups if group.id == decision["group"]), None)
    obstacle = _obstacle(decision, inputs, group)
    if group is None or obstacle:
        return Finding(None, f"{name} cannot be checked here: {obstacle}.")
    sources = {source.id: source for source in configuration.sources}
    barred = {item["source"] for item in decision["excluded"] if item["reason"] not in COMPARED}
    able = group.model_copy(update={"sources": tuple(s for s in group.sources if s in sources and s not in barred)})
    wanted: dict[str, int] = {}
    for _, sku, quantity, _ in inputs["demands"]:
        wanted[sku] = wanted.get(sku, 0) + quantity
    country = inputs["countries"][0]
    best = cheapest(wanted, country, able, sources, _shelves(inputs, sources, country)).cost if able.sources else None
    return _judged(name, decision, best)


def _obstacle(decision: Mapping[str, Any], inputs: Mapping[str, Any], group: Group | None) -> str:
    if group is None:
        return f"group {decision['group']!r} is not in the file; give the configuration that the decision was made by"
    if len({address for *_, address in inputs["demands"]}) > 1:
        return "the order has several addresses"
    if group.priorities != ("lowest_cost",):
        return f"group {group.id!r} does not go by cost alone"
    if not group.split_lines:
        return f"group {group.id!r} does not split lines"
    if group.partial and decision["unfulfilled"]:
        return "a part of the order waits"
    return ""


def _shelves(inputs: Mapping[str, Any], sources: Mapping[str, Source], country: str) -> dict[tuple[str, str], Shelf]:
    """What could be had where, by the sources' own settings. No cost, or no weight where it counts: not to be had."""
    shelves = {}
    for name, sku, available, unit_cost, weight in inputs["stock"]:
        source = sources.get(name)
        if source is None or unit_cost is None:
            continue
        zone = next((z for z in source.costs.shipping if country in z.zone or "*" in z.zone), None)
        serves = source.serves.skus == "all" or sku in source.serves.skus
        named = source.skus.unmapped != "hold" or sku in source.skus.map
        weighed = weight is not None or zone is None or not zone.per_kg
        if serves and named and weighed:
            have = UNTRACKED if source.stock.from_ == "untracked" else float(max(available or 0, 0))
            shelves[name, sku] = Shelf(have, float(unit_cost), float(weight or 0))
    return shelves


def _judged(name: str, decision: Mapping[str, Any], best: float | None) -> Finding:
    chosen = decision["chosen"]
    if chosen is None and best is None:
        return Finding(True, f"{name} is right: no choice of sources can ship all of it.")
    if chosen is None:
        return Finding(False, f"{name} is wrong: it made no plan, but all of it can ship for {best:.2f}.")
    paid, currency = Decimal(chosen["cost"]), decision["currency"]
    names = " and ".join(dict.fromkeys(request["source"] for request in chosen["requests"]))
    if best is None:
        return Finding(False, f"{name} is wrong: it ships from {names}, but by the file they cannot ship all of it.")
    if abs(float(paid) - best) > CLOSE:
        return Finding(
            False,
            f"{name} is wrong by the costs in this file: it ships from {names} for {paid} {currency}, "
            f"the least is {best:.2f}.",
        )
    second = decision["runner_up"]
    beside = f" The best other choice of sources costs {second['cost']}." if second else " No other sources could."
    return Finding(
        True,
        f"{name} is right: shipping from {names} for {paid} {currency} is the least that it can cost, "
        f"as a second solver (HiGHS) finds too.{beside}",
    )


def main(arguments: list[str] | None = None) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="router.check_decision", description="Solves stored decisions again.")
    parser.add_argument("file", type=Path, help="stored decisions, JSON (- = standard input)")
    parser.add_argument("--config", type=Path, required=True, help="the configuration that they were made by")
    given = parser.parse_args(arguments)
    try:
        configuration = read_configuration(given.config)
        stored = json.loads(sys.stdin.read() if str(given.file) == "-" else given.file.read_text(encoding="utf-8"))
        findings = [check_decision(row, configuration) for row in (stored if isinstance(stored, list) else [stored])]
    except json.JSONDecodeError as error:
        sys.stderr.write(f"{given.file} is no JSON: {error}\n")
        return 2
    except (FileRefused, SolverMissing, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (KeyError, TypeError) as error:
        sys.stderr.write(f"{given.file} holds no stored decisions ({error} is missing)\n")
        return 2
    for finding in findings:
        sys.stdout.write(f"{finding.sentence}\n")
    return 1 if any(finding.holds is False for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
