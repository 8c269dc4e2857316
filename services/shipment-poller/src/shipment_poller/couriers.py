"""Courier names cross two borders: a source's name -> ours -> the channel's name or code (SP-7). Pure tables.

A name that no map has is passed on or held, as the map says; held means `COURIER_NOT_MAPPED` before any call, and the
change of the map re-arms what waited for it.
"""

from waybill_contracts.configuration import NameMapping
from waybill_contracts.fulfillment_submitted import Reason

NOT_MAPPED = "COURIER_NOT_MAPPED"


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
        action=f"add {name!r} to channels[{channel}].couriers.map "
        f"(/channels/{channel}/mappings/couriers); what waits for it is sent at once",
    )
