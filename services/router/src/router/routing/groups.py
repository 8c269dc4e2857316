"""Which routing group an order belongs to, and which priorities of a group can do nothing (RT-4, RT-5)."""

from collections.abc import Collection
from decimal import Decimal

from waybill_contracts.configuration import Group, Routing, SingleFr, When


def choose_group(
    routing: Routing, *, country: str, channel: str = "", tags: Collection[str] = (), value: Decimal | None = None
) -> Group | None:
    """The group of the first rule that matches, else the default; None = there is no default group."""
    for rule in routing.rules:
        if matches(rule.when, country=country, channel=channel, tags=tags, value=value):
            return next((group for group in routing.groups if group.id == rule.group), None)
    return routing.default_group


def matches(when: When, *, country: str, channel: str, tags: Collection[str], value: Decimal | None) -> bool:
    """All conditions that are given must hold; within one, any of its values."""
    return (
        (not when.country or country in when.country)
        and (not when.channel or channel in when.channel)
        and (not when.tag or any(tag in tags for tag in when.tag))
        and (when.value_over is None or (value is not None and value > when.value_over))
    )


def idle_priorities(group: Group) -> list[str]:
    """A sentence for each priority without effect: what stands below `source_priority` has nothing left to choose."""
    names = [f"single_fr: {p.single_fr}" if isinstance(p, SingleFr) else p for p in group.priorities]
    if "source_priority" not in names:
        return []
    below = names[names.index("source_priority") + 1 :]
    return [
        f"group {group.id!r}: {name} stands below source_priority and has no effect; move it up or remove it"
        for name in below
        if name != "single_fr: required"  # a limit, whatever its place
    ]
