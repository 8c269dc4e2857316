"""What a sighting does to our copy of an order, and which facts follow from it (pure).

The version grows with the content alone: lines, quantities, addresses, shipping method, payment, cancellation
(DESIGN section 3); the sequence grows with every fact. Our own fulfillments change the snapshot but none of these, so
their echo changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from order_ingest.lifecycle import Standing, advance, public
from order_ingest.normalize import Baseline, Content, Excluded, Held, Outcome
from order_ingest.said import Word
from waybill_contracts.event import Event
from waybill_contracts.orders_imported import (
    OrderCanceled,
    OrderChanged,
    OrderExcluded,
    OrderHeld,
    OrderImported,
    OrderReleased,
)
from waybill_contracts.values import Hold, Order, OrderLine, OrderState

CONTENT = ("payment", "addresses", "channel_shipping_method", "shipping_method")
"""Parts of an order that are compared as they are; lines and cancellation have their own rule."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Our row of one order. `order` is the copy as other services know it; none while it is excluded."""

    order_id: UUID
    store: str
    channel: str
    channel_order_id: str
    standing: Standing
    version: int
    sequence: int
    order: Order | None
    baseline: Baseline
    reason: str
    """Why it is excluded or canceled."""
    detail: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The copy as it now is, and the facts to tell."""

    copy: Copy
    events: tuple[Event, ...]


def first_look(copy: Copy, outcome: Outcome, seen: Mapping[str, Any], *, via: str, now: datetime) -> Judged:
    """An order that is not here yet (new, or excluded until now). `seen`: number and placed_at of the sighting."""
    if isinstance(outcome, Excluded):
        return _exclude(copy, outcome, seen, now)
    holds = outcome.holds if isinstance(outcome, Held) else ()
    standing = advance(Standing.EXCLUDED, Standing.HELD if holds else Standing.IMPORTED)
    here = replace(copy, standing=standing, version=1, sequence=copy.sequence + 1, baseline=outcome.baseline,
                   reason="", detail="")  # fmt: skip
    here = _with_order(here, outcome.content, holds)
    return Judged(here, (OrderImported(sequence=here.sequence, at=now, order=_order(here), via=via),))


def look_again(copy: Copy, outcome: Outcome, *, now: datetime, word: Word | None = None) -> Judged:
    """An order that is here was seen in another version, is judged by other rules, or a person said a word."""
    if isinstance(outcome, Excluded):
        raise TypeError(f"order {copy.order_id} is here already: nothing excludes it ({outcome.reason})")
    before = _order(copy)
    holds = outcome.holds if isinstance(outcome, Held) else ()
    standing = Standing.CANCELED if outcome.content.canceled else Standing.HELD if holds else Standing.IMPORTED
    after = replace(copy, standing=advance(copy.standing, standing), reason=outcome.content.canceled or "")
    after = _with_order(after, outcome.content, holds)
    changed = changed_parts(before, _order(after))
    if changed:
        after = replace(after, version=copy.version + 1)
    return _tell(before, after, changed, now, word)


def changed_parts(before: Order, after: Order) -> tuple[str, ...]:
    """Names of the parts of the content that differ."""
    changed = [name for name in CONTENT if getattr(before, name) != getattr(after, name)]
    if [_what_counts(line) for line in before.lines] != [_what_counts(line) for line in after.lines]:
        changed.append("lines")
    if (before.state is OrderState.CANCELED) != (after.state is OrderState.CANCELED):
        changed.append("canceled")
    return tuple(changed)


def _what_counts(line: OrderLine) -> tuple[object, ...]:
    # A title or a price that is edited changes nothing about what is to be shipped.
    pieces = (line.quantity, line.canceled, line.killed)
    return line.line_id, line.channel_sku, pieces, line.components, line.service, line.address


def _tell(before: Order, after: Copy, changed: tuple[str, ...], now: datetime, word: Word | None) -> Judged:
    """One fact for each thing that happened, in an order that makes sense to read."""
    order, events = _order(after), list[Event]()
    who = {} if word is None else {"actor": word.actor, "why": word.reason}

    def fact(kind: type[Event], **fields: object) -> None:
        nonlocal after
        after = replace(after, sequence=after.sequence + 1)
        after = replace(after, order=_stamped(after))
        events.append(
            kind.model_validate({"sequence": after.sequence, "at": now, "order": after.order, **who, **fields})
        )

    if after.standing is Standing.CANCELED:
        if changed and before.state is OrderState.CANCELED:
            fact(OrderChanged, changed=changed)
        elif changed:
            fact(OrderCanceled, reason=after.reason)
        return Judged(_settled(after), tuple(events))
    if changed:
        fact(OrderChanged, changed=changed)
    added = _missing_from(before.holds, order.holds)
    if after.standing is Standing.HELD and (added or (before.holds != order.holds and not changed)):
        fact(OrderHeld, added=added)
    if after.standing is Standing.IMPORTED and before.state is OrderState.HELD:
        fact(OrderReleased, removed=before.holds)
    return Judged(_settled(after), tuple(events))


def _exclude(copy: Copy, outcome: Excluded, seen: Mapping[str, Any], now: datetime) -> Judged:
    if copy.sequence and (copy.reason, copy.detail) == (outcome.reason, outcome.detail):
        return Judged(copy, ())
    out = replace(copy, sequence=copy.sequence + 1, reason=outcome.reason, detail=outcome.detail)
    event = OrderExcluded(
        sequence=out.sequence, at=now, store=out.store, channel=out.channel, channel_order_id=out.channel_order_id,
        number=seen["number"], reason=out.reason, detail=out.detail, placed_at=seen["placed_at"],
    )  # fmt: skip
    return Judged(out, (event,))


def _with_order(copy: Copy, content: Content, holds: Sequence[Hold]) -> Copy:
    order = Order(
        order_id=str(copy.order_id), store=copy.store, channel=copy.channel, channel_order_id=copy.channel_order_id,
        number=content.number, version=copy.version, sequence=copy.sequence, state=public(copy.standing),
        holds=tuple(holds), auto_generate=content.auto_generate, placed_at=content.placed_at,
        currency=content.currency, payment=content.payment, total=content.total, email=content.email,
        note=content.note, tags=content.tags, addresses=content.addresses,
        channel_shipping_method=content.channel_shipping_method, shipping_method=content.shipping_method,
        lines=content.lines,
    )  # fmt: skip
    return replace(copy, order=order)


def _stamped(copy: Copy) -> Order:
    return _order(copy).model_copy(update={"version": copy.version, "sequence": copy.sequence})


def _settled(copy: Copy) -> Copy:
    """The stored order always carries the row's version and sequence, also when nothing was told."""
    return replace(copy, order=_stamped(copy))


def _missing_from(known: Sequence[Hold], holds: Sequence[Hold]) -> tuple[Hold, ...]:
    return tuple(hold for hold in holds if hold not in known)


def _order(copy: Copy) -> Order:
    if copy.order is None:
        raise TypeError(f"order {copy.order_id} is {copy.standing}: it has no copy yet")
    return copy.order
