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


class Book:
    """The rules of one kind of outside system, tried in the order in which they are written down."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self.checks: dict[str, Check] = {}

    def rule(self, rule_id: str, says: str, fix: str) -> Callable[[Check], Check]:
        """Registers a check."""

        def register(check: Check) -> Check:
            if rule_id in self.rules:
                raise ValueError(f"two rules are called {rule_id}")
            self.rules[rule_id], self.checks[rule_id] = Rule(rule_id, says, fix), check
            return check

        return register

    async def tried(self, rule_id: str, system: Any) -> Verdict:
        """What became of one rule at a system."""
        try:
            await self.checks[rule_id](system)
        except Broken as broken:
            return Verdict(self.rules[rule_id], "fail", str(broken))
        except NotTried as why:
            return Verdict(self.rules[rule_id], "not tried", str(why))
        return Verdict(self.rules[rule_id], "pass")


SOURCES = Book()
"""Of HTTP sources."""
RULES, CHECKS, rule = SOURCES.rules, SOURCES.checks, SOURCES.rule
