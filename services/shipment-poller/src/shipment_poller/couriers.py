"""Courier names cross two borders: a source's name -> ours -> the channel's name or code (SP-7). Pure tables.

A name that no map has is passed on or held, as the map says; held means `COURIER_NOT_MAPPED` before any call, and the
change of the map re-arms what waited for it.
"""

from collections.abc import Iterable

from waybill_contracts.configuration import NameMapping
from waybill_contracts.fulfillment_submitted import Reason

NOT_MAPPED = "COURIER_NOT_MAPPED"
REFUSED = "COURIER_REFUSED"
"""Also the code that platforms give a refusal of the carrier's name."""


def mapped(mapping: NameMapping, name: str) -> str | None:
    """The name on the other side; none when it is not mapped and the map holds such names."""
    if name in mapping.map:
        return mapping.map[name]
    folded = {key.casefold().strip(): value for key, value in mapping.map.items()}
    found = folded.get(name.casefold().strip())
    if found is not None:
        return found
    return name if mapping.unmapped == "pass" else None


def not_mapped_at_source(source: str, name: str) -> Reason:
    """Nobody said which of our couriers the source's name stands for."""
    return Reason(
        code=NOT_MAPPED,
        message=f"source {source} ships with {name!r}, which is none of our couriers",
        action=f"add {name!r} to sources[{source}].couriers.map; what waits for it is sent at once",
    )


def not_mapped_at_channel(channel: str, name: str) -> Reason:
    """Nobody said how the channel calls our courier."""
    return Reason(
        code=NOT_MAPPED,
        message=f"channel {channel} has no name for our courier {name!r}",
        action=f"add {name!r} to channels[{channel}].couriers.map ({page(channel)}); what waits for it is sent at once",
    )


def refused(channel: str, sent: str, message: str) -> Reason:
    """The channel did not take the name that the map gave."""
    return Reason(
        code=REFUSED,
        message=f"channel {channel} refused the courier name {sent!r}: {message}",
        action=f"choose one that it takes in {page(channel)}; what waits for it is sent at once",
    )


def page(channel: str) -> str:
    """Where the channel's courier names are mapped, with those that it takes."""
    return f"/channels/{channel}/mappings/couriers"


MENDED_BY_A_NAME = (NOT_MAPPED, REFUSED)
"""Failures that a channel's map mends."""


def mended(waiting: Iterable[str], before: NameMapping | None, now: NameMapping) -> list[str]:
    """Which of our couriers that shipments wait for have a name now, and had none or another one before."""
    found = []
    for ours in waiting:
        name = mapped(now, ours)
        if name is not None and (before is None or name != mapped(before, ours)):
            found.append(ours)
    return found
