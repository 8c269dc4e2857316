"""Stored entities become `config.changed` events; the whole configuration is sent again at start and every 10 minutes.

Sent again means the same ids and sequences: readers that have them only answer once more.
"""

from datetime import datetime
from typing import Any

from console.messages import message
from waybill_common import outbox
from waybill_common.clock import Clock
from waybill_common.db import Pool, Queries, rows, transaction
from waybill_contracts import topics
from waybill_contracts.config_changed import ChannelConfigured, Configured, RoutingConfigured, SourceConfigured
from waybill_contracts.configuration import Channel, Routing, Source
from waybill_contracts.envelope import tombstone

EVERY_SECONDS = 600.0


def published(entity: str) -> bool:
    """Stores have no event of their own: their channels name them."""
    return not entity.startswith("store/")


def message_of(row: Any) -> outbox.Message:
    return message(event_of(row))


def event_of(row: Any) -> Configured:
    """The event of a stored entity, the same whenever it is made; credentials stay sealed, a renewed one wins."""
    name, body = row["entity"], dict(row["body"])
    common = {"sequence": row["version"], "at": row["at"], "actor": row["actor"]}
    if name == "routing":
        return RoutingConfigured(routing=Routing.model_validate(body), **common)
    body["credentials"] = row["credentials"] | row["renewed"]
    if name.startswith("source/"):
        source = Source.model_validate(body)
        return SourceConfigured(source=source, credential_version=row["credential_version"], **common)
    store = body.pop("store")
    channel = Channel.model_validate(body)
    return ChannelConfigured(
        store=store,
        channel=channel,
        starts_at=row["starts_at"],
        credential_version=row["credential_version"],
        **common,
    )


def removal_of(entity: str, version: int) -> outbox.Message:
    return outbox.Message(*tombstone(entity, source=topics.CONSOLE, version=version))


class Republisher:
    """A worker's turn: everything again when it is time."""

    def __init__(self, pool: Pool, q: Queries, clock: Clock) -> None:
        self._pool, self._q, self._clock = pool, q, clock
        self._last: datetime | None = None

    async def turn(self) -> int:
        now = self._clock.now()
        if self._last is not None and (now - self._last).total_seconds() < EVERY_SECONDS:
            return 0
        async with transaction(self._pool) as conn:
            found = [row for row in await rows(self._q.entities(conn)) if published(row["entity"])]
            gone = [row for row in await rows(self._q.removed_entities(conn)) if published(row["entity"])]
            messages = [message_of(row) for row in found]
            messages += [removal_of(row["entity"], row["version"]) for row in gone]
            await outbox.append(conn, messages)
        self._last = now
        return len(messages)
