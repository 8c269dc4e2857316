"""A changed configuration is stored, answered with `config.applied`, and whatever waited for it goes on.

Promises: an older version changes nothing and is answered all the same; a mended courier map re-arms exactly what
failed for want of it; new credentials resume what waited for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from shipment_poller import couriers, facts, preflight
from shipment_poller.review_orders import Columns, Tools, review_orders
from waybill_common import outbox
from waybill_common.breaker import Health
from waybill_common.db import Connection, rows
from waybill_contracts.config_changed import ChannelConfigured, Configured, EntityRemoved, SourceConfigured
from waybill_contracts.configuration import Channel, Platform


async def apply_configuration(conn: Connection, tools: Tools, health: Health, events: Sequence[Configured]) -> None:
    """The newest of each entity counts; routing is answered and not needed here."""
    newest: dict[str, Configured] = {}
    for event in events:
        known = newest.get(event.entity)
        if known is None or event.sequence >= known.sequence:
            newest[event.entity] = event
    if not newest:
        return
    removed = {entity: event.sequence for entity, event in newest.items() if isinstance(event, EntityRemoved)}
    if removed:
        await tools.queries.remove_configuration(conn, entities=list(removed), versions=list(removed.values()))
        await tools.queries.drop_probes(conn, entities=list(removed))
        await tools.queries.drop_stock_turns(conn, sources=[entity.removeprefix("source/") for entity in removed])
    before = {one.channel.id: tools.configurations.channel(one.channel.id) for one in _channels_of(newest.values())}
    changed = await _store(conn, tools, [event for event in newest.values() if not isinstance(event, EntityRemoved)])
    await tools.configurations.refresh(conn)
    channels = _channels_of(changed)
    sources = [event for event in changed if isinstance(event, SourceConfigured)]
    await _channels(conn, tools, channels, before)
    await _sources(conn, tools, sources)
    await preflight.clear(conn, tools)
    probed = [*channels, *sources]
    if probed:
        versions = [event.sequence for event in probed]
        await tools.queries.expect_probes(conn, entities=[event.entity for event in probed], versions=versions)
    await _resume(conn, tools, health, [*channels, *sources])
    now = tools.clock.now()
    answers = [event for event in newest.values() if not isinstance(event, EntityRemoved)]
    await outbox.append(conn, [facts.message(facts.applied(now, one.entity, one.sequence)) for one in answers])


async def _store(conn: Connection, tools: Tools, events: Sequence[Configured]) -> list[Configured]:
    columns = Columns()
    for event in events:
        columns.add(entities=event.entity, versions=event.sequence, bodies=event.model_dump(mode="json", by_alias=True))
    if not columns:
        return []
    newer = {row["entity"] for row in await rows(tools.queries.apply_configuration(conn, **columns.values))}
    return [event for event in events if event.entity in newer]


def _channels_of(events: Iterable[Configured]) -> list[ChannelConfigured]:
    return [event for event in events if isinstance(event, ChannelConfigured)]


async def _channels(
    conn: Connection,
    tools: Tools,
    events: Sequence[ChannelConfigured],
    before: Mapping[str, ChannelConfigured | None],
) -> None:
    for event in events:
        old = before[event.channel.id]
        await _release(conn, tools, event, None if old is None else old.channel)
    if events:
        await tools.queries.wake_pushes(conn, channels=[event.channel.id for event in events])


async def _release(conn: Connection, tools: Tools, event: ChannelConfigured, before: Channel | None) -> None:
    """Exactly those whose courier has a name now, or another one than before."""
    q, codes, channel = tools.queries, list(couriers.MENDED_BY_A_NAME), event.channel
    failed = await rows(q.couriers_failed_for(conn, channel=channel.id, codes=codes))
    mended = couriers.mended([row["carrier"] for row in failed], before, channel)
    if not mended:
        return
    found = await rows(q.orders_failed_for(conn, channel=channel.id, carriers=mended, codes=codes))
    orders = sorted(row["order_id"] for row in found)
    await q.lock_orders(conn, order_ids=orders)
    await q.rearm_failed(conn, order_ids=orders, carriers=mended, codes=codes)
    await q.arm_pushes(conn, order_ids=orders)


async def _sources(conn: Connection, tools: Tools, events: Sequence[SourceConfigured]) -> None:
    columns = Columns()
    for event in events:
        if event.source.platform is not Platform.MANUAL:
            columns.add(sources=event.source.id, waits=timedelta(0))
    if columns:
        await tools.queries.expect_turns(conn, **columns.values)
    ids = [event.source.id for event in events]
    if ids:
        read = [event.source.id for event in events if event.source.stock.from_ == "platform"]
        await tools.queries.drop_stock_turns(conn, sources=sorted(set(ids) - set(read)))
        await tools.queries.expect_stock(conn, sources=read)
        unmapped = await rows(tools.queries.orders_with_unmapped_couriers(conn, sources=ids))
        await review_orders(conn, tools, [row["order_id"] for row in unmapped])


async def _resume(
    conn: Connection, tools: Tools, health: Health, events: Sequence[ChannelConfigured | SourceConfigured]
) -> None:
    for event in events:
        connection = event.channel.id if isinstance(event, ChannelConfigured) else event.source.id
        change = await health.resume(conn, connection, event.credential_version)
        if change is not None:
            told = facts.connection_changed(tools.clock.now(), change)
            await outbox.append(conn, [facts.message(event) for event in told])
