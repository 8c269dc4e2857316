"""What other groups, rules or costs would have decided (RT-14): stored decisions, planned again on what was known then.

Pure. Each decision is planned on its own stock and its own costs of goods; what sources charge for fee and shipping is
the other version's. A decision counts once, also where an order has several (a part at a time, or after a void).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from router.plan_files import FileRefused, explained
from router.recorded import stock_of, task_of
from router.routing.draft import Draft
from router.routing.plan import Rulebook, plan_order
from router.routing.task import Site, money
from router.words import lack_words
from waybill_contracts.configuration import Configuration

Units = frozenset[tuple[str, str, str, int]]
"""(source, line, SKU, units)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one decision would have become. `kind`: same, moved, new_hold, no_longer_held, or skipped with a reason."""

    kind: str
    row: Mapping[str, Any]
    reason: str = ""
    why: str = ""
    """The reason in words."""
    sources: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    cost: tuple[Decimal | None, Decimal | None] = (None, None)
    currency: str | None = None

    def told(self) -> dict[str, Any]:
        """The order behind a number, as it is answered."""
        then, now = self.cost
        difference = None if then is None or now is None else str(now - then)
        return {
            "order_id": self.row["order_id"],
            "number": self.row["inputs"].get("number"),
            "decision_id": self.row["decision_id"],
            "at": self.row["at"].isoformat(),
            "kind": self.kind,
            "reason": self.reason,
            "why": self.why,
            "from": self.sources[0],
            "to": self.sources[1],
            "cost_then": None if then is None else str(then),
            "cost_now": None if now is None else str(now),
            "difference": difference,
            "currency": self.currency,
        }


def simulate(row: Mapping[str, Any], then: Rulebook | None, now: Rulebook) -> Outcome:
    """One stored decision by other rules. `then` are those it was made by, None where they are not kept."""
    decision, inputs = row["event"]["decision"], row["inputs"]
    if not inputs:
        return Outcome("skipped", row, "nothing was planned")
    if decision.get("by_hand") and not decision["group"]:
        return Outcome("skipped", row, "made by hand")
    if then is None or "number" not in inputs:
        return Outcome("skipped", row, "recorded before all of its inputs were kept")
    answer = plan_order(task_of(inputs, row["order_id"]), now, stock_of(inputs, then, now), runner_up=False)
    chosen = decision["chosen"]
    before = (_units_told(chosen), Decimal(chosen["cost"])) if chosen else (frozenset(), None)
    after = (_units(answer.draft), money(answer.draft.cost)) if answer.draft else (frozenset(), None)
    same_money = answer.currency == decision["currency"]
    return Outcome(
        _kind(before[0], after[0], len(decision["unfulfilled"]), len(answer.lacks)),
        row,
        answer.reason if answer.lacks else "",
        lack_words(answer.lacks[0])[0] if answer.lacks else "",
        (sorted({u[0] for u in before[0]}), sorted({u[0] for u in after[0]})),
        (before[1], after[1] if same_money else None),
        decision["currency"],
    )


def _kind(before: Units, after: Units, lacked: int, lacks: int) -> str:
    if before and not after:
        return "new_hold"
    if after and not before:
        return "no_longer_held"
    if lacks and not lacked:
        return "new_hold"  # a part of it would wait
    return "same" if before == after else "moved"


def _units(draft: Draft | None) -> Units:
    requests = draft.requests if draft else []
    return frozenset((r.source, d.line_id, d.sku, units) for r in requests for d, units in r.lines)


def _units_told(chosen: Mapping[str, Any]) -> Units:
    return frozenset(
        (r["source"], line["line_id"], line["sku"], line["quantity"]) for r in chosen["requests"] for line in r["lines"]
    )


@dataclass(slots=True)
class Tally:
    """The numbers of a dry run. Costs are summed where both versions have a plan in one currency."""

    kinds: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    costs: dict[str, tuple[int, Decimal, Decimal]] = field(default_factory=dict)
    """By currency: how many decisions, what they cost, what they would."""
    repriced: int = 0

    def add(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.kind == "skipped":
                self.skipped[outcome.reason] += 1
                continue
            self.kinds[outcome.kind] += 1
            then, now = outcome.cost
            if then is not None and now is not None and outcome.currency and outcome.kind in ("same", "moved"):
                self.repriced += outcome.kind == "same" and then != now
                number, before, after = self.costs.get(outcome.currency, (0, Decimal(0), Decimal(0)))
                self.costs[outcome.currency] = number + 1, before + then, after + now

    def told(self) -> dict[str, Any]:
        names = ("same", "moved", "new_hold", "no_longer_held")
        return {
            "decisions": sum(self.kinds.values()),
            **{name: self.kinds[name] for name in names},
            "same_but_repriced": self.repriced,
            "skipped": dict(self.skipped),
            "costs": [
                {
                    "currency": currency,
                    "decisions": number,
                    "then": str(then),
                    "now": str(now),
                    "difference": str(now - then),
                }
                for currency, (number, then, now) in sorted(self.costs.items())
            ],
        }


def draft_rulebook(document: Mapping[str, Any], current: Rulebook) -> Rulebook:
    """A draft over the present configuration: its sources replace those of the same id, its groups and rules all.

    Raises FileRefused with each mistake, its place and its fix.
    """
    try:
        draft = Configuration.model_validate({k: v for k, v in document.items() if k != "stock"})
    except ValidationError as error:
        raise FileRefused("\n".join(dict.fromkeys(explained("draft", error)))) from None
    sources = {name: site.source for name, site in current.sites.items()} | {s.id: s for s in draft.sources}
    routing = draft.routing if draft.routing.groups else current.routing
    whole = Configuration(stores=draft.stores, sources=tuple(sources.values()), routing=routing)
    problems = [
        (where, what)
        for where, what in whole.problems()
        if draft.stores or not where.endswith("when.channel")  # the channels stand in the part that was left out
    ]
    if problems:
        raise FileRefused("\n".join(f"draft: {where}: {what}" for where, what in problems))
    kept = {name: current.sites[name] for name in sources if name in current.sites}
    changed = {source.id: Site(source) for source in draft.sources}
    return Rulebook(current.version, routing, kept | changed, current.revision)


def simulate_all(
    found: Sequence[Mapping[str, Any]], books: Mapping[int, Rulebook | None], now: Rulebook
) -> list[Outcome]:
    """A page of decisions; `books` by revision."""
    return [simulate(row, books[row["config_revision"]], now) for row in found]
