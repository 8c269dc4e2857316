"""What sources really charged, set against the estimates, and what that would have changed (RT-16). Pure.

A source's true price is taken to be its tariff and goods as configured, plus its mean difference for each FR over all
FRs that it charged in the report. With these prices every decision whose FRs are all charged is planned again, on the
stock of then: what was chosen, and the cheapest, both at true prices.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from router.recorded import stock_of, task_of
from router.routing.plan import Rulebook, plan_order
from router.routing.task import Site, money, nano
from waybill_contracts.configuration import Source

SIX = Decimal("0.000001")


def text(amount: Decimal) -> str:
    """Exact, without trailing zeros beyond the cent."""
    return str(money(nano(amount)))


@dataclass(frozen=True, slots=True)
class Charge:
    """One FR with its estimate and what was charged, in one currency. `decision` is the row that made it."""

    fr_id: str
    source: str
    number: str
    order_id: str
    currency: str
    estimated: Decimal
    charged: Decimal
    decision_id: str
    rule: str


@dataclass(slots=True)
class Line:
    """Sums of one source, or of one rule, in one currency."""

    frs: int = 0
    estimated: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)

    def add(self, charge: Charge) -> None:
        self.frs += 1
        self.estimated += charge.estimated
        self.charged += charge.charged

    @property
    def each(self) -> Decimal:
        """The mean difference of an FR, to 6 decimals."""
        return ((self.charged - self.estimated) / self.frs).quantize(SIX)

    def told(self, name: str, currency: str) -> dict[str, Any]:
        difference = self.charged - self.estimated
        share = difference / self.estimated if self.estimated else None
        return {
            "name": name,
            "currency": currency,
            "frs": self.frs,
            "estimated": text(self.estimated),
            "charged": text(self.charged),
            "difference": text(difference),
            "each_fr": text(self.each),
            "share": None if share is None else str(share.quantize(Decimal("0.0001"))),
        }


def charge_of(row: Mapping[str, Any], decision: Mapping[str, Any] | None) -> Charge | str:
    """The charge, or why it cannot be compared."""
    cost = row["cost"]
    if cost["currency"] != row["currency"]:
        return "charged in another currency than estimated"
    if cost.get("unknown"):
        return "its estimate was not known as a whole"
    return Charge(
        row["fr_id"],
        row["source"],
        row["number"],
        row["order_id"],
        row["currency"],
        sum((Decimal(cost[part]) for part in ("items", "fee", "shipping")), Decimal(0)),
        row["total"],
        row["decision_id"],
        rule_of(row, decision),
    )


def rule_of(row: Mapping[str, Any], decision: Mapping[str, Any] | None) -> str:
    """What chose the source: a rule and its group, or a person."""
    if row["by_hand"]:
        return "by hand"
    told = decision["event"]["decision"] if decision else {}
    return f"{told.get('rule') or 'not recorded'}: group {told.get('group') or '?'}"


def sums(charges: Iterable[Charge], by: str) -> dict[tuple[str, str], Line]:
    """(name, currency) -> its line; `by` is "source" or "rule"."""
    lines: dict[tuple[str, str], Line] = {}
    for charge in charges:
        lines.setdefault((getattr(charge, by), charge.currency), Line()).add(charge)
    return dict(sorted(lines.items()))


def true_rulebook(then: Rulebook, surcharges: Mapping[tuple[str, str], Decimal]) -> Rulebook:
    """The rulebook with each source's mean difference in its price of an FR; nothing costs less than 0."""
    sites = {
        name: Site(dearer(site.source, surcharges[(name, site.currency)]))
        if (name, site.currency) in surcharges
        else site
        for name, site in then.sites.items()
    }
    return Rulebook(then.version, then.routing, sites, then.revision)


def dearer(source: Source, surcharge: Decimal) -> Source:
    """What it costs less than its fee is taken off its base prices."""
    costs = source.costs
    fee = max(costs.fee + surcharge, Decimal(0))
    left = min(costs.fee + surcharge, Decimal(0))
    shipping = tuple(p.model_copy(update={"base": max(p.base + left, Decimal(0))}) for p in costs.shipping)
    return source.model_copy(update={"costs": costs.model_copy(update={"fee": fee, "shipping": shipping})})


@dataclass(slots=True)
class Regret:
    """What the cheapest plans would have been, with true prices."""

    decisions: int = 0
    moved: list[dict[str, Any]] = field(default_factory=list)
    costs: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any], charges: Sequence[Charge], then: Rulebook, true: Rulebook) -> None:
        """A decision all of whose FRs are charged. `then` are the rules it was made by."""
        surcharge = {
            site.id: true_fixed(true, site.id, row) - true_fixed(then, site.id, row) for site in then.sites.values()
        }
        as_shipped = sum((c.estimated + surcharge.get(c.source, Decimal(0)) for c in charges), Decimal(0))
        answer = plan_order(
            task_of(row["inputs"], row["order_id"]), true, stock_of(row["inputs"], then, then), runner_up=False
        )
        if answer.draft is None:
            return
        currency = charges[0].currency
        cheapest = min(money(answer.draft.cost), as_shipped)
        before, after = self.costs.get(currency, (Decimal(0), Decimal(0)))
        self.costs[currency] = before + as_shipped, after + cheapest
        self.decisions += 1
        used, best = sorted({c.source for c in charges}), sorted(set(answer.draft.sources))
        if cheapest < as_shipped:
            self.moved.append(
                {
                    "order_id": row["order_id"],
                    "number": row["inputs"]["number"],
                    "from": used,
                    "to": best,
                    "charged": text(sum((c.charged for c in charges), Decimal(0))),
                    "as_shipped": text(as_shipped),
                    "cheapest": text(cheapest),
                    "saves": text(as_shipped - cheapest),
                    "currency": currency,
                }
            )

    def told(self) -> dict[str, Any]:
        return {
            "decisions": self.decisions,
            "moved": len(self.moved),
            "costs": [
                {"currency": c, "as_shipped": text(a), "cheapest": text(b), "saves": text(a - b)}
                for c, (a, b) in sorted(self.costs.items())
            ],
            "orders": sorted(self.moved, key=lambda order: -Decimal(order["saves"])),
        }


def true_fixed(book: Rulebook, source: str, row: Mapping[str, Any]) -> Decimal:
    """The price of opening an FR at the source for this order: fee and base."""
    site = book.sites[source]
    tariff = site.tariff(row["inputs"]["countries"][0]) if row["inputs"]["countries"] else None
    return money(site.fee + (tariff.base if tariff else 0))
