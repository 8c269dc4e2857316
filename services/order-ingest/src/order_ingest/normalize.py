"""What a channel's order becomes: `Ready`, `Held` with reasons, or `Excluded` with one (pure).

The filter decides the first import alone (IN-7): `baseline` is None until the order is here, afterwards it holds what
had left before us, and nothing excludes the order any more. This function never raises for an order's content: what
does not fit our values is a hold `invalid` that names the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from order_ingest.holds import holds_of
from order_ingest.money import amount_or_zero, currency_or_none
from order_ingest.rules import ChannelRules
from order_ingest.said import Said, Word
from order_ingest.standing_holds import NONE, Known, still_held
from waybill_contracts.topics import ROUTER
from waybill_contracts.values import Address, Hold, OrderLine, PaymentState
from waybill_platforms.model.orders import ChannelLine, ChannelOrder

Baseline = Mapping[str, int]
"""Pieces of each line (by line id) that had left the channel before we imported the order."""

REFUNDED = "refunded"
BY_PERSON, UNROUTABLE = "canceled_by_person", "unroutable"
NO_CURRENCY = "XXX"
"""ISO 4217's code for "no currency": stands in our copy while the channel's is invalid."""


@dataclass(frozen=True, slots=True)
class Content:
    """Our copy of what the order says, without identity and life cycle."""

    number: str
    placed_at: datetime
    currency: str
    payment: PaymentState
    canceled: str | None
    """Why nothing of it is wanted any more; none while something is."""
    total: Decimal
    email: str
    note: str
    tags: tuple[str, ...]
    addresses: tuple[Address, ...]
    channel_shipping_method: str
    shipping_method: str | None
    lines: tuple[OrderLine, ...]
    auto_generate: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """It may go on (or nothing of it is wanted any more: see `content.canceled`)."""

    content: Content
    baseline: Baseline


@dataclass(frozen=True, slots=True)
class Held:
    """It is here and waits; each hold says what would release it."""

    content: Content
    baseline: Baseline
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class Excluded:
    """Not imported, for this reason; looked at again when it or the rules change."""

    reason: str
    detail: str


Outcome = Ready | Held | Excluded


def normalize(order: ChannelOrder, rules: ChannelRules, baseline: Baseline | None, known: Known = NONE) -> Outcome:
    """Judges one order by its channel's rules. `baseline` None: it is not imported yet, so the filter applies."""
    if baseline is None:
        refused = filtered(order, rules, known.said)
        if refused is not None:
            return refused
        left = left_before(order, rules)
    else:
        left = baseline
    content = _content(order, rules, left, known.said)
    if baseline is None and order.lines and not owed(content.lines):
        return Excluded(
            "nothing_to_ship", "every line is a service, of quantity 0, canceled, or had left before the import"
        )
    if baseline is None and content.canceled == REFUNDED:
        return Excluded(f"payment_{order.payment}", "it was refunded in full before it was imported")
    if content.canceled:
        return Ready(content, left)
    holds = still_held(holds_of(order, content.lines, rules), known)
    return Held(content, left, holds) if holds else Ready(content, left)


def filtered(order: ChannelOrder, rules: ChannelRules, said: Said) -> Excluded | None:
    """The first rule of the filter that keeps the order out (IN-2, IN-7), in this order."""
    if order.reference and order.reference in rules.own_references:
        return Excluded("ours", f"it carries our own reference {order.reference!r}: we submitted it to this shop")
    if order.canceled or order.fulfillment == "canceled":
        return Excluded("canceled", "it was canceled before it was imported")
    if order.lines and all(line.quantity < 0 for line in order.lines):
        return Excluded("cancellation", "every quantity is negative: it takes goods back and orders none")
    if order.placed_at < rules.starts_at and not said.asked:
        return Excluded("before_start", f"placed {order.placed_at:%Y-%m-%d %H:%M:%S}, before the channel's start")
    if not rules.passes_payment(order.payment):
        allowed = ", ".join(rules.channel.import_.payment) or "none"
        return Excluded(f"payment_{order.payment}", f"import.payment takes {allowed}; channel: {order.raw_status}")
    if order.fulfillment not in rules.channel.import_.fulfillment:
        allowed = ", ".join(rules.channel.import_.fulfillment) or "none"
        detail = f"import.fulfillment takes {allowed}; channel: {order.raw_status}"
        return Excluded(f"fulfillment_{order.fulfillment}", detail)
    return None


def left_before(order: ChannelOrder, rules: ChannelRules) -> Baseline:
    """Pieces that are neither canceled nor still open at the channel at first import: they are not requested."""
    gone = {
        line.line_id: line.quantity - line.canceled - line.fulfillable
        for line in order.lines
        if line.fulfillable is not None and not _is_service(line, rules)
    }
    return {line_id: pieces for line_id, pieces in gone.items() if pieces > 0}


def owed(lines: tuple[OrderLine, ...]) -> bool:
    """Whether anything that ships is still wanted."""
    return any(line.wanted for line in lines if not line.service)


def _content(order: ChannelOrder, rules: ChannelRules, left: Baseline, said: Said) -> Content:
    lines = tuple(_line(line, place, rules, left, said) for place, line in enumerate(order.lines))
    method = order.shipping_method.strip()
    return Content(
        number=order.number or order.id,
        placed_at=order.placed_at,
        currency=currency_or_none(order.currency) or NO_CURRENCY,
        payment=order.payment,
        canceled=_by_word(said.cancel) if said.cancel else _canceled(order, lines, rules),
        total=amount_or_zero(order.total),
        email=order.email,
        note=order.note,
        tags=tuple(order.tags),
        addresses=tuple(order.addresses),
        channel_shipping_method=method,
        shipping_method=rules.shipping_method(method),
        lines=lines,
        auto_generate=rules.channel.auto_generate,
    )


def _by_word(word: Word) -> str:
    """A person's, or that of a routing group whose setting is `unroutable: cancel` (RT-4)."""
    return UNROUTABLE if word.actor == ROUTER else BY_PERSON


def _canceled(order: ChannelOrder, lines: tuple[OrderLine, ...], rules: ChannelRules) -> str | None:
    """An order that is here leaves by cancellation or refund alone (IN-7)."""
    if order.canceled or order.fulfillment == "canceled":
        return "canceled_at_channel"
    if order.payment is PaymentState.REFUNDED and not rules.may_go_on(order.payment):
        return REFUNDED
    if lines and not owed(lines):
        return "all_lines_canceled"
    return None


def _line(line: ChannelLine, place: int, rules: ChannelRules, left: Baseline, said: Said) -> OrderLine:
    service = _is_service(line, rules)
    line_id = line.line_id or f"position-{place + 1}"
    canceled = max(line.canceled, 0) + left.get(line.line_id, 0)
    killed = max(min(said.killed_of(line_id), line.quantity) - canceled, 0)
    return OrderLine(
        line_id=line_id,
        channel_sku=line.sku,
        title=line.title,
        quantity=max(line.quantity, 0),
        canceled=canceled + killed,
        killed=killed,
        unit_price=amount_or_zero(line.unit_price),
        components=() if service else rules.components(line.sku.strip()),
        service=service,
        address=line.address,
    )


def _is_service(line: ChannelLine, rules: ChannelRules) -> bool:
    return not line.requires_shipping or rules.is_service(line.sku.strip())
