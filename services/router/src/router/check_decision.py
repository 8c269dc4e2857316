"""`python -m router.check_decision FILE --config C.yaml`: was a stored decision the best there was? (RT-3)

FILE is what the router gives at GET /internal/orders/{id}/decisions: one decision or a list. Each is solved again with
HiGHS (`check`), from the stock that is stored with it and the rules and costs in the configuration file: they must be
those that the decision was made by. Checked are the group, that the plan keeps the stock and every limit, its price,
and that no other plan is better by the group's priorities. Prints one sentence a decision; exit code 0 = all hold, 1 =
one does not, 2 = cannot be read.

What it takes from the decision is only which FR numbers did not fit a source's pattern.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from router.check import Optimum, SolverMissing, Undecided, best_plan
from router.check_reading import Given, Request, levels_of, names_of, requests_of, unlawful
from router.check_stored import Stored, group_of, read_stored
from router.plan_files import FileRefused, read_configuration
from waybill_contracts.configuration import Configuration, Group

CLOSE = 0.001
"""HiGHS computes in floating point: the tenth of a cent counts as equal."""

COUNTED = {
    "left_behind": "it leaves {mine} units behind, {best} would do",
    "single_fr: preferred": "it takes several FRs, one for each address would do",
    "fewest_frs": "it takes {mine} FRs, {best} would do",
    "shipping_method_mapped": "{mine} of its FRs go where the shipping method has no name, {best} would do",
}
"""What speaks against a plan, by the level at which a better one is found."""

WANTED = {
    "left_behind": "as much as can go",
    "single_fr: required": "one FR for each address",
    "single_fr: preferred": "one FR for each address where that can be",
    "fewest_frs": "the fewest FRs",
    "shipping_method_mapped": "sources that have a name for the shipping method",
    "source_priority": "as much as can be from the sources in their order",
    "lowest_cost": "the lowest cost",
}
"""What counts, in words."""


Levels = list[tuple[str, Decimal]]


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
    if group is None:
        lacks = f"group {decision['group']!r} is not in the file: give the configuration that the decision was made by"
        return Finding(None, f"{name} cannot be checked here: {lacks}.")
    by_rules = group_of(inputs, configuration.routing)
    if by_rules != group.id:
        told = f"by the rules in this file it belongs to group {by_rules!r}, not {group.id!r}"
        return Finding(False, f"{name} is wrong: {told}.")
    stored = read_stored(decision, inputs, configuration)
    requests = requests_of(stored.asked, group, stored.sources, stored.shelves)
    wrong = _wrong_as_it_is(decision, stored, group, requests)
    if wrong:
        return Finding(False, f"{name} is wrong: {wrong}.")
    try:
        finding = _judged(name, decision, group, _levels(stored.plan, stored, group, requests), _best(stored, group))
        if finding.holds and not Decimal(decision["gap"] or 0):
            others = _best(stored, group, without=frozenset(given.source for given in stored.plan))
            finding = _beside(finding, decision, _levels(stored.second, stored, group, requests), others)
    except Undecided as undecided:
        return Finding(None, f"{name} cannot be checked here: {undecided}.")
    return finding


def _best(stored: Stored, group: Group, without: frozenset[str] | None = None) -> Optimum:
    return best_plan(stored.asked, group, stored.sources, stored.shelves, without=without)


def _levels(plan: Sequence[Given], stored: Stored, group: Group, requests: Sequence[Request]) -> Levels:
    """What the plan reaches; nothing where there is none."""
    return list(levels_of(plan, stored.asked, group, requests)) if plan else []


def _wrong_as_it_is(decision: Mapping[str, Any], stored: Stored, group: Group, requests: Sequence[Request]) -> str:
    """What is wrong about a plan whatever other plans there are; empty where nothing is."""
    if not stored.plan:
        return ""
    reason = unlawful(stored.plan, stored.asked, group, requests)
    if reason:
        return f"by the rules in this file {reason}"
    for at, want in enumerate(stored.asked.wants):
        given = sum(given.units for given in stored.plan if given.want == at)
        if given + stored.left.get(at, 0) != want.quantity:
            return (
                f"of {want.quantity} × {want.sku} {given} go and {stored.left.get(at, 0)} are named as staying behind"
            )
    price = dict(levels_of(stored.plan, stored.asked, group, requests))["lowest_cost"]
    paid = Decimal(decision["chosen"]["cost"])
    return "" if price == paid else f"its FRs cost {price} together by this file, it says {paid}"


def _judged(name: str, decision: Mapping[str, Any], group: Group, levels: Levels, best: Optimum) -> Finding:
    if not levels and not best.levels:
        return Finding(True, f"{name} is right: no choice of sources can ship {_how_much(group)} of it.")
    if not levels:
        can = f"{_how_much(group)} of it can ship for {best.cost:.2f}"
        return Finding(False, f"{name} is wrong: it made no plan, but {can}.")
    for (level, mine), (_, least) in zip(levels, best.levels, strict=True):
        if float(mine) > least + CLOSE:
            better = _better(level, float(mine), least, decision)
            return Finding(False, f"{name} is wrong by the costs and rules in this file: {better}.")
    cost_alone = group.priorities == ("lowest_cost",) and not group.partial
    what = "is the least that it can cost" if cost_alone else f"is the best by what group {group.id!r} asks for"
    what += "" if cost_alone else f" ({', then '.join(WANTED[name] for name in names_of(group))})"
    return Finding(True, f"{name} is right: {_said(decision)} {what}, as a second solver (HiGHS) finds too.")


def _beside(finding: Finding, decision: Mapping[str, Any], second: Levels, best: Optimum) -> Finding:
    """The runner-up is looked at in the same way: the best plan with another set of sources."""
    if not decision["chosen"]:
        return finding
    if bool(second) != bool(best.levels) or any(
        abs(float(mine) - least) > CLOSE for (_, mine), (_, least) in zip(second, best.levels, strict=False)
    ):
        found = f"costs {best.cost:.2f}" if best.levels else "does not exist"
        said = f"names one for {decision['runner_up']['cost']}" if second else "names none"
        return Finding(False, f"{finding.sentence} But the best other choice of sources {found}, and it {said}.")
    beside = f"The best other choice of sources costs {decision['runner_up']['cost']}." if second else "No other could."
    return Finding(True, f"{finding.sentence} {beside}")


def _how_much(group: Group) -> str:
    return "any" if group.partial else "all"


def _said(decision: Mapping[str, Any]) -> str:
    chosen = decision["chosen"]
    names = " and ".join(dict.fromkeys(request["source"] for request in chosen["requests"]))
    return f"shipping from {names} for {chosen['cost']} {decision['currency']}"


def _better(level: str, mine: float, least: float, decision: Mapping[str, Any]) -> str:
    """What another plan does better, in words."""
    if level == "lowest_cost":
        gap = Decimal(decision["gap"] or 0)
        said = f" (its search stopped early, and said so: it may be {gap} too dear)" if gap else ""
        return f"{_said(decision)}, the least is {least:.2f}{said}"
    if level in COUNTED:
        return COUNTED[level].format(mine=round(mine), best=round(least))
    return f"it takes {round(-mine)} {level}, {round(-least)} could come from there"


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
