"""Judges a run: what the shop recorded against what was ordered and what the sources say they shipped. Exact and pure.

Each problem is `open` (not done yet) or `wrong` (no later step can make it right). `ok` means neither is left.
Cannot judge what only the hub knows: the reasons of its holds, its stock, its events.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from sandbox.names import Names
from sandbox.seeding.stock import Level
from sandbox.shopify.model import Fulfillment, Line, Order
from sandbox.sources.model import Request, Shipment

_Thing = TypeVar("_Thing", Request, Shipment)


@dataclass(frozen=True, slots=True)
class Problem:
    order: str
    kind: str
    detail: str
    wrong: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    orders: Sequence[Order]
    requests: Sequence[Request]
    shipments: Sequence[Shipment]
    levels: Sequence[Level]
    names: Names
    conflicts: Sequence[str] = ()
    """References that were posted again with other content."""


@dataclass(slots=True)
class _Case:
    """One order with all that belongs to it."""

    order: Order
    requests: list[Request]
    shipments: list[Shipment]
    names: Names
    groups: dict[tuple[str, ...], list[Fulfillment]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for made in self.order.fulfillments:
            if made.by_api and made.status == "SUCCESS":
                self.groups.setdefault(tuple(sorted(made.numbers)), []).append(made)

    def owed(self, line: Line) -> int:
        """Pieces of the line that must be fulfilled in the end."""
        service = not line.requires_shipping or line.sku in self.names.services
        return 0 if service else line.current_quantity

    def shipped(self, shipment: Shipment) -> Counter[str]:
        """By our SKU."""
        total: Counter[str] = Counter()
        for line in shipment.lines:
            total[self.names.ours_by_source_sku.get((shipment.source, line.sku), line.sku)] += line.quantity
        return total

    def fulfilled(self, group: Iterable[Fulfillment]) -> Counter[str]:
        """By our SKU."""
        total: Counter[str] = Counter()
        for number, quantity in _by_line(group).items():
            sku = self.order.line(number).sku or ""
            total[self.names.ours_by_channel_sku.get(sku, sku)] += quantity
        return total


def judge(facts: Facts) -> dict[str, Any]:
    """The report: counts, and each problem with its order's number."""
    requests, shipments = _by_order(facts.requests), _by_order(facts.shipments)
    cases = [
        _Case(order, requests.pop(order.name, []), shipments.pop(order.name, []), facts.names) for order in facts.orders
    ]
    problems = [problem for case in cases for check in CHECKS for problem in check(case)]
    problems += [Problem(name, "unknown_order", "a source was asked to ship an order that no shop has")
                 for name in requests]  # fmt: skip
    problems += [Problem("", "reference_conflict", f"{reference} was posted again with other content")
                 for reference in facts.conflicts]  # fmt: skip
    problems += list(_oversold(facts))
    return _told(cases, problems, facts)


def _lines(case: _Case) -> Iterator[Problem]:
    """Every line's pieces are fulfilled exactly once."""
    if case.order.expectation not in {"shipped", "canceled"}:
        return
    for line in case.order.lines:
        done, owed = case.order.fulfilled(line.id), case.owed(line)
        if done > owed and case.order.expectation == "shipped":
            yield Problem(case.order.name, "line_over", f"line {line.id} ({line.sku}): {done} fulfilled, {owed} owed")
        elif done < owed and case.order.expectation == "shipped":
            yield Problem(
                case.order.name, "line_short", f"line {line.id} ({line.sku}): {done} of {owed} fulfilled", wrong=False
            )


def _stayed_away(case: _Case) -> Iterator[Problem]:
    """What is held or excluded has nothing asked for and nothing fulfilled."""
    if not case.order.expectation.startswith(("held", "excluded")):
        return
    live = [request.reference for request in case.requests if request.state != "canceled"]
    if live:
        yield Problem(case.order.name, "requested", f"{case.order.expectation}, but asked for as {', '.join(live)}")
    if case.groups:
        yield Problem(case.order.name, "fulfilled", f"{case.order.expectation}, but fulfilled at the shop")


def _shipments_told(case: _Case) -> Iterator[Problem]:
    """Each standing shipment is at the shop once, with its lines, carrier, numbers and URL; nothing else is there."""
    if case.order.expectation == "any":
        return
    standing = {tuple(sorted(s.tracking_numbers)): s for s in case.shipments if s.status == "shipped"}
    for numbers, shipment in standing.items():
        group = case.groups.get(numbers)
        if group is None:
            detail = f"{shipment.id} of {shipment.source} ({', '.join(numbers)}) is not at the shop"
            yield Problem(case.order.name, "shipment_missing", detail, wrong=False)
        else:
            yield from _compare(case, shipment, group)
    canceled = {tuple(sorted(s.tracking_numbers)) for s in case.shipments if s.status == "canceled"}
    for numbers in case.groups:
        if numbers not in standing:
            kind = "withdrawn_shipment_stands" if numbers in canceled else "fulfillment_of_nothing"
            detail = f"tracking {', '.join(numbers) or '(none)'} is at the shop, but no source ships under it"
            yield Problem(case.order.name, kind, detail, wrong=numbers not in canceled)


