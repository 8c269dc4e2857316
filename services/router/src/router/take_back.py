"""A person takes an FR back, and has its units asked for again (RT-13).

Only what has not shipped is taken back, and fulfillment-push is asked for it: a sent FR is asked back at its source
first (FP-7), and its stock stays reserved until the answer. After `void` its units wait for a person; after
`regenerate` they are planned as soon as they are free: ordered − canceled − in live FRs − shipped. With `override` an
admin has them planned at once: the old FR may ship them too, so the order has an alert until it is closed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from router.case import Case, LiveFr
from router.facts import message
from router.missing import missing
from router.rulebooks import Rulebooks
from router.store import add_frs, case_of
from waybill_common import outbox
from waybill_common.alerts import Alerts
from waybill_common.db import Connection, Queries, rows
from waybill_common.refusals import Refused
from waybill_contracts.fr_created import FrVoidRequested
from waybill_contracts.values import ByHand, OrderState


class NotPossible(Refused):
    """What a person asked for cannot be done: why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What acting by hand needs."""

    q: Queries
    books: Rulebooks
    alerts: Alerts


KEPT = "name one that is: GET /api/v1/routing/versions"
CANCELED = "fill the order again at its channel; its next version is planned by itself"
_SHIPPED = "withdraw the shipment first, where it was not really sent"


def no_such_order(order_id: str) -> NotPossible:
    return NotPossible(
        f"order {order_id} is not known to the router", "find its id by its number: `waybill orders list`", status=404
    )


async def load_order(conn: Connection, q: Queries, order_id: str) -> Case:
    """The order with its FRs, its row locked. Raises NotPossible when it is not known."""
    await rows(q.lock_orders(conn, order_ids=[order_id]))
    row = await q.order_of(conn, order_id=order_id)
    if row is None:
        raise no_such_order(order_id)
    case = case_of(row)
    await add_frs(conn, q, [case])
    return case


async def _load(conn: Connection, q: Queries, fr_id: str) -> tuple[Case, LiveFr]:
    found = await rows(q.orders_of_frs(conn, fr_ids=[fr_id]))
    if not found:
        raise NotPossible(f"there is no FR {fr_id} here", "find its id by its number: `waybill frs list`", status=404)
    case = await load_order(conn, q, found[0]["order_id"])
    return case, next(fr for fr in case.frs if fr.fr_id == fr_id)


async def void(conn: Connection, desk: Desk, fr_id: str, who: ByHand) -> str:
    """Asks for it; what it holds is free once push says `fr.voided`. The FR's state now. Raises NotPossible."""
    case, fr = await _load(conn, desk.q, fr_id)
    if fr.state == "closed":
        raise NotPossible(f"FR {fr.number} is closed already", "regenerate it to have its units asked for again")
    if fr.state == "recall_refused":
        reason = f"{fr.source} refused to give FR {fr.number} back: it ships it all the same"
        raise NotPossible(
            reason, "an admin may regenerate it with override, at the risk that its units are shipped twice"
        )
    if not fr.open:
        raise NotPossible(f"all of FR {fr.number} has shipped: there is nothing left to take back", _SHIPPED)
    if fr.state == "void_requested" and fr.wish == "parked":
        return fr.state
    await _wish(conn, desk.q, case, fr, "overridden" if fr.wish == "overridden" else "parked", "void", who)
    await _ask_back(conn, desk.q, case, fr, who)
    await desk.q.touch_orders(conn, order_ids=[case.order.order_id])
    return fr.state


