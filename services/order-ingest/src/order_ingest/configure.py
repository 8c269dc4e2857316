"""Configuration as it comes: stored by entity and version, and put to work in the same transaction.

Only newer versions count, but each one is answered with `config.applied`, also when it was known: `apply` may have
missed the first answer. A changed channel is due at once, and its held and excluded orders are judged again (IN-11).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from order_ingest.connection_state import tell_state
from order_ingest.facts import message
from order_ingest.named import q
from order_ingest.names import Name, names_of_channel, names_of_source
from waybill_common import outbox
from waybill_common.breaker import Health
from waybill_common.db import Connection, rows
from waybill_contracts.alerts_raised import ConfigApplied
from waybill_contracts.config_changed import ChannelConfigured, Configured, EntityRemoved, SourceConfigured
from waybill_contracts.configuration import Platform
from waybill_contracts.envelope import Received
from waybill_contracts.topics import ORDER_INGEST

UNPOLLED = frozenset({Platform.EVENTS})
"""Channels without an API to pull from: their orders are published to us."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entity as of one version; `event` is a removal or a configuration."""

    version: int
    event: Configured

    @property
    def removed(self) -> bool:
        return isinstance(self.event, EntityRemoved)


async def apply_configuration(conn: Connection, received: Sequence[Received], health: Health, now: datetime) -> int:
    """Applies the newest of each entity; returns how many were news."""
    newest = newest_changes(received)
    news = await _store(conn, newest)
    channels = [change.event for change in news if isinstance(change.event, ChannelConfigured)]
    await _upsert_channels(conn, channels)
    await _remove_channels(conn, [change for change in news if change.removed])
    await _rename(conn, news)
    for event in channels:
        resumed = await health.resume(conn, event.channel.id, event.credential_version)
        if resumed is not None:
            await tell_state(conn, resumed, now)
    await outbox.append(conn, [message(_applied(change, now)) for change in newest])
    return len(news)


def newest_changes(received: Sequence[Received]) -> list[Change]:
    """The newest change of each entity, in the entities' order (one lock order for all replicas)."""
    newest: dict[str, Change] = {}
    for one in received:
        if isinstance(one.event, Configured):
            change = Change(one.event.sequence, one.event)
            known = newest.get(one.event.entity)
            if known is None or change.version >= known.version:
                newest[one.event.entity] = change
    return [newest[entity] for entity in sorted(newest)]


async def learn_names(conn: Connection, names: Sequence[Name]) -> bool:
    """Notes names that are ours; news (True) may release orders of channels that pass unmapped names."""
    if not names:
        return False
    found = await rows(
        q().learn_names(
            conn, kinds=[n.kind for n in names], names=[n.name for n in names], origins=[n.origin for n in names]
        )
    )
    if found:
        await q().bump_passing(conn)
    return bool(found)


async def _store(conn: Connection, changes: Sequence[Change]) -> list[Change]:
    if not changes:
        return []
    found = await rows(
        q().apply_entities(
            conn,
            entities=[change.event.entity for change in changes],
            versions=[change.version for change in changes],
            bodies=[None if c.removed else c.event.model_dump(mode="json", by_alias=True) for c in changes],
        )
    )
    news = {row["entity"] for row in found}
    return [change for change in changes if change.event.entity in news]


async def _upsert_channels(conn: Connection, events: Sequence[ChannelConfigured]) -> None:
    if events:
        channels = [event.channel for event in events]
        await q().upsert_channels(
            conn,
            ids=[channel.id for channel in channels],
            polled=[channel.platform not in UNPOLLED for channel in channels],
            stores=[event.store for event in events],
            starts=[event.starts_at for event in events],
            versions=[event.sequence for event in events],
            credentials=[event.credential_version for event in events],
            every=[channel.poll_every for channel in channels],
            passes=["pass" in (c.skus.unmapped, c.shipping_methods.unmapped) for c in channels],
        )


async def _remove_channels(conn: Connection, removed: Sequence[Change]) -> None:
    gone = [(c.event.entity.removeprefix("channel/"), c.version) for c in removed if "channel/" in c.event.entity]
    if gone:
        await q().remove_channels(conn, ids=[name for name, _ in gone], versions=[version for _, version in gone])


async def _rename(conn: Connection, news: Sequence[Change]) -> None:
    """The names of changed entities are what they now say."""
    if news:
        await q().forget_names(conn, origins=[change.event.entity for change in news])
    names: list[Name] = []
    for change in news:
        if isinstance(change.event, SourceConfigured):
            names += names_of_source(change.event.source)
        if isinstance(change.event, ChannelConfigured):
            names += names_of_channel(change.event.channel)
    await learn_names(conn, names)


def _applied(change: Change, now: datetime) -> ConfigApplied:
    return ConfigApplied(at=now, service=ORDER_INGEST, entity=change.event.entity, version=change.version)
