"""A channel keeps the platform of its orders (pure).

Under another one, orders that are here already would be taken for new ones and shipped twice, or new ones for edits of
old ones: an id of a shop says nothing at another. A channel that never had an order may become what it likes.
"""

from collections.abc import Mapping

from console.configure.reading import Problem
from waybill_contracts.configuration import Configuration


def moved_channels(wanted: Configuration, platforms: Mapping[str, str]) -> list[Problem]:
    """`platforms`: of channels that have orders, by id."""
    problems = []
    for i, store in enumerate(wanted.stores):
        for j, channel in enumerate(store.channels):
            had, wants = platforms.get(channel.id, channel.platform.value), channel.platform.value
            if had != wants:
                words = (
                    f"is {wants}, but orders of {channel.id} came from {had} and are known by its ids; give the new "
                    f"one an id of its own, e.g. {channel.id}-{wants}, and keep this one until its orders are settled"
                )
                problems.append(Problem(f"stores[{i}].channels[{j}].platform", words))
    return problems
