"""The courier names of a source and of a channel looked at together as soon as an FR is made (SP-7), not at a refusal.

What a source will ship with is what its own map can give; a source that passes names on says nothing beforehand. What
is missing raises one alert for each channel and courier, with the page that mends it, and clears when it is mapped.
"""

from collections.abc import Iterable

from shipment_poller import couriers
from shipment_poller.review_orders import Tools
from waybill_common.db import Connection, rows
from waybill_contracts.configuration import Channel, Source
from waybill_contracts.fr_created import FrCreated
from waybill_contracts.fulfillment_submitted import Reason

_KEY = "courier_not_mapped"


def missing(source: Source, channel: Channel) -> dict[str, Reason]:
    """Our couriers that the source's map can give and the channel has no name for, and why. Pure."""
    named = {ours: couriers.at_channel(channel, ours) for ours in sorted(set(source.couriers.map.values()))}
    return {ours: reason for ours, reason in named.items() if isinstance(reason, Reason)}


async def check(conn: Connection, tools: Tools, created: Iterable[FrCreated]) -> None:
    """Raises alerts for what these FRs may be shipped with and the channel has no name for; commits nothing itself."""
    for source_id, channel_id in sorted({(event.fr.source, event.fr.channel) for event in created}):
        source, channel = tools.configurations.source(source_id), tools.configurations.channel(channel_id)
        if source is None or channel is None:
            continue
        for ours, reason in missing(source.source, channel.channel).items():
            title = f"{reason.code}: {reason.message}, with which {source_id} may ship"
            await tools.alerts.raised(conn, f"{_KEY}/{channel_id}/{ours}", title, reason.action or "")


async def clear(conn: Connection, tools: Tools) -> None:
    """Alerts whose courier has a name by now, or that no source gives any more."""
    for row in await rows(tools.queries.open_alerts(conn, pattern=f"{_KEY}/%".replace("_", r"\_"))):
        _, channel_id, ours = row["key"].split("/", 2)
        channel = tools.configurations.channel(channel_id)
        sources = tools.configurations.sources
        if channel is None or not any(ours in missing(source.source, channel.channel) for source in sources):
            await tools.alerts.cleared(conn, row["key"])
