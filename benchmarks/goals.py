"""The goals that are measured here: what, in which unit, and the bound that is wanted."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """`wanted` bounds the value from below (`at_least`) or from above (`at_most`)."""

    id: str
    what: str
    unit: str
    bound: Literal["at_least", "at_most"]
    wanted: float

    def held_by(self, value: float) -> bool:
        return value >= self.wanted if self.bound == "at_least" else value <= self.wanted

    @property
    def wish(self) -> str:
        return f"{'≥' if self.bound == 'at_least' else '≤'} {self.wanted:g}"


GOALS = {
    goal.id: goal
    for goal in (
        Goal("G1", "throughput, backlog to shipment.synced", "orders/s ÷ the reference's", "at_least", 0.6),
        Goal("G2", "CPU an order, services and PostgreSQL", "÷ the reference's", "at_most", 2.0),
        Goal("G4", "writing transactions an order under backlog", "commits", "at_most", 0.1),
        Goal("G6", "consuming without business work", "CPU an event ÷ raw getmany", "at_most", 6.0),
        Goal("G7", "a platform call with budget and recording", "client CPU ÷ bare aiohttp", "at_most", 4.0),
        Goal("G8", "routing optimality", "share of instances at the proven optimum", "at_least", 1.0),
        Goal("G9", "routing speed, median", "HiGHS CPU ÷ ours", "at_least", 20.0),
        Goal("G9-p99", "routing speed, p99", "HiGHS CPU ÷ ours", "at_least", 5.0),
        Goal("G12", "relay", "rows/s ÷ the slower floor", "at_least", 0.5),
        Goal("G13", "every line hits one SKU", "orders/s ÷ spread SKUs", "at_least", 0.9),
        Goal("G14", "idle on real Kafka, all services", "% of one core", "at_most", 3.0),
        Goal("G16", "importing again what is there", "CPU ÷ fresh import", "at_most", 0.3),
        Goal("POLL", "polling, sources that list changes", "calls an open FR a day", "at_most", 0.1),
        Goal("POLL-round", "one turn of 50 sources, 100,000 open FRs", "seconds", "at_most", 900.0),
        Goal("RESYNC", "10,000 shipments pushed again until settled", "seconds", "at_most", 300.0),
        Goal("G16-events", "events sent by importing again", "events", "at_most", 0.0),
        Goal("INTAKE-events", "50,000 orders by orders.inbound, largest process", "MB at its peak", "at_most", 300.0),
        Goal("INTAKE-file", "50,000 orders by file, largest process", "MB at its peak", "at_most", 300.0),
        Goal(
            "ARRIVE",
            "100,000 orders at once in one channel, the process that pulls",
            "MB at its peak",
            "at_most",
            300.0,
        ),
        Goal("ARRIVE-other", "while they come, another channel's order", "seconds waited at most", "at_most", 30.0),
        Goal(
            "AUDIT", "audit of a window of a million orders, the process that walks", "MB at its peak", "at_most", 300.0
        ),
        Goal("READ-search", "search, the slowest question", "ms at p95", "at_most", 100.0),
        Goal("READ-lists", "lists, the slowest", "ms at p95", "at_most", 100.0),
        Goal("G11-reads", "growth: CPU of reading with so many orders", "÷ with 10,000", "at_most", 1.1),
        Goal("READ-pages", "an order, time line, failures, stats, the slowest", "ms at p95", "at_most", 100.0),
    )
}


@dataclass(frozen=True, slots=True)
class Result:
    """One goal's figure. `raw`: what was measured on both sides, each try, with units in the names."""

    goal: str
    value: float
    raw: dict[str, Any]

    @property
    def held(self) -> bool:
        return GOALS[self.goal].held_by(self.value)

    def as_json(self) -> dict[str, Any]:
        goal = GOALS[self.goal]
        shown = {"value": self.value, "unit": f"{goal.what}: {goal.unit}", "wanted": goal.wish, "held": self.held}
        return shown | {"raw": self.raw}