def _compare(case: _Case, shipment: Shipment, group: Sequence[Fulfillment]) -> Iterator[Problem]:
    told, true = case.fulfilled(group), case.shipped(shipment)
    by_line, by_ref = _by_line(group), _by_reference(case, shipment)
    if not told <= true:
        yield Problem(case.order.name, "fulfilled_twice", f"{shipment.id}: shop {dict(told)}, source {dict(true)}")
    elif by_ref is not None and not by_line <= by_ref:
        yield Problem(case.order.name, "wrong_lines", f"{shipment.id}: shop {dict(by_line)}, source {dict(by_ref)}")
    elif told != true:
        # An order at two locations gets two fulfillments for one shipment; the second is still to come.
        detail = f"{shipment.id}: shop {dict(told)}, source {dict(true)}"
        yield Problem(case.order.name, "shipment_part_missing", detail, wrong=False)
    wanted = case.names.channel_courier(shipment.source, shipment.carrier)
    for made in group:
        if made.company != wanted:
            detail = f"{shipment.id}: shop {made.company!r}, source {shipment.carrier!r} which is {wanted!r} there"
            yield Problem(case.order.name, "wrong_carrier", detail)
        if not made.urls or set(made.urls) != {shipment.tracking_url}:
            detail = f"{shipment.id}: shop {made.urls}, source {shipment.tracking_url!r}"
            yield Problem(case.order.name, "wrong_tracking_url", detail)


def _requested_once(case: _Case) -> Iterator[Problem]:
    """The sources together are never asked for more than the order has."""
    if case.order.expectation == "any":
        return
    asked: Counter[str] = Counter()
    for request in case.requests:
        if request.state != "canceled":
            for asked_for in request.lines:
                sku = case.names.ours_by_source_sku.get((request.source, asked_for.sku), asked_for.sku)
                asked[sku] += asked_for.quantity - asked_for.canceled
    ordered: Counter[str] = Counter()
    for line in case.order.lines:
        sku = line.sku or ""
        ordered[case.names.ours_by_channel_sku.get(sku, sku)] += case.owed(line) - _before(case.order, line)
    for sku in asked:
        if asked[sku] > ordered[sku] and case.order.expectation != "canceled":
            references = ", ".join(request.reference for request in case.requests)
            detail = f"{sku}: asked for {asked[sku]}, ordered {ordered[sku]} ({references})"
            yield Problem(case.order.name, "requested_twice", detail)


CHECKS: tuple[Callable[[_Case], Iterator[Problem]], ...] = (_lines, _stayed_away, _shipments_told, _requested_once)
DUPLICATES: Mapping[str, frozenset[str]] = {
    "shop": frozenset({"line_over", "fulfilled_twice", "fulfillment_of_nothing"}),
    "source": frozenset({"requested_twice", "reference_conflict"}),
}


def _oversold(facts: Facts) -> Iterator[Problem]:
    """No source shipped more of a SKU than it ever had."""
    had = {(level.source, level.sku): level.on_hand for level in facts.levels}
    left: Counter[tuple[str, str]] = Counter()
    for shipment in facts.shipments:
        if shipment.status == "shipped":
            for line in shipment.lines:
                sku = facts.names.ours_by_source_sku.get((shipment.source, line.sku), line.sku)
                left[shipment.source, sku] += line.quantity
    for (source, sku), quantity in left.items():
        if quantity > had.get((source, sku), 0):
            yield Problem("", "oversold", f"{source} shipped {quantity} of {sku}, it had {had.get((source, sku), 0)}")


def _told(cases: Sequence[_Case], problems: Sequence[Problem], facts: Facts) -> dict[str, Any]:
    troubled = {problem.order for problem in problems}
    by_expectation: dict[str, dict[str, int]] = defaultdict(lambda: {"orders": 0, "as_expected": 0})
    for case in cases:
        row = by_expectation[case.order.expectation]
        row["orders"] += 1
        row["as_expected"] += case.order.name not in troubled
    kinds = Counter(problem.kind for problem in problems)
    return {
        "ok": not problems,
        "sound": not any(problem.wrong for problem in problems),
        "settled": all(problem.wrong for problem in problems),
        "orders": {"total": len(cases), "by_expectation": dict(by_expectation)},
        "requests": len(facts.requests),
        "most_posts": max((request.posts for request in facts.requests), default=0),
        "shipments": sum(1 for shipment in facts.shipments if shipment.status == "shipped"),
        "fulfillments": sum(len(group) for case in cases for group in case.groups.values()),
        "duplicates": {where: sum(kinds[kind] for kind in names) for where, names in DUPLICATES.items()},
        "mismatches": dict(kinds),
        "problems": [asdict(problem) for problem in problems],
    }


def _by_order(things: Sequence[_Thing]) -> dict[str, list[_Thing]]:
    found: dict[str, list[_Thing]] = defaultdict(list)
    for thing in things:
        number = thing.order_number
        found[number if number.startswith("#") else f"#{number}"].append(thing)
    return found


def _by_line(group: Iterable[Fulfillment]) -> Counter[int]:
    total: Counter[int] = Counter()
    for made in group:
        for part in made.lines:
            total[part.line_id] += part.quantity
    return total


def _by_reference(case: _Case, shipment: Shipment) -> Counter[int] | None:
    """The shipment's pieces by the shop's line id; None when a line_ref is not made of one."""
    known = {str(line.id): line.id for line in case.order.lines}
    total: Counter[int] = Counter()
    for line in shipment.lines:
        number = known.get(line.line_ref.partition("#")[0].rpartition("/")[2])
        if number is None:
            return None
        total[number] += line.quantity
    return total


def _before(order: Order, line: Line) -> int:
    """Pieces that were fulfilled before the run began."""
    return sum(p.quantity for made in order.fulfillments if not made.by_api and made.status == "SUCCESS"
               for p in made.lines if p.line_id == line.id)  # fmt: skip