async def regenerate(conn: Connection, desk: Desk, fr_id: str, who: ByHand, *, override: bool = False) -> str:
    """Takes back what is not closed yet, and has its units planned again. Raises NotPossible."""
    case, fr = await _load(conn, desk.q, fr_id)
    if case.order.state is OrderState.CANCELED and not any(a.killed for a in fr.allocations):
        raise NotPossible(f"order {case.order.number} is canceled: nothing of it is wanted any more", CANCELED)
    if fr.state != "closed" and not fr.open:
        raise NotPossible(f"all of FR {fr.number} has shipped: there is nothing left to ask for again", _SHIPPED)
    if fr.state == "recall_refused" and not override:
        raise NotPossible(
            f"{fr.source} refused to give FR {fr.number} back and ships it all the same",
            "an admin may override this (override: true), at the risk that its units are shipped twice",
        )
    risky = override and fr.state != "closed"
    await _wish(conn, desk.q, case, fr, "overridden" if risky else "again", "override" if risky else "regenerate", who)
    if fr.state == "closed":
        _something_to_ask_for(case, fr)
    elif fr.state == "live":
        await _ask_back(conn, desk.q, case, fr, who)
    if risky:
        detail = f"FR {fr.number} may still be shipped by {fr.source}; {who.actor} had it planned again: {who.reason}"
        await desk.alerts.raised(conn, alert_key(fr_id), f"Order {case.order.number} may be shipped twice", detail)
    await desk.q.ask_for_more(conn, order_id=case.order.order_id, asked_by=who.model_dump(exclude_none=True))
    return fr.state


async def generate(conn: Connection, desk: Desk, order_id: str, who: ByHand) -> None:
    """Plans an order that waits for a person because its channel does not generate by itself (RT-8)."""
    case = await load_order(conn, desk.q, order_id)
    if case.standing != "waiting" or case.reason != "awaiting_generate":
        stands = f"waits for {case.reason}" if case.standing == "waiting" else f"is {case.standing}"
        way = (
            "see what it waits for: `waybill orders show`" if case.standing == "waiting" else "nothing: it was decided"
        )
        raise NotPossible(f"order {case.order.number} does not wait for generate: it {stands}", way)
    await desk.q.ask_for_more(conn, order_id=order_id, asked_by=who.model_dump(exclude_none=True))
    await note(conn, desk.q, order_id, None, "generate", who)


def _something_to_ask_for(case: Case, fr: LiveFr) -> None:
    if not missing(case).task.demands:
        raise NotPossible(
            f"nothing is missing of order {case.order.number}: all that is wanted of FR {fr.number} is in other FRs, "
            "or has shipped",
            "look at its other FRs: `waybill orders show`; void the one that should not ship it",
        )


async def _wish(conn: Connection, q: Queries, case: Case, fr: LiveFr, wish: str, action: str, who: ByHand) -> None:
    fr.wish = wish
    await q.wish(conn, fr_id=fr.fr_id, wish=wish)
    await note(conn, q, case.order.order_id, fr.fr_id, action, who)


async def _ask_back(conn: Connection, q: Queries, case: Case, fr: LiveFr, who: ByHand) -> None:
    """Also when it was asked back before: now a person wants it, whom push allows more than the router."""
    fr.state, fr.sequence = "void_requested", fr.sequence + 1
    wanted_back = FrVoidRequested(
        at=datetime.now(UTC),
        fr_id=fr.fr_id,
        order_id=case.order.order_id,
        order_version=case.order.version,
        sequence=fr.sequence,
        reason=who.reason,
        by_hand=who,
    )
    await outbox.append(conn, [message(wanted_back, case.traceparent)])
    await q.speak_of_frs(
        conn, fr_ids=[fr.fr_id], sequences=[fr.sequence], states=[fr.state], versions=[fr.order_version]
    )


async def note(conn: Connection, q: Queries, order_id: str, fr_id: str | None, action: str, who: ByHand) -> None:
    """Who did what, and why: kept for good."""
    await q.note_by_hand(conn, order_id=order_id, fr_id=fr_id, action=action, actor=who.actor, reason=who.reason)


def alert_key(fr_id: str) -> str:
    """The alert that is open while an FR may ship what was planned again."""
    return f"may-ship-twice/{fr_id}"
