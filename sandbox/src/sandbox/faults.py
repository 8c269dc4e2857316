"""Which call is to be misbehaved at, and how: rules with a pattern, a kind, a rate or a count. Seeded and counted.

Promises: the same rules, seed and order of calls bite at the same calls; every rule says how many calls it matched and
how many it bit, so that a run whose fault never happened can be told from one that survived it.
"""

from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal, get_args

Kind = Literal[
    "429", "503", "slow", "lost", "late", "unauthorized", "throttled", "html", "cut", "duplicate", "stale", "lag",
    "reset", "black_hole", "wrong_type", "big", "redirect", "internal",
    "forget", "gone",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)


class BadRule(ValueError):
    """A rule that cannot be used; the message names the field, its value and the fix."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as rules see it. `operation` is the platform's: orders, fulfillmentCreate, submit, shipments, …"""

    connection: str
    operation: str
    method: str
    path: str

    def names(self) -> tuple[str, ...]:
        return (
            self.operation,
            f"{self.connection}:{self.operation}",
            self.path,
            f"{self.method} {self.path}",
        )


@dataclass(slots=True)
class Rule:
    kind: str
    match: str = "*"
    rate: float | None = None
    count: int | None = None
    skip: int = 0
    """Let so many matching calls through first."""
    params: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    matched: int = 0
    bitten: int = 0
    dice: Random = field(default_factory=Random, repr=False)

    def bites(self, call: Call) -> bool:
        if not any(fnmatchcase(name, self.match) for name in call.names()):
            return False
        self.matched += 1
        if self.matched <= self.skip or (self.count is not None and self.bitten >= self.count):
            return False
        if self.rate is not None and self.dice.random() >= self.rate:
            return False
        self.bitten += 1
        return True

    def told(self) -> dict[str, Any]:
        shown = [one.name for one in fields(self) if one.name != "dice"]
        return {**{name: getattr(self, name) for name in shown}, "exercised": self.bitten > 0}


def _parsed(number: int, given: Any, seed: int) -> Rule:
    if not isinstance(given, dict):
        raise BadRule(f"faults[{number}]: {given!r} is no object; write {{match, kind, rate or count, params}}")
    unknown = set(given) - {"match", "kind", "rate", "count", "skip", "params", "id"}
    if unknown:
        raise BadRule(f"faults[{number}]: unknown {sorted(unknown)}; use match, kind, rate, count, skip, params, id")
    if given.get("kind") not in KINDS:
        raise BadRule(f"faults[{number}].kind: {given.get('kind')!r} is unknown; use one of {', '.join(KINDS)}")
    rule = Rule(**given)
    rule.id = rule.id or f"{number}-{rule.kind}"
    rule.dice = Random(f"{seed}/{number}/{rule.kind}/{rule.match}")
    return rule


class Faults:
    """The rules in force, first match first."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def script(self, given: list[Any], seed: int = 0) -> list[dict[str, Any]]:
        """Add rules; either all of them or, with `BadRule`, none."""
        start = len(self.rules)
        self.rules += [_parsed(start + number, one, seed) for number, one in enumerate(given)]
        return self.told()[start:]

    def clear(self) -> list[dict[str, Any]]:
        """Take all rules out of force; gives their last counts."""
        told, self.rules = self.told(), []
        return told

    def biting(self, call: Call) -> Rule | None:
        return next((rule for rule in self.rules if rule.bites(call)), None)

    def told(self) -> list[dict[str, Any]]:
        return [rule.told() for rule in self.rules]
