"""Courier names cross two borders: a source's name -> ours -> the channel's name or code (SP-7). Pure tables.

A name of ours may say a service behind the courier, `ups/ground`. The channel's map is asked for the whole name first,
then for the courier alone; the service has a map of its own, for channels that tell it apart. A name that no map has is
passed on or held, as the map says; held means `COURIER_NOT_MAPPED` (`COURIER_SERVICE_NOT_MAPPED`) before any call, and
the change of the map re-arms what waited for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from waybill_contracts.configuration import Channel, NameMapping
from waybill_contracts.fulfillment_submitted import Reason

NOT_MAPPED = "COURIER_NOT_MAPPED"
SERVICE_NOT_MAPPED = "COURIER_SERVICE_NOT_MAPPED"
REFUSED = "COURIER_REFUSED"
"""Also the code that platforms give a refusal of the carrier's name."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the channel calls a courier, and its service where the name of ours says one."""

    carrier: str
    service: str = ""


def mapped(mapping: NameMapping, name: str) -> str | None:
    """The name on the other side; none when it is not mapped and the map holds such names."""
    found = _in(mapping, name)
    return name if found is None and mapping.unmapped == "pass" else found


def _in(mapping: NameMapping, name: str) -> str | None:
    if name in mapping.map:
        return mapping.map[name]
    folded = {key.casefold().strip(): value for key, value in mapping.map.items()}
    return folded.get(name.casefold().strip())


def at_channel(channel: Channel, ours: str) -> Named | Reason:
    """What the channel is told for a name of ours, or why nothing can be told."""
    courier, _, service = ours.partition("/")
    whole, alone = _in(channel.couriers, ours), _in(channel.couriers, courier)
    if whole is not None:
        return Named(whole, _in(channel.courier_services, ours) or "")
    if not service or alone is None:
        passed = mapped(channel.couriers, ours)
        return not_mapped_at_channel(channel.id, ours) if passed is None else Named(passed)
    named = _in(channel.courier_services, ours) or mapped(channel.courier_services, service)
    return service_not_mapped(channel.id, ours) if named is None else Named(alone, named)


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


def service_not_mapped(channel: str, name: str) -> Reason:
    """The courier has a name there, and its service none."""
    return Reason(
        code=SERVICE_NOT_MAPPED,
        message=f"channel {channel} has no name for the courier service {name!r}",
        action=f"add {name!r} to channels[{channel}].courier_services.map ({page(channel, 'courier-services')}); "
        "what waits for it is sent at once",
    )


def refused(channel: str, sent: str, message: str) -> Reason:
    """The channel did not take the name that the map gave."""
    return Reason(
        code=REFUSED,
        message=f"channel {channel} refused the courier name {sent!r}: {message}",
        action=f"choose one that it takes in {page(channel)}; what waits for it is sent at once",
    )


def page(channel: str, of: str = "couriers") -> str:
    """Where the channel's courier names are mapped, with those that it takes."""
    return f"/channels/{channel}/mappings/{of}"


MENDED_BY_A_NAME = (NOT_MAPPED, SERVICE_NOT_MAPPED, REFUSED)
"""Failures that a channel's maps mend."""


def mended(waiting: Iterable[str], before: Channel | None, now: Channel) -> list[str]:
    """Which of our couriers that shipments wait for have a name now, and had none or another one before."""
    found = []
    for ours in waiting:
        named = at_channel(now, ours)
        if isinstance(named, Named) and (before is None or named != at_channel(before, ours)):
            found.append(ours)
    return found
