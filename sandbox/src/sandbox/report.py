"""Judges a run: what the shops recorded against what was ordered and what the sources say they shipped. Exact and pure.

Each problem is `open` (not done yet) or `wrong` (no later step can make it right). `ok` means neither is left.
Cannot judge what only the hub knows: the reasons of its holds, its stock, its events.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from sandbox.names import Names
from sandbox.seeding.stock import Level
from sandbox.shops import JudgedFulfillment, JudgedLine, JudgedOrder
from sandbox.supply import Asked, Sent

_Thing = TypeVar("_Thing", Asked, Sent)


@dataclass(frozen=True, slots=True)
class Problem:
    order: str
    kind: str
    detail: str
    wrong: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    orders: Sequence[JudgedOrder]
    requests: Sequence[Asked]
    shipments: Sequence[Sent]
    levels: Sequence[Level]
    names: Names
    conflicts: Sequence[str] = ()
    """References that were posted again with other content."""


@dataclass(slots=True)
class _Case:
    """One order with all that belongs to it."""

    order: JudgedOrder
    requests: list[Asked]
    shipments: list[Sent]
    names: Names
    groups: dict[tuple[str, ...], list[JudgedFulfillment]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for made in self.order.fulfillments:
            if made.ours and made.standing:
                self.groups.setdefault(tuple(sorted(made.numbers)), []).append(made)

    def owed(self, line: JudgedLine) -> int:
        """Pieces of the line that must be fulfilled in the end."""
        return 0 if line.sku in self.names.services else line.owed

    def shipped(self, shipment: Sent) -> Counter[str]:
        """By our SKU."""
        total: Counter[str] = Counter()
        for _, sku, quantity in shipment.lines:
            total[self.names.ours_by_source_sku.get((shipment.source, sku), sku)] += quantity
        return total

    def fulfilled(self, group: Iterable[JudgedFulfillment]) -> Counter[str]:
        """By our SKU."""
        total: Counter[str] = Counter()
        skus = {line.id: line.sku for line in self.order.lines}
        for line_id, quantity in _by_line(group).items():
            sku = skus.get(line_id, "")
            total[self.names.ours_by_channel_sku.get(sku, sku)] += quantity
        return total


def judge(facts: Facts) -> dict[str, Any]:
    """The report: counts, and each problem with its order's number."""
    known = frozenset(_plain(order.name) for order in facts.orders)
    requests, shipments = _by_order(facts.requests, known), _by_order(facts.shipments, known)
    cases = [
        _Case(order, requests.pop(_plain(order.name), []), shipments.pop(_plain(order.name), []), facts.names)
        for order in facts.orders
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
    live = [request.reference for request in case.requests if request.live]
    if live:
        yield Problem(case.order.name, "requested", f"{case.order.expectation}, but asked for as {', '.join(live)}")
    if case.groups:
        yield Problem(case.order.name, "fulfilled", f"{case.order.expectation}, but fulfilled at the shop")


def _shipments_told(case: _Case) -> Iterator[Problem]:
    """Each standing shipment is at the shop once, with its lines, carrier, numbers and URL; nothing else is there."""
    if case.order.expectation == "any":
        return
    standing = {tuple(sorted(s.numbers)): s for s in case.shipments if s.standing}
    for numbers, shipment in standing.items():
        group = case.groups.get(numbers)
        if group is None:
            detail = f"{shipment.id} of {shipment.source} ({', '.join(numbers)}) is not at the shop"
            yield Problem(case.order.name, "shipment_missing", detail, wrong=False)
        else:
            yield from _compare(case, shipment, group)
    canceled = {tuple(sorted(s.numbers)) for s in case.shipments if not s.standing}
    for numbers in case.groups:
        if numbers not in standing:
            kind = "withdrawn_shipment_stands" if numbers in canceled else "fulfillment_of_nothing"
            detail = f"tracking {', '.join(numbers) or '(none)'} is at the shop, but no source ships under it"
            yield Problem(case.order.name, kind, detail, wrong=numbers not in canceled)


def _compare(case: _Case, shipment: Sent, group: Sequence[JudgedFulfillment]) -> Iterator[Problem]:
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
    wanted = case.names.at_shop(case.order.shop, shipment.source, shipment.carrier)
    for made in group:
        if made.carrier != wanted:
            detail = f"{shipment.id}: shop {made.carrier!r}, source {shipment.carrier!r} which is {wanted!r} there"
            yield Problem(case.order.name, "wrong_carrier", detail)
        if set(made.urls) != ({shipment.url} if shipment.url else set()):
            detail = f"{shipment.id}: shop {list(made.urls)}, source {shipment.url!r}"
            yield Problem(case.order.name, "wrong_tracking_url", detail)


def _requested_once(case: _Case) -> Iterator[Problem]:
    """The sources together are never asked for more than the order has."""
    if case.order.expectation == "any":
        return
    asked: Counter[str] = Counter()
    for request in case.requests:
        if request.live:
            for theirs, quantity in request.lines:
                asked[case.names.ours_by_source_sku.get((request.source, theirs), theirs)] += quantity
    ordered: Counter[str] = Counter()
    for line in case.order.lines:
        ordered[case.names.ours_by_channel_sku.get(line.sku, line.sku)] += case.owed(line) - line.before
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
        if shipment.standing:
            for _, theirs, quantity in shipment.lines:
                sku = facts.names.ours_by_source_sku.get((shipment.source, theirs), theirs)
                left[shipment.source, sku] += quantity
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
        "shipments": sum(1 for shipment in facts.shipments if shipment.standing),
        "fulfillments": sum(len(group) for case in cases for group in case.groups.values()),
        "duplicates": {where: sum(kinds[kind] for kind in names) for where, names in DUPLICATES.items()},
        "mismatches": dict(kinds),
        "problems": [asdict(problem) for problem in problems],
    }


def _plain(number: str) -> str:
    """Sources may or may not keep the `#` of an order's number."""
    return number.removeprefix("#")


def _by_order(things: Sequence[_Thing], known: frozenset[str]) -> dict[str, list[_Thing]]:
    found: dict[str, list[_Thing]] = defaultdict(list)
    for thing in things:
        found[_plain(thing.order_number) or _in_reference(thing.reference, known)].append(thing)
    return found


def _in_reference(reference: str, known: frozenset[str]) -> str:
    """The order's number in `E-1001` or `E-1001-2`: the FR numbers of the ready-made configuration."""
    rest = reference.partition("-")[2]
    return rest if rest in known else rest.rpartition("-")[0] or reference


def _by_line(group: Iterable[JudgedFulfillment]) -> Counter[str]:
    total: Counter[str] = Counter()
    for made in group:
        total.update(made.lines)
    return total


def _by_reference(case: _Case, shipment: Sent) -> Counter[str] | None:
    """The shipment's pieces by the shop's line id; None when a line_ref is not made of one."""
    known = {line.id for line in case.order.lines}
    total: Counter[str] = Counter()
    for line_ref, _, quantity in shipment.lines:
        line_id = line_ref.partition("#")[0].rpartition("/")[2]
        if line_id not in known:
            return None
        total[line_id] += quantity
    return total
