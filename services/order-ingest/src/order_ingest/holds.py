"""Why an order may not go on yet (IN-8 to IN-10): a list of small rules, each of which gives its reasons (pure)."""

from collections.abc import Callable, Iterator
from itertools import chain

from order_ingest.money import amount_fits, currency_or_none
from order_ingest.rules import ChannelRules
from waybill_contracts.configuration import HoldWhen
from waybill_contracts.values import Hold, HoldReason, OrderLine
from waybill_platforms.model.orders import ChannelOrder

Rule = Callable[[ChannelOrder, tuple[OrderLine, ...], ChannelRules], Iterator[Hold]]


def invalid(order: ChannelOrder, lines: tuple[OrderLine, ...], rules: ChannelRules) -> Iterator[Hold]:
    """Every failing field, not just the first (IN-10)."""
    for problem in order.problems:
        yield _bad(problem.partition(":")[0], problem, "correct it at the channel")
    if not order.number:
        yield _bad("number", "", "give the order a number at the channel")
    if currency_or_none(order.currency) is None:
        yield _bad("currency", order.currency, "use an ISO 4217 code of three capital letters")
    if not amount_fits(order.total):
        yield _bad("total", str(order.total), "use at most 12 digits before and 6 after the point")
    if not order.addresses:
        yield _bad("ship_to", "", "add a ship-to address with a country at the channel")
    if not order.lines:
        yield _bad("lines", "", "add a line, or cancel the order at the channel")
    yield from _bad_lines(order, lines)


def _bad_lines(order: ChannelOrder, lines: tuple[OrderLine, ...]) -> Iterator[Hold]:
    seen: set[str] = set()
    for place, line in enumerate(order.lines):
        at = f"lines[{place}]"
        if not line.line_id:
            yield _bad(f"{at}.line_id", "", "every line needs an id of its own")
        elif line.line_id in seen:
            yield _bad(f"{at}.line_id", line.line_id, "every line needs an id of its own")
        seen.add(line.line_id)
        if line.quantity < 0 and not lines[place].service:  # a discount is a service that takes money back
            yield _bad(f"{at}.quantity", str(line.quantity), "use a whole number of pieces, 0 or more")
        if line.canceled < 0:
            yield _bad(f"{at}.canceled", str(line.canceled), "use a whole number of pieces, 0 or more")
        if not amount_fits(line.unit_price):
            yield _bad(f"{at}.unit_price", str(line.unit_price), "use at most 12 digits before and 6 after the point")


def unmapped_sku(order: ChannelOrder, lines: tuple[OrderLine, ...], rules: ChannelRules) -> Iterator[Hold]:
    """Lines that still want something and whose SKU we cannot name (IN-9)."""
    for place, line in enumerate(lines):
        if line.wanted and not line.service and not line.components:
            fix = f"map {line.channel_sku!r} in skus.map of channel {rules.channel.id}, or list it under skus.services"
            if rules.channel.skus.unmapped == "pass":
                fix += "; it passes unmapped once a source knows it: by its stock, its serves.skus or its skus.map"
            if not line.channel_sku.strip():
                fix = "give the product a SKU at the channel"
            yield Hold(reason=HoldReason.UNMAPPED_SKU, field=f"lines[{place}].sku", value=line.channel_sku, fix=fix)


def unmapped_method(order: ChannelOrder, lines: tuple[OrderLine, ...], rules: ChannelRules) -> Iterator[Hold]:
    """A method that the channel names and we do not know. An order that names none goes on without one."""
    method = order.shipping_method.strip()
    if method and rules.shipping_method(method) is None:
        yield Hold(
            reason=HoldReason.UNMAPPED_SHIPPING_METHOD,
            field="shipping_method",
            value=method,
            fix=f"map {method!r} in shipping_methods.map of channel {rules.channel.id}",
        )


def awaiting_payment(order: ChannelOrder, lines: tuple[OrderLine, ...], rules: ChannelRules) -> Iterator[Hold]:
    """Neither paid nor deferred; a void before sending stops the order here too (IN-8)."""
    if not rules.may_go_on(order.payment):
        yield Hold(
            reason=HoldReason.AWAITING_PAYMENT,
            field="payment",
            value=order.payment.value,
            fix="it goes on by itself when it is paid; or list this state in import.deferred",
        )


def on_hold_at_channel(order: ChannelOrder, lines: tuple[OrderLine, ...], rules: ChannelRules) -> Iterator[Hold]:
    """Somebody holds it at the shop."""
    if order.fulfillment == "on_hold":
        yield Hold(
            reason=HoldReason.ON_HOLD_AT_CHANNEL,
            field="fulfillment",
            value=order.raw_status or "on_hold",
            fix="release it at the channel; it then goes on by itself",
        )


def fraud_risk(order: ChannelOrder, lines: tuple[OrderLine, ...], rules: ChannelRules) -> Iterator[Hold]:
    """The channel advises against shipping it."""
    if order.fraud_risk:
        yield Hold(
            reason=HoldReason.FRAUD_RISK,
            field="fraud_risk",
            value=order.fraud_risk[:200],
            fix="look at the order at its channel; then release it or cancel it",
        )


def on_hold_by_rule(order: ChannelOrder, lines: tuple[OrderLine, ...], rules: ChannelRules) -> Iterator[Hold]:
    """The channel's own `hold_rules` want a person to look at it; each that matches is named."""
    for place, rule in enumerate(rules.channel.hold_rules):
        if _matches(rule.when, order):
            yield Hold(reason=HoldReason.ON_HOLD_BY_RULE, field=f"hold_rules[{place}]", value=rule.name, fix=rule.fix)


def _matches(when: HoldWhen, order: ChannelOrder) -> bool:
    countries = {address.country for address in order.addresses}
    skus = {line.sku.strip() for line in order.lines}
    return (
        (not when.country or not countries.isdisjoint(when.country))
        and (not when.tag or not set(order.tags).isdisjoint(when.tag))
        and (not when.sku or not skus.isdisjoint(when.sku))
        and (not when.shipping_method or order.shipping_method.strip() in when.shipping_method)
        and (when.value_over is None or order.total > when.value_over)
    )


RULES: tuple[Rule, ...] = (
    invalid, unmapped_sku, unmapped_method, awaiting_payment, on_hold_at_channel, fraud_risk, on_hold_by_rule,
)  # fmt: skip


def holds_of(order: ChannelOrder, lines: tuple[OrderLine, ...], rules: ChannelRules) -> tuple[Hold, ...]:
    """All reasons of all rules, in the rules' order."""
    return tuple(chain.from_iterable(rule(order, lines, rules) for rule in RULES))


def _bad(field: str, value: str, fix: str) -> Hold:
    return Hold(reason=HoldReason.INVALID, field=field, value=value, fix=fix)
