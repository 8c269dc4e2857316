"""Each FR of a plan gets its number, before anything is reserved for it (RT-11).

Read without a lock: two replicas that choose the same number at the same source in the same moment meet at the unique
constraint, and the round that loses is planned again.
"""

from collections.abc import Callable, Sequence

from router.decide import Verdict
from router.ledger import Key
from router.routing.numbers import NumberRefused, bare_number, next_number
from router.routing.plan import Rulebook
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.configuration import Source
from waybill_contracts.values import Order

LOOKED_UP = 8
"""How many numbers are looked up for each new FR, beyond those that the order's own FRs may have taken."""


async def number_frs(conn: Connection, q: Queries, verdicts: Sequence[Verdict], book: Rulebook) -> None:
    """Sets `verdict.numbers`; a plan for which a source has no number left waits instead, with the reason."""
    planned = [v for v in verdicts if v.plan is not None and v.plan.draft is not None]
    asked: list[Key] = []
    for verdict in planned:
        asked += _candidates(verdict, book)
    if not asked:
        return
    names = {"sources": [source for source, _ in asked], "numbers": [number for _, number in asked]}
    taken = {(row["source"], row["number"]) for row in await rows(q.numbers_taken(conn, **names))}
    for verdict in planned:
        try:
            verdict.numbers = _numbers(verdict, book, taken)
        except NumberRefused as refused:
            verdict.standing, verdict.reason, verdict.detail = "waiting", refused.code, str(refused)
            verdict.plan, verdict.waits_for = None, ["config"]


def _candidates(verdict: Verdict, book: Rulebook) -> list[Key]:
    found: list[Key] = []
    case = verdict.case
    requests = verdict.plan.draft.requests if verdict.plan and verdict.plan.draft else []
    for request in requests:
        source = book.sites[request.source].source
        passed: set[str] = set()
        for _ in range(LOOKED_UP + len(requests)):
            try:
                passed.add(number_for(source, case.order, case.frs_made, passed.__contains__))
            except NumberRefused:
                break
        found += [(request.source, number) for number in sorted(passed)]
    return found


def _numbers(verdict: Verdict, book: Rulebook, taken: set[Key]) -> list[str]:
    numbers = []
    assert verdict.plan is not None
    assert verdict.plan.draft is not None
    for at, request in enumerate(verdict.plan.draft.requests):
        source = book.sites[request.source].source

        def is_taken(number: str, name: str = source.id) -> bool:
            return (name, number) in taken

        number = number_for(source, verdict.case.order, verdict.case.frs_made + at, is_taken)
        taken.add((request.source, number))
        numbers.append(number)
    return numbers


def number_for(source: Source, order: Order, made_before: int, taken: Callable[[str], bool]) -> str:
    """Raises NumberRefused."""
    bare = bare_number(source.fr_number, order_number=order.number, order_id=order.order_id)
    return next_number(source.fr_number, bare, made_before=made_before, taken=taken)
