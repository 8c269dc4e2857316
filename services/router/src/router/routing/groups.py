"""Which routing group an order belongs to (RT-4)."""

from collections.abc import Collection
from decimal import Decimal

from waybill_contracts.configuration import Group, Routing, When

DEFAULT = "default"
"""No rule matched: the default group is taken."""


def choose_group(
    routing: Routing, *, country: str, channel: str = "", tags: Collection[str] = (), value: Decimal | None = None
) -> tuple[Group | None, str]:
    """The group of the first rule that matches, else the default (None = there is none); and what chose it."""
    for at, rule in enumerate(routing.rules):
        if matches(rule.when, country=country, channel=channel, tags=tags, value=value):
            return next((group for group in routing.groups if group.id == rule.group), None), f"rules[{at}]"
    return routing.default_group, DEFAULT


def matches(when: When, *, country: str, channel: str, tags: Collection[str], value: Decimal | None) -> bool:
    """All conditions that are given must hold; within one, any of its values."""
    return (
        (not when.country or country in when.country)
        and (not when.channel or channel in when.channel)
        and (not when.tag or any(tag in tags for tag in when.tag))
        and (when.value_over is None or (value is not None and value > when.value_over))
    )
