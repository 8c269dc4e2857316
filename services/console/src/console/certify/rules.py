"""A rule: what the document asks for, and what to do where it is broken. Checks register under their rule."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

Result = Literal["pass", "fail", "not tried"]


@dataclass(frozen=True, slots=True)
class Rule:
    """`id` is stable: suppliers and their tickets name it. `fix` is said where the rule is broken."""

    id: str
    says: str
    fix: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one rule; `found` says what was seen instead, or why it was not tried."""

    rule: Rule
    result: Result
    found: str = ""


class Broken(Exception):
    """The source does otherwise; the text says what was asked and what came."""


class NotTried(Exception):
    """The rule cannot be tried at this source now; the text says what it would take."""


Check = Callable[[Any], Awaitable[None]]
RULES: dict[str, Rule] = {}
CHECKS: dict[str, Check] = {}


def rule(rule_id: str, says: str, fix: str) -> Callable[[Check], Check]:
    """Registers a check; rules are tried in the order in which they are written down."""

    def register(check: Check) -> Check:
        if rule_id in RULES:
            raise ValueError(f"two rules are called {rule_id}")
        RULES[rule_id], CHECKS[rule_id] = Rule(rule_id, says, fix), check
        return check

    return register
