"""Orders that upstream systems publish, through the same verb as every other way in (IN-4).

An event for a channel that is not configured is refused: alone in its batch it becomes a dead letter with the reason,
and may be replayed once the channel is there. A channel with an API of its own is asked for the order instead of being
believed second-hand (DESIGN section 3).
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from order_ingest.configure import UNPOLLED
from order_ingest.import_orders import Batch, import_orders
from order_ingest.inbound import VIA, as_channel_order
from order_ingest.live_reads import Wanted, want
from order_ingest.rulebook import Rulebook
from order_ingest.seen import Seen, seen
from waybill_common.db import Connection
from waybill_common.telemetry import Telemetry
from waybill_contracts.envelope import Received
from waybill_contracts.orders_inbound import OrderSubmitted


class UnknownChannel(ValueError):
    """The order names a channel that is not configured."""


async def import_inbound(
    conn: Connection, received: Sequence[Received], rulebook: Rulebook, telemetry: Telemetry, now: datetime
) -> int:
    """Imports a batch of `order.submitted`; returns how many are left to be read live at their channel.

    Raises UnknownChannel before anything is written.
    """
    sightings = [_seen(one) for one in received]
    rules = await rulebook.of(conn, sightings)
    _refuse_unknown(sightings, rules.keys())
    told = {channel for channel, rule in rules.items() if rule.channel.platform in UNPOLLED}
    elsewhere = [_wanted(one) for one in received if _submitted(one).channel not in told]
    await want(conn, elsewhere)
    mine = [sighting for sighting in sightings if sighting.channel in told]
    await import_orders(conn, Batch(mine, rules, telemetry, now))
    return len(elsewhere)


def _submitted(received: Received) -> OrderSubmitted:
    assert isinstance(received.event, OrderSubmitted)
    return received.event


def _wanted(received: Received) -> Wanted:
    event = _submitted(received)
    return Wanted(event.channel, event.number, event.order_ref, VIA, received.traceparent)


def _seen(received: Received) -> Seen:
    event = _submitted(received)
    order = as_channel_order(event)
    return seen(event.channel, order, read_at=event.at, via=VIA, traceparent=received.traceparent)


def _refuse_unknown(sightings: Sequence[Seen], known: Collection[str]) -> None:
    for sighting in sightings:
        if sighting.channel not in known:
            raise UnknownChannel(
                f"channel: {sighting.channel!r} is not configured; use the id of a configured channel, "
                f"or configure it and replay this dead letter (order {sighting.order.number!r})"
            )
