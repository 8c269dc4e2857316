"""Each FR of a plan gets its number, before anything is reserved for it (RT-11).

Read without a lock: two replicas that choose the same number at the same source in the same moment meet at the unique
constraint, and the round that loses is planned again.
"""

from collections.abc import Callable, Sequence

from router.ledger import Key
from router.routing.numbers import NumberRefused, bare_number, next_number
from router.routing.plan import Rulebook
from router.verdict import Verdict
from waybill_common.db import Connection, Queries, rows
from waybill_contracts.configuration import Source
from waybill_contracts.values import Order

LOOKED_UP = 3
"""How many numbers are looked up for each new FR at first; where all are taken, four times as many, and so on."""


class _NotLookedUp(Exception):
    """Whether this number is taken is not known yet."""


async def number_frs(conn: Connection, q: Queries, verdicts: Sequence[Verdict], book: Rulebook) -> None:
    """Sets `verdict.numbers`; a plan for which a source has no number left waits instead, with the reason."""
    taken: set[Key] = set()
    open_ = [verdict for verdict in verdicts if verdict.makes_frs]
    window = LOOKED_UP
    while open_:
        asked = {key for verdict in open_ for key in _candidates(verdict, book, window)}
        if asked:
            names = {"sources": [source for source, _ in asked], "numbers": [number for _, number in asked]}
            taken |= {(row["source"], row["number"]) for row in await rows(q.numbers_taken(conn, **names))}
        open_ = [verdict for verdict in open_ if not _number(verdict, book, asked, taken)]
        window *= 4


def _candidates(verdict: Verdict, book: Rulebook, window: int) -> list[Key]:
    found: list[Key] = []
    case = verdict.case
    requests = verdict.plan.draft.requests if verdict.plan and verdict.plan.draft else []
    for request in requests:
        passed: set[str] = set()
        for _ in range(window + len(requests)):
            try:
                number = number_for(
                    book.sites[request.source].source, case.order, case.frs_made + len(passed), passed.__contains__
                )
            except NumberRefused:
                break
            passed.add(number)
        found += [(request.source, number) for number in passed]
    return found


def _number(verdict: Verdict, book: Rulebook, asked: set[Key], taken: set[Key]) -> bool:
    """False when more numbers have to be looked up first."""
    assert verdict.plan is not None
    assert verdict.plan.draft is not None
    chosen: list[Key] = []
    for at, request in enumerate(verdict.plan.draft.requests):

        def is_taken(number: str, source: str = request.source) -> bool:
            if (source, number) not in asked:
                raise _NotLookedUp
            return (source, number) in taken or (source, number) in chosen

        site = book.sites[request.source]
        try:
            number = number_for(site.source, verdict.case.order, verdict.case.frs_made + at, is_taken)
        except _NotLookedUp:
            return False
        except NumberRefused as refused:
            verdict.standing, verdict.reason, verdict.detail = "waiting", refused.code, str(refused)
            verdict.plan, verdict.waits_for = None, ["config"]
            return True
        chosen.append((request.source, number))
    verdict.numbers = [number for _, number in chosen]
    taken.update(chosen)
    return True


def number_for(source: Source, order: Order, made_before: int, taken: Callable[[str], bool]) -> str:
    """Raises NumberRefused."""
    bare = bare_number(source.fr_number, order_number=order.number, order_id=order.order_id)
    return next_number(source.fr_number, bare, made_before=made_before, taken=taken)
